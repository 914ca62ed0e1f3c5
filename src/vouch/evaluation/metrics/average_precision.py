"""Rank metrics: one sort by score, then weighted cumulative sums.

Average precision as COCO defines it, over any weights of the groups. Boxes were matched once (bits of `hits`); a
replicate changes how often a row counts, never what it is matched to, so nothing is matched again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from vouch.evaluation.metrics.blocks import by_blocks
from vouch.evaluation.metrics.intervals import FloatArray, IntArray, Measure

BoolArray = npt.NDArray[np.bool_]

RECALLS = np.linspace(0.0, 1.0, 101)  # as pycocotools makes them: 10 of them lie one rounding above k / 100
IOU_BITS = tuple(range(10))  # bit i of `hits` is IoU .50 + .05 i


@dataclass(frozen=True)
class Ranking:
    """Detections of one class, best score first.

    Attributes
    ----------
    group : intp array, shape (d,)
    hits : bool array, shape (d, t), one column an IoU
    truths : float64 array, shape (g,), truths of each group
    """

    group: npt.NDArray[np.intp]
    hits: BoolArray
    truths: FloatArray


def mean_average_precision(rows: pd.DataFrame, n_groups: int, *, bits: Sequence[int]) -> Measure:
    """Return COCO's average precision, mean over classes that have truths and over IoUs, equal to pycocotools.

    Parameters
    ----------
    rows : table
        The waist's columns and `group_index`, detections in order of sample, which breaks ties of score.
    bits : sequence of int
        Bits of `hits` to average over: (0,) is IoU .50, `IOU_BITS` is .50 to .95.

    References
    ----------
    Lin et al. 2014 (COCO); pycocotools' COCOeval.accumulate, area "all", without a limit of detections per photograph.
    """
    classes = rankings(rows, n_groups, bits=bits)

    def values(weights: IntArray) -> FloatArray:
        total, count = np.zeros(len(weights)), np.zeros(len(weights))
        for ranking in classes.values():
            defined = weights @ ranking.truths > 0
            total += np.where(defined, _average_precision(ranking, weights), 0.0)
            count += defined
        found: FloatArray = np.full(len(weights), np.nan)
        np.divide(total, count, out=found, where=count > 0)
        return found

    support = sum((ranking.truths for ranking in classes.values()), np.zeros(n_groups))
    return Measure(values, support, share=True)


def _average_precision(ranking: Ranking, weights: IntArray) -> FloatArray:
    return by_blocks(
        len(weights),
        len(ranking.group),
        lambda block: precision_at_recalls(ranking, weights[block]).mean(axis=(0, 2)),
    )


def rankings(rows: pd.DataFrame, n_groups: int, *, bits: Sequence[int]) -> dict[str, Ranking]:
    """Sort the detections of every class that has truths."""
    ordered = rows.iloc[np.argsort(-rows["score"].to_numpy(), kind="stable")]
    predicted, group = ordered["class_pred"], ordered["group_index"].to_numpy(dtype=np.intp)
    hits = (ordered["hits"].to_numpy()[:, None] >> np.asarray(bits, dtype=np.uint16)) & 1 == 1
    found = {}
    for name in sorted(rows["class_true"].dropna().unique()):
        chosen = (predicted == name).to_numpy(dtype=bool)
        truths = group[(ordered["class_true"] == name).to_numpy(dtype=bool)]
        counted = np.bincount(truths, minlength=n_groups).astype(np.float64)
        found[str(name)] = Ranking(group[chosen], hits[chosen], counted)
    return found


def precision_at_recalls(ranking: Ranking, weights: IntArray) -> FloatArray:
    """Return interpolated precision at the 101 recalls, float64 of shape (t, b, 101), 0 where recall is not reached.

    Interpolated precision is the best precision at this recall or a higher one; it can only rise at a hit, so only hits
    are looked at.
    """
    needed = _hits_needed(weights @ ranking.truths)
    drawn = np.take(weights, ranking.group, axis=1)
    hit_anywhere = np.flatnonzero(ranking.hits.any(axis=1))
    said = np.take(np.cumsum(drawn, axis=1, dtype=np.int32), hit_anywhere, axis=1)
    np.maximum(said, 1, out=said)  # before the first drawn detection: 0 of 0 counts as 0 of 1
    drawn = np.take(drawn, hit_anywhere, axis=1)
    of_iou = [np.flatnonzero(column) for column in ranking.hits[hit_anywhere].T]
    return np.stack([_interpolated(np.take(drawn, at, axis=1), np.take(said, at, axis=1), needed) for at in of_iou])


def _interpolated(drawn: IntArray, said: IntArray, needed: IntArray) -> FloatArray:
    """Return precision at the needed numbers of hits: (b, hits), (b, hits), (b, 101) to (b, 101)."""
    right = np.cumsum(drawn, axis=1, dtype=np.int32)
    precision = np.zeros((len(drawn), drawn.shape[1] + 1))  # the last column is a recall never reached
    np.divide(right, said, out=precision[:, :-1])
    backwards = precision[:, ::-1]
    np.maximum.accumulate(backwards, axis=1, out=backwards)
    first = np.empty(needed.shape, dtype=np.intp)
    for replicate in range(len(drawn)):
        first[replicate] = right[replicate].searchsorted(needed[replicate])
    return np.take_along_axis(precision, first, axis=1)


def _hits_needed(truths: FloatArray) -> IntArray:
    """Return the least number of hits whose recall, as a float64 quotient, reaches each of the 101 recalls."""
    n = np.maximum(truths, 1)[:, None]
    needed = np.ceil(RECALLS * n)
    needed -= (needed >= 1) & ((needed - 1) / n >= RECALLS)
    needed += needed / n < RECALLS
    return needed.astype(np.int32)
