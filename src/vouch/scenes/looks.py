"""Cameras that street scenes are seen by: each named look has its viewpoint, its colours and its JPEG quality."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from vouch.scenes import draw, rig
from vouch.scenes.draw import Canvas, Colour
from vouch.scenes.perspective import Camera
from vouch.scenes.photo import Light, Picture
from vouch.scenes.rig import Rig
from vouch.scenes.road import WIDE

UNITS_HIGH = 240.0
AMBIENT: dict[str, Colour] = {"day": (0.95, 0.95, 0.96), "dusk": (0.60, 0.53, 0.54), "night": (0.25, 0.26, 0.31)}
GLOOM = {"clear": 1.0, "rain": 0.80, "fog": 0.92, "snow": 0.94}  # light that the weather leaves


@dataclass(frozen=True)
class Style:
    """What all cameras of a look share."""

    horizon: tuple[float, float]
    focal: tuple[float, float]
    height_m: tuple[float, float]
    tilt_rad: float  # standard deviation
    moves: bool  # past the street; else the works come towards the camera
    balance: Colour  # gain per channel
    saturation: float
    contrast: float
    lift: float  # of black, in steps of 255
    vignette: float
    noise: float
    quality: int  # of JPEG


STYLES = {
    "dashcam": Style((92, 112), (190, 220), (1.2, 1.5), 0.005, True, (0.98, 1.0, 1.02), 0.95, 1.0, 0.0, 0.55, 2.6, 55),
    "pole": Style((38, 60), (205, 240), (5.0, 6.5), 0.01, False, (0.98, 1.0, 1.0), 0.50, 0.86, 16.0, 0.05, 3.2, 75),
    "phone": Style((98, 124), (250, 290), (1.5, 1.8), 0.05, True, (1.09, 1.0, 0.86), 1.15, 1.18, 0.0, 0.15, 2.0, 92),
    "shifted": Style((60, 84), (150, 175), (2.4, 3.2), 0.03, True, (0.86, 1.06, 0.98), 0.70, 0.68, 52.0, 0.30, 6.5, 35),
}


@dataclass(frozen=True)
class Look:
    """One camera: its style's numbers as they came out for it."""

    source: str
    rig: Rig
    centre_x: float
    horizon: float
    focal: float
    height_m: float
    tilt_rad: float
    exposure: float


def look(rng: np.random.Generator, source: str) -> Look:
    """Draw one camera of a look."""
    style = STYLES[source]
    return Look(
        source=source,
        rig=replace(rig.rig(rng), mirror=False, sticker=None),
        centre_x=WIDE / 2 + float(rng.normal(0, 8)),
        horizon=float(rng.uniform(*style.horizon)),
        focal=float(rng.uniform(*style.focal)),
        height_m=float(rng.uniform(*style.height_m)),
        tilt_rad=float(rng.normal(0, style.tilt_rad)),
        exposure=float(np.exp(rng.normal(0.0, 0.1))),
    )


def camera(seen_by: Look, bend: float, shake: float) -> Camera:
    """Return the camera of one moment."""
    return Camera(seen_by.centre_x + shake, seen_by.horizon + shake * 0.5, seen_by.focal, seen_by.height_m, bend)


def paper(width_px: int, height_px: int, seen_by: Look) -> Canvas:
    """Return an empty canvas, tilted as the camera is; scenes are laid out for 4 : 3."""
    sheet = draw.canvas(width_px, height_px, UNITS_HIGH)
    aside = (width_px / height_px * UNITS_HIGH - WIDE) / 2
    x, y = WIDE / 2, UNITS_HIGH / 2
    turned = draw.within(sheet, (x + aside, y), angle_rad=seen_by.tilt_rad)
    return draw.within(turned, (-x, -y))


def foreground(sheet: Canvas, seen_by: Look) -> None:
    """Paint what the camera sees of its own vehicle."""
    if seen_by.source == "dashcam":
        rig.ahead(sheet, seen_by.rig)


def light(seen_by: Look, weather: str, time_of_day: str, scale: float, blurred: tuple[bool, bool]) -> Light:
    """Return how a moment is lit and taken; `blurred` says out of focus, shaken."""
    style, night = STYLES[seen_by.source], time_of_day == "night"
    red, green, blue = np.multiply(np.multiply(AMBIENT[time_of_day], style.balance), GLOOM[weather])
    return Light(
        ambient=(float(red), float(green), float(blue)),
        lamps={"day": 0.5, "dusk": 0.8, "night": 1.0}[time_of_day],
        bloom=(0.9 if night else 0.35) * (1.6 if weather == "fog" else 1.0),
        saturation=style.saturation * (0.8 if night else 1.0) * (1.0 if weather == "clear" else 0.85),
        exposure=seen_by.exposure,
        vignette=style.vignette,
        noise=style.noise * (2.0 if night else 1.3 if time_of_day == "dusk" else 1.0),
        defocus_px=1.3 * scale if blurred[0] else 0.0,
        motion_px=4.0 * scale if blurred[1] else 0.0,
        motion_rad=0.1,
    )


def graded(picture: Picture, seen_by: Look) -> Picture:
    """Return the picture with the look's contrast about mid grey and its lifted black."""
    style = STYLES[seen_by.source]
    steps = np.arange(256) / 255.0
    bent = np.clip((steps - 0.5) * style.contrast + 0.5, 0.0, 1.0)
    table = np.clip(style.lift + bent * (255.0 - style.lift) + 0.5, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(picture, table), np.uint8)
