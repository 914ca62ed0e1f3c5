"""Which things stand where on a road: traffic, people, cones and street furniture."""

import numpy as np

from vouch.scenes import draw
from vouch.scenes.draw import Colour
from vouch.scenes.perspective import Body
from vouch.scenes.road import EDGES_M, LANES_M

PAINTS: tuple[Colour, ...] = (
    (226, 226, 224),
    (46, 48, 52),
    (138, 142, 148),
    (150, 36, 38),
    (40, 70, 128),
    (196, 190, 172),
    (52, 92, 74),
    (214, 158, 44),
)

CLOTHES: tuple[Colour, ...] = (
    (44, 52, 84),
    (168, 52, 50),
    (214, 208, 196),
    (40, 40, 42),
    (70, 108, 80),
    (198, 162, 70),
    (120, 84, 120),
)


def scenery(rng: np.random.Generator, road_type: str, lamps: float) -> list[Body]:
    """Draw the things beside the road that carry no label."""
    kinds = {
        "highway": ["sign", "sign", "tree", "bollard", "lamp"],
        "urban": ["lamp", "sign", "bin", "mailbox", "bollard", "hydrant", "tree", "lamp", "hoarding"],
        "rural": ["tree", "tree", "tree", "bollard", "mailbox", "sign"],
    }[road_type]
    left, right = EDGES_M[road_type]
    gap = {"highway": 2.4, "urban": 3.4, "rural": 1.4}[road_type]
    found = []
    for _ in range(int(rng.integers(3, 9))):
        kind = str(rng.choice(kinds))
        aside = gap + float(rng.exponential(2.5)) + (1.5 if kind == "tree" else 0.0)
        x = right + aside if rng.random() < 0.5 else left - aside
        found.append(_body(rng, kind, "", x, float(rng.uniform(6, 55)), lamps))
    if rng.random() < 0.12:
        found.append(
            _body(rng, "hoarding", "", float(rng.choice([left - 0.3, right + 0.4])), float(rng.uniform(9, 25)), lamps)
        )
    return found


def traffic(rng: np.random.Generator, road_type: str, *, rear: bool, lamps: float, reach: float) -> list[Body]:
    """Draw the labelled bodies: vehicles in lanes and parked, pedestrians, cones; `reach` scales how far."""
    found: list[Body] = []
    for lane in LANES_M[road_type]:
        z = float(rng.uniform(5, 16) if rear else rng.uniform(7, 18))
        while z < 40 * reach and rng.random() < {"highway": 0.72, "urban": 0.55, "rural": 0.42}[road_type]:
            oncoming = road_type != "highway" and lane < 0
            found.append(_vehicle(rng, lane + float(rng.normal(0, 0.2)), z, lamps, front=oncoming != rear))
            z += float(rng.uniform(9, 22))
    if road_type == "urban":
        found += _parked(rng, reach)
    people = int(rng.poisson({"highway": 0.12, "urban": 1.5, "rural": 0.55}[road_type]))
    near = 0.75 if rear else 1.0  # a wide-angle camera shows the same thing smaller
    found += [_pedestrian(rng, road_type, lamps, 21 * reach * near) for _ in range(people)]
    return found + _cones(rng, road_type, lamps, 15.5 * reach * near)


def _pedestrian(rng: np.random.Generator, road_type: str, lamps: float, far_m: float) -> Body:
    """Draw a pedestrian on the pavement of a town or the edge of another road, sometimes on the road itself."""
    left, right = EDGES_M[road_type]
    aside = 3.4 if road_type == "urban" else 0.6
    x = float(rng.choice([left - aside, right + aside]) + rng.normal(0, 0.4))
    x = float(rng.uniform(left, right)) if rng.random() < 0.25 else x
    return _body(rng, "pedestrian", "pedestrian", x, float(rng.uniform(5, far_m)), lamps)


def _parked(rng: np.random.Generator, reach: float) -> list[Body]:
    found = []
    for x in (EDGES_M["urban"][0] - 1.3, EDGES_M["urban"][1] + 1.3):
        z = float(rng.uniform(5, 14))
        while z < 30 * reach:
            if rng.random() < 0.5:
                found.append(_vehicle(rng, x, z, 0.0, front=bool(rng.random() < 0.4)))
            z += float(rng.uniform(6.0, 9.0))
    return found


def _cones(rng: np.random.Generator, road_type: str, lamps: float, far_m: float) -> list[Body]:
    if rng.random() > 0.42:
        return []
    left, right = EDGES_M[road_type]
    edge, inward = (left, 1) if rng.random() < 0.35 else (right, -1)
    z, step = float(rng.uniform(4.5, 9)), float(rng.uniform(2.2, 4.0))
    found = []
    for number in range(int(rng.integers(1, 5))):
        if z < far_m:
            x = edge + inward * (0.3 + 0.25 * number) + float(rng.normal(0, 0.15))
            found.append(_body(rng, "cone", "cone", x, z, lamps))
        z += step
    return found


def _vehicle(rng: np.random.Generator, x_m: float, z_m: float, lamps: float, *, front: bool) -> Body:
    kind = str(rng.choice(["car", "car", "car", "suv", "suv", "van", "lorry"]))
    colour = draw.one_of(rng, PAINTS, 20)
    second = draw.one_of(rng, PAINTS, 20)
    shine = lamps * float(rng.uniform(0.6, 1.0))
    return Body(
        kind, "vehicle", x_m, z_m, float(rng.uniform(0.94, 1.06)), colour, second, front, float(rng.random()), shine
    )


def _body(rng: np.random.Generator, kind: str, label: str, x_m: float, z_m: float, lamps: float) -> Body:
    colour = draw.one_of(rng, CLOTHES, 20)
    second = draw.one_of(rng, CLOTHES, 20)
    size = float(rng.uniform(0.92, 1.08)) * (1.12 if kind == "cone" else 1.0)
    return Body(kind, label, x_m, z_m, size, colour, second, bool(rng.random() < 0.5), float(rng.random()), lamps)
