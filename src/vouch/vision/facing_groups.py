"""Facings: objects of one product that stand side by side on a shelf."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]

LEVEL = 0.5  # of the lower one's height that two neighbours share
GAP = 0.6  # of the narrower one's width that lies between them at most


def facing_groups(boxes_xyxy: NDArray[np.float64], named: Sequence[str | None]) -> list[list[int]]:
    """Return the places of boxes in groups of one name that stand side by side, from the left; groups by their place.

    Two boxes are neighbours when they share at least half of the lower one's height and the gap between them is at most
    .6 of the narrower one's width; a box of another name whose middle lies between them parts them.

    Parameters
    ----------
    boxes_xyxy : shape (n, 4), x1 <= x2 and y1 <= y2
    named : n names, None for an unknown product
    """
    groups: list[list[int]] = []
    order = sorted(range(len(boxes_xyxy)), key=lambda place: (boxes_xyxy[place, 0], boxes_xyxy[place, 1]))
    for place in order:
        left = [group for group in groups if _beside(boxes_xyxy, group[-1], place, named)]
        if left:
            max(left, key=lambda group: boxes_xyxy[group[-1], 2]).append(place)
        else:
            groups.append([place])
    return groups


def _beside(boxes: NDArray[np.float64], first: int, second: int, named: Sequence[str | None]) -> bool:
    if named[first] != named[second]:
        return False
    (a1, a2), (b1, b2) = boxes[[first, second]][:, [0, 2]].tolist()
    if b1 - a2 > GAP * min(a2 - a1, b2 - b1) or not _level(boxes[first], boxes[[second]])[0]:
        return False
    middles = boxes[:, [0, 2]].mean(axis=1)
    between = (middles > (a1 + a2) / 2) & (middles < (b1 + b2) / 2) & _level(boxes[first], boxes)
    return not any(named[place] != named[first] for place in np.flatnonzero(between).tolist())


def _level(box: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.bool_]:
    shared = np.minimum(box[3], others[:, 3]) - np.maximum(box[1], others[:, 1])
    lower = np.minimum(box[3] - box[1], others[:, 3] - others[:, 1])
    return np.asarray(shared > LEVEL * lower)
