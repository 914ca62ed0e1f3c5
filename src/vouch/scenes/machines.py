"""Machines of a work site, seen from the side: excavator, roller, asphalt cutter, and a lorry with an arrow board."""

from dataclasses import replace

import numpy as np

from vouch.scenes import draw, vehicles
from vouch.scenes.draw import DARK, Canvas, Colour, ellipse, polygon, rectangle, stroke, within
from vouch.scenes.perspective import Body, Camera
from vouch.scenes.works import AMBER, RED, WHITE, upright

PAINTS: tuple[Colour, ...] = ((246, 184, 24), (240, 122, 22), (232, 200, 60))
STEEL: Colour = (58, 58, 62)


def _facing(paper: Canvas, camera: Camera, body: Body, half_m: float) -> Canvas:
    local = upright(paper, camera, body, half_m=half_m)
    return local if body.front else within(local, (0, 0), scale=(-1, 1))


def _flash(local: Canvas, body: Body, x: float, y: float) -> None:
    polygon(local, rectangle(x - 0.13, y, x + 0.13, y + 0.24, rounding=0.08), AMBER, emit=draw.mix(DARK, AMBER, 0.8))


def _cab(local: Canvas, box: tuple[float, float, float, float], paint: Colour) -> None:
    x1, y1, x2, y2 = box
    polygon(local, rectangle(x1, y1, x2, y2, rounding=0.1), paint)
    polygon(local, rectangle(x1 + 0.14, y1 + 0.35, x2 - 0.1, y2 - 0.16), (62, 84, 100), to=(128, 150, 164))


def excavator(paper: Canvas, camera: Camera, body: Body) -> None:
    """Paint an excavator: tracks, house, cab, boom and bucket; the phase lifts the boom."""
    local = _facing(paper, camera, body, 2.0)
    shade = draw.mix(body.colour, (0, 0, 0), 0.35)
    polygon(local, rectangle(-1.7, 0.0, 1.7, 0.85, rounding=0.42), (34, 34, 36))
    for x in (-1.2, -0.4, 0.4, 1.2):
        polygon(local, ellipse((x, 0.42), (0.27, 0.27)), (92, 92, 96))
    polygon(local, rectangle(-0.6, 0.8, 0.6, 1.0), STEEL)
    house = [(-2.0, 1.0), (1.2, 1.0), (1.2, 1.55), (0.2, 1.75), (-1.9, 1.95)]
    polygon(local, house, shade, to=body.colour)
    polygon(local, rectangle(-2.1, 1.0, -1.5, 1.9, rounding=0.1), STEEL)
    _cab(local, (-0.2, 1.5, 1.1, 3.0), body.colour)
    lift = 0.9 * body.phase
    elbow, wrist = (3.1, 3.2 + lift), (4.2, 1.5 + lift)
    polygon(local, stroke([(0.9, 1.5), (1.9, 2.9 + lift), elbow], [0.5, 0.46, 0.34]), body.colour)
    polygon(local, stroke([elbow, wrist], [0.34, 0.24]), shade)
    polygon(local, stroke([(1.2, 1.7), (2.2, 2.8 + lift)], 0.12), (170, 172, 176))
    y = wrist[1]
    bucket = [(4.35, y), (3.75, y - 0.1), (3.5, y - 0.7), (3.9, y - 0.95), (4.4, y - 0.6)]
    polygon(local, bucket, STEEL)
    _flash(local, body, 0.4, 3.0)


def roller(paper: Canvas, camera: Camera, body: Body) -> None:
    """Paint a roller: two drums, a body, a driver under a roof."""
    local = _facing(paper, camera, body, 2.0)
    for x in (-1.35, 1.35):
        for radius, tone in ((0.78, (70, 70, 74)), (0.64, (132, 132, 136)), (0.2, STEEL)):
            polygon(local, ellipse((x, 0.78), (radius, radius)), tone)
    polygon(local, [(-1.9, 1.0), (1.9, 1.0), (1.8, 1.7), (0.5, 1.8), (-1.8, 1.55)], body.colour)
    polygon(local, rectangle(-0.4, 0.6, 0.4, 1.0), STEEL)
    polygon(local, rectangle(-0.55, 1.75, -0.1, 2.35, rounding=0.1), (206, 244, 30), emit=(30, 36, 6))
    polygon(local, ellipse((-0.32, 2.52), (0.16, 0.18)), (214, 160, 120))
    for x in (-0.9, 0.55):
        polygon(local, rectangle(x - 0.05, 1.55, x + 0.05, 2.85), STEEL)
    polygon(local, rectangle(-1.1, 2.8, 0.75, 2.98, rounding=0.06), draw.mix(body.colour, (0, 0, 0), 0.15))
    _flash(local, body, -0.2, 2.98)


def cutter(paper: Canvas, camera: Camera, body: Body) -> None:
    """Paint a walk-behind asphalt cutter: disc under a guard, engine, handles."""
    local = _facing(paper, camera, body, 0.8)
    polygon(local, ellipse((0.6, 0.28), (0.42, 0.42)), (176, 178, 182))
    polygon(local, draw.arc((0.6, 0.3), (0.52, 0.52), np.linspace(0, np.pi, 12)), body.colour)
    for x in (-0.55, 0.2):
        polygon(local, ellipse((x, 0.14), (0.14, 0.14)), (26, 26, 28))
    polygon(local, rectangle(-0.75, 0.24, 0.5, 0.62), body.colour, to=draw.mix(body.colour, (0, 0, 0), 0.3))
    polygon(local, rectangle(-0.5, 0.62, 0.3, 1.0, rounding=0.08), (60, 110, 190) if body.phase < 0.5 else STEEL)
    polygon(local, stroke([(-0.6, 0.6), (-1.1, 1.05), (-1.35, 1.05)], 0.08), STEEL)


def arrow_lorry(paper: Canvas, camera: Camera, body: Body) -> None:
    """Paint a lorry from behind with a shining arrow on its board; it points to the side that stays open."""
    lorry = replace(body, kind="lorry", label="", front=False, colour=(240, 124, 24), second=WHITE)
    vehicles.vehicle(paper, camera, lorry, 0)
    scale = camera.focal / body.z_m
    face = within(paper, camera.at(body.x_m, 0.0, body.z_m), scale=(scale if body.front else -scale, -scale))
    polygon(face, rectangle(-1.25, 1.25, 1.25, 4.1), RED)
    polygon(face, rectangle(-1.15, 1.35, 1.15, 4.0), WHITE)
    for x in np.arange(-1.15, 1.0, 0.46):
        polygon(face, [(x, 1.35), (x + 0.23, 1.35), (x + 0.4, 1.85), (x + 0.17, 1.85)], RED)
    polygon(face, rectangle(-1.05, 1.95, 1.05, 3.9), (22, 22, 26))
    shine = draw.mix(DARK, AMBER, 0.75 + 0.25 * body.lights)
    dots = [(x, 2.9) for x in np.linspace(-0.35, 0.85, 5)]
    dots += [(-0.8 + 0.22 * step, 2.9 + side * 0.25 * step) for step in range(4) for side in (-1, 1)]
    for dot in dots:
        polygon(face, ellipse(dot, (0.14, 0.14)), AMBER, emit=shine)
    for x in (-0.95, 0.95):
        polygon(face, ellipse((x, 4.25), (0.22, 0.22)), AMBER, emit=shine)
