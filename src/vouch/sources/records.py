"""What every format is read into: one record a photograph, boxes as fractions of its width and height."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from vouch.errors import Problem

Box = tuple[str, float, float, float, float]  # class of the source, x1, y1, x2, y2 as fractions, as labelled
ANNOTATIONS = ("labelled", "negative", "missing")


class Place(NamedTuple):
    """What a box holds, by name, and where on the shelf it stands; None is what the source does not state."""

    product: str | None = None
    row: int | None = None  # from 1 at the top
    position: int | None = None  # in its row, from 1 at the left


NOWHERE = Place()


@dataclass(frozen=True, slots=True)
class Record:
    """One photograph as its source describes it."""

    image: str  # POSIX path inside the source
    where: str  # file and line that describe it, for messages
    annotation: str  # labelled, negative (known to hold nothing) or missing (nobody looked)
    label: str | None = None  # class of the whole photograph
    width: int | None = None  # pixels, as the source states it
    height: int | None = None
    groups: Mapping[str, str] = field(default_factory=dict)
    strata: Mapping[str, str] = field(default_factory=dict)
    boxes: tuple[Box, ...] = ()
    places: tuple[Place, ...] = ()  # one a box where the source states any, else empty
    split: str | None = None  # in a word of the source


@dataclass(frozen=True)
class Reading:
    """A source as read: its records, the files that describe them, and everything that is wrong."""

    records: tuple[Record, ...]
    files: tuple[str, ...] = ()  # label files and side manifest, POSIX paths inside the source
    classes: frozenset[str] = frozenset()  # declared by the source, used or not
    dropped: Mapping[str, int] = field(default_factory=dict)  # left out because the descriptor says so
    rows: Mapping[str, Mapping[str, str]] | None = None  # cells of a CSV source, for column rules
    corrections: Mapping[str, str] = field(default_factory=dict)  # photograph to a class of the data set, or `drop`
    problems: tuple[Problem, ...] = ()


def stated(explicit: str, *, holds: bool, otherwise: str) -> str | None:
    """Return the annotation of a photograph, or None where the stated one contradicts what it holds.

    Parameters
    ----------
    explicit
        What the source states: one of `ANNOTATIONS`, or "" where it says nothing.
    holds
        Whether the photograph has a box or a label.
    otherwise
        The annotation of a photograph that holds nothing when nothing is stated.
    """
    if holds:
        return "labelled" if explicit in ("", "labelled") else None
    if explicit == "labelled":
        return None
    return explicit or otherwise


def unlabelled(policy: str) -> str:
    """Annotation of a photograph that no label describes: a negative only where the source says so."""
    return "negative" if policy == "negative" else "missing"
