"""The surroundings of a road: sky, backdrop, ground, lanes."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vouch.scenes import draw
from vouch.scenes.draw import Canvas, Colour, ellipse, polygon, rectangle
from vouch.scenes.perspective import Camera

WIDE = 320.0  # nominal units of the picture's width; 240 units are its height
EDGES_M = {"highway": (-5.4, 5.4), "urban": (-4.9, 1.7), "rural": (-4.4, 1.6)}  # kerb or shoulder, camera's lane at 0
LANES_M = {"highway": (-3.6, 0.0, 3.6), "urban": (-3.2, 0.0), "rural": (-2.9, 0.0)}
SKIES: dict[str, tuple[Colour, Colour]] = {
    "day": ((138, 178, 224), (222, 232, 238)),
    "dusk": ((92, 92, 136), (250, 164, 104)),
    "night": ((10, 12, 26), (34, 34, 48)),
}
GROUNDS: dict[str, Colour] = {"highway": (118, 128, 92), "urban": (142, 138, 132), "rural": (104, 124, 70)}


@dataclass(frozen=True)
class Place:
    """One frame's surroundings; the picture is a function of it and the bodies."""

    bend: float
    backdrop: int  # seed
    lean: float
    crossing_m: float  # distance of a zebra crossing, 0 for none
    dash_phase: float


def place(rng: np.random.Generator, road_type: str) -> Place:
    """Draw one frame's surroundings."""
    reach = {"highway": 0.0006, "urban": 0.0008, "rural": 0.0016}[road_type]
    crossing = float(rng.uniform(7, 20)) if road_type == "urban" and rng.random() < 0.4 else 0.0
    return Place(
        float(rng.normal(0, reach)), int(rng.integers(1 << 31)), float(rng.normal(0, 3)), crossing, float(rng.random())
    )


def surroundings(paper: Canvas, view: Camera, now: Place, *, scenario: str, road_type: str) -> None:
    """Paint sky, backdrop, ground, road and its markings."""
    rng = np.random.default_rng(now.backdrop)
    top, bottom = SKIES[scenario]
    glow = 0.0 if scenario == "night" else 0.25
    emit = draw.mix(draw.DARK, bottom, glow)
    polygon(paper, rectangle(-200, -10, 520, view.horizon_y + 1), top, to=bottom, emit=emit)
    if scenario == "dusk" and rng.random() < 0.4:
        _low_sun(paper, view, rng)
    _clouds(paper, view, rng, scenario)
    _backdrop(paper, view, rng, road_type, scenario)
    ground = draw.varied(rng, GROUNDS[road_type], 12)
    polygon(paper, rectangle(-200, view.horizon_y, 520, 440), draw.mix(ground, (150, 150, 150), 0.2), to=ground)
    _tarmac(paper, view, now, rng, road_type)
    start = int((view.horizon_y + 2) * paper.frame[1, 1])
    draw.grain(paper, slice(max(start, 0), None), rng, strength=7.0, stretch=3)


def _low_sun(paper: Canvas, view: Camera, rng: np.random.Generator) -> None:
    """Paint a sun low enough to blind the camera."""
    at = (float(rng.uniform(20, WIDE - 20)), view.horizon_y - float(rng.uniform(6, 40)))
    for radius, shine in ((26.0, 0.25), (16.0, 0.55), (9.0, 1.0)):
        emit = draw.mix((120, 70, 40), (255, 236, 190), shine)
        polygon(paper, ellipse(at, (radius, radius)), (255, 214, 150), emit=emit)


def _clouds(paper: Canvas, view: Camera, rng: np.random.Generator, scenario: str) -> None:
    tone = {"day": (250, 250, 250), "dusk": (232, 150, 130)}.get(scenario, (40, 42, 56))
    for _ in range(int(rng.integers(0, 5))):
        x, y, wide = rng.uniform(0, WIDE), rng.uniform(5, view.horizon_y - 25), rng.uniform(20, 60)
        for shift in (-0.5, 0.0, 0.5):
            blob = ellipse((x + shift * wide, y - 3 * (shift == 0)), (wide * 0.5, wide * 0.13))
            polygon(paper, blob, tone, alpha=0.45, owner=None)


def _backdrop(paper: Canvas, view: Camera, rng: np.random.Generator, road_type: str, scenario: str) -> None:
    if road_type == "urban":
        _buildings(paper, view.horizon_y + 1, rng, scenario)
        return
    x = np.linspace(-60, WIDE + 60, 14)
    for depth in (0.0, 0.5):
        ridge = np.column_stack([x, view.horizon_y + 1 - rng.uniform(6, 26, 14) * (1 - depth * 0.5)])
        hill = np.concatenate([ridge, [(WIDE + 60, view.horizon_y + 1), (-60, view.horizon_y + 1)]])
        polygon(paper, hill, draw.mix((120, 142, 150), (70, 100, 60), 0.3 + depth))


def _buildings(paper: Canvas, line: float, rng: np.random.Generator, scenario: str) -> None:
    x = -20.0
    while x < WIDE + 20:
        wide = float(rng.uniform(16, 44))
        reach = abs(x + wide / 2 - WIDE / 2) / (WIDE / 2)
        high = float(rng.uniform(10, 24) + reach**1.5 * rng.uniform(20, 80))
        _building(paper, rng, (x, line - high, x + wide - 1, line), scenario)
        x += wide


def _building(paper: Canvas, rng: np.random.Generator, box: tuple[float, float, float, float], scenario: str) -> None:
    x1, y1, x2, y2 = box
    wall = draw.varied(rng, ((168, 150, 130), (140, 96, 80), (176, 176, 172), (110, 116, 128))[rng.integers(4)], 18)
    polygon(paper, rectangle(x1, y1, x2, y2), wall, to=draw.mix(wall, (0, 0, 0), 0.25))
    pitch = max((x2 - x1) / 4, 5.0)
    for row in np.arange(y1 + 4, y2 - 5, pitch * 1.4):
        for left in np.arange(x1 + 2.5, x2 - pitch * 0.6, pitch):
            lit = (255, 206, 120) if scenario != "day" and rng.random() < 0.3 else draw.DARK
            polygon(paper, rectangle(left, row, left + pitch * 0.5, row + pitch * 0.7), (74, 84, 100), emit=lit)


def _strip(view: Camera, left_m: float, right_m: float) -> NDArray[np.float64]:
    z = np.geomspace(0.45, 220.0, 26)
    return np.concatenate([view.at(left_m, 0.0, z), view.at(right_m, 0.0, z)[::-1]])


def _tarmac(paper: Canvas, view: Camera, now: Place, rng: np.random.Generator, road_type: str) -> None:
    left, right = EDGES_M[road_type]
    grey = draw.varied(rng, (92, 92, 96), 14)
    if road_type == "urban":
        polygon(paper, _strip(view, left - 2.6, right + 2.6), draw.mix(grey, (0, 0, 0), 0.08))  # parking
        for edge in (left - 2.75, right + 2.6):
            polygon(paper, _strip(view, edge, edge + 0.18), (188, 186, 180))
    else:
        polygon(paper, _strip(view, left - 0.9, right + 0.9), draw.mix(grey, (130, 116, 90), 0.35))
    polygon(paper, _strip(view, left, right), draw.mix(grey, (150, 150, 152), 0.25), to=grey)
    white = (224, 224, 218) if road_type != "rural" else (206, 200, 180)
    if road_type != "urban":
        for edge in (left + 0.25, right - 0.25):
            polygon(paper, _strip(view, edge - 0.09, edge + 0.09), white, alpha=0.85)
    lanes = LANES_M[road_type]
    for first, second in pairwise(lanes):
        middle = (first + second) / 2
        for z in np.arange(1.5 + now.dash_phase * 6, 70, 6.0):
            dash = view.at(middle + np.array([-0.08, 0.08, 0.08, -0.08]), 0.0, [z, z, z + 2.6, z + 2.6])
            polygon(paper, dash, white, alpha=0.9)
    if now.crossing_m:
        for x in np.arange(left + 0.3, right - 0.2, 0.95):
            bar = view.at([x, x + 0.5, x + 0.5, x], 0.0, now.crossing_m + np.array([0, 0, 2.6, 2.6]))
            polygon(paper, bar, white, alpha=0.85)
    if road_type == "highway":
        _rail(paper, view, left - 1.3)
        _rail(paper, view, right + 1.3)


def _rail(paper: Canvas, view: Camera, x_m: float) -> None:
    for z in np.arange(3.0, 60.0, 4.0):
        polygon(paper, view.at(x_m + np.array([-0.06, 0.06, 0.06, -0.06]), [0, 0, 0.7, 0.7], z), (120, 122, 126))
    z = np.geomspace(0.8, 150, 22)
    for low, high, tone in ((0.45, 0.75, (176, 178, 182)), (0.57, 0.63, (126, 128, 132))):
        polygon(paper, np.concatenate([view.at(x_m, low, z), view.at(x_m, high, z)[::-1]]), tone)
