"""The data set `shelf`: shelves of bottles, cans, glasses and other containers, photographed in many stores.

A store is visited in sessions; a session takes photographs of a few stretches of its shelves. Each store has its own
stock, shelves, light and camera. Truth are the visible extents with class, product, shelf row and place in it. Unknown
products stand only in stores that state which split they are for: six where val_calib is stated, six others where
val_test is. Containers whose product nobody recorded stand everywhere, so that their class can be learnt.
"""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated, Self

import cv2
import numpy as np
from pydantic import Field, model_validator

from vouch.params import Section
from vouch.scenes import album, assortment, draw, gondola, labelling, photo, randomness, shelving, store
from vouch.scenes.album import Photograph, Source
from vouch.scenes.assortment import Assortment, Design
from vouch.scenes.draw import Box, Canvas
from vouch.scenes.params import Count, Rate
from vouch.scenes.photo import Picture
from vouch.scenes.shelving import Item
from vouch.scenes.store import Store

PX_PER_MM = (0.60, 0.74)  # a bottle is 140 to 180 pixels high, the letters of a can's word 8 wide
WIDE_SHOT = 2  # times the width and height, for about 150 containers
WIDE_PX_PER_MM = 0.56
LEAST_PX = (9, 16)  # shorter and longer side of a visible box
LEAST_SEEN = 0.6  # visible share: of a word cut in half nobody can tell which it was
_STORE, _PLAN, _PICTURE = range(3)  # first word after the seed of every random stream


class Params(Section):
    """datasets.shelf.render."""

    seed: Annotated[int, Field(ge=0, lt=2**32)]
    first_group: Annotated[int, Field(ge=0, lt=2**32)]
    assortment: Annotated[int, Field(ge=0, lt=2**32)]
    assortments: Count  # a store has one of so many, which are numbered from `assortment` on
    n_stores: Count
    calib_stores: Rate
    test_stores: Rate
    sessions_least: Count
    sessions_most: Count
    photographs_per_session: Count
    width_px: Annotated[int, Field(ge=96)]
    height_px: Annotated[int, Field(ge=96)]
    wide_rate: Rate
    empty_rate: Rate
    duplicate_rate: Rate
    label_noise: Rate
    blur_rate: Rate
    occlusion_rate: Rate

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.sessions_least > self.sessions_most:
            raise ValueError("sessions_least is more than sessions_most")
        if self.calib_stores + self.test_stores > 1:
            raise ValueError("calib_stores and test_stores are more than all stores")
        return self


@dataclass(frozen=True)
class Shot:
    """One photograph to take. `number` names its moment; a repeat shares the moment of the shot it repeats."""

    number: int
    store: int
    session: int
    kind: str
    lighting: str
    stated: str | None  # the split that the store states
    wide: bool
    empty: bool
    repeat: int  # 0 for an original


def render(params: Params, folder: Path, *, workers: int) -> None:
    """Write the source `render`: the same parameters give the same bytes on any number of workers."""
    album.write(folder, Source("render", {}), plan(params), partial(photograph, params), workers=workers)


def plan(params: Params) -> list[Shot]:
    """Return every shot: sessions of each store; formats and lightings balanced within each stated split."""
    rng = np.random.default_rng(np.random.SeedSequence([params.seed, _PLAN, params.first_group]))
    shots: list[Shot] = []
    for number, (stated, kind, lighting) in enumerate(_stores(rng, params)):
        for session in range(int(rng.integers(params.sessions_least, params.sessions_most + 1))):
            blank = Shot(0, number + params.first_group, session, kind, lighting, stated, False, False, 0)
            shots += _taken(rng, params, blank, len(shots))
    return shots


def _stores(rng: np.random.Generator, params: Params) -> list[tuple[str | None, str, str]]:
    """Return what each store states, its format and its lighting."""
    counts = {
        "val_calib": round(params.calib_stores * params.n_stores),
        "val_test": round(params.test_stores * params.n_stores),
    }
    told: list[str | None] = [split for split, count in counts.items() for _ in range(count)]
    told += [None] * (params.n_stores - len(told))
    conditions = [(kind, lighting) for kind in store.FORMATS for lighting in store.LIGHTINGS]
    found = [(stated, *conditions[index % len(conditions)]) for index, stated in enumerate(told)]
    return [found[index] for index in rng.permutation(len(found))]


def _taken(rng: np.random.Generator, params: Params, blank: Shot, number: int) -> list[Shot]:
    found: list[Shot] = []
    for _ in range(params.photographs_per_session):
        empty, wide = rng.random(2) < (params.empty_rate, params.wide_rate)
        found.append(replace(blank, number=number + len(found), empty=bool(empty), wide=bool(wide)))
        if rng.random() < params.duplicate_rate:
            found.append(replace(found[-1], repeat=number + len(found)))
    return found


def photograph(params: Params, shot: Shot) -> Photograph:
    """Take one shot."""
    cv2.setNumThreads(1)
    picture, boxes, look = _picture(params, shot)
    high, wide = picture.shape[:2]
    if shot.repeat:
        picture, shift = photo.again(picture, randomness.of_picture(params, _PICTURE, shot.repeat, 1))
        boxes = [labelling.moved(box, shift * 2, (wide, high)) for box in boxes]
    products = _products(params, shot)
    rng = randomness.of_picture(params, _PICTURE, shot.repeat or shot.number, 2)
    boxes = labelling.careless(boxes, params.label_noise, (wide, high), rng, partial(_mistaken, products))
    if params.assortments > 1:  # two of them may have a name in common
        boxes = [{**box, "product": f"{box['product']}_{products}"} if "product" in box else box for box in boxes]
    name = f"store_s{params.seed}_{shot.store:03d}"
    groups = {"store": name, "session": f"{name}_{shot.session}"}
    strata = {"store_format": shot.kind, "lighting": shot.lighting}
    return Photograph(photo.jpeg(picture, look.quality), wide, high, groups, strata, boxes, stated=shot.stated)


@lru_cache(maxsize=64)
def _look(seed: int, products: int, shot: Shot) -> Store:
    """Return the persistent look of a shot's store, of which everything but the store is blank."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, _STORE, shot.store]))
    return store.store(rng, shot.kind, shot.lighting, assortment.assortment(products), shot.stated)


def look(params: Params, shot: Shot) -> Store:
    """Return the store in which a shot is taken."""
    blank = replace(shot, number=0, session=0, wide=False, empty=False, repeat=0)
    return _look(params.seed, _products(params, shot), blank)


def _products(params: Params, shot: Shot) -> int:
    """Return the number of the assortment that a shot's store has."""
    return params.assortment + shot.store % params.assortments


def _picture(params: Params, shot: Shot) -> tuple[Picture, list[Box], Store]:
    rng, place = randomness.of_picture(params, _PICTURE, shot.number, 0), look(params, shot)
    times = WIDE_SHOT if shot.wide else 1
    size = (params.width_px * times, params.height_px * times)
    scale = WIDE_PX_PER_MM if shot.wide else float(rng.uniform(*PX_PER_MM))
    size_mm = (size[0] / scale * 480 / params.height_px, size[1] / scale * 480 / params.height_px)
    fill = 0.97 if shot.wide else place.fullness * float(rng.uniform(0.9, 1.02))
    rows = shelving.rows(rng, place, size_mm, fill, empty=shot.empty)
    shown = gondola.scene(rng, place, rows, size_mm, params.occlusion_rate)

    def paint(dropped: frozenset[Hashable]) -> Canvas:
        paper = draw.canvas(*size, size_mm[1])
        return gondola.painted(paper, place, shown, dropped)

    paper = draw.settled(paint, lambda _: LEAST_PX, LEAST_SEEN)
    light = store.light(place, rng, params.blur_rate)
    return photo.developed(paper, light, gondola.shade(shown, place, size), rng), _boxes(paper), place


def _boxes(paper: Canvas) -> list[Box]:
    """Return the boxes row by row and from the left, with product (where it was recorded), row and position."""
    found = [(thing.key, box) for thing, (box, _) in zip(paper.things, draw.boxes(paper), strict=True)]
    seen = [(item, box) for item, box in found if isinstance(item, Item) and box is not None]
    seen.sort(key=lambda pair: (pair[0].row, pair[0].x_mm))
    rows = [item.row for item, _ in seen]
    return [
        {**box, **_named(item.design), "row": item.row, "position": number - rows.index(item.row) + 1}
        for number, (item, box) in enumerate(seen)
    ]


def _named(design: Design) -> dict[str, str]:
    return {"product": design.name} if design.name else {}


def _mistaken(products: int, box: Box, rng: np.random.Generator) -> Box:
    """Return the box under the name of a twin, where its product has one."""
    twins = _twins(products).get(str(box.get("product")), [])
    return {**box, "product": twins[int(rng.integers(len(twins)))]} if twins else box


@lru_cache(maxsize=4)
def _twins(products: int) -> dict[str, list[str]]:
    """Return of each known product the known ones that it is mistaken for."""
    chosen: Assortment = assortment.assortment(products)
    return {
        one.name: [twin.name for twin in chosen.known if twin.family == one.family and twin != one]
        for one in chosen.known
    }
