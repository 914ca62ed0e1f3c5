"""One moment of a driver: posture, face, and what is in the hands."""

from dataclasses import dataclass

import numpy as np

from vouch.scenes import person
from vouch.scenes.draw import Colour
from vouch.scenes.person import Face, Person

PHONES: tuple[Colour, ...] = ((18, 18, 20), (34, 36, 44), (210, 210, 214), (150, 34, 40), (36, 70, 130))
HELD = ("cup", "bottle", "chin", "pen")


@dataclass(frozen=True)
class Moment:
    """What is different in each frame: posture, face and what happens. The picture is a function of it alone."""

    lean: tuple[float, float]
    face: Face
    hand: int  # which side's hand is up
    wheel_turn: float
    phone_at: str  # "ear", "chest" or "mouth"
    phone: Colour
    cigarette_at: str  # "mouth" or "hand"
    held: str  # a thing that is none of the classes, or ""
    strap: bool
    belt_slack: float
    outside: int  # seed of what passes behind the window
    sun: float
    grip: float


def moment(rng: np.random.Generator, happening: frozenset[str], look: Person) -> Moment:
    """Draw one moment in which exactly the classes in `happening` occur."""
    busy = bool(happening & {"phone", "cigarette"})
    return Moment(
        lean=(float(rng.normal(0, 8)), float(rng.normal(0, 4))),
        face=person.face(rng, look, drowsy="drowsy_face" in happening),
        hand=int(rng.choice([-1, 1])),
        wheel_turn=float(rng.normal(0, 0.25)),
        phone_at=str(rng.choice(["ear", "ear", "chest", "chest", "mouth"])),
        phone=PHONES[rng.integers(len(PHONES))],
        cigarette_at=str(rng.choice(["mouth", "hand"])),
        held="" if busy or rng.random() < 0.55 else str(rng.choice(HELD)),
        strap=bool(rng.random() < 0.10),
        belt_slack=float(rng.normal(0, 5)),
        outside=int(rng.integers(1 << 31)),
        sun=float(rng.uniform(0, 1)),
        grip=float(rng.uniform(0, 1)),
    )
