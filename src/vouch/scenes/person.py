"""A driver seen from the front: body, clothes, face and hands, with a look that belongs to the person."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vouch.scenes import draw
from vouch.scenes.draw import Canvas, Colour, ellipse, polygon, rectangle, stroke, within

SKINS: tuple[Colour, ...] = (
    (246, 214, 190),
    (236, 194, 164),
    (222, 172, 136),
    (198, 142, 104),
    (164, 110, 76),
    (126, 82, 56),
    (92, 60, 44),
)
HAIRS: tuple[Colour, ...] = ((34, 26, 22), (70, 46, 30), (118, 78, 44), (196, 160, 98), (150, 146, 142), (148, 66, 34))
CLOTHES: tuple[Colour, ...] = (
    (50, 62, 92),
    (160, 48, 50),
    (226, 224, 218),
    (44, 44, 48),
    (72, 112, 84),
    (196, 158, 74),
    (124, 140, 160),
    (116, 74, 120),
    (214, 128, 90),
    (92, 100, 70),
)


@dataclass(frozen=True)
class Person:
    """What stays the same in a person on every frame."""

    skin: Colour
    hair: Colour
    style: str
    glasses: str
    beard: bool
    cap: Colour | None
    cloth: Colour
    second: Colour
    pattern: str
    head_scale: float
    face_wide: float
    shoulders: float
    brow: float
    eye_gap: float


def person(rng: np.random.Generator) -> Person:
    """Draw the look of one person."""
    style = str(rng.choice(["short", "short", "long", "bald", "bun", "curly", "parted"]))
    return Person(
        skin=draw.one_of(rng, SKINS, 7),
        hair=draw.one_of(rng, HAIRS, 10),
        style=style,
        glasses=str(rng.choice(["", "", "", "clear", "clear", "sun"])),
        beard=bool(style not in ("long", "bun") and rng.random() < 0.35),
        cap=draw.one_of(rng, CLOTHES, 16) if rng.random() < 0.18 else None,
        cloth=draw.one_of(rng, CLOTHES, 16),
        second=draw.one_of(rng, CLOTHES, 16),
        pattern=str(rng.choice(["plain", "plain", "stripes", "check", "badge", "jacket"])),
        head_scale=float(rng.uniform(0.94, 1.10)),
        face_wide=float(rng.uniform(24.0, 28.5)),
        shoulders=float(rng.uniform(62, 78)),
        brow=float(rng.uniform(1.4, 3.0)),
        eye_gap=float(rng.uniform(10.0, 12.5)),
    )


@dataclass(frozen=True)
class Face:
    """What a face does in one frame."""

    yaw: float  # -1 left to 1 right
    roll_rad: float
    nod: tuple[float, float]
    eyes: str  # "open", "closed", "down"
    mouth: str  # "rest", "smile", "talk", "yawn"
    gaze: float


def face(rng: np.random.Generator, look: Person, *, drowsy: bool) -> Face:
    """Draw an alert or a drowsy face: a drowsy one has closed eyes or, behind dark glasses, always a yawn."""
    yaw, roll = float(np.clip(rng.normal(0, 0.45), -1, 1)), float(rng.normal(0, 0.07))
    if not drowsy:
        eyes = "down" if rng.random() < 0.08 else "open"
        mouth = str(rng.choice(["rest", "rest", "smile", "talk"]))
        return Face(yaw, roll, (0.0, 0.0), eyes, mouth, float(rng.uniform(-1, 1)))
    yawns = look.glasses == "sun" or rng.random() < 0.45
    droop = float(rng.choice([-1, 1]) * rng.uniform(0.18, 0.42)) if rng.random() < 0.6 else roll
    nod = (droop * 22, 6 + abs(droop) * 20)
    return Face(yaw * 0.6, droop, nod, "closed", "yawn" if yawns else "rest", 0.0)


def shoulder(who: Person, lean: Sequence[float], side: int) -> tuple[float, float]:
    """Return where the shoulder of a side is, in cabin units."""
    return side * (who.shoulders - 12) + lean[0] * 0.6, 27 + lean[1] * 0.4


def torso(place: Canvas, who: Person, lean: tuple[float, float]) -> None:
    """Paint the clothed upper body."""
    wide = who.shoulders
    body = within(place, lean)
    right = [(15, 4), (wide - 16, 15), (wide - 2, 26), (wide + 4, 60), (wide - 12, 90), (wide - 14, 240)]
    outline = np.array([*right, *[(-x, y) for x, y in reversed(right)]])
    light, dark = draw.mix(who.cloth, (255, 255, 255), 0.10), draw.mix(who.cloth, (0, 0, 0), 0.35)
    polygon(body, outline, light, to=dark)
    _pattern(body, who, wide)
    polygon(body, [(-16, 5), (0, 20), (16, 5), (0, 9)], draw.mix(who.cloth, (0, 0, 0), 0.3))
    for side in (-1, 1):  # folds and the shade under the arms
        fold = draw.curve([(side * (wide - 20), 40), (side * (wide - 34), 70), (side * (wide - 26), 120)], steps=7)
        polygon(body, stroke(fold, [1, 2, 3, 3, 3, 2, 1]), (0, 0, 0), alpha=0.22, owner=None)


def _pattern(body: Canvas, who: Person, wide: float) -> None:
    if who.pattern in ("stripes", "check"):
        for y in range(34, 130, 13):
            polygon(body, rectangle(-wide + 14, y, wide - 14, y + 5), who.second, alpha=0.55)
    if who.pattern == "check":
        for x in range(-48, 49, 16):
            polygon(body, rectangle(x - 2.5, 22, x + 2.5, 240), who.second, alpha=0.45)
    if who.pattern == "badge":
        polygon(body, ellipse((0, 62), (17, 13)), who.second)
        polygon(body, rectangle(-10, 60, 10, 64), draw.mix(who.second, (255, 255, 255), 0.7))
    if who.pattern == "jacket":
        polygon(body, [(-13, 8), (13, 8), (20, 240), (-20, 240)], who.second, to=draw.mix(who.second, (0, 0, 0), 0.3))
        for side in (-1, 1):
            lapel = [(side * 14, 6), (side * 26, 30), (side * 13, 76)]
            polygon(body, lapel, draw.mix(who.cloth, (0, 0, 0), 0.25))


def neck(place: Canvas, who: Person, head_at: tuple[float, float], lean: Sequence[float]) -> None:
    """Paint the neck between collar and head."""
    x = lean[0] * 0.6
    shade = draw.mix(who.skin, (60, 20, 10), 0.30)
    top = (head_at[0], head_at[1] + 18)
    polygon(
        place, [(top[0] - 12, top[1]), (top[0] + 12, top[1]), (x + 16, 8), (x, 18), (x - 16, 8)], shade, to=who.skin
    )


def back_hair(local: Canvas, who: Person) -> None:
    """Paint hair that falls behind the head."""
    wide = who.face_wide
    if who.style == "long":
        fall = draw.curve(
            [(-wide - 5, 44), (-wide - 14, -30), (-10, -60), (10, -60), (wide + 14, -30), (wide + 5, 44)], steps=20
        )
        polygon(local, fall, draw.mix(who.hair, (0, 0, 0), 0.15), to=draw.mix(who.hair, (0, 0, 0), 0.4))
    if who.style == "bun":
        polygon(local, ellipse((0, -40), (12, 11)), who.hair)


def head(local: Canvas, who: Person, now: Face, owner: int) -> None:
    """Paint the head around the local origin, its face turned by the yaw."""
    wide, skin = who.face_wide, who.skin
    dark = draw.mix(skin, (70, 24, 10), 0.28)
    for side in (-1, 1):
        polygon(local, ellipse((side * (wide + 1) - now.yaw * 3, 0), (4.5, 7.5)), dark, owner=owner)
    if who.style in ("curly", "short", "parted", "bun", "long"):
        swell = 6 if who.style == "curly" else 2.5
        polygon(local, ellipse((0, -9), (wide + swell, 29 + swell)), who.hair, owner=owner)
    chin = draw.curve([(-wide, -8), (-wide + 1, 24), (-11, 40), (11, 40), (wide - 1, 24), (wide, -8)], steps=16)
    skull = draw.arc((0, -8), (wide, 27), np.linspace(0, -np.pi, 16))
    polygon(local, np.concatenate([chin, skull]), draw.mix(skin, (255, 246, 230), 0.12), to=dark, owner=owner)
    _beard(local, who, now, owner)
    _features(local, who, now, owner)
    _crown(local, who, now, owner)


def _beard(local: Canvas, who: Person, now: Face, owner: int) -> None:
    if not who.beard:
        return
    wide, x = who.face_wide, now.yaw * 6
    low = draw.curve([(-wide + 1, 4), (-wide + 1, 26), (-11, 42), (11, 42), (wide - 1, 26), (wide - 1, 4)], steps=14)
    inner = draw.curve(
        [(wide - 5, 6), (wide - 9, 18), (x + 6, 13), (x - 6, 13), (-wide + 9, 18), (-wide + 5, 6)], steps=12
    )
    polygon(local, np.concatenate([low, inner]), who.hair, alpha=0.85, owner=owner)


def _features(local: Canvas, who: Person, now: Face, owner: int) -> None:
    x = now.yaw * 8
    shade = draw.mix(who.skin, (70, 20, 10), 0.45)
    nose = draw.curve(
        [(x - 1, -6), (x + now.yaw * 4 - 3, 6), (x + now.yaw * 3 - 5, 9), (x + now.yaw * 3 + 4, 9.5)], steps=8
    )
    polygon(local, stroke(nose, 1.8), shade, alpha=0.8, owner=owner)
    for side in (-1, 1):
        centre = (x + side * who.eye_gap * (1 - 0.12 * abs(now.yaw)), -6.0)
        brow = [(centre[0] - 6, -13.5 + side * 0.6), (centre[0], -15.2), (centre[0] + 6, -13.5 - side * 0.6)]
        polygon(local, stroke(brow, who.brow), draw.mix(who.hair, (0, 0, 0), 0.25), owner=owner)
        _eye(within(local, centre), who, now, owner)
    _mouth(within(local, (x * 0.9, 19)), who, now, owner)
    if who.glasses:
        _glasses(local, who, x, owner)


def _eye(local: Canvas, who: Person, now: Face, owner: int) -> None:
    lid = draw.mix(who.skin, (60, 16, 10), 0.40)
    if now.eyes != "open":
        lift = 1.0 if now.eyes == "down" else 0.0
        polygon(local, ellipse((0, 0), (6.4, 4.2)), draw.mix(who.skin, (90, 30, 20), 0.22), owner=owner)
        polygon(
            local,
            stroke(draw.curve([(-6.4, 0.5), (0, 5.5 - lift), (6.4, 0.5)], steps=7), 1.9),
            (30, 18, 14),
            owner=owner,
        )
        return
    polygon(local, ellipse((0, 0), (7.0, 4.9)), lid, owner=owner)
    polygon(local, ellipse((0, 0.5), (6.2, 4.0)), (246, 246, 244), owner=owner)
    at = (now.gaze * 1.8 + now.yaw, 0.4)
    polygon(local, ellipse(at, (3.1, 3.5)), draw.mix(who.hair, (40, 60, 70), 0.5), owner=owner)
    polygon(local, ellipse(at, (1.6, 1.8)), (10, 8, 8), owner=owner)
    polygon(local, stroke([(-6.6, -1.5), (0, -4.4), (6.6, -1.5)], 1.6), (30, 18, 14), owner=owner)


def _mouth(local: Canvas, who: Person, now: Face, owner: int) -> None:
    lip = draw.mix(who.skin, (150, 30, 40), 0.5)
    if now.mouth == "yawn":
        polygon(local, ellipse((0, 5), (9.5, 12.5)), lip, owner=owner)
        polygon(local, ellipse((0, 5), (7.8, 10.6)), (44, 12, 14), owner=owner)
        polygon(local, ellipse((0, 11), (5.5, 4)), (170, 70, 76), owner=owner)
        polygon(local, rectangle(-5, -4.6, 5, -2.2, rounding=1), (236, 232, 224), owner=owner)
    elif now.mouth == "talk":
        polygon(local, ellipse((0, 1), (7, 3.8)), lip, owner=owner)
        polygon(local, ellipse((0, 1), (5.2, 2.1)), (60, 18, 20), owner=owner)
    else:
        bend = 4.0 if now.mouth == "smile" else 0.6
        polygon(
            local,
            stroke(draw.curve([(-8, 0), (0, bend * 2), (8, 0)], steps=7), [1.6, 2.4, 3, 3, 3, 2.4, 1.6]),
            lip,
            owner=owner,
        )


def _glasses(local: Canvas, who: Person, x: float, owner: int) -> None:
    frame = (28, 26, 26)
    polygon(local, stroke([(-who.face_wide, -7), (x - 17, -7)], 1.6), frame, owner=owner)
    polygon(local, stroke([(who.face_wide, -7), (x + 17, -7)], 1.6), frame, owner=owner)
    polygon(local, stroke([(x - 4, -7), (x + 4, -7)], 1.8), frame, owner=owner)
    for side in (-1, 1):
        centre = (x + side * who.eye_gap, -5.5)
        if who.glasses == "sun":
            polygon(local, ellipse(centre, (9.6, 7.6)), (22, 22, 26), to=(66, 62, 70), owner=owner)
        else:
            rim = ellipse(centre, (9.4, 7.6))
            polygon(local, stroke(np.concatenate([rim, rim[:2]]), 1.3), frame, owner=owner)
            polygon(
                local, stroke([(centre[0] - 4, -9), (centre[0] - 1, -4)], 1.0), (255, 255, 255), alpha=0.5, owner=owner
            )


def _crown(local: Canvas, who: Person, now: Face, owner: int) -> None:
    wide = who.face_wide
    top = draw.arc((0, -10), (wide + 1.5, 27), np.linspace(0, -np.pi, 18))
    if who.cap is not None:
        polygon(
            local,
            np.concatenate([top, [(-wide, -17), (wide, -17)]]),
            who.cap,
            to=draw.mix(who.cap, (0, 0, 0), 0.3),
            owner=owner,
        )
        brim = draw.curve([(-wide - 2, -18), (now.yaw * 14, -8), (wide + 2, -18)], steps=8)
        polygon(local, stroke(brim, [3, 5, 6, 7, 7, 6, 5, 3]), draw.mix(who.cap, (0, 0, 0), 0.35), owner=owner)
        return
    if who.style == "bald":
        polygon(local, ellipse((-7, -27), (8, 4), angle_rad=-0.4), (255, 255, 255), alpha=0.18, owner=None)
        return
    part = {"parted": (-16.0, -14.0), "curly": (0.0, -21.0)}.get(who.style, (4.0, -23.0))
    fringe = draw.curve([(-wide - 1, -10), (-wide + 6, -22), part, (wide - 6, -26), (wide + 1, -10)], steps=12)
    polygon(local, np.concatenate([top, fringe]), draw.mix(who.hair, (255, 255, 255), 0.10), to=who.hair, owner=owner)
