"""A street where waste is put out: its pavement, kerb and what stands behind, its camera, its light and weather."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from vouch.scenes import draw, lying, sprites, weather
from vouch.scenes.draw import SUPERSAMPLE, Canvas, Colour, polygon, stroke, within
from vouch.scenes.perspective import Camera
from vouch.scenes.photo import Light
from vouch.scenes.sprites import Pixels

UNITS_HIGH = 480.0  # of the canvas, whatever the photograph's size
LIGHTINGS = ("daylight", "dusk", "lamp")
WEATHERS = ("dry", "rain", "haze")
PAVINGS = ("slabs", "setts", "asphalt", "bricks")
BACKS = ("wall", "hedge", "fence", "grass")
AMBIENT: dict[str, Colour] = {"daylight": (0.98, 0.98, 1.0), "dusk": (0.76, 0.64, 0.64), "lamp": (0.56, 0.45, 0.31)}
GLOOM = {"dry": 1.0, "rain": 0.96, "haze": 0.94}  # light that the weather leaves
NOISE = {"daylight": (1.5, 3.0), "dusk": (2.5, 4.5), "lamp": (4.0, 6.5)}  # standard deviation, steps of 255
VISIBILITY_M = (5.5, 10.0)  # in haze: at 4 m a third to a half of the contrast is gone
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
    stone = draw.varied(rng, _STONES[rng.integers(len(_STONES))], 14)
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
        wall=draw.varied(rng, _WALLS[rng.integers(len(_WALLS))], 14),
        plant=draw.varied(rng, _GRASS[rng.integers(len(_GRASS))], 14),
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


def ground(paper: Canvas, look: Street, view: Camera, rng: np.random.Generator, sky: str) -> None:
    """Paint everything that is there before anything is put out."""
    wide = paper.owner.shape[1] / paper.frame[0, 0]
    polygon(paper, [(0, 0), (wide, 0), (wide, UNITS_HIGH), (0, UNITS_HIGH)], look.stone)
    _paved(paper, look, view)
    _road(paper, look, view)
    _behind(paper, look, view)
    _stained(paper, rng)
    if sky == "rain":
        _wet(paper, look, view, rng)
    _grained(paper, rng, 0.5)


def _across(view: Camera, look: Street, near_m: float, far_m: float, half_m: float = 4.0) -> NDArray[np.float64]:
    """Return a band of the ground that runs along the kerb."""
    x = np.array([-half_m, half_m, half_m, -half_m])
    z = np.array([near_m, near_m, far_m, far_m])
    return view.at(x, 0.0, np.maximum(z - look.slope * x, 0.4))


def _paved(paper: Canvas, look: Street, view: Camera) -> None:
    """Paint the joints of what the pavement is laid with."""
    if look.paving == "asphalt":
        return
    across = {"slabs": 1.0, "setts": 0.34, "bricks": 0.5}[look.paving] * look.slab_m
    deep = {"slabs": 1.0, "setts": 0.34, "bricks": 0.24}[look.paving] * look.slab_m
    wide = 0.010 if look.paving != "setts" else 0.016
    rows = 1.2 + deep * (np.arange(round(4.4 / deep)) + look.phase)
    columns = across * (np.arange(-round(2.6 / across), round(2.6 / across)) + look.phase)
    shift = np.zeros(len(rows)) if look.paving == "slabs" else across / 2 * (np.arange(len(rows)) % 2)
    x = columns[None, :, None] + shift[:, None, None] + np.array([0.0, wide, wide, 0.0])
    z = rows[:, None, None] + np.array([0.0, 0.0, deep, deep]) - look.slope * x
    lines = view.at(x, 0.0, np.maximum(z, 0.4)).reshape(-1, 4, 2)
    ends = np.array([-4.0, 4.0, 4.0, -4.0])
    away = rows[:, None] + np.array([0.0, 0.0, wide, wide]) - look.slope * ends
    bands = view.at(ends, 0.0, np.maximum(away, 0.4))
    _filled(paper, [*lines, *bands], look.joint)


def _filled(paper: Canvas, shapes: Sequence[NDArray[np.float64]], colour: Colour) -> None:
    """Fill many shapes of the ground with one colour, at a tenth of what as many polygons take."""
    on_canvas = [shape @ paper.frame[:, :2].T + paper.frame[:, 2] - 0.5 for shape in shapes]
    low, high = -4.0 * UNITS_HIGH, 8.0 * UNITS_HIGH
    fixed = [np.round(np.clip(shape, low, high) * sprites.FIXED).astype(np.int32) for shape in on_canvas]
    for one in fixed:
        cv2.fillConvexPoly(paper.pixels, one, colour, cv2.LINE_AA, 4)


def _road(paper: Canvas, look: Street, view: Camera) -> None:
    """Paint the road, its gutter and the kerbstones."""
    far = FAR_M if not look.road_near else look.kerb_m
    near = 0.5 if look.road_near else look.kerb_m
    polygon(paper, _across(view, look, near, far, 4.0 if look.road_near else 40.0), look.asphalt)
    side = -1 if look.road_near else 1
    gutter = _across(view, look, look.kerb_m, look.kerb_m + side * 0.16)
    polygon(paper, gutter, draw.mix(look.asphalt, (30, 28, 26), 0.35))
    curb = draw.mix(look.stone, (210, 206, 198), 0.35)
    polygon(paper, _across(view, look, look.kerb_m, look.kerb_m - side * 0.14), curb)
    polygon(paper, _across(view, look, look.kerb_m, look.kerb_m + side * 0.03), draw.mix(curb, (0, 0, 0), 0.5))
    for x in 0.9 * (np.arange(-3, 4) + look.phase):
        z = np.array([look.kerb_m, look.kerb_m, look.kerb_m - side * 0.14, look.kerb_m - side * 0.14]) - look.slope * x
        polygon(paper, view.at([x, x + 0.012, x + 0.012, x], 0.0, z), draw.mix(curb, (0, 0, 0), 0.45))


def _behind(paper: Canvas, look: Street, view: Camera) -> None:
    """Paint what bounds the pavement on the far side, where the road does not."""
    if not look.road_near:
        return
    base = _across(view, look, look.back_m, FAR_M, 40.0)
    if look.back == "grass":
        polygon(paper, base, look.plant)
        _tufts(paper, look, view, 300, on_ground=True)
        return
    foot = _across(view, look, look.back_m, look.back_m)
    up = np.array([(0.0, view.focal / look.back_m * 1.5)])
    tone = look.plant if look.back == "hedge" else look.wall
    polygon(paper, np.concatenate([foot[:2], foot[1:2] - up, foot[0:1] - up]), tone, to=draw.mix(tone, (0, 0, 0), 0.35))
    if look.back == "hedge":
        _tufts(paper, look, view, 420, on_ground=False)
        return
    joint = draw.mix(look.wall, (40, 36, 32), 0.5)
    _filled(paper, _courses(look, view), joint)


def _courses(look: Street, view: Camera) -> list[NDArray[np.float64]]:
    """Return the joints of a brick wall, or the gaps between the boards of a fence."""
    step, wide = (0.075, 0.004) if look.back == "wall" else (0.16, 0.012)
    if look.back == "fence":
        columns, lows, tall = step * (np.arange(-16, 16) + look.phase), np.zeros(32), 1.5
    else:
        grid = [
            (0.24 * (place + 0.5 * (row % 2) + look.phase), row * step) for row in range(14) for place in range(-10, 10)
        ]
        (columns, lows), tall = np.array(grid).T, step
    x = columns[:, None] + np.array([0.0, wide, wide, 0.0])
    y = lows[:, None] + np.array([0.0, 0.0, tall, tall])
    found = [*view.at(x, y, look.back_m - look.slope * x)]
    if look.back == "wall":
        ends = np.array([-4.0, 4.0, 4.0, -4.0])
        for row in range(14):
            up = row * step + np.array([0.0, 0.0, wide, wide])
            found.append(view.at(ends, up, look.back_m - look.slope * ends))
    return found


def _tufts(paper: Canvas, look: Street, view: Camera, count: int, *, on_ground: bool) -> None:
    """Paint blades or leaves: those of a hedge up to 1 m, those of grass on the ground."""
    rng = np.random.default_rng(int(look.phase * 1e9))
    x, away, up = rng.uniform(-2.6, 2.6, count), rng.exponential(0.4, count) - 0.05, rng.uniform(-0.02, 1.1, count)
    at = view.at(x, 0.0 if on_ground else up, look.back_m + (away if on_ground else 0.0) - look.slope * x)
    turns = rng.normal(0, 0.35, count) if on_ground else rng.uniform(0, 2 * np.pi, count)
    shape = np.array([(-1.4, 1.0), (0.0, -11.0), (1.4, 1.0)]) if on_ground else draw.ellipse((0, 0), (8.5, 4.0))[::3]
    lying.scattered(paper, shape, at, turns, lying.tones(rng, look.plant, 34, count), 0)


def _stained(paper: Canvas, rng: np.random.Generator) -> None:
    """Let the ground be lighter and darker in patches."""
    stains = 128.0 + 16.0 * (sprites.clouds(rng, (60, 80), 5) + 0.7 * sprites.clouds(rng, (60, 80), 12))
    gain = cv2.resize(stains.astype(np.uint8), paper.owner.shape[::-1], interpolation=cv2.INTER_LINEAR)
    cv2.multiply(paper.pixels, cv2.merge([gain] * 3), dst=paper.pixels, scale=1 / 128.0)


def _wet(paper: Canvas, look: Street, view: Camera, rng: np.random.Generator) -> None:
    """Darken the ground, and let puddles throw back the sky or the lamp."""
    cv2.convertScaleAbs(paper.pixels, dst=paper.pixels, alpha=0.76)
    sky = {"daylight": (186, 194, 204), "dusk": (190, 170, 168), "lamp": (206, 178, 128)}[look.lighting]
    for _ in range(int(rng.integers(4, 10))):
        x, z = float(rng.uniform(-1.6, 1.6)), float(rng.uniform(1.9, 4.4))
        scale = view.focal / z
        pool = within(paper, view.at(x, 0.0, z), scale=(scale, scale * view.height_m / z))
        turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        reach = 1 + 0.2 * rng.standard_normal() * np.sin(2 * turns) + 0.16 * np.sin(3 * turns + rng.uniform(0, 6))
        size = rng.uniform(0.06, 0.26)
        outline = np.stack([size * 1.7 * reach * np.cos(turns), size * 0.55 * reach * np.sin(turns)], axis=1)
        for share, alpha in ((1.0, 0.16), (0.9, 0.2)):
            polygon(pool, outline * share, sky, to=(92, 98, 108), alpha=alpha)


@lru_cache(maxsize=1)
def _noise() -> Pixels:
    """Return fine grain round 128, to cut pieces from: drawing it anew for each photograph takes 20 ms."""
    grey = np.random.default_rng(0).standard_normal((1240, 1500), np.float32) * np.float32(15) + np.float32(128)
    return np.clip(grey, 0, 255).astype(np.uint8)


def _grained(paper: Canvas, rng: np.random.Generator, strength: float) -> None:
    high, wide = paper.owner.shape
    y, x = (int(rng.integers(0, 400)) for _ in range(2))
    piece = cv2.resize(_noise()[y : y + 800, x : x + 1060], (wide, high), interpolation=cv2.INTER_LINEAR)
    cv2.addWeighted(paper.pixels, 1.0, cv2.merge([piece] * 3), strength, -128.0 * strength, dst=paper.pixels)


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
    return paper.owner.shape[0] / SUPERSAMPLE / UNITS_HIGH
