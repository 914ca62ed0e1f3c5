"""Metrics of crops that may be of an unknown product: the right name, a name at all, and how well scores tell.

A crop is unknown where `class_true` is null. What ranks crops is what the policy decides by: the p-value where the rows
carry one, else the similarity to the nearest product.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from vouch.evaluation.metrics.auroc import chances
from vouch.evaluation.metrics.intervals import FloatArray, IntArray, Measure
from vouch.evaluation.metrics.ranking import Order, Places, in_order, measure_of, quotient
from vouch.evaluation.metrics.ratios import Terms, floats
from vouch.policies.apply.open_set import P_VALUE

BoolArray = npt.NDArray[np.bool_]

SLACK = 1e-9  # unknown crops: .07 of 100 is 7.000000000000001


def top1(rows: pd.DataFrame) -> Terms:
    """Of the known crops, those whose nearest product is theirs, whatever the policy says."""
    known = rows["class_true"].notna()
    return floats(rows["correct"] & known, known)


def known_accept_rate(rows: pd.DataFrame) -> Terms:
    """Of the known crops, those that bear a name, right or wrong."""
    known = rows["class_true"].notna()
    return floats(rows["accept"] & known, known)


def unknown_false_accept_rate(rows: pd.DataFrame) -> Terms:
    """Of the unknown crops, those that bear a name."""
    unknown = rows["class_true"].isna()
    return floats(rows["accept"] & unknown, unknown)


def auroc_unknown(rows: pd.DataFrame, n_groups: int) -> Measure:
    """Return the chance that a known crop scores above an unknown one; ties half.

    Its support are the rarer of the two: they are what limits it.
    """
    unknown = _unknown(rows)
    rising = 2 * int(unknown.sum()) > len(rows)  # the rarer are the events: known ones, which should come first
    order = _order(rows, ~unknown if rising else unknown, n_groups)
    return Measure(lambda weights: chances(order, rising, weights), _rarer(rows, unknown, n_groups), share=True)


def oscr(rows: pd.DataFrame, n_groups: int) -> Measure:
    """Return the area under the share of known crops named rightly over the share of unknown ones accepted.

    By the trapezoid rule over all thresholds, as the chance that a known crop is named rightly and scores above an
    unknown one; ties half. No model exceeds its top-1.

    References
    ----------
    Dhamija, Guenther, Boult 2018 (arXiv:1811.04110), section 4: the curve.
    """
    unknown, right = _unknown(rows), rows["correct"].to_numpy(dtype=bool)
    counted = unknown | right
    order = _order(rows[counted], unknown[counted], n_groups)
    known, named = _by_group(rows, ~unknown, n_groups), _by_group(rows, ~unknown & right, n_groups)
    others = _by_group(rows, unknown, n_groups)

    def values(weights: IntArray) -> FloatArray:
        drawn = weights.astype(np.float64)
        share = quotient(drawn @ named, drawn @ known)
        share[drawn @ others <= 0] = np.nan
        return np.where(share > 0, chances(order, False, weights) * share, share)

    return Measure(values, _rarer(rows, unknown, n_groups), share=True)


def tpr_at_fpr(rows: pd.DataFrame, n_groups: int, *, limit: float) -> Measure:
    """Return the largest share of known crops accepted by a threshold that at most `limit` of the unknown ones reach.

    0 where the unknown ones come first; whether known ones are named rightly is not asked.
    """
    unknown = _unknown(rows)

    def share(found: Places) -> FloatArray:
        beyond = np.cumsum(found.events, axis=1) > limit * found.found[:, None] + SLACK
        upto = np.where(beyond, found.first, found.upto[:, -1:]).min(axis=1, initial=np.iinfo(np.int32).max)
        passed = np.where(beyond, 0, found.events).sum(axis=1)
        value = quotient((upto - passed).astype(np.float64), found.total - found.found)
        return np.where(found.found > 0, value, np.nan)

    measure = measure_of(_order(rows, unknown, n_groups), share)
    return Measure(measure.values, _by_group(rows, ~unknown, n_groups), share=True)


def deciding_score(rows: pd.DataFrame) -> FloatArray:
    """Return what the policy decides by, float64 of shape (n,): the p-value, where the rows carry one."""
    return rows[P_VALUE if P_VALUE in rows else "similarity"].to_numpy(dtype=np.float64)


def _order(rows: pd.DataFrame, event: BoolArray, n_groups: int) -> Order:
    return in_order(deciding_score(rows), event, rows["group_index"].to_numpy(dtype=np.intp), n_groups=n_groups)


def _unknown(rows: pd.DataFrame) -> BoolArray:
    return rows["class_true"].isna().to_numpy(dtype=bool)


def _by_group(rows: pd.DataFrame, counted: BoolArray, n_groups: int) -> FloatArray:
    group = rows["group_index"].to_numpy(dtype=np.intp)[counted]
    return np.bincount(group, minlength=n_groups).astype(np.float64)


def _rarer(rows: pd.DataFrame, unknown: BoolArray, n_groups: int) -> FloatArray:
    return _by_group(rows, unknown if 2 * unknown.sum() <= len(rows) else ~unknown, n_groups)
