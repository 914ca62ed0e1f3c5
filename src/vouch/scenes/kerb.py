"""A street where waste is put out: its pavement, kerb and what stands behind, its camera, its light and weather."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from vouch.scenes import draw, sprites, weather
from vouch.scenes.draw import SUPERSAMPLE, Canvas, Colour, within
from vouch.scenes.perspective import Camera
from vouch.scenes.photo import Light

UNITS_HIGH = 480.0  # of the canvas, whatever the photograph's size
LIGHTINGS = ("daylight", "dusk", "lamp")
WEATHERS = ("dry", "rain", "haze")
PAVINGS = ("slabs", "setts", "asphalt", "bricks")
BACKS = ("wall", "hedge", "fence", "grass")
AMBIENT: dict[str, Colour] = {"daylight": (0.98, 0.98, 1.0), "dusk": (0.80, 0.68, 0.68), "lamp": (0.66, 0.55, 0.41)}
GLOOM = {"dry": 1.0, "rain": 0.96, "haze": 0.94}  # light that the weather leaves
NOISE = {"daylight": (1.5, 3.0), "dusk": (2.0, 4.0), "lamp": (3.0, 5.5)}  # standard deviation, steps of 255
VISIBILITY_M = (8.0, 15.0)  # in haze: at 4 m a quarter to four tenths of the contrast is gone
FAR_M = 60.0
HAZE: Colour = (208, 210, 212)
_STONES: tuple[Colour, ...] = ((150, 148, 142), (164, 154, 138), (128, 128, 130), (148, 128, 114), (112, 110, 108))
_GRASS: tuple[Colour, ...] = ((86, 112, 58), (104, 118, 66), (70, 98, 60))
_WALLS: tuple[Colour, ...] = ((150, 84, 64), (178, 168, 150), (120, 92, 78), (196, 186, 166))


@dataclass(frozen=True)
class Street:
    """What stays the same in a street, over all its visits."""

    lighting: str
    paving: str
    stone: Colour
    joint: Colour
    slab_m: float
    phase: float  # where the joints lie, 0 to 1
    kerb_m: float  # how far away the kerb is
    road_near: bool  # the camera stands on the road; else on the pavement
    slope: float  # metres that the kerb comes nearer a metre to the right
    asphalt: Colour
    back: str  # one of BACKS
    back_m: float  # how far away it is
    wall: Colour
    plant: Colour
    height_m: float  # of the camera
    focal: float  # in units of the canvas
    light_rad: float  # where the light comes from on the picture: 0 up, clockwise
    sun: float  # how hard shadows are, 0 to 1
    balance: Colour  # gain of each colour channel
    saturation: float
    exposure: float
    vignette: float
    noise: float
    quality: int  # of its JPEG files


def street(rng: np.random.Generator, lighting: str) -> Street:
    """Draw a street."""
    stone = draw.one_of(rng, _STONES, 14)
    road_near = bool(rng.random() < 0.5)
    red, green, blue = np.exp(rng.normal(0.0, 0.04, 3))
    return Street(
        lighting=lighting,
        paving=PAVINGS[rng.integers(len(PAVINGS))],
        stone=stone,
        joint=draw.mix(stone, (40, 38, 34), float(rng.uniform(0.3, 0.6))),
        slab_m=float(rng.uniform(0.32, 0.55)),
        phase=float(rng.random()),
        kerb_m=float(rng.uniform(2.15, 2.6) if road_near else rng.uniform(3.7, 4.4)),
        road_near=road_near,
        slope=float(rng.normal(0, 0.09)),
        asphalt=draw.varied(rng, (104, 104, 108), 18),
        back=BACKS[rng.integers(len(BACKS))],
        back_m=float(rng.uniform(4.3, 5.2)),
        wall=draw.one_of(rng, _WALLS, 14),
        plant=draw.one_of(rng, _GRASS, 14),
        height_m=float(rng.uniform(1.4, 1.65)),
        focal=float(rng.uniform(880, 1080)),
        light_rad=float(rng.choice([-1, 1]) * rng.uniform(0.4, 1.1)),
        sun=float(rng.uniform(0.2, 1.0)),
        balance=(float(red), float(green), float(blue)),
        saturation=float(rng.uniform(0.8, 1.06)),
        exposure=float(np.exp(rng.normal(0.0, 0.08))),
        vignette=float(rng.uniform(0.05, 0.32)),
        noise=float(rng.uniform(*NOISE[lighting])),
        quality=int(rng.integers(82, 95)),
    )


def camera(look: Street, rng: np.random.Generator, width_px: int, height_px: int) -> Camera:
    """Return the camera of one photograph: how near it stands, and where it points."""
    nearest = float(rng.uniform(1.75, 2.15))  # metres to the ground at the lower edge of the picture
    focal = look.focal * float(rng.uniform(0.92, 1.1))
    horizon = UNITS_HIGH - focal * look.height_m / nearest
    centre = width_px / height_px * UNITS_HIGH / 2
    return Camera(centre + float(rng.normal(0, 12)), horizon, focal, look.height_m, 0.0)


def weathered(paper: Canvas, view: Camera, rng: np.random.Generator, sky: str) -> None:
    """Put the weather between the camera and what it sees."""
    if sky == "haze":
        _hazed(paper, view, float(rng.uniform(*VISIBILITY_M)))
    if sky == "rain":
        weather.rained(within(paper, (0, 0), scale=2.0), rng, float(rng.uniform(-0.5, 0.5)))


def _hazed(paper: Canvas, view: Camera, visibility_m: float) -> None:
    """Let colours fade with the distance of the ground in each row of the picture."""
    high, wide = paper.owner.shape
    rows = (np.arange(high) + 0.5) * UNITS_HIGH / high
    away = view.focal * view.height_m / np.maximum(rows - view.horizon_y, 1.0)
    left = np.exp(-away / visibility_m)[:, None, None]
    for column, apply in ((np.repeat(left * 255, 3, axis=2), "less"), ((1 - left) * np.asarray(HAZE), "more")):
        layer = cv2.resize(column.astype(np.uint8), (wide, high), interpolation=cv2.INTER_NEAREST)
        if apply == "less":
            cv2.multiply(paper.pixels, layer, dst=paper.pixels, scale=1 / 255.0)
        else:
            cv2.add(paper.pixels, layer, dst=paper.pixels)


def light(look: Street, rng: np.random.Generator, sky: str, blurred: ArrayLike, scale: float) -> Light:
    """Return how a photograph is lit and taken; `blurred` says out of focus, shaken; `scale` is 1 at 480 pixels."""
    soft, shaken = np.asarray(blurred, bool).tolist()
    red, green, blue = np.multiply(np.multiply(AMBIENT[look.lighting], look.balance), GLOOM[sky])
    return Light(
        ambient=(float(red), float(green), float(blue)),
        lamps=1.0,
        bloom=0.6,
        saturation=look.saturation * {"dry": 1.0, "rain": 0.9, "haze": 0.78}[sky],
        exposure=look.exposure * float(np.exp(rng.normal(0, 0.06))),
        vignette=look.vignette,
        noise=look.noise,
        defocus_px=float(rng.uniform(1.0, 1.8)) * scale if soft else 0.0,
        motion_px=float(rng.uniform(4.0, 7.0)) * scale if shaken else 0.0,
        motion_rad=float(rng.uniform(-0.6, 0.6)),
    )


def field(look: Street, rng: np.random.Generator, size_px: tuple[int, int], sky: str) -> NDArray[np.float32]:
    """Return the light (height, width) of a lamp, or the shade of trees where the sun shines."""
    wide, high = size_px
    x, y = np.linspace(-1, 1, wide, dtype=np.float32)[None, :], np.linspace(-1, 1, high, dtype=np.float32)[:, None]
    if look.lighting == "lamp":
        away = (x - np.float32(rng.uniform(-0.5, 0.5))) ** 2 + (y - np.float32(rng.uniform(-0.5, 0.3))) ** 2 * 1.4
        return np.asarray(0.50 * np.exp(-away / 1.0), np.float32)
    aside = np.float32(0.12 * np.sin(look.light_rad)) * x
    if look.lighting == "dusk" or sky != "dry":
        return np.asarray(aside + 0.0 * y, np.float32)
    shade = np.clip(sprites.clouds(rng, (high // 4, wide // 4), 4) * 5 - 1.0, 0, 1)
    soft = cv2.resize(cv2.GaussianBlur(shade, (0, 0), 2.0), (wide, high), interpolation=cv2.INTER_LINEAR)
    return np.asarray(aside + 0.08 * look.sun - np.float32(0.42 * look.sun) * soft, np.float32)


def scale_of(paper: Canvas) -> float:
    """Return the picture's height over that of 480 pixels."""
    return float(paper.owner.shape[0] / SUPERSAMPLE / UNITS_HIGH)
