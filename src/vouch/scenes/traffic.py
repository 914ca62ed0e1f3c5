"""What stands and moves on a road: vehicles, pedestrians, cones and things that look like them."""

from collections.abc import Callable

import numpy as np

from vouch.scenes import draw, vehicles
from vouch.scenes.draw import DARK, Canvas, ellipse, polygon, rectangle, stroke, within
from vouch.scenes.perspective import Body, Camera


def paint(paper: Canvas, camera: Camera, body: Body) -> None:
    """Paint one body, labelled when it has a label."""
    brush: Callable[[Canvas, Camera, Body, int], None] = (
        vehicles.vehicle if body.kind in vehicles.VEHICLES else _upright
    )
    if not body.label:
        brush(paper, camera, body, 0)
        return
    with draw.thing(paper, body.label, body) as owner:
        brush(paper, camera, body, owner)


def _upright(paper: Canvas, camera: Camera, body: Body, owner: int) -> None:
    foot = camera.at(body.x_m, 0.0, body.z_m)
    scale = camera.focal / body.z_m * body.size
    shadow = within(paper, foot, scale=(scale, scale))
    polygon(shadow, ellipse((0, 0), (0.34, 0.07)), (10, 10, 12), alpha=0.4, owner=None)
    _BRUSH[body.kind](within(paper, foot, scale=(scale, -scale)), body, owner)


def _pedestrian(local: Canvas, body: Body, owner: int) -> None:
    """Paint a walker of 1.75 m; the phase is where in the step."""
    skin = draw.mix((240, 200, 170), (96, 62, 44), (body.phase * 7) % 1)
    swing = np.sin(body.phase * 2 * np.pi)
    trousers = draw.mix(body.second, (0, 0, 0), 0.3)
    reach = 0.30 * swing if not body.front else 0.13 * swing
    for sign, tone in ((-1, draw.mix(trousers, (0, 0, 0), 0.25)), (1, trousers)):
        hip, foot = 0.07 * sign, 0.09 * sign + reach * sign
        knee = ((hip + foot) / 2 + 0.03 * abs(swing), 0.46)
        polygon(local, stroke([(hip, 0.86), knee, (foot, 0.06)], [0.19, 0.15, 0.11]), tone, owner=owner)
        polygon(local, ellipse((foot + 0.04, 0.04), (0.11, 0.045)), (26, 24, 24), owner=owner)
    for sign in (-1, 1):
        hand = (0.24 * sign - reach * sign * 0.8, 0.82)
        polygon(
            local,
            stroke([(0.19 * sign, 1.36), (0.25 * sign - reach * 0.3 * sign, 1.08), hand], [0.12, 0.10, 0.08]),
            draw.mix(body.colour, (0, 0, 0), 0.22),
            owner=owner,
        )
        polygon(local, ellipse(hand, (0.05, 0.06)), skin, owner=owner)
    coat = [(-0.21, 1.42), (0.21, 1.42), (0.19, 1.1), (0.19, 0.80), (-0.19, 0.80), (-0.19, 1.1)]
    polygon(local, coat, body.colour, to=draw.mix(body.colour, (0, 0, 0), 0.2), owner=owner)
    polygon(local, rectangle(-0.05, 1.38, 0.05, 1.50), skin, owner=owner)
    polygon(local, ellipse((0, 1.60), (0.105, 0.135)), skin, owner=owner)
    hair = draw.mix((30, 22, 18), (150, 110, 60), (body.phase * 3) % 1)
    if body.front:
        polygon(local, draw.arc((0, 1.62), (0.115, 0.135), np.linspace(0, np.pi, 12)), hair, owner=owner)
    else:
        polygon(local, ellipse((-0.01, 1.64), (0.11, 0.12)), hair, owner=owner)
    if body.lights > 0.5:
        polygon(
            local,
            rectangle(0.15, 0.72, 0.34, 1.0, rounding=0.04),
            draw.mix(body.second, (255, 255, 255), 0.3),
            owner=owner,
        )


def _cone(local: Canvas, body: Body, owner: int) -> None:
    orange = draw.mix((244, 96, 26), (220, 70, 20), body.phase)
    polygon(local, rectangle(-0.24, 0.0, 0.24, 0.07), draw.mix(orange, (20, 10, 0), 0.4), owner=owner)
    polygon(local, [(-0.19, 0.06), (0.19, 0.06), (0.045, 0.82), (-0.045, 0.82)], orange, owner=owner)
    for low, high in ((0.24, 0.42), (0.54, 0.68)):
        wide = [0.19 - (y - 0.06) * 0.19 for y in (low, high)]
        stripe = [(-wide[0], low), (wide[0], low), (wide[1], high), (-wide[1], high)]
        polygon(local, stripe, (240, 240, 236), emit=draw.mix(DARK, (120, 118, 110), body.lights), owner=owner)
    polygon(local, [(0.03, 0.07), (0.19, 0.07), (0.045, 0.82), (0.01, 0.82)], (90, 20, 0), alpha=0.25, owner=None)


def _sign(local: Canvas, body: Body, owner: int) -> None:
    polygon(local, rectangle(-0.04, 0.0, 0.04, 2.3), (134, 136, 140))
    if body.phase < 0.35:
        polygon(local, ellipse((0, 2.5), (0.36, 0.36)), (206, 32, 34))
        polygon(local, ellipse((0, 2.5), (0.26, 0.26)), (240, 240, 238))
    elif body.phase < 0.7:
        polygon(local, [(-0.45, 2.15), (0.45, 2.15), (0, 2.9)], (206, 32, 34))
        polygon(local, [(-0.27, 2.25), (0.27, 2.25), (0, 2.7)], (244, 240, 224))
    else:
        polygon(local, rectangle(-0.7, 2.1, 0.7, 2.9), (36, 82, 160) if body.phase < 0.85 else (40, 116, 76))
        polygon(local, rectangle(-0.5, 2.45, 0.5, 2.55), (236, 236, 236))


def _lamp(local: Canvas, body: Body, owner: int) -> None:
    polygon(local, rectangle(-0.07, 0.0, 0.07, 6.0), (92, 94, 98))
    arm = -1.4 if body.x_m > 0 else 1.4
    polygon(local, stroke([(0, 5.9), (arm, 6.3)], 0.12), (92, 94, 98))
    polygon(
        local, ellipse((arm, 6.2), (0.36, 0.13)), (226, 222, 204), emit=draw.mix(DARK, (255, 206, 130), body.lights)
    )


def _tree(local: Canvas, body: Body, owner: int) -> None:
    polygon(local, [(-0.2, 0), (0.2, 0), (0.12, 2.4), (-0.12, 2.4)], (84, 66, 50), to=(64, 50, 38))
    green = draw.mix(body.second, (58, 92, 50), 0.8)
    for x, y, radius in ((-0.8, 3.0, 1.0), (0.7, 3.1, 1.05), (0.0, 3.9, 1.3), (-0.2, 2.9, 1.1)):
        tone = draw.mix(green, (150, 170, 90), 0.16 * (y - 2.8) * body.phase)
        polygon(local, ellipse((x, y), (radius, radius * 0.85)), tone, to=draw.mix(tone, (10, 24, 10), 0.4))


def _bin(local: Canvas, body: Body, owner: int) -> None:
    polygon(local, [(-0.24, 0), (0.24, 0), (0.29, 0.95), (-0.29, 0.95)], draw.mix(body.second, (44, 70, 52), 0.6))
    polygon(local, rectangle(-0.32, 0.93, 0.32, 1.05, rounding=0.05), draw.mix(body.second, (24, 28, 26), 0.7))


def _mailbox(local: Canvas, body: Body, owner: int) -> None:
    polygon(local, rectangle(-0.06, 0, 0.06, 0.8), (90, 84, 78))
    polygon(
        local, rectangle(-0.26, 0.75, 0.26, 1.4, rounding=0.14), (226, 180, 40) if body.phase < 0.5 else (180, 40, 44)
    )
    polygon(local, rectangle(-0.18, 1.18, 0.18, 1.24), (40, 36, 30))


def _bollard(local: Canvas, body: Body, owner: int) -> None:
    polygon(local, rectangle(-0.07, 0, 0.07, 1.0, rounding=0.05), (236, 236, 232))
    polygon(local, rectangle(-0.07, 0.62, 0.07, 0.82), (226, 84, 30) if body.phase < 0.5 else (30, 30, 32))


def _hoarding(local: Canvas, body: Body, owner: int) -> None:
    for x in (-0.8, 0.8):
        polygon(local, rectangle(x - 0.05, 0, x + 0.05, 1.0), (110, 110, 112))
    polygon(local, rectangle(-1.0, 0.55, 1.0, 1.0), (236, 234, 228))
    for x in np.arange(-0.95, 0.8, 0.45):
        polygon(local, [(x, 0.55), (x + 0.22, 0.55), (x + 0.34, 1.0), (x + 0.12, 1.0)], (232, 92, 30))


def _hydrant(local: Canvas, body: Body, owner: int) -> None:
    polygon(local, rectangle(-0.13, 0, 0.13, 0.62, rounding=0.06), (206, 60, 36))
    polygon(local, ellipse((0, 0.66), (0.12, 0.1)), (190, 50, 30))
    polygon(local, rectangle(-0.2, 0.38, 0.2, 0.48), (216, 190, 60))


_BRUSH: dict[str, Callable[[Canvas, Body, int], None]] = {
    "pedestrian": _pedestrian,
    "cone": _cone,
    "sign": _sign,
    "lamp": _lamp,
    "tree": _tree,
    "bin": _bin,
    "mailbox": _mailbox,
    "bollard": _bollard,
    "hoarding": _hoarding,
    "hydrant": _hydrant,
}
