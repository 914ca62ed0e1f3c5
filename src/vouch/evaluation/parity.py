"""Export parity: how far two runtimes' outputs of one network lie apart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from vouch.tasks import Task

Pair = tuple[NDArray[np.float32], NDArray[np.float32]]  # what two runtimes say of one batch


@dataclass(frozen=True)
class Parity:
    """Largest differences on one photograph; `changed` when another set of candidates passes the floor."""

    box_px: float
    score: float
    candidates: int
    changed: bool


def compare(task: Task, pairs: Iterable[Pair], *, n_classes: int, floor: float | None) -> dict[str, Any]:
    """Return the differences of outputs of this task as metrics/M/export.json has them; a detector has a `floor`."""
    match task:
        case "detect":
            assert floor is not None
            both = [one for first, second in pairs for one in zip(first, second, strict=True)]
            return summarise([compare_outputs(first, second, floor=floor) for first, second in both])
        case "classify":
            first, second = (np.concatenate(outputs) for outputs in zip(*pairs, strict=True))
            return compare_answers(first, second, n_classes=n_classes)
        case "identify":
            first, second = (np.concatenate(outputs) for outputs in zip(*pairs, strict=True))
            return compare_embeddings(first, second)
        case _:
            assert_never(task)


def compare_outputs(first: NDArray[np.float32], second: NDArray[np.float32], *, floor: float) -> Parity:
    """Compare two outputs of shape (4 + classes, candidates): every score, and the boxes whose score passes `floor`."""
    strong, other = (output[4:].max(axis=0) > floor for output in (first, second))
    difference = np.abs(first.astype(np.float64) - second.astype(np.float64))
    return Parity(
        box_px=float(difference[:4, strong | other].max(initial=0.0)),
        score=float(difference[4:].max(initial=0.0)),
        candidates=int(strong.sum()),
        changed=bool((strong != other).any()),
    )


def summarise(found: Sequence[Parity]) -> dict[str, Any]:
    """Return the worst differences over all photographs in the form of metrics/M/export.json.

    A difference of boxes is null when no candidate was strong enough to be compared: a gate then fails for want of
    evidence.
    """
    photographs, candidates = len(found), sum(item.candidates for item in found)
    values = {
        "box_difference_px": (max(item.box_px for item in found) if candidates else None, candidates),
        "score_difference": (max(item.score for item in found), photographs),
        "changed_photographs": (sum(item.changed for item in found), photographs),
    }
    return {"metrics": as_metrics(values), "photographs": photographs, "candidates": candidates}


def compare_answers(first: NDArray[np.float32], second: NDArray[np.float32], *, n_classes: int) -> dict[str, Any]:
    """Compare a classifier's two outputs, float32 (n, classes) or (n, classes + 1), as metrics/M/export.json has it."""
    difference = np.abs(first.astype(np.float64) - second.astype(np.float64))
    changed = first[:, :n_classes].argmax(axis=1) != second[:, :n_classes].argmax(axis=1)
    values: dict[str, tuple[float | None, int]] = {
        "logit_difference": (float(difference.max(initial=0.0)), len(first)),
        "changed_photographs": (int(changed.sum()), len(first)),
    }
    return {"metrics": as_metrics(values), "photographs": len(first)}


def compare_embeddings(first: NDArray[np.float32], second: NDArray[np.float32]) -> dict[str, Any]:
    """Compare two outputs of an embedder, float32 (n, d): how far the one that moved most moved.

    No answer changes by itself: which product is nearest is the gallery's, which is built from what ships.
    """
    moved = np.linalg.norm(first.astype(np.float64) - second.astype(np.float64), axis=1)
    values: dict[str, tuple[float | None, int]] = {"embedding_difference": (float(moved.max(initial=0.0)), len(first))}
    return {"metrics": as_metrics(values), "photographs": len(first)}


def as_metrics(values: dict[str, tuple[float | None, int]]) -> dict[str, Any]:
    """Return values and the numbers of rows that they speak of in the form of metrics/M/export.json."""
    return {
        name: {"all": {"value": value, "low": None, "high": None, "n_rows": n_rows, "n_groups": None}}
        for name, (value, n_rows) in values.items()
    }
