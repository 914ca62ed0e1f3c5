"""Curves of crops that may be of an unknown product, for `dvc plots` and the page: OSCR, and how similarities lie.

As in `open_set`, a crop is unknown where `class_true` is null, and what ranks crops is what the policy decides by.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from vouch.evaluation.metrics.intervals import FloatArray, IntArray, expanded_tail
from vouch.evaluation.metrics.open_set import deciding_score
from vouch.tasks import ByTask

BoolArray = npt.NDArray[np.bool_]
CountArray = npt.NDArray[np.int64]

OSCR = ["kind", "unknown_accepted", "named_rightly", "low", "high", "threshold"]
SIMILARITY = ["kind", "start", "stop", "n", "share"]
EDGES = np.round(np.linspace(-1.0, 1.0, 81), 3)  # of similarities: bins of .025
BLOCK = 64  # points that are held at once: of 2,000 replicates and 10,000 crops 2 MB


@dataclass(frozen=True)
class _Crops:
    unknown: BoolArray  # shape (n,)
    right: BoolArray  # known, and the nearest product is theirs, shape (n,)
    group: npt.NDArray[np.intp]  # shape (n,)


def oscr_curve(rows: pd.DataFrame, *, weights: IntArray, level: float) -> pd.DataFrame:
    """Return the share of known crops named rightly over that of unknown ones accepted, from strict to loose.

    Crops that score at least the threshold are accepted. A threshold between two points lies on the line between them,
    so the trapezoid rule gives the metric `oscr` exactly. The policy has a row of its own: where it asks for a margin
    too, it lies beside the curve.

    Parameters
    ----------
    rows : table
        Judged crops: `class_true`, `correct`, `accept`, `similarity` or `p_value`, `group_index`.
    weights : int32 array, shape (replicates, groups)
        From `group_weights`.
    level : float
        Two-sided coverage of the band, say .95.

    Returns
    -------
    table
        `kind` (threshold, and last policy), `unknown_accepted` and `named_rightly` (shares), `low` and `high` (of
        `named_rightly` at this threshold among other groups; null where known crops lie in fewer than two),
        `threshold` (null where nothing is accepted, and of the policy). Empty without a known or without an unknown
        crop.

    References
    ----------
    Dhamija, Guenther, Boult 2018 (arXiv:1811.04110), section 4: correct classification rate over false positive rate,
    here with a similarity, or a p-value, in place of the probability of a class.
    """
    unknown, right = rows["class_true"].isna().to_numpy(dtype=bool), rows["correct"].to_numpy(dtype=bool)
    if unknown.all() or not unknown.any():
        return pd.DataFrame(columns=OSCR)
    crops = _Crops(unknown, right & ~unknown, rows["group_index"].to_numpy(dtype=np.intp))
    score, accepted = deciding_score(rows), rows["accept"].to_numpy(dtype=np.float64)
    limits = _corners(score, crops)
    curve, policy = (
        _points(of, least, crops, weights, level).assign(kind=kind)
        for kind, of, least in (("threshold", score, limits), ("policy", accepted, np.ones(1)))
    )
    curve["threshold"] = np.where(np.isinf(limits), np.nan, limits)
    return pd.concat([curve, policy.assign(threshold=np.nan)], ignore_index=True)[OSCR]


def _corners(score: FloatArray, crops: _Crops) -> FloatArray:
    """Return the thresholds where the curve begins, turns or ends, highest first: infinity accepts nothing."""
    levels, place = np.unique(-score, return_inverse=True)
    counts = [np.bincount(place, weights=of, minlength=len(levels)) for of in (crops.unknown, crops.right)]
    steps = np.stack(counts, axis=1).astype(np.int64)
    moved = steps.any(axis=1)  # known crops under another name move nothing
    steps, levels = steps[moved], levels[moved]
    turns = steps[:-1, 0] * steps[1:, 1] != steps[:-1, 1] * steps[1:, 0]
    return np.concatenate([[np.inf], -levels[np.append(turns, True)]])


def _points(score: FloatArray, limits: FloatArray, crops: _Crops, weights: IntArray, level: float) -> pd.DataFrame:
    """Return the shares that reach each limit, and the ends of the second one: percentiles of the resampled groups."""
    n_groups = weights.shape[1]
    known = np.bincount(crops.group[~crops.unknown], minlength=n_groups).astype(np.float64)
    drawn = weights[weights @ known > 0].astype(np.float64)
    tail = expanded_tail(level, int(np.count_nonzero(known))) if np.count_nonzero(known) > 1 else None
    found = []
    for first in range(0, len(limits), BLOCK):
        taken = score >= limits[first : first + BLOCK, None]
        named = np.stack([np.bincount(crops.group[of & crops.right], minlength=n_groups) for of in taken], axis=1)
        ends = np.full((2, len(taken)), np.nan)
        if tail is not None:
            ends = np.quantile(drawn @ named / (drawn @ known)[:, None], [tail, 1 - tail], axis=0)
        found.append(np.stack([taken[:, crops.unknown].mean(axis=1), named.sum(axis=0) / known.sum(), *ends], axis=1))
    return pd.DataFrame(np.concatenate(found), columns=["unknown_accepted", "named_rightly", "low", "high"])


def similarities(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how the similarities of three kinds of crops to their nearest product lie, in bins of .025.

    Parameters
    ----------
    rows : table
        Judged crops: `class_true`, `correct`, `similarity` in [-1, 1].

    Returns
    -------
    table
        `kind` (right and wrong: of known crops, whose nearest product is theirs or another; unknown), `start`, `stop`
        (of a bin; 1 lies in the last), `n`, `share` (of the crops of this kind). All kinds have the same bins, from the
        lowest to the highest with a crop; a kind without crops has no row.
    """
    unknown, right = rows["class_true"].isna().to_numpy(dtype=bool), rows["correct"].to_numpy(dtype=bool)
    kinds = {"right": ~unknown & right, "wrong": ~unknown & ~right, "unknown": unknown}
    similarity = rows["similarity"].to_numpy(dtype=np.float64)
    counts = {kind: np.histogram(similarity[of], EDGES)[0] for kind, of in kinds.items() if of.any()}
    if not counts:
        return pd.DataFrame(columns=SIMILARITY)
    used = np.flatnonzero(np.sum(list(counts.values()), axis=0))
    bins = slice(int(used[0]), int(used[-1]) + 1)
    return pd.concat([_histogram(kind, count, bins) for kind, count in counts.items()], ignore_index=True)


def _histogram(kind: str, count: CountArray, bins: slice) -> pd.DataFrame:
    lowest, highest = EDGES[:-1][bins], EDGES[1:][bins]
    n = count[bins]
    return pd.DataFrame({"kind": kind, "start": lowest, "stop": highest, "n": n, "share": n / count.sum()})


def _no_curve(rows: pd.DataFrame, *, weights: IntArray, level: float) -> pd.DataFrame:
    return pd.DataFrame(columns=OSCR)  # every photograph is of a known class


def _no_similarity(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(columns=SIMILARITY)


Curve = Callable[..., pd.DataFrame]
OSCR_CURVES: ByTask[Curve] = ByTask(detect=_no_curve, classify=_no_curve, identify=oscr_curve)
SIMILARITIES: ByTask[Callable[[pd.DataFrame], pd.DataFrame]] = ByTask(
    detect=_no_similarity, classify=_no_similarity, identify=similarities
)
