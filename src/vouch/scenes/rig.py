"""A vehicle's outside cameras: how they are mounted, and what they see of their own vehicle."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vouch.scenes import draw
from vouch.scenes.draw import Canvas, Colour, ellipse, polygon, rectangle, stroke
from vouch.scenes.perspective import Camera
from vouch.scenes.population import PAINTS
from vouch.scenes.road import WIDE, Place


@dataclass(frozen=True)
class Rig:
    """What stays the same in a vehicle's outside cameras."""

    paint: Colour
    height_m: float
    horizon: float
    focal: float
    bonnet_high: float
    bonnet_wide: float
    ridges: int
    dash: Colour
    dirt: tuple[tuple[float, float, float], ...]
    sticker: tuple[float, float, Colour] | None
    mirror: bool
    rear_horizon: float
    rear_dirt: tuple[tuple[float, float, float], ...]
    bumper: Colour
    guides: str
    barrel: float


def rig(rng: np.random.Generator) -> Rig:
    """Draw the look of one vehicle's outside cameras."""
    sticker = (float(rng.choice([18.0, 290.0])), float(rng.uniform(150, 180)), draw.varied(rng, (120, 120, 120), 100))
    return Rig(
        paint=draw.one_of(rng, PAINTS, 16),
        height_m=float(rng.uniform(1.2, 1.6)),
        horizon=float(rng.uniform(88, 112)),
        focal=float(rng.uniform(215, 250)),
        bonnet_high=float(rng.uniform(14, 34)),
        bonnet_wide=float(rng.uniform(120, 165)),
        ridges=int(rng.integers(0, 3)),
        dash=draw.varied(rng, (44, 44, 46), 22),
        dirt=_spots(rng),
        sticker=sticker if rng.random() < 0.4 else None,
        mirror=bool(rng.random() < 0.4),
        rear_horizon=float(rng.uniform(70, 92)),
        rear_dirt=_spots(rng),
        bumper=draw.varied(rng, (58, 58, 62), 40),
        guides=str(rng.choice(["colours", "yellow", "none"])),
        barrel=float(rng.uniform(0.16, 0.30)),
    )


def _spots(rng: np.random.Generator) -> tuple[tuple[float, float, float], ...]:
    count = int(rng.integers(2, 12))
    return tuple(
        (float(rng.uniform(0, WIDE)), float(rng.uniform(0, 240)), float(rng.uniform(1.5, 6))) for _ in range(count)
    )


def camera(look: Rig, now: Place, *, rear: bool) -> Camera:
    """Return the camera that looks ahead or behind."""
    if rear:
        return Camera(WIDE / 2 + now.lean, look.rear_horizon, look.focal * 0.72, look.height_m * 0.72, now.bend)
    return Camera(WIDE / 2 + now.lean, look.horizon + now.lean * 0.5, look.focal, look.height_m, now.bend)


def ahead(paper: Canvas, look: Rig) -> None:
    """Paint what the front camera sees of its own vehicle: bonnet, dashboard edge, mirror, dirt on the glass."""
    edge = 240 - look.bonnet_high
    wide = look.bonnet_wide
    hood = draw.curve(
        [
            (160 - wide - 30, 244),
            (160 - wide, edge - 6),
            (160, edge - 12),
            (160 + wide, edge - 6),
            (160 + wide + 30, 244),
        ],
        steps=20,
    )
    polygon(paper, hood, draw.mix(look.paint, (255, 255, 255), 0.18), to=draw.mix(look.paint, (0, 0, 0), 0.35))
    for ridge in range(look.ridges):
        for side in (-1, 1):
            x = 160.0 + side * (28 + 34 * ridge)
            polygon(
                paper,
                stroke([(x, edge - 2), (x + side * 10, 240)], 1.6),
                draw.mix(look.paint, (0, 0, 0), 0.3),
                alpha=0.6,
            )
    polygon(paper, [(-10, 232), (80, 228), (240, 228), (330, 232), (330, 250), (-10, 250)], look.dash)
    if look.mirror:
        polygon(paper, rectangle(122, -10, 198, 13, rounding=6), (26, 26, 28))
        polygon(paper, rectangle(126, -10, 194, 9, rounding=5), (96, 106, 114), to=(60, 66, 70))
    if look.sticker is not None:
        x, y, colour = look.sticker
        polygon(paper, ellipse((x, y), (9, 9)), colour)
        polygon(paper, ellipse((x, y), (5, 5)), draw.mix(colour, (255, 255, 255), 0.6))
    _dirt(paper, look.dirt)


def behind(paper: Canvas, look: Rig) -> None:
    """Paint what the rear camera sees of its own vehicle: the bumper's edge and dirt."""
    edge = draw.curve([(-30, 250), (20, 214), (160, 204), (300, 214), (350, 250)], steps=20)
    polygon(paper, edge, draw.mix(look.bumper, (255, 255, 255), 0.15), to=draw.mix(look.bumper, (0, 0, 0), 0.4))
    polygon(paper, rectangle(138, 222, 182, 236), (210, 208, 198))
    _dirt(paper, look.rear_dirt)


def guides(paper: Canvas, look: Rig) -> None:
    """Paint the parking lines that the rear camera lays over its picture."""
    if look.guides == "none":
        return
    tones: list[Colour] = [(220, 40, 36), (236, 200, 40), (60, 190, 70)]
    for level, tone in enumerate(tones):
        y, half = 206 - level * 30, 106 - level * 24
        colour = tone if look.guides == "colours" else tones[1]
        for side in (-1, 1):
            polygon(
                paper,
                stroke([(160 + side * half, y), (160 + side * (half - 22), y - 28)], 1.8),
                colour,
                alpha=0.7,
                owner=None,
            )
        polygon(paper, stroke([(160 - half, y), (160 - half + 22, y)], 1.8), colour, alpha=0.7, owner=None)
        polygon(paper, stroke([(160 + half - 22, y), (160 + half, y)], 1.8), colour, alpha=0.7, owner=None)


def _dirt(paper: Canvas, spots: tuple[tuple[float, float, float], ...]) -> None:
    for x, y, radius in spots:
        polygon(paper, ellipse((x, y), (radius, radius * 0.8)), (132, 122, 104), alpha=0.28, owner=None)


def lens(paper: Canvas, look: Rig) -> Canvas:
    """Return the canvas through the rear camera's barrel distortion."""
    high, wide = paper.owner.shape
    map_x, map_y = _barrel(wide, high, look.barrel)
    return draw.warped(paper, map_x, map_y)


@lru_cache(maxsize=4)
def _barrel(wide: int, high: int, strength: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    x, y = np.meshgrid(np.linspace(-1, 1, wide), np.linspace(-1, 1, high) * high / wide)
    swell = (1 + strength * (x**2 + y**2)) / (1 + strength)  # the corners of the middle row keep their place
    return ((x * swell + 1) * (wide - 1) / 2).astype(np.float32), (
        (y * swell * wide / high + 1) * (high - 1) / 2
    ).astype(np.float32)
