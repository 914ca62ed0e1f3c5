"""The ground that waste is put out on: paving, kerb, road, what stands behind, stains and puddles."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from vouch.scenes import draw, kerb, lying, sprites
from vouch.scenes.draw import Canvas, Colour, polygon, within
from vouch.scenes.kerb import Street
from vouch.scenes.perspective import Camera
from vouch.scenes.sprites import Pixels


def ground(paper: Canvas, look: Street, view: Camera, rng: np.random.Generator, sky: str) -> None:
    """Paint everything that is there before anything is put out."""
    wide = paper.owner.shape[1] / paper.frame[0, 0]
    polygon(paper, [(0, 0), (wide, 0), (wide, kerb.UNITS_HIGH), (0, kerb.UNITS_HIGH)], look.stone)
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
    _filled(paper, np.concatenate([lines, bands]), look.joint)


def _filled(paper: Canvas, shapes: NDArray[np.float64], colour: Colour) -> None:
    """Fill many shapes of the ground with one colour, at a tenth of what as many polygons take."""
    on_canvas = shapes @ paper.frame[:, :2].T + paper.frame[:, 2] - 0.5
    low, high = -4.0 * kerb.UNITS_HIGH, 8.0 * kerb.UNITS_HIGH
    for one in np.round(np.clip(on_canvas, low, high) * sprites.FIXED).astype(np.int32):
        cv2.fillConvexPoly(paper.pixels, one, colour, cv2.LINE_AA, 4)


def _road(paper: Canvas, look: Street, view: Camera) -> None:
    """Paint the road, its gutter and the kerbstones."""
    far = kerb.FAR_M if not look.road_near else look.kerb_m
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
    base = _across(view, look, look.back_m, kerb.FAR_M, 40.0)
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


def _courses(look: Street, view: Camera) -> NDArray[np.float64]:
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
    found = [view.at(x, y, look.back_m - look.slope * x)]
    if look.back == "wall":
        ends = np.array([-4.0, 4.0, 4.0, -4.0])
        up = step * np.arange(14)[:, None] + np.array([0.0, 0.0, wide, wide])
        found.append(view.at(ends, up, look.back_m - look.slope * ends))
    return np.concatenate(found)


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
    return np.asarray(np.clip(grey, 0, 255), np.uint8)


def _grained(paper: Canvas, rng: np.random.Generator, strength: float) -> None:
    high, wide = paper.owner.shape
    y, x = (int(rng.integers(0, 400)) for _ in range(2))
    piece = cv2.resize(_noise()[y : y + 800, x : x + 1060], (wide, high), interpolation=cv2.INTER_LINEAR)
    cv2.addWeighted(paper.pixels, 1.0, cv2.merge([piece] * 3), strength, -128.0 * strength, dst=paper.pixels)
