"""A driver at the wheel, seen by a camera on the dashboard."""

import numpy as np
from numpy.typing import NDArray

from vouch.scenes import cockpit, draw, hands, person
from vouch.scenes.cockpit import Cabin
from vouch.scenes.draw import Canvas, Colour, ellipse, polygon, stroke, within
from vouch.scenes.person import Person
from vouch.scenes.posture import Moment


def paint(
    paper: Canvas, look: Cabin, who: Person, now: Moment, *, happening: frozenset[str], scenario: str, road_type: str
) -> None:
    """Paint one frame; the classes in `happening` are what is labelled."""
    place = within(paper, (160 + look.shift[0], 120 + look.shift[1]), angle_rad=look.tilt_rad, scale=look.zoom)
    side = look.door_side
    cockpit.shell(place, look)
    cockpit.window(place, look, now.outside, scenario, road_type)
    cockpit.seat(place, look)
    head = (now.lean[0] + now.face.nod[0], -34 + now.lean[1] * 0.5 + now.face.nod[1])
    person.torso(place, who, (now.lean[0] * 0.6, now.lean[1] * 0.4))
    if now.strap:
        _band(place, who, now, -side, (96, 72, 50), 9.0)
    if "seatbelt" in happening:
        with draw.thing(place, "seatbelt", "seatbelt") as owner:
            _belt(place, who, now, side, look.belt, owner)
        polygon(place, ellipse((side * 73, -11), (5, 4)), (52, 52, 54))
    _head(place, who, now, head, "drowsy_face" in happening)
    hands.paint(place, who, now, head, happening=happening, wheel_high=look.wheel_high)
    cockpit.front(place, look, now.wheel_turn, now.lean[0])
    if scenario != "night" and now.sun > 0.7:
        _sunbeam(place, side, now)


def _sunbeam(place: Canvas, side: int, now: Moment) -> None:
    """Paint a patch of sun that falls through the side window across the driver."""
    top, wide = -120 + 260 * (now.sun - 0.7), 40 + 60 * now.grip
    beam = np.array([(150, top - 40), (150, top - 40 + wide), (-70, top + 130 + wide), (-70, top + 130)]) * (side, 1)
    polygon(place, beam, (255, 240, 200), alpha=0.22, owner=None)


def _belt(place: Canvas, who: Person, now: Moment, side: int, colour: Colour, owner: int) -> None:
    """Paint the seat belt, with its stretch from the pillar and its woven edges."""
    top = _course(who, now, side)[0]
    polygon(
        place, stroke([(side * 72, -10), (side * 66, -2), top], 9.5), draw.mix(colour, (0, 0, 0), 0.25), owner=owner
    )
    _band(place, who, now, side, colour, 13.0, owner)
    edge = draw.mix(colour, (255, 255, 255), 0.3)
    for shift in ((-4.7, -1.9), (4.7, 1.9)):
        polygon(place, stroke(_course(who, now, side) + np.array(shift), 1.0), edge, alpha=0.7, owner=None)


def _band(place: Canvas, who: Person, now: Moment, side: int, colour: Colour, wide: float, owner: int = 0) -> None:
    """Paint a band over the torso and its shade: a belt, or on the other shoulder the strap of a bag."""
    path = _course(who, now, side)
    dark = draw.mix(colour, (0, 0, 0), 0.3)
    polygon(place, stroke(path + np.array((side * 1.5, 2.5)), wide), (0, 0, 0), alpha=0.3, owner=None)
    polygon(place, stroke(path, wide), draw.mix(colour, (255, 255, 255), 0.06), to=dark, owner=owner)


def _course(who: Person, now: Moment, side: int) -> NDArray[np.float64]:
    """Return the line from the shoulder at that side down to the other hip."""
    shoulder = person.shoulder(who, now.lean, side)
    top = (shoulder[0] - side * 8, shoulder[1] - 9)
    middle = (now.lean[0] * 0.6 - side * 4, 62 + now.belt_slack)
    chest = ((top[0] + middle[0]) / 2 + side * 3, (top[1] + middle[1]) / 2)
    return draw.curve([top, chest, middle, (-side * (58 + now.lean[0] * 0.1), 132)], steps=10)


def _head(place: Canvas, who: Person, now: Moment, head: tuple[float, float], drowsy: bool) -> None:
    person.neck(place, who, head, now.lean)
    local = within(place, head, angle_rad=now.face.roll_rad, scale=who.head_scale)
    person.back_hair(local, who)
    if drowsy:
        with draw.thing(place, "drowsy_face", "drowsy_face") as owner:
            person.head(local, who, now.face, owner)
    else:
        person.head(local, who, now.face, 0)
