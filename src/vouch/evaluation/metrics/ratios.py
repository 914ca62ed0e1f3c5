"""Ratio metrics: each row says what it adds above and below the line.

The rest (weights, intervals, strata, paired comparison) follows from that.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from vouch.evaluation.metrics.intervals import FloatArray, IntArray, Measure

Terms = tuple[FloatArray, FloatArray]  # above the line, shape (n,) or (n, bins), and below it, shape (n,)


def ratio(rows: pd.DataFrame, n_groups: int, *, terms: Callable[[pd.DataFrame], Terms], share: bool) -> Measure:
    """Return the ratio of weighted sums of two per-row terms; several columns above the line add up in magnitude.

    `share` says that the ratio lies in [0, 1]; with one column above the line its terms are 0 or 1, that of a row not
    above the one below.
    """
    above, below = terms(rows)
    index = rows["group_index"].to_numpy(dtype=np.intp)
    counts = share and above.ndim == 1
    tops, bottoms = _group_sums(above, index, n_groups), _group_sums(below, index, n_groups)[:, 0]
    some = np.flatnonzero(tops.any(axis=1) | (bottoms > 0))  # a stratum holds few of the groups: leave out the others
    tops, bottoms = tops[some], bottoms[some]

    def shares(weights: IntArray) -> FloatArray:
        drawn = weights[:, some].astype(np.float64)
        bottom = (drawn @ bottoms)[:, None]
        found: FloatArray = np.full((len(drawn), tops.shape[1]), np.nan)
        np.divide(drawn @ tops, bottom, out=found, where=bottom > 0)
        return found

    def values(weights: IntArray) -> FloatArray:
        found = shares(weights)
        return found[:, 0] if above.ndim == 1 else np.abs(found).sum(axis=1)

    def noise(weights: IntArray) -> FloatArray:
        own = tops.sum(axis=0) / bottoms.sum()
        moved: FloatArray = np.abs(shares(weights) - own).sum(axis=1)
        return moved

    support = _group_sums((below > 0).astype(np.float64), index, n_groups)[:, 0]
    hits = _group_sums(above, index, n_groups)[:, 0] if counts else None
    return Measure(values, support, share=share, hits=hits, noise=None if above.ndim == 1 else noise)


def _group_sums(terms: FloatArray, group_index: IntArray, n_groups: int) -> FloatArray:
    columns = np.atleast_2d(terms.T)
    return np.stack([np.bincount(group_index, weights=column, minlength=n_groups) for column in columns], axis=1)


def floats(above: "pd.Series[bool]", below: "pd.Series[bool]") -> Terms:
    """Return what counts above and below the line as ratio terms."""
    return np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)


def recall(rows: pd.DataFrame) -> Terms:
    """Of all truths, those with a right and accepted answer."""
    return floats(rows["correct"] & rows["accept"], rows["class_true"].notna())


def precision(rows: pd.DataFrame) -> Terms:
    """Of all accepted answers (exits), the right ones; the accuracy on exits is the same share."""
    return floats(rows["correct"] & rows["accept"], rows["accept"])


def false_alarms(rows: pd.DataFrame) -> Terms:
    """Accepted wrong answers, for each photograph."""
    return floats(rows["accept"] & ~rows["correct"], rows["first"])


def limit_reached(rows: pd.DataFrame) -> Terms:
    """Of all photographs, those whose detections reached the limit."""
    return floats(rows["limited"] & rows["first"], rows["first"])


def coverage(rows: pd.DataFrame) -> Terms:
    """Of all answers, the accepted ones."""
    return floats(rows["accept"], rows["class_pred"].notna())


def accuracy(rows: pd.DataFrame) -> Terms:
    """Of all answers, accepted or not, the right ones."""
    return floats(rows["correct"], rows["class_pred"].notna())


def fnr_on_exits(rows: pd.DataFrame) -> Terms:
    """Of the accepted positives, those that were not called positive."""
    exits = rows["accept"] & rows["positive"]
    return floats(exits & ~rows["said_positive"], exits)


def fpr_on_exits(rows: pd.DataFrame) -> Terms:
    """Of the accepted negatives, those that were called positive."""
    exits = rows["accept"] & ~rows["positive"]
    return floats(exits & rows["said_positive"], exits)
