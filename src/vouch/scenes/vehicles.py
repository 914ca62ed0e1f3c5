"""Cars, vans and lorries on a road, from the front or from behind."""

import numpy as np

from vouch.scenes import draw
from vouch.scenes.draw import DARK, Canvas, Colour, ellipse, polygon, rectangle, within
from vouch.scenes.perspective import Body, Camera

VEHICLES = {
    "car": (0.90, 0.92, 1.46, 4.3),
    "suv": (0.95, 1.06, 1.78, 4.6),
    "van": (1.0, 1.15, 2.25, 5.2),
    "lorry": (1.25, 1.2, 3.5, 8.5),
}


def vehicle(paper: Canvas, camera: Camera, body: Body, owner: int) -> None:
    """Paint a vehicle and its shadow; the near end is what `body.front` says."""
    half, _, _, length = (value * body.size for value in VEHICLES[body.kind])
    shadow = camera.at([-half * 1.1 + body.x_m, half * 1.1 + body.x_m], 0.0, body.z_m)
    radius = (shadow[1, 0] - shadow[0, 0]) / 2
    polygon(paper, ellipse(shadow.mean(axis=0), (radius, radius * 0.16)), (12, 12, 14), alpha=0.55, owner=None)
    _wheels(paper, camera, body, owner, half, length)
    _hull(paper, camera, body, owner)
    near = camera.at(body.x_m, 0.0, body.z_m)
    face = within(paper, near, scale=(camera.focal / body.z_m, -camera.focal / body.z_m))
    (_front if body.front else _back)(face, body, owner)


def _side(camera: Camera, body: Body) -> float:
    return -1.0 if body.x_m + camera.bend * body.z_m**2 > 0 else 1.0


def _wheels(paper: Canvas, camera: Camera, body: Body, owner: int, half: float, length: float) -> None:
    radius = 0.33 * body.size if body.kind != "lorry" else 0.5
    turn = np.linspace(0, 2 * np.pi, 17)[:-1]
    side = _side(camera, body)
    for x in (-half * 0.86, half * 0.86):
        tyre = camera.at(
            body.x_m + x + np.array([-0.12, 0.12, 0.12, -0.12]), np.array([0, 0, 0.5, 0.5]), body.z_m + 0.1
        )
        polygon(paper, tyre, (18, 18, 20), owner=owner)
    for z in (0.85 * body.size, length - 0.95 * body.size):
        for share, colour in ((1.0, (20, 20, 22)), (0.55, (150, 152, 156))):
            wheel = camera.at(
                body.x_m + side * half * 1.005,
                radius + radius * share * np.sin(turn),
                body.z_m + z + radius * share * np.cos(turn),
            )
            polygon(paper, wheel, colour, owner=owner)


def _hull(paper: Canvas, camera: Camera, body: Body, owner: int) -> None:
    """Paint the visible flank, the bonnet or boot lid, the glass and the roof."""
    half, waist, top, length = (value * body.size for value in VEHICLES[body.kind])
    side, x, z = _side(camera, body), body.x_m, body.z_m
    flank, shade = draw.mix(body.colour, (0, 0, 0), 0.28), draw.mix(body.colour, (0, 0, 0), 0.5)
    sill = 0.28 * body.size if body.kind != "lorry" else 0.75
    roof_half = half * (0.76 if body.kind in ("car", "suv") else 0.97)
    near, back = _slopes(body)
    near_z, far_z = z + near[0] * body.size, z + length - back[0] * body.size
    near_roof, far_roof = z + near[1] * body.size, z + length - back[1] * body.size
    polygon(
        paper,
        camera.at(x + side * half, [sill, waist, waist, sill], [z, z, z + length, z + length]),
        flank,
        to=shade,
        owner=owner,
    )
    glass_x = x + side * np.array([half * 0.97, roof_half, roof_half, half * 0.97])
    upper = camera.at(glass_x, [waist, top, top, waist], [near_z, near_roof, far_roof, far_z])
    polygon(paper, upper, flank, owner=owner)
    if body.kind != "lorry":
        lift = (top - waist) * 0.12
        pane = camera.at(
            glass_x + side * 0.005,
            [waist + lift, top - lift, top - lift, waist + lift],
            [near_z + 0.3, near_roof + 0.2, far_roof - 0.2, far_z - 0.3],
        )
        polygon(paper, pane, (38, 46, 54), to=(66, 78, 86), owner=owner)
    lid = camera.at(x + half * np.array([-1, 1, 0.97, -0.97]), waist, [z, z, near_z, near_z])
    polygon(paper, lid, draw.mix(body.colour, (255, 255, 255), 0.18), owner=owner)
    screen_x = x + np.array([-half * 0.97, half * 0.97, roof_half, -roof_half])
    polygon(
        paper,
        camera.at(screen_x, [waist, waist, top, top], [near_z, near_z, near_roof, near_roof]),
        body.colour,
        owner=owner,
    )
    _screen(paper, camera, body, owner, (near_z, near_roof), (half, roof_half, waist, top))
    roof = camera.at(x + roof_half * np.array([-1, 1, 1, -1]), top, [near_roof, near_roof, far_roof, far_roof])
    polygon(paper, roof, draw.mix(body.colour, (255, 255, 255), 0.25), owner=owner)


def _slopes(body: Body) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return how far in glass and roof begin at the near and at the far end, in metres."""
    bonnet, boot = {
        "car": ((1.1, 1.9), (0.35, 0.95)),
        "suv": ((1.1, 1.7), (0.1, 0.35)),
        "van": ((0.6, 1.1), (0.0, 0.0)),
    }.get(body.kind, ((0.0, 0.1), (0.0, 0.0)))
    return (bonnet, boot) if body.front else (boot, bonnet)


def _screen(
    paper: Canvas,
    camera: Camera,
    body: Body,
    owner: int,
    deep: tuple[float, float],
    size: tuple[float, float, float, float],
) -> None:
    if body.kind == "lorry" and not body.front:
        return
    half, roof_half, waist, top = size
    low, high = waist + (top - waist) * 0.10, top - (top - waist) * (0.14 if body.kind != "lorry" else 0.45)
    if body.kind == "van" and not body.front:
        low = waist + (top - waist) * 0.35
    share = np.array([(low - waist), (low - waist), (high - waist), (high - waist)]) / (top - waist)
    wide = (half * 0.97 + (roof_half - half * 0.97) * share) * np.array([-0.9, 0.9, 0.9, -0.9])
    depth = deep[0] + (deep[1] - deep[0]) * share - 0.01
    pane = camera.at(body.x_m + wide, [low, low, high, high], depth)
    polygon(paper, pane, (126, 148, 164), to=(34, 42, 50), owner=owner)
    if body.front:  # heads behind the windscreen
        for x in (-0.38, 0.38)[: 1 + int(body.phase > 0.5)]:
            spot = camera.at(body.x_m + x * body.size, low + (high - low) * 0.35, deep[0])
            radius = camera.focal / deep[0] * 0.12
            polygon(paper, ellipse(spot, (radius, radius * 1.2)), (44, 36, 32), owner=owner)


def _plate(face: Canvas, y: float, owner: int) -> None:
    polygon(face, rectangle(-0.27, y - 0.06, 0.27, y + 0.06), (232, 232, 222), owner=owner)
    polygon(face, rectangle(-0.22, y - 0.03, 0.22, y + 0.03), (70, 70, 74), alpha=0.8, owner=owner)


def _panel(face: Canvas, body: Body, owner: int) -> tuple[float, float, float]:
    """Paint the near end's bodywork and bumper; return half width, waist and sill."""
    half, waist, top, _ = (value * body.size for value in VEHICLES[body.kind])
    sill = 0.24 * body.size if body.kind != "lorry" else 0.6
    high = top if body.kind == "lorry" else waist
    polygon(
        face, rectangle(-half, sill, half, high, rounding=0.12), draw.mix(body.colour, (0, 0, 0), 0.12), owner=owner
    )
    polygon(
        face,
        rectangle(-half, high - (high - sill) * 0.35, half, high, rounding=0.1),
        draw.mix(body.colour, (255, 255, 255), 0.1),
        owner=owner,
    )
    polygon(
        face,
        rectangle(-half * 1.02, sill, half * 1.02, sill + 0.2 * body.size, rounding=0.06),
        draw.mix(body.colour, (20, 20, 22), 0.7),
        owner=owner,
    )
    return half, waist, sill


def _lamps(
    face: Canvas, xs: tuple[float, ...], y: float, size: tuple[float, float], colour: Colour, emit: Colour, owner: int
) -> None:
    for x in xs:
        polygon(
            face,
            rectangle(x - size[0], y - size[1], x + size[0], y + size[1], rounding=0.06),
            colour,
            emit=emit,
            owner=owner,
        )


def _back(face: Canvas, body: Body, owner: int) -> None:
    half, waist, sill = _panel(face, body, owner)
    emit = draw.mix(DARK, (255, 40, 26), body.lights * (0.9 if body.phase > 0.6 else 0.55))
    if body.kind == "lorry":
        top = VEHICLES["lorry"][2] * body.size
        polygon(
            face,
            rectangle(-half, 1.0, half, top),
            draw.mix(body.colour, (255, 255, 255), 0.12),
            to=body.colour,
            owner=owner,
        )
        polygon(face, rectangle(-0.02, 1.0, 0.02, top), draw.mix(body.colour, (0, 0, 0), 0.5), owner=owner)
        for x in (-half * 0.5, half * 0.5):
            polygon(face, rectangle(x - 0.02, 1.0, x + 0.02, top - 0.1), (120, 120, 124), owner=owner)
        polygon(face, rectangle(-half * 0.8, 2.1, half * 0.8, 2.8), body.second, alpha=0.8, owner=owner)
        _lamps(face, (-half + 0.22, half - 0.22), 0.85, (0.17, 0.08), (170, 24, 22), emit, owner)
        _plate(face, 0.72, owner)
        return
    tall = 0.11 if body.kind == "car" else 0.24
    _lamps(face, (-half + 0.17, half - 0.17), waist - tall - 0.05, (0.14, tall), (172, 22, 22), emit, owner)
    _plate(face, sill + 0.36 * body.size, owner)


def _front(face: Canvas, body: Body, owner: int) -> None:
    half, waist, sill = _panel(face, body, owner)
    emit = draw.mix(DARK, (255, 250, 226), body.lights)
    if body.kind == "lorry":
        top = VEHICLES["lorry"][2] * body.size
        polygon(
            face,
            rectangle(-half * 0.9, 1.75, half * 0.9, 2.65, rounding=0.1),
            (120, 142, 160),
            to=(32, 40, 48),
            owner=owner,
        )
        polygon(face, rectangle(-half * 0.8, top - 0.5, half * 0.8, top - 0.15), body.second, owner=owner)
        waist = 1.15
    for row in range(3):
        y = sill + 0.26 * body.size + row * 0.07
        polygon(face, rectangle(-half * 0.5, y, half * 0.5, y + 0.045), (26, 26, 28), owner=owner)
    _lamps(face, (-half + 0.24, half - 0.24), waist - 0.2 * body.size, (0.19, 0.10), (228, 232, 236), emit, owner)
    _plate(face, sill + 0.14 * body.size, owner)
