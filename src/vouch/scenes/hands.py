"""What a driver's hands do: the wheel, a phone, a cigarette, or something that only looks like them."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from vouch.scenes import draw, person
from vouch.scenes.draw import Canvas, Colour, ellipse, polygon, rectangle, stroke, within
from vouch.scenes.person import Person
from vouch.scenes.posture import PHONES, Moment


def paint(
    place: Canvas,
    who: Person,
    now: Moment,
    head: tuple[float, float],
    *,
    happening: frozenset[str],
    wheel_high: float,
) -> None:
    """Paint both arms and what they hold, and a cigarette in the mouth; `head` is where the head is."""
    phone, cigarette = "phone" in happening, "cigarette" in happening
    raised = phone or now.held != "" or (cigarette and now.cigarette_at == "hand")
    for side in (-1, 1):
        if not (raised and side == now.hand):
            grip = (side * (50 + 10 * now.grip), 112 + wheel_high * 0.5 + side * now.wheel_turn * 18)
            _arm(place, who, now.lean, side, grip)
            _fist(place, who, grip, 0.0)
    if cigarette and (phone or now.cigarette_at == "mouth"):
        local = within(place, head, angle_rad=now.face.roll_rad, scale=who.head_scale)
        mouth = (now.face.yaw * 9 + now.hand * -4, 19)
        with draw.thing(place, "cigarette", "cigarette") as owner:
            _cigarette(local, mouth, -now.hand * 0.75 + np.pi / 2 + now.hand * -0.25, owner)
    if raised:
        _raised(place, who, now, head, phone, cigarette)


def _raised(place: Canvas, who: Person, now: Moment, head: tuple[float, float], phone: bool, cigarette: bool) -> None:
    what = f"phone_{now.phone_at}" if phone else ("cigarette" if cigarette else now.held)
    at = _place(what, now, head)
    _arm(place, who, now.lean, now.hand, at)
    hold = within(place, at, scale=(now.hand, 1))
    if phone:
        angle = {"ear": 0.18, "chest": -0.25 + 0.3 * now.grip, "mouth": 1.15}[now.phone_at]
        with draw.thing(place, "phone", "phone") as owner:
            _phone(within(hold, (-3, -12), angle_rad=angle), now.phone, now.phone_at, owner)
        _fingers(hold, who, [(-8, -4), (-9, 1), (-8, 6)] if now.phone_at != "mouth" else [(-5, -9), (0, -9)])
    elif cigarette:
        _fist(hold, who, (0, 0), 0.0)
        with draw.thing(place, "cigarette", "cigarette") as owner:
            _cigarette(hold, (-5, -9), -2.2 + 0.5 * now.grip, owner)
        _fingers(hold, who, [(-5, -6), (-2, -8)])
    else:
        _HOLD[what](hold, who, now)


def _place(what: str, now: Moment, head: tuple[float, float]) -> tuple[float, float]:
    side, wave = now.hand, now.grip * 12
    low = (side * (34 + wave), 66 + wave)
    beside = (head[0] + side * 31, head[1] + 14)
    chin = (head[0] + side * 10, head[1] + 40)
    away = (head[0] + side * (36 + wave), head[1] + 30 + wave)
    places = {"phone_ear": beside, "phone_mouth": (head[0] + side * 22, head[1] + 50), "chin": chin, "cigarette": away}
    return places.get(what, low if what in ("phone_chest", "cup", "bottle") else away)


def _phone(local: Canvas, colour: Colour, where: str, owner: int) -> None:
    polygon(local, rectangle(-9, -19, 9, 19, rounding=3), draw.mix(colour, (255, 255, 255), 0.3), owner=owner)
    polygon(
        local,
        rectangle(-8.2, -18.2, 8.2, 18.2, rounding=2.5),
        colour,
        to=draw.mix(colour, (90, 90, 100), 0.35),
        owner=owner,
    )
    if where == "chest":  # its back faces the camera
        polygon(local, rectangle(-7, -17, -1.5, -8, rounding=1.5), draw.mix(colour, (0, 0, 0), 0.5), owner=owner)
        for y in (-14.6, -10.4):
            polygon(local, ellipse((-4.2, y), (1.4, 1.4)), (120, 130, 150), owner=owner)
    elif where == "mouth":
        polygon(local, rectangle(-7, -16, 7, 16), (60, 84, 120), to=(120, 150, 180), emit=(40, 60, 80), owner=owner)


def _cigarette(local: Canvas, mouth: tuple[float, float], angle_rad: float, owner: int) -> None:
    stick = within(local, mouth, angle_rad=angle_rad)
    polygon(stick, rectangle(-1, -2.2, 7, 2.2), (206, 140, 78), owner=owner)
    polygon(stick, rectangle(6, -2.2, 19, 2.2), (248, 246, 240), to=(214, 212, 206), owner=owner)
    polygon(stick, rectangle(19, -2.3, 22.5, 2.3, rounding=1), (150, 90, 70), emit=(200, 70, 20), owner=owner)
    smoke = draw.curve([(0, 0), (4, -10), (-2, -22), (8, -40)], steps=8) + _tip(local, stick)
    polygon(local, stroke(smoke, [2, 3, 4, 5, 6, 7, 8, 9]), (226, 226, 230), alpha=0.25, owner=None)


def _tip(local: Canvas, stick: Canvas) -> NDArray[np.float64]:
    """Return where the glowing end of the stick is in the local frame: smoke rises whatever the stick's angle."""
    at = stick.frame[:, :2] @ np.array([22.0, 0.0]) + stick.frame[:, 2]
    return np.linalg.solve(local.frame[:, :2], at - local.frame[:, 2])


def _cup(hold: Canvas, who: Person, now: Moment) -> None:
    colour = PHONES[2] if now.grip < 0.5 else (176, 132, 90)
    polygon(hold, [(-9, -22), (9, -22), (7, 12), (-7, 12)], colour, to=draw.mix(colour, (0, 0, 0), 0.25))
    polygon(hold, rectangle(-10, -25, 10, -20, rounding=2), (238, 236, 232) if now.sun < 0.5 else (44, 40, 40))
    polygon(hold, rectangle(-8.4, -12, 8.4, -2), draw.mix(now.phone, colour, 0.4))
    _fingers(hold, who, [(-6, -8), (-6, -2), (-5, 4)])


def _bottle(hold: Canvas, who: Person, now: Moment) -> None:
    colour = (150, 190, 214) if now.grip < 0.6 else (60, 60, 64)
    polygon(hold, rectangle(-7, -22, 7, 22, rounding=4), colour, to=draw.mix(colour, (255, 255, 255), 0.3))
    polygon(hold, rectangle(-3, -34, 3, -20, rounding=1), (40, 90, 170) if now.sun < 0.5 else (230, 230, 230))
    polygon(hold, rectangle(-7, -8, 7, 6), draw.mix(now.phone, (255, 255, 255), 0.5))
    _fingers(hold, who, [(-6, -4), (-6, 2), (-5, 8)])


def _chin(hold: Canvas, who: Person, now: Moment) -> None:
    _fist(hold, who, (0, 0), 0.6)
    _fingers(hold, who, [(-4, -9), (-8, -7), (-10, -3)])


def _pen(hold: Canvas, who: Person, now: Moment) -> None:
    _fist(hold, who, (0, 0), 0.0)
    ink = now.phone if now.phone[0] < 200 else (30, 60, 150)
    pen = within(hold, (-2, -6), angle_rad=-2.1 + 0.6 * now.grip)
    polygon(pen, rectangle(-14, -1.6, 22, 1.6), ink)
    polygon(pen, [(22, -1.6), (27, 0), (22, 1.6)], (190, 190, 196))
    _fingers(hold, who, [(-5, -6), (-2, -8)])


def _arm(place: Canvas, who: Person, lean: Sequence[float], side: int, hand: Sequence[float]) -> None:
    """Paint a sleeved arm from the shoulder over the elbow to a hand."""
    start = np.array(person.shoulder(who, lean, side)) + np.array((0, 6))
    end = np.asarray(hand, float)
    low = max(118.0, float(end[1]) + 20) if end[1] < 100 else 108.0
    elbow = np.array([side * (who.shoulders + (14 if end[1] < 100 else 4)), min(low, 128.0)])
    sleeve = draw.mix(who.cloth, (255, 255, 255), 0.05)
    shade = draw.mix(who.cloth, (0, 0, 0), 0.35)
    polygon(place, stroke(np.array([start, elbow]) + np.array((0, 2)), [30, 25]), shade)
    polygon(place, stroke([start, elbow], [28, 23]), sleeve, to=shade)
    cuff = elbow + (end - elbow) * 0.78
    polygon(
        place, stroke([elbow + (end - elbow) * 0.7, end], [12, 11]), who.skin, to=draw.mix(who.skin, (60, 20, 10), 0.2)
    )
    polygon(place, stroke([elbow, cuff], [23, 17]), sleeve, to=shade)


def _fist(place: Canvas, who: Person, at: Sequence[float], angle_rad: float) -> None:
    """Paint a closed hand."""
    local = within(place, at, angle_rad=angle_rad)
    polygon(
        local,
        ellipse((0, 0), (9.5, 9)),
        draw.mix(who.skin, (255, 240, 220), 0.08),
        to=draw.mix(who.skin, (60, 20, 10), 0.25),
    )
    for x in (-5.5, -1.5, 2.5):
        polygon(local, stroke([(x, -7), (x + 0.5, -1)], 1.0), draw.mix(who.skin, (60, 16, 8), 0.45), alpha=0.7)


def _fingers(hold: Canvas, who: Person, tips: Sequence[tuple[float, float]]) -> None:
    """Paint fingers that reach from the palm's outer side to their tips."""
    shade = draw.mix(who.skin, (60, 20, 10), 0.35)
    polygon(hold, ellipse((9, 2), (6, 9)), who.skin, to=shade)
    for tip in tips:
        path = [(10, tip[1] + 2), tip]
        polygon(hold, stroke(path, 5.4), shade)
        polygon(hold, stroke(path, 4.2), draw.mix(who.skin, (255, 240, 220), 0.08))


_HOLD: dict[str, Callable[[Canvas, Person, Moment], None]] = {
    "cup": _cup,
    "bottle": _bottle,
    "chin": _chin,
    "pen": _pen,
}
