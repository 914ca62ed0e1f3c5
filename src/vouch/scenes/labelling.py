"""What becomes of a true box: it moves with its picture, and a careless person forgets, shifts or mistakes it."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from vouch.scenes.draw import Box

CORNERS = ("x1", "y1", "x2", "y2")
MOST_OFF = 0.12  # of a side, for each of x1, y1, x2, y2: the worst four leave an IoU of .58 with the object
Mistake = Callable[[Box, np.random.Generator], Box]


def moved(box: Box, by_px: ArrayLike, size_px: tuple[int, int]) -> Box:
    """Return the box with its corners x1, y1, x2, y2 moved by so many pixels, cut at the picture's edges."""
    ends = _corners(box) + np.asarray(by_px, float)
    kept = np.clip(ends, 0, [*size_px, *size_px])
    return {**box, **dict(zip(CORNERS, map(float, kept), strict=True))}


def careless(
    boxes: Sequence[Box],
    rate: float,
    size_px: tuple[int, int],
    rng: np.random.Generator,
    mistake: Mistake | None = None,
) -> list[Box]:
    """Return the boxes as careless people label them: forgotten, off by an eighth, or taken for something else.

    Parameters
    ----------
    boxes : sequence of Box
    rate : float, 0 to 1
        Of boxes to which something happens, shared equally by the ways in which it may; one box may suffer several.
    size_px : width and height of the picture
    rng : Generator
    mistake : function, optional
        Makes of a box what it is taken for; none where nothing is taken for anything else: two ways are left.
    """
    ways = 2 if mistake is None else 3
    kept: list[Box] = []
    for box in boxes:
        forgotten, shifted, *mistaken = rng.random(ways) < rate / ways
        off = rng.uniform(-MOST_OFF, MOST_OFF, 4) * _sides(box) if shifted else np.zeros(4)
        found = moved(box, off, size_px)
        if mistake is not None and any(mistaken):
            found = mistake(found, rng)
        kept += [] if forgotten else [found]
    return kept


def _corners(box: Box) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return np.array([float(box[name]) for name in CORNERS])


def _sides(box: Box) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Return width, height, width and height."""
    x1, y1, x2, y2 = _corners(box)
    return np.array([x2 - x1, y2 - y1] * 2)
