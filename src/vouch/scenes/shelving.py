"""What stands where on the shelves of one photograph: rows of facings, gaps, price tags; in millimetres."""

from dataclasses import dataclass

import numpy as np

from vouch.scenes.assortment import Design
from vouch.scenes.forms import FORMS
from vouch.scenes.store import Store

RAIL_MM = 34.0
# Each row holds one kind, so often; kinds that the store lacks are left out.
KINDS = {"bottle": 0.30, "can": 0.24, "glass": 0.20, "unknown_container": 0.10, "mixed": 0.16}
PUSHED_BACK = 0.10  # largest share of facings that stand deeper in the shelf
SOLD_OUT = 0.05  # share of products without a single facing left
MOST = 240  # facings of a photograph; a canvas tells 255 things apart


@dataclass(frozen=True)
class Item:
    """One facing. `place` numbers it within the photograph."""

    place: int
    row: int  # from the top, from 1
    design: Design
    x_mm: float  # of its middle
    depth: float  # 0 at the front edge, 1 far back
    yaw_step: int
    shade: float


@dataclass(frozen=True)
class Row:
    """A shelf: its items stand on `base_mm`, measured from the top of the picture; `top_mm` is the board above."""

    top_mm: float
    base_mm: float
    items: tuple[Item, ...]
    tags_mm: tuple[float, ...]  # where price tags hang


def rows(
    rng: np.random.Generator, look: Store, size_mm: tuple[float, float], fill: float, *, empty: bool
) -> tuple[Row, ...]:
    """Lay out shelves for a picture of that width and height; `fill` is the share of facings that are there."""
    wide, high = size_mm
    heights: list[tuple[list[Design], float]] = []
    used = float(rng.uniform(10, 45)) + RAIL_MM
    while True:
        fitting = _range(rng, look, high - used - RAIL_MM)
        if not fitting:
            break
        tall = max(FORMS[design.form].height_mm for design in fitting) + float(rng.uniform(16, 46))
        heights.append((fitting, tall))
        used += tall + RAIL_MM
    spare = max(high - used, 0.0) / (len(heights) + 1)
    found: list[Row] = []
    top, place = float(rng.uniform(8, 30)), 0
    for number, (designs, tall) in enumerate(heights, start=1):
        base = top + RAIL_MM + tall + min(spare, 26.0)
        items, tags = _filled(rng, look, designs, wide, fill)
        room = 0 if empty else MOST - place
        kept = [_placed(rng, look, item, number, place + index) for index, item in enumerate(items[:room])]
        place += len(kept)
        found.append(Row(top + RAIL_MM, base, tuple(kept), tags))
        top = base
    return tuple(found)


def _range(rng: np.random.Generator, look: Store, room_mm: float) -> list[Design]:
    """Return the products of a row that is no higher than the room, in the store's order, from anywhere on."""
    fitting = [design for design in look.stock if FORMS[design.form].height_mm + 20 < room_mm]
    groups = {kind: [design for design in fitting if kind in ("mixed", design.container)] for kind in KINDS}
    shares = np.array([share if groups[kind] else 0.0 for kind, share in KINDS.items()])
    if not shares.any():
        return []
    kind = list(KINDS)[rng.choice(len(shares), p=shares / shares.sum())]
    start = int(rng.integers(len(groups[kind])))
    return groups[kind][start:] + groups[kind][:start]


def _filled(
    rng: np.random.Generator, look: Store, designs: list[Design], wide: float, fill: float
) -> tuple[list[tuple[Design, float]], tuple[float, ...]]:
    """Return the facings of a row with the middle of each, and where the tags hang."""
    x = float(rng.uniform(-30, 20))
    items: list[tuple[Design, float]] = []
    tags: list[float] = []
    turn = 0
    while x < wide:
        design = designs[turn % len(designs)]
        turn += 1
        half, sold_out = FORMS[design.form].half_mm, rng.random() < SOLD_OUT
        tags.append(x + half)
        for _ in range(int(rng.integers(look.facings[0], look.facings[1] + 1))):
            x += half + float(rng.uniform(0.5, 5 + 6 * (1 - look.neatness)))
            if not sold_out and rng.random() < fill:
                items.append((design, x))
            x += half
        x += float(rng.uniform(0, 10))
    return items, tuple(tags)


def _placed(rng: np.random.Generator, look: Store, item: tuple[Design, float], row: int, place: int) -> Item:
    untidy = 1.0 - look.neatness
    depth = float(rng.uniform(0.3, 1.0)) if rng.random() < PUSHED_BACK * (0.3 + untidy) else float(rng.uniform(0, 0.06))
    turned = int(np.clip(np.round(rng.normal(0.0, 1.0 + 2.0 * untidy)), -6, 6))  # at most 27 degrees
    return Item(place, row, item[0], item[1], depth, turned, float(rng.uniform(0.92, 1.04)) * (1 - 0.38 * depth))
