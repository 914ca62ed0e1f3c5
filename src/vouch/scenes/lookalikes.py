"""What only looks like road works: hoardings, awnings, people who deliver, orange vehicles, a van with its one cone."""

from dataclasses import replace

import numpy as np

from vouch.scenes import draw, traffic
from vouch.scenes.draw import Canvas, Colour, ellipse, polygon, rectangle, within
from vouch.scenes.layers import Brush
from vouch.scenes.perspective import Body, Camera
from vouch.scenes.road import EDGES_M
from vouch.scenes.works import RED, WHITE, upright

LOUD: tuple[Colour, ...] = ((244, 120, 24), (250, 190, 30), (222, 60, 36), (248, 244, 232), (40, 96, 170))
JACKETS: tuple[Colour, ...] = ((122, 78, 40), (200, 44, 40), (40, 70, 140), (240, 126, 36), (60, 120, 70))


def hoarding(paper: Canvas, camera: Camera, body: Body) -> None:
    """Paint an advertisement on posts: loud colours, a circle, a slanted band, bars of text."""
    local = upright(paper, camera, body, half_m=1.6)
    for x in (-1.3, 1.3):
        polygon(local, rectangle(x - 0.08, 0.0, x + 0.08, 1.8), (96, 98, 102))
    polygon(local, rectangle(-2.1, 1.5, 2.1, 3.9), (70, 72, 76))
    ground, ink = LOUD[int(body.phase * 10) % 5], LOUD[(int(body.phase * 10) + 1 + int(body.phase * 50) % 4) % 5]
    polygon(local, rectangle(-2.0, 1.6, 2.0, 3.8), ground)
    if body.front:
        polygon(local, [(-2.0, 1.6), (-1.2, 1.6), (0.6, 3.8), (-0.2, 3.8)], ink)
    else:
        polygon(local, ellipse((-1.0, 2.7), (0.75, 0.75)), ink)
    for y, end in ((3.2, 1.7), (2.6, 1.4), (2.05, 1.6)):
        polygon(local, rectangle(0.2, y, end, y + 0.25), draw.mix(ink, (20, 20, 24), 0.5))


def kiosk(paper: Canvas, camera: Camera, body: Body) -> None:
    """Paint a shop front with a striped awning: red or another colour with white."""
    local = upright(paper, camera, body, half_m=1.8)
    wall = draw.mix(body.second, (210, 200, 180), 0.6)
    polygon(local, rectangle(-1.8, 0.0, 1.8, 3.0), wall, to=draw.mix(wall, (0, 0, 0), 0.2))
    lit = draw.mix((0, 0, 0), (230, 190, 120), body.lights * 0.8)
    polygon(local, rectangle(-1.5, 0.9, 0.5, 2.1), (70, 60, 54), to=(40, 36, 34), emit=lit)
    polygon(local, rectangle(0.8, 0.0, 1.5, 2.1), (60, 50, 44))
    for step, x in enumerate(np.linspace(-1.0, 0.8, 9)):
        low, high, next_x = x * 2.1, x * 1.8, x + 0.225
        tone = WHITE if step % 2 else (RED if body.phase < 0.7 else body.second)
        polygon(local, [(low, 1.95), (next_x * 2.1, 1.95), (next_x * 1.8, 2.65), (high, 2.65)], tone)
        polygon(local, ellipse(((low + next_x * 2.1) / 2, 1.95), (0.24, 0.14)), tone)


def delivery(paper: Canvas, camera: Camera, body: Body) -> None:
    """Paint somebody who carries a parcel: a plain jacket and a cap, no vest, no helmet."""
    jacket = JACKETS[int(body.phase * 50) % 5]
    walker = replace(body, kind="pedestrian", colour=jacket, second=(40, 42, 50), lights=0.0, label="")
    traffic.paint(paper, camera, walker)
    scale = camera.focal / body.z_m * body.size
    local = within(paper, camera.at(body.x_m, 0.0, body.z_m), scale=(scale, -scale))
    polygon(local, draw.arc((0, 1.66), (0.12, 0.12), np.linspace(0, np.pi, 10)), jacket)
    polygon(local, rectangle(-0.3, 0.92, 0.22, 1.3), (190, 146, 92), to=(150, 112, 70))
    polygon(local, rectangle(-0.07, 0.92, 0.0, 1.3), (220, 190, 140))


def misleading(rng: np.random.Generator, road_type: str, lamps: float) -> list[Body]:
    """Draw what looks like works along a stretch of road: in scenes with works and without."""
    left, right = EDGES_M[road_type]
    found: list[Body] = []
    gap = 1.0 if road_type == "urban" else 0.3
    for kind, share in {"hoarding": 0.45, "kiosk": 0.35, "delivery": 0.40, "van": 0.30, "lorry": 0.35}.items():
        if rng.random() < share and not (road_type == "highway" and kind in ("kiosk", "delivery", "van")):
            side, away = (-1.0, left) if rng.random() < 0.5 else (1.0, right)
            aside = {"hoarding": 4.0, "kiosk": 4.2, "delivery": 2.4 * gap}.get(kind, 1.3)
            x, z = away + side * (aside + float(rng.uniform(0, 0.6))), float(rng.uniform(7, 40))
            found += _placed(rng, kind, x, z, side, lamps)
    return found


def _placed(rng: np.random.Generator, kind: str, x_m: float, z_m: float, side: float, lamps: float) -> list[Body]:
    loud = draw.varied(rng, LOUD[rng.integers(3)], 14)
    second = draw.varied(rng, (90, 110, 120), 60)
    size, phase, front = float(rng.uniform(0.92, 1.06)), float(rng.random()), bool(rng.random() < 0.5)
    vehicle = kind in ("van", "lorry")
    body = Body(kind, "", x_m, z_m, size, loud, second, front, phase, 0.0 if vehicle else lamps)
    cone = Body("lone_cone", "", x_m - side * 0.3, z_m - 1.2, 1.05, loud, second, front, phase, lamps)
    return [body, cone] if kind == "van" else [body]


def dazzling(rng: np.random.Generator, body: Body) -> Body:
    """Return a vehicle repainted orange, yellow or red: the colours of works on ordinary traffic."""
    return replace(body, colour=draw.varied(rng, LOUD[rng.integers(3)], 16))


def _lone_cone(paper: Canvas, camera: Camera, body: Body) -> None:
    """Paint the one cone that guards the doors of a van while it is unloaded: no work site."""
    traffic.paint(paper, camera, replace(body, kind="cone"))


BRUSHES: dict[str, Brush] = {
    "hoarding": hoarding,
    "kiosk": kiosk,
    "delivery": delivery,
    "lone_cone": _lone_cone,
}
