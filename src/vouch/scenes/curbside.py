"""The data set `curbside`: waste that was put out at the kerb, in bags, bins and boxes and loose, in many streets.

A street is visited on collection days; each day one stream is put out, and things of other streams with it. Truth are
the visible extents of the items of a municipal list (examples/curbside/pack.json); what only lies or stands there,
leaves, toys, tools, bollards, carries no box, much as it resembles waste.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated, Self, TypeVar

import cv2
import numpy as np
from pydantic import Field, model_validator

from vouch.params import Section
from vouch.scenes import album, draw, kerb, labelling, pavement, photo, randomness, receptacles, setout
from vouch.scenes.album import Photograph, Source
from vouch.scenes.draw import Box
from vouch.scenes.kerb import Street
from vouch.scenes.params import Count, Rate
from vouch.scenes.photo import Picture

STREAMS = tuple(receptacles.STREAM_COLOURS)
LEAST_PX = (16.0, 26.0)  # shorter and longer side of a visible box, at 480 pixels height
LEAST_SEEN = 0.6  # visible share
TWINS = {  # what careless people take a class for
    "plastic_bottle": "glass_bottle",
    "glass_bottle": "plastic_bottle",
    "glass_jar": "yoghurt_pot",
    "yoghurt_pot": "food_can",
    "food_can": "drink_can",
    "drink_can": "food_can",
    "newspaper": "cardboard_box",
    "cardboard_box": "newspaper",
    "plastic_bag": "nappy",
    "nappy": "plastic_bag",
    "food_waste": "garden_cuttings",
    "garden_cuttings": "food_waste",
    "battery": "drink_can",
}
_STREET, _PLAN, _PICTURE = range(3)  # first word after the seed of every random stream

Value = TypeVar("Value")


class Params(Section):
    """datasets.curbside.render."""

    seed: Annotated[int, Field(ge=0, lt=2**32)]
    first_group: Annotated[int, Field(ge=0, lt=2**32)]
    n_streets: Count
    sessions_least: Count
    sessions_most: Count
    photographs_per_session: Count
    width_px: Annotated[int, Field(ge=96)]
    height_px: Annotated[int, Field(ge=96)]
    clutter: Rate
    empty_rate: Rate
    duplicate_rate: Rate
    label_noise: Rate
    blur_rate: Rate
    occlusion_rate: Rate

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.sessions_least > self.sessions_most:
            raise ValueError("sessions_least is more than sessions_most")
        return self


@dataclass(frozen=True)
class Shot:
    """One photograph to take. `number` names its moment; a repeat shares the moment of the shot it repeats."""

    number: int
    street: int
    session: int
    lighting: str
    weather: str
    stream: str
    container: str
    empty: bool
    repeat: int  # 0 for an original


def render(params: Params, folder: Path, *, workers: int) -> None:
    """Write the source `render`: the same parameters give the same bytes on any number of workers."""
    album.write(folder, Source("render", {}), plan(params), partial(photograph, params), workers=workers)


def plan(params: Params) -> list[Shot]:
    """Return every shot: lightings balanced over streets, streams and weathers over visits, containers over shots."""
    rng = np.random.default_rng(np.random.SeedSequence([params.seed, _PLAN, params.first_group]))
    days = [(stream, sky) for stream in STREAMS for sky in kerb.WEATHERS]
    turns = iter(_shuffled(rng, days, params.n_streets * params.sessions_most))
    lightings = _shuffled(rng, kerb.LIGHTINGS, params.n_streets)
    count = params.n_streets * params.sessions_most * params.photographs_per_session
    containers = iter(_shuffled(rng, receptacles.CONTAINERS, count))
    shots: list[Shot] = []
    for street, lighting in enumerate(lightings, start=params.first_group):
        for session in range(int(rng.integers(params.sessions_least, params.sessions_most + 1))):
            stream, sky = next(turns)
            for _ in range(params.photographs_per_session):
                empty = bool(rng.random() < params.empty_rate)
                shots.append(
                    Shot(len(shots), street, session, lighting, sky, stream, next(containers), empty, repeat=0)
                )
                if rng.random() < params.duplicate_rate:
                    shots.append(replace(shots[-1], repeat=len(shots)))
    return shots


def _shuffled(rng: np.random.Generator, values: Sequence[Value], count: int) -> list[Value]:
    """Return so many values in a random order, each as often as every other."""
    every = [values[index % len(values)] for index in range(-(-count // len(values)) * len(values))]
    return [every[index] for index in rng.permutation(len(every))][:count]


def photograph(params: Params, shot: Shot) -> Photograph:
    """Take one shot."""
    cv2.setNumThreads(1)
    picture, boxes = _picture(params, shot)
    high, wide = picture.shape[:2]
    if shot.repeat:
        picture, shift = photo.again(picture, randomness.of_picture(params, _PICTURE, shot.repeat, 1))
        boxes = [labelling.moved(box, shift * 2, (wide, high)) for box in boxes]
    rng = randomness.of_picture(params, _PICTURE, shot.repeat or shot.number, 2)
    boxes = labelling.careless(boxes, params.label_noise, (wide, high), rng, _mistaken)
    name = f"street_s{params.seed}_{shot.street:03d}"
    groups = {"street": name, "session": f"{name}_{shot.session}"}
    strata = {"stream": shot.stream, "lighting": shot.lighting, "weather": shot.weather, "container": shot.container}
    content = photo.jpeg(picture, look(params, shot).quality)
    return Photograph(content, wide, high, groups, strata, boxes)


def look(params: Params, shot: Shot) -> Street:
    """Return the street in which a shot is taken."""
    return _look(params.seed, shot.street, shot.lighting)


@lru_cache(maxsize=64)
def _look(seed: int, street: int, lighting: str) -> Street:
    return kerb.street(np.random.default_rng(np.random.SeedSequence([seed, _STREET, street])), lighting)


def _picture(params: Params, shot: Shot) -> tuple[Picture, list[Box]]:
    rng, place = randomness.of_picture(params, _PICTURE, shot.number, 0), look(params, shot)
    empty = draw.canvas(params.width_px, params.height_px, kerb.UNITS_HIGH)
    view = kerb.camera(place, rng, params.width_px, params.height_px)
    pavement.ground(empty, place, view, rng, shot.weather)
    told = (shot.stream, shot.container)
    shown = setout.setout(rng, place, view, told, params.clutter, empty=shot.empty)
    shown = setout.obstructed(rng, shown, view, params.occlusion_rate)
    least = tuple(side * kerb.scale_of(empty) for side in LEAST_PX)
    paper = draw.settled(
        lambda dropped: setout.painted(draw.copied(empty), place, view, shown, dropped),
        lambda _: (least[0], least[1]),
        LEAST_SEEN,
    )
    boxes = [box for box, _ in draw.boxes(paper) if box is not None]
    kerb.weathered(paper, view, rng, shot.weather)
    light = kerb.light(place, rng, shot.weather, rng.random(2) < params.blur_rate, kerb.scale_of(empty))
    field = kerb.field(place, rng, (params.width_px, params.height_px), shot.weather)
    return photo.developed(paper, light, field, rng), boxes


def _mistaken(box: Box, _: np.random.Generator) -> Box:
    """Return the box as of the class that careless people take its class for."""
    return {**box, "class": TWINS[str(box["class"])]}
