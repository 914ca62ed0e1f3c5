"""Intervals of paired differences: how far two sides that differ in few rows may lie apart in other groups."""

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

from vouch.evaluation.metrics.definitions.metric import Method
from vouch.evaluation.metrics.intervals import (
    FloatArray,
    Measure,
    Setting,
    clopper_pearson_end,
    count_interval,
    expanded_tail,
)
from vouch.evaluation.metrics.shares import effective_rows, lower_bound


def ends(
    sides: Sequence[Measure], deltas: FloatArray, *, level: float, correlation: float
) -> tuple[float, float, float]:
    """Return the ends of the difference, by percentiles and by the rows that changed, and its standard error."""
    n_groups = min(int(np.count_nonzero(side.support)) for side in sides)
    tail = expanded_tail(level, n_groups)
    low, high = (float(end) for end in np.quantile(deltas, [tail, 1 - tail]))
    least, most = _by_changed_rows(sides, level=level, correlation=correlation) or (low, high)
    return min(low, least), max(high, most), float(deltas.std() * np.sqrt(n_groups / (n_groups - 1)))


def _by_changed_rows(sides: Sequence[Measure], *, level: float, correlation: float) -> tuple[float, float] | None:
    """Return how far the difference of two shares of the same rows may reach, by what groups lost and gained.

    Where few rows differ, percentiles are those of a Poisson number with the mean that was seen, and end too soon: with
    five rows lost, the lower end erred .08 to .20 where .025 is said. The share of rows that groups lost has a bound of
    its own, by `shares.lower_bound` of those that they did not lose. None of other metrics.
    """
    first, second = sides
    rows = first.support
    if first.hits is None or second.hits is None or not np.array_equal(rows, second.support):
        return None
    change, tail = first.hits - second.hits, (1 - level) / 2

    def at_most(events: FloatArray) -> float:
        return 1 - lower_bound(rows - events, rows, correlation=correlation, tail=tail)

    lost, gained = np.clip(-change, 0, None), np.clip(change, 0, None)
    return float(gained.sum() / rows.sum()) - at_most(lost), at_most(gained) - float(lost.sum() / rows.sum())


def unmoved(
    sides: Sequence[Measure], delta: float, method: Method | None, *, level: float, correlation: float
) -> tuple[float, float, float] | None:
    """Return the ends where no replicate differs though the sides do: the next group may.

    Of a share by 0 of n events, of a number of events a row by 0 in so many rows; None of other metrics.
    """
    support = min((side.support for side in sides), key=lambda of: effective_rows(of, correlation))
    if sides[0].share:
        worth = effective_rows(support, correlation)
        reach, most = clopper_pearson_end(0.0, worth, level=level)[1], (-1.0, 1.0)
    elif method == "count":
        setting = Setting(level, correlation, few_groups=0)
        reach, most = count_interval(0.0, np.zeros(2), support, setting)[1], (-np.inf, np.inf)
    else:
        return None
    error = reach / float(-ndtri((1 - level) / 2))
    return max(most[0], delta - reach), min(most[1], delta + reach), error
