"""Every metric by name, of two families: ratios of sums over rows (here) and ranks (`ranks`).

A ratio metric says of each row what it adds above and below the line; the rest (weights, intervals, strata, paired
comparison) follows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import AfterValidator

from vouch.calibration.calibrator import Calibrator, confidence
from vouch.evaluation.intervals import FloatArray, IntArray, Measure
from vouch.evaluation.ranks import IOU_BITS, mean_average_precision
from vouch.policies.policy import Policy, accept

BINS = 15  # of ECE, equal width: a constant, so that `ece` means the same for every model, side and gate

Terms = tuple[FloatArray, FloatArray]  # above the line, shape (n,) or (n, bins), and below it, shape (n,)


@dataclass(frozen=True)
class Metric:
    """How a metric is read, and how it is made ready on rows.

    Attributes
    ----------
    better
        1 when higher is better, -1 when lower is.
    measure
        Takes judged rows (a stratum of them) and the number of groups in the whole table.
    by_class
        Whether it means something on one class alone.
    """

    better: int
    measure: Callable[[pd.DataFrame, int], Measure]
    by_class: bool = True


def judged(rows: pd.DataFrame, *, calibrator: Calibrator, policy: Policy) -> pd.DataFrame:
    """Return the rows as metrics want them.

    Added are `confidence` (calibrated), `accept` (by the policy), `calibrated` (the calibrator was made for scores like
    this one), `group_index` (place of the group in sorted order, from 0) and `first` (one row of each sample).
    """
    score, predicted = rows["score"].to_numpy(dtype=np.float64), rows["class_pred"].to_numpy(dtype=object)
    calibrated = confidence(calibrator, score, predicted)
    return rows.assign(
        confidence=calibrated,
        accept=accept(policy, calibrated, predicted),
        calibrated=rows["class_pred"].notna() & (score >= calibrator["floor"]),
        group_index=pd.factorize(rows["group"], sort=True)[0],
        first=~rows["sample_id"].duplicated(),
    )


def ratio(rows: pd.DataFrame, n_groups: int, *, terms: Callable[[pd.DataFrame], Terms], share: bool) -> Measure:
    """Return the ratio of weighted sums of two per-row terms; several columns above the line add up in magnitude."""
    above, below = terms(rows)
    index = rows["group_index"].to_numpy(dtype=np.intp)
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
    return Measure(values, support, share=share, noise=None if above.ndim == 1 else noise)


def _group_sums(terms: FloatArray, group_index: IntArray, n_groups: int) -> FloatArray:
    columns = np.atleast_2d(terms.T)
    return np.stack([np.bincount(group_index, weights=column, minlength=n_groups) for column in columns], axis=1)


def calibration_terms(stated: pd.Series, rows: pd.DataFrame, counted: pd.Series) -> Terms:
    """Return ECE's terms: confidence less correctness in the column of the row's bin, over the rows that count."""
    level = stated.to_numpy(dtype=np.float64)
    mask = counted.to_numpy(dtype=bool)
    above = np.zeros((len(rows), BINS))
    bins = np.minimum((level * BINS).astype(np.intp), BINS - 1)
    above[np.arange(len(rows)), bins] = np.where(mask, level - rows["correct"].to_numpy(dtype=np.float64), 0.0)
    return above, mask.astype(np.float64)


def _recall(rows: pd.DataFrame) -> Terms:
    return floats(rows["correct"] & rows["accept"], rows["class_true"].notna())


def _precision(rows: pd.DataFrame) -> Terms:
    return floats(rows["correct"] & rows["accept"], rows["accept"])


def _false_alarms(rows: pd.DataFrame) -> Terms:
    return floats(rows["accept"] & ~rows["correct"], rows["first"])


def floats(above: "pd.Series[bool]", below: "pd.Series[bool]") -> Terms:
    """Return what counts above and below the line as ratio terms."""
    return np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)


def _ece(rows: pd.DataFrame) -> Terms:
    return calibration_terms(rows["confidence"], rows, rows["calibrated"])


def _ece_before(rows: pd.DataFrame) -> Terms:
    return calibration_terms(rows["score"], rows, rows["calibrated"])


def _ece_accepted(rows: pd.DataFrame) -> Terms:
    return calibration_terms(rows["confidence"], rows, rows["accept"])


METRICS = {
    "map50": Metric(1, partial(mean_average_precision, bits=(0,))),
    "map50_95": Metric(1, partial(mean_average_precision, bits=IOU_BITS)),
    "recall": Metric(1, partial(ratio, terms=_recall, share=True)),
    "precision": Metric(1, partial(ratio, terms=_precision, share=True)),
    "false_alarms_per_sample": Metric(-1, partial(ratio, terms=_false_alarms, share=False), by_class=False),
    "ece": Metric(-1, partial(ratio, terms=_ece, share=True)),
    "ece_before": Metric(-1, partial(ratio, terms=_ece_before, share=True)),
    "ece_accepted": Metric(-1, partial(ratio, terms=_ece_accepted, share=True)),
}


def _known(name: str) -> str:
    if name not in METRICS:
        raise ValueError(f"one of {sorted(METRICS)}")
    return name


MetricName = Annotated[str, AfterValidator(_known)]  # a parameter that names a metric
