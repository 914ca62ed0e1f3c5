"""Boxes: overlap, non-maximum suppression and COCO's matching; boxes are (x1, y1, x2, y2) throughout."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vouch.errors import BundleError, Problem, refuse_any

Floats = NDArray[np.float64]
MOST_DETECTIONS = 100_000  # on a photograph; COCO's evaluation looks at 100, densest sets have some thousands
_REMEDY = "build the bundle again"
IOU_THRESHOLDS: Floats = np.linspace(0.5, 0.95, 10)  # COCO's .50:.05:.95; bit i of `hits` is threshold i


@dataclass(frozen=True)
class Detections:
    """What was found on one photograph, best score first.

    boxes_xyxy is float64 (n, 4) in pixels, scores float64 (n,) in [0, 1], class_ids int64 (n,).
    """

    boxes_xyxy: Floats
    scores: Floats
    class_ids: NDArray[np.int64]


@dataclass(frozen=True)
class Postprocess:
    """How candidates become detections; what postprocess.json says.

    A candidate counts when its best class score is greater than `floor`; of two boxes of a class that overlap by more
    than `max_iou` the weaker goes; of what is left the `limit` best stay.
    """

    floor: float
    max_iou: float
    limit: int


def postprocess_from_json(content: object, where: str) -> Postprocess:
    """Read postprocess.json back.

    Raises
    ------
    BundleError
        Listing missing and unknown keys, or values that are no numbers of their range.
    """
    keys = set(Postprocess.__dataclass_fields__)
    if not isinstance(content, dict) or content.keys() != keys:
        got = f"the keys {sorted(content)}"[:80] if isinstance(content, dict) else repr(content)[:80]
        raise BundleError([Problem(where, f"the keys {sorted(keys)}", got, _REMEDY)])
    floor, max_iou, limit = (content[key] for key in ("floor", "max_iou", "limit"))
    whole = isinstance(limit, int) and _is_number(limit)
    valid = {
        "floor": ("a number from 0 to below 1", _is_number(floor) and 0 <= floor < 1),
        "max_iou": ("a number above 0, at most 1", _is_number(max_iou) and 0 < max_iou <= 1),
        "limit": (f"a whole number from 1 to {MOST_DETECTIONS}", whole and 1 <= limit <= MOST_DETECTIONS),
    }
    problems = [
        Problem(f"{where}: {key}", expected, repr(content[key])[:80], _REMEDY)
        for key, (expected, holds) in valid.items()
        if not holds
    ]
    refuse_any(BundleError, problems)
    return Postprocess(**content)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(frozen=True)
class Matches:
    """How detections meet truths under COCO's greedy rule.

    hits is uint16 (n_detections,), bit i set for a hit at IoU .50 + .05 i; truth is int64 (n_detections,), the truth
    matched at IoU .50 or -1; iou is float64 (n_detections,), with that truth, else with the best truth of the class.
    """

    hits: NDArray[np.uint16]
    truth: NDArray[np.int64]
    iou: Floats


def iou_matrix(first_xyxy: Floats, second_xyxy: Floats) -> Floats:
    """Return intersection over union of every pair: float64 (n_first, n_second) in [0, 1]; 0 where both are empty."""
    top_left = np.maximum(first_xyxy[:, None, :2], second_xyxy[None, :, :2])
    bottom_right = np.minimum(first_xyxy[:, None, 2:], second_xyxy[None, :, 2:])
    shared = np.clip(bottom_right - top_left, 0.0, None).prod(axis=2)
    union = _areas(first_xyxy)[:, None] + _areas(second_xyxy)[None, :] - shared
    overlap: Floats = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return overlap


def _areas(boxes_xyxy: Floats) -> Floats:
    sides = np.clip(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2], 0.0, None)
    return np.asarray(sides[:, 0] * sides[:, 1])


def suppress(boxes_xyxy: Floats, scores: Floats, class_ids: NDArray[np.int64], *, max_iou: float) -> NDArray[np.int64]:
    """Return indices kept by greedy class-aware non-maximum suppression, best score first.

    A box goes when its IoU with a better kept box of its class is greater than `max_iou`. Of equal scores
    the earlier stays first.
    """
    order = np.argsort(-scores, kind="stable")
    # shifting each class to its own place makes boxes of different classes disjoint
    extent = float(boxes_xyxy.max(initial=0.0)) + 1.0
    boxes = (boxes_xyxy + (class_ids * extent)[:, None])[order]
    kept = []
    while order.size:
        kept.append(order[0])
        stays = iou_matrix(boxes[:1], boxes[1:])[0] <= max_iou
        order, boxes = order[1:][stays], boxes[1:][stays]
    return np.array(kept, np.int64)


def decode(output: NDArray[np.float32], postprocess: Postprocess) -> Detections:
    """Turn one photograph's network output into detections on the canvas.

    Parameters
    ----------
    output : float32 (4 + classes, candidates)
        Centre x, centre y, width, height in canvas pixels, then class scores in [0, 1].
    postprocess : which candidates become detections
    """
    best = output[4:].max(axis=0)
    strong = np.flatnonzero(best > postprocess.floor)
    candidates = output[:, strong].astype(np.float64)
    class_ids = candidates[4:].argmax(axis=0)
    half = candidates[2:4] / 2
    boxes = np.concatenate([candidates[:2] - half, candidates[:2] + half]).T
    scores = candidates[4:].max(axis=0, initial=0.0)
    kept = suppress(boxes, scores, class_ids, max_iou=postprocess.max_iou)[: postprocess.limit]
    return Detections(boxes[kept], scores[kept], class_ids[kept])


def match(found: Detections, truth_xyxy: Floats, truth_ids: NDArray[np.int64]) -> Matches:
    """Match detections to truths of their class at ten IoU thresholds, as COCO's evaluation does.

    Best score first, a detection takes the free truth that it overlaps most, when that IoU reaches the threshold; of
    equal overlaps the later truth wins (Lin et al., 2014, and pycocotools' evaluateImg).
    """
    count = len(found.scores)
    hits, truth, best_iou = np.zeros(count, np.uint16), np.full(count, -1, np.int64), np.zeros(count)
    overlaps = iou_matrix(found.boxes_xyxy, truth_xyxy)
    free = np.ones((len(IOU_THRESHOLDS), len(truth_ids)), bool)
    bits = (1 << np.arange(len(IOU_THRESHOLDS))).astype(np.uint16)
    levels = np.arange(len(IOU_THRESHOLDS))
    for index in range(count):  # scores descend, so this order is the rule's
        same = np.flatnonzero(truth_ids == found.class_ids[index])[
            ::-1
        ]  # reversed: argmax then finds the later of equals
        if same.size == 0:
            continue
        overlap = overlaps[index, same]
        best_iou[index] = overlap.max()
        usable = np.where(free[:, same], overlap, -1.0)
        choice = usable.argmax(axis=1)
        hit = usable[levels, choice] >= IOU_THRESHOLDS
        free[levels[hit], same[choice[hit]]] = False
        hits[index] = bits[hit].sum()
        if hit[0]:
            truth[index], best_iou[index] = same[choice[0]], overlap[choice[0]]
    return Matches(hits, truth, best_iou)
