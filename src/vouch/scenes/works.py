"""What stands and lies at a work site: barriers, beacons, signs, workers, dug-up ground."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vouch.scenes import draw, traffic
from vouch.scenes.draw import DARK, Canvas, Colour, ellipse, polygon, rectangle, stroke, within
from vouch.scenes.perspective import Body, Camera

RED: Colour = (214, 34, 30)
WHITE: Colour = (242, 242, 238)
AMBER: Colour = (255, 176, 30)
EARTH: Colour = (122, 88, 58)
VESTS: tuple[Colour, ...] = ((206, 244, 30), (255, 112, 16))
HELMETS: tuple[Colour, ...] = ((250, 214, 30), (244, 244, 240), (236, 90, 26), (40, 90, 190))


def upright(paper: Canvas, camera: Camera, body: Body, *, half_m: float) -> Canvas:
    """Paint the shadow of a thing that stands on the road; return its frame: metres, x to the right, y up."""
    foot = camera.at(body.x_m, 0.0, body.z_m)
    scale = camera.focal / body.z_m * body.size
    shade = within(paper, foot, scale=(scale, scale))
    polygon(shade, ellipse((0, 0), (half_m * 1.1, min(half_m * 0.2, 0.3))), (10, 10, 12), alpha=0.4, owner=None)
    return within(paper, foot, scale=(scale, -scale))


def _shone(body: Body, strength: float = 1.0) -> Colour:
    """Return what a reflecting foil throws back."""
    return draw.mix(DARK, (150, 148, 140), body.lights * strength)


def _stripes(local: Canvas, body: Body, box: tuple[float, float, float, float], count: int) -> None:
    """Paint a board with slanted red stripes on reflecting white."""
    x1, y1, x2, y2 = box
    polygon(local, rectangle(*box), WHITE, emit=_shone(body))
    pitch, lean = (x2 - x1) / count, min((x2 - x1) / count * 0.5, (y2 - y1) * 0.8)
    for x in x1 + pitch * np.arange(count):
        foot, top = np.clip([x, x + pitch / 2], x1, x2), np.clip([x + lean, x + lean + pitch / 2], x1, x2)
        polygon(local, [(foot[0], y1), (foot[1], y1), (top[1], y2), (top[0], y2)], RED, emit=_shone(body, 0.12))


def _lamp(local: Canvas, body: Body, x: float, y: float) -> None:
    polygon(local, rectangle(x - 0.07, y - 0.12, x + 0.07, y), (40, 40, 42))
    polygon(local, ellipse((x, y + 0.1), (0.13, 0.13)), AMBER, emit=draw.mix(DARK, AMBER, 0.25 + 0.75 * body.lights))


def barrier(paper: Canvas, camera: Camera, body: Body) -> None:
    """Paint a red and white barrier of 2.4 m on two feet, a lamp on each end."""
    local = upright(paper, camera, body, half_m=1.2)
    for x in (-0.9, 0.9):
        polygon(local, rectangle(x - 0.06, 0.0, x + 0.06, 1.05), (88, 88, 92))
        polygon(local, rectangle(x - 0.3, 0.0, x + 0.3, 0.1), (40, 40, 42))
    _stripes(local, body, (-1.2, 0.62, 1.2, 1.08), 6)
    if body.phase < 0.6:
        _stripes(local, body, (-1.2, 0.18, 1.2, 0.42), 6)
    for x in (-1.05, 1.05):
        _lamp(local, body, x, 1.2)


def beacon(paper: Canvas, camera: Camera, body: Body) -> None:
    """Paint an upright red and white beacon on a black foot."""
    local = upright(paper, camera, body, half_m=0.3)
    polygon(local, rectangle(-0.36, 0.0, 0.36, 0.12), (30, 30, 32))
    x1, x2 = -0.18, 0.18
    polygon(local, rectangle(x1, 0.12, x2, 1.22), WHITE, emit=_shone(body))
    for y in (0.16, 0.54, 0.92):
        polygon(local, [(x1, y), (x2, y + 0.14), (x2, y + 0.33), (x1, y + 0.19)], RED, emit=_shone(body, 0.12))
    if body.phase < 0.5:
        _lamp(local, body, 0.0, 1.33)


def sign(paper: Canvas, camera: Camera, body: Body) -> None:
    """Paint the triangle with the digging worker; below it, on two of three, a speed limit."""
    local = upright(paper, camera, body, half_m=0.3)
    polygon(local, rectangle(-0.05, 0.0, 0.05, 2.2), (134, 136, 140))
    polygon(local, [(-0.72, 1.75), (0.72, 1.75), (0.0, 3.0)], RED, emit=_shone(body, 0.3))
    polygon(local, [(-0.48, 1.89), (0.48, 1.89), (0.0, 2.72)], (250, 236, 150), emit=_shone(body))
    ink = (16, 16, 18)
    polygon(local, ellipse((-0.02, 2.42), (0.075, 0.075)), ink)
    polygon(local, stroke([(-0.02, 2.34), (-0.12, 2.16)], 0.11), ink)
    polygon(local, stroke([(-0.12, 2.18), (-0.2, 2.04), (-0.16, 1.92)], 0.07), ink)
    polygon(local, stroke([(-0.1, 2.16), (0.0, 2.04), (0.02, 1.92)], 0.07), ink)
    polygon(local, stroke([(-0.02, 2.28), (0.24, 1.98)], 0.05), ink)
    polygon(local, [(0.1, 1.91), (0.42, 1.91), (0.27, 2.08)], ink)
    if body.phase < 0.66:
        polygon(local, ellipse((0, 1.3), (0.42, 0.42)), RED, emit=_shone(body, 0.3))
        polygon(local, ellipse((0, 1.3), (0.3, 0.3)), WHITE, emit=_shone(body))
        polygon(local, stroke([(-0.18, 1.44), (-0.05, 1.37), (-0.13, 1.3), (-0.05, 1.22), (-0.18, 1.16)], 0.05), ink)
        polygon(local, ellipse((0.11, 1.3), (0.09, 0.15)), ink)
        polygon(local, ellipse((0.11, 1.3), (0.04, 0.09)), WHITE)


def worker(paper: Canvas, camera: Camera, body: Body) -> None:
    """Paint a worker: helmet, high-visibility vest with reflecting bands, on every second one a shovel."""
    vest, helmet = VESTS[int(body.phase * 10) % 2], HELMETS[int(body.phase * 40) % 4]
    cloth = vest if body.phase > 0.4 else (52, 58, 74)
    traffic.paint(paper, camera, replace(body, kind="pedestrian", colour=vest, second=cloth, lights=0.0, label=""))
    scale = camera.focal / body.z_m * body.size
    local = within(paper, camera.at(body.x_m, 0.0, body.z_m), scale=(scale, -scale))
    glow = draw.mix(DARK, vest, 0.12 + 0.2 * body.lights)  # fluorescent: brighter than what falls on it
    coat = [(-0.25, 1.45), (0.25, 1.45), (0.25, 0.84), (-0.25, 0.84)]
    polygon(local, coat, vest, to=draw.mix(vest, (0, 0, 0), 0.12), emit=glow)
    for y in (0.93, 1.12):
        polygon(local, rectangle(-0.25, y, 0.25, y + 0.08), (226, 228, 226), emit=_shone(body))
    for x in (-0.15, 0.15):
        polygon(local, rectangle(x - 0.035, 1.2, x + 0.035, 1.45), (226, 228, 226), emit=_shone(body))
    if body.phase > 0.4:  # bands on the trousers
        polygon(local, rectangle(-0.2, 0.34, 0.2, 0.41), (226, 228, 226), emit=_shone(body))
    dome = draw.arc((0, 1.64), (0.16, 0.19), np.linspace(0, np.pi, 12))
    polygon(local, dome, helmet, emit=_shone(body, 0.2))
    polygon(local, rectangle(-0.2, 1.61, 0.2, 1.66), helmet)
    if body.front:
        polygon(local, stroke([(0.34, 1.3), (0.5, 0.12)], 0.055), (150, 112, 66))
        polygon(local, [(0.4, 0.16), (0.6, 0.2), (0.62, -0.04), (0.44, -0.06)], (96, 98, 104))


def heap(paper: Canvas, camera: Camera, body: Body) -> None:
    """Paint a heap of earth."""
    local = upright(paper, camera, body, half_m=1.0)
    outline = [(-1.3, 0), (-0.95, 0.4), (-0.4, 0.72), (0.0, 0.95), (0.35, 0.72), (0.9, 0.36), (1.3, 0)]
    polygon(local, outline, draw.mix(EARTH, (70, 48, 30), body.phase), to=draw.mix(EARTH, (176, 150, 110), 0.5))
    for x, y in ((-0.6, 0.2), (-0.1, 0.5), (0.4, 0.3), (0.1, 0.14), (-0.3, 0.34)):
        polygon(local, ellipse((x, y), (0.1, 0.07)), draw.mix(EARTH, (30, 20, 12), 0.5))


def trench(paper: Canvas, camera: Camera, body: Body) -> None:
    """Paint dug-up asphalt: a hole of 2 m by 5 m with broken edges."""
    rng = np.random.default_rng(int(body.phase * 1e6))
    near, far = _deep(body)
    rim = 1.15 + rng.uniform(-0.14, 0.14, (2, 7))
    for share, tone in ((1.0, (150, 146, 140)), (0.84, EARTH)):
        _lying(paper, camera, body, rim * share, tone)
    deep = camera.at(body.x_m + np.array([-0.7, 0.7, 0.8, -0.8]), 0.0, [near * 1.1, near * 1.1, far, far])
    polygon(paper, deep, draw.mix(EARTH, (18, 12, 8), 0.65), to=draw.mix(EARTH, (18, 12, 8), 0.3))


def patch(paper: Canvas, camera: Camera, body: Body) -> None:
    """Paint a patch of fresh black asphalt, 2 m by 5 m."""
    for share, tone in ((1.0, (52, 52, 54)), (0.84, (32, 32, 34))):
        _lying(paper, camera, body, np.full((2, 7), 1.15 * share), tone)


def _deep(body: Body) -> tuple[float, float]:
    return max(body.z_m, 1.2), max(body.z_m + 5.0 * body.size, 2.4)


def _lying(paper: Canvas, camera: Camera, body: Body, rim_m: NDArray[np.float64], tone: Colour) -> None:
    """Paint an area of the road; `rim_m` (2, n) is how far it reaches to the left and right, from near to far."""
    steps = np.linspace(*_deep(body), rim_m.shape[1])
    left, right = camera.at(body.x_m - rim_m[0], 0.0, steps), camera.at(body.x_m + rim_m[1], 0.0, steps)
    polygon(paper, np.concatenate([left, right[::-1]]), tone, to=draw.mix(tone, (0, 0, 0), 0.2))


def worklight(paper: Canvas, camera: Camera, body: Body) -> None:
    """Paint the lamp on a mast that lights a site at night."""
    local = upright(paper, camera, body, half_m=0.4)
    polygon(local, rectangle(-0.05, 0.0, 0.05, 4.2), (70, 72, 76))
    polygon(local, ellipse((0, 4.4), (0.5, 0.36)), (250, 246, 230), emit=draw.mix(DARK, (255, 246, 214), body.lights))
