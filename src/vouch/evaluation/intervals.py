"""Intervals that resample groups: a metric over a matrix of group weights, and percentiles of what it gives.

Frames of one drive fail together, so a row is not an independent observation; a group is (promise 5).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, t

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Measure:
    """A metric made ready on some rows: what it is worth under any weights of the groups.

    Attributes
    ----------
    values
        Takes weights, int32 of shape (b, g): how often each replicate holds each group. Returns float64 of shape
        (b,), NaN where the metric has no denominator under those weights.
    support
        float64 of shape (g,): rows of each group that stand under the metric (its denominator).
    share
        The metric is a share of its support, in [0, 1].
    noise
        For a sum of absolute values (ECE), which chance pushes up: float64 of shape (b,), an upper bound of how far a
        replicate is from the rows' own value.
    """

    values: Callable[[IntArray], FloatArray]
    support: FloatArray
    share: bool
    noise: Callable[[IntArray], FloatArray] | None = None


@dataclass(frozen=True)
class Estimate:
    """A value with its interval; null where nothing supports it, never NaN."""

    value: float | None
    low: float | None
    high: float | None
    n_rows: int
    n_groups: int


def group_weights(n_groups: int, *, replicates: int, rng: np.random.Generator) -> IntArray:
    """Return how often each of `replicates` resamples draws each group, int32 of shape (replicates, n_groups)."""
    drawn = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=replicates)
    return drawn.astype(np.int32)


def estimate(measure: Measure, weights: IntArray, *, level: float) -> Estimate:
    """Return the metric's value on its rows and a group-bootstrap interval.

    Percentiles of the replicates, widened for few groups (see `expanded_tail`). Three cases have their own rule:

    * no support: everything null, `n_rows` 0;
    * one group: no interval, because one group does not show how groups differ;
    * a share of exactly 0 or 1, where every replicate agrees and the bootstrap says nothing: Clopper-Pearson on the
      effective number of groups (see `effective_groups`).

    Parameters
    ----------
    weights : int32 array, shape (replicates, groups)
        From `group_weights`; the same matrix for every metric, stratum and side, so that they can be compared.
    level : float
        Two-sided coverage, say .95.
    """
    n_rows, n_groups = int(measure.support.sum()), int(np.count_nonzero(measure.support))
    if n_groups == 0:
        return Estimate(None, None, None, n_rows, n_groups)
    value = point(measure)
    if n_groups == 1:
        return Estimate(value, None, None, n_rows, n_groups)
    low, high = _ends(measure, value, weights, level, n_groups)
    return Estimate(value, low, high, n_rows, n_groups)


def point(measure: Measure) -> float:
    """Return the metric under weight 1 for every group, NaN without support."""
    return float(measure.values(np.ones((1, len(measure.support)), dtype=np.int32))[0])


def _ends(measure: Measure, value: float, weights: IntArray, level: float, n_groups: int) -> tuple[float, float]:
    if measure.share and value in (0.0, 1.0):
        return clopper_pearson_end(value, effective_groups(measure.support), level=level)
    tail = expanded_tail(level, n_groups)
    replicates = measure.values(weights)
    low, high = np.nanquantile(replicates, [tail, 1 - tail])
    if measure.noise is not None:
        # Resampling adds noise to noise, so percentiles of a sum of absolute values lie above its own value. By the
        # triangle inequality value - noise is a valid lower end; the upper percentile errs on the safe side.
        low = max(0.0, value - np.nanquantile(measure.noise(weights), 1 - 2 * tail))
    return float(min(low, value)), float(max(high, value))


def expanded_tail(level: float, n_groups: int) -> float:
    """Return the tail probability of each end, smaller than (1 - level) / 2 by what `n_groups` >= 2 groups call for.

    The plain percentile interval is too short by sqrt((n - 1) / n) and uses normal in place of t quantiles: at 10
    groups .025 becomes .0086, at 100 groups .0231 (Hesterberg 2015, "What Teachers Should Know About the Bootstrap",
    The American Statistician 69(4), expanded percentile interval).
    """
    z = t.ppf((1 + level) / 2, n_groups - 1) * np.sqrt(n_groups / (n_groups - 1))
    return float(norm.sf(z))


def expanded_p(tail: float, n_groups: int) -> float:
    """Return the two-sided p-value that the share `tail` of replicates on the wrong side stands for.

    The inverse of `expanded_tail`: p < 1 - level exactly where that level's interval excludes 0.
    """
    z = max(0.0, float(norm.isf(min(tail, 0.5))))
    return float(2 * t.sf(z * np.sqrt((n_groups - 1) / n_groups), n_groups - 1))


def effective_groups(support: FloatArray) -> float:
    """Return Kish's (sum m)^2 / sum m^2 over group sizes m: the sample size if rows of a group all agree.

    That is the most cautious design effect; with equal groups it is the number of groups.
    """
    return float(support.sum() ** 2 / (support**2).sum())


def clopper_pearson_end(value: float, n: float, *, level: float) -> tuple[float, float]:
    """Return the exact interval of a share that is 0 or 1 in `n` trials (Clopper, Pearson 1934).

    >>> low, high = clopper_pearson_end(1.0, 60, level=0.95)
    >>> round(low, 3), high
    (0.94, 1.0)
    """
    reach = 1 - ((1 - level) / 2) ** (1 / n)
    return (0.0, reach) if value == 0.0 else (1 - reach, 1.0)
