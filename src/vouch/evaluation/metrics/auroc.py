"""Metrics of one class against the rest by its probability: AUROC, precision over recall."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from vouch.evaluation.metrics.average_precision import Ranking
from vouch.evaluation.metrics.blocks import by_blocks
from vouch.evaluation.metrics.intervals import FloatArray, IntArray, Measure
from vouch.evaluation.metrics.ranking import Order, Places, in_order, measure_of, places, quotient, weighted
from vouch.evaluation.metrics.selective import admissible
from vouch.policies.apply.rows import class_names, probabilities

BoolArray = npt.NDArray[np.bool_]


def auroc(rows: pd.DataFrame, n_groups: int) -> Measure:
    """Return the chance that a row of a class has a higher probability of it than a row of another class; ties half.

    Two classes have one such chance; of more the mean over the classes that are there, each against the rest. Its
    support are the rows of the rarest class: they are what limits it.
    """
    rankings, rarest = _against_rest(rows, n_groups)

    def values(weights: IntArray) -> FloatArray:
        total, count = np.zeros(len(weights)), np.zeros(len(weights))
        for order, rising in rankings:
            chance = chances(order, rising, weights)
            total += np.nan_to_num(chance)
            count += ~np.isnan(chance)
        return quotient(total, count)

    group = rows["group_index"].to_numpy(dtype=np.intp)
    return Measure(values, np.bincount(group[rarest], minlength=n_groups).astype(np.float64), share=True)


def recall_at_precision(rows: pd.DataFrame, n_groups: int, *, limit: float) -> Measure:
    """Return the largest recall of the positive class at a threshold on its probability where precision is high enough.

    0 when no threshold has it. It is about the positive class alone: `coverage_at_precision_95` is about all answers.

    Parameters
    ----------
    limit : float
        1 - precision: the share of negatives that may stand above the threshold.
    """
    positive, group = rows["positive"].to_numpy(dtype=bool), rows["group_index"].to_numpy(dtype=np.intp)
    stated = rows["positive_probability"].to_numpy(dtype=np.float64)
    order = in_order(stated, ~positive, group, n_groups=n_groups)

    def recall(found: Places) -> FloatArray:
        above, negatives = admissible(found, limit)
        return quotient(above - negatives, found.total - found.found)

    measure = measure_of(order, recall)
    return Measure(measure.values, np.bincount(group[positive], minlength=n_groups).astype(np.float64), share=True)


def class_rankings(rows: pd.DataFrame, n_groups: int) -> dict[str, Ranking]:
    """Rank all rows by the probability of each class that is there, as `average_precision.rankings` ranks detections.

    The rows of the class stand last in a tie: precision at the tie's end, the only working point, is then the best
    inside it, and interpolated precision sees no other.
    """
    group, truth = rows["group_index"].to_numpy(dtype=np.intp), rows["class_true"].to_numpy(dtype=object)
    found = {}
    for name, stated in zip(class_names(rows), probabilities(rows).T, strict=True):
        hits = (truth == name).astype(bool)
        order = np.lexsort((hits, -stated))
        counted = np.bincount(group[hits], minlength=n_groups).astype(np.float64)
        if hits.any():
            found[name] = Ranking(group[order], hits[order][:, None], counted)
    return dict(sorted(found.items()))


def _against_rest(rows: pd.DataFrame, n_groups: int) -> tuple[list[tuple[Order, bool]], BoolArray]:
    """Order the rows by the probability of each class; the rarer side are the events, and `True` says it is the class.

    Beside them the mask of the rarest side of all.
    """
    group, truth = rows["group_index"].to_numpy(dtype=np.intp), rows["class_true"].to_numpy(dtype=object)
    names, stated = class_names(rows), probabilities(rows)
    rankings, rarest = [], np.zeros(len(rows), dtype=bool)
    for column, name in enumerate(names[:1] if len(names) == 2 else names):
        is_class = (truth == name).astype(bool)
        rising = 2 * is_class.sum() <= len(rows)
        rarer = is_class if rising else ~is_class
        if rarer.any():
            rankings.append((in_order(stated[:, column], rarer, group, n_groups=n_groups), bool(rising)))
            rarest = rarer if not rarest.any() or rarer.sum() < rarest.sum() else rarest
    return rankings, rarest


def chances(order: Order, rising: bool, weights: IntArray) -> FloatArray:
    """Return for each replicate the chance that an event scores above (`rising`) or below a row that is none."""
    return by_blocks(len(weights), len(order.group), lambda block: _chance(places(order, weights[block]), rising))


def _chance(found: Places, rising: bool) -> FloatArray:
    """Return the chance that an event stands before (`rising`) or after a row that is none (Mann, Whitney 1947)."""
    others = found.total - found.found
    upto = np.cumsum(found.events, axis=1, dtype=np.int32)
    before = found.first + found.last - 2 * upto + found.events  # twice the rows that are no event, half of the tie's
    chance = quotient(weighted(found.events, before) / 2, found.found * others)
    return 1 - chance if rising else chance
