"""Intervals that take groups for observations: a metric over a matrix of group weights, and percentiles of it.

Frames of one drive fail together, so a row is not an independent observation; a group is (promise 5).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, t

from vouch.evaluation.shares import share_interval

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]
Interval = Literal["percentile", "bca"]

LEFT_OUT = 256  # groups of a block of the jackknife: 256 weights for each of 20,000 groups are 20 MB


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
    hits
        For a share of rows: float64 of shape (g,), how many of the support count. Its interval needs no replicate.
    noise
        For a sum of absolute values (ECE), which chance pushes up: float64 of shape (b,), an upper bound of how far a
        replicate is from the rows' own value.
    """

    values: Callable[[IntArray], FloatArray]
    support: FloatArray
    share: bool
    hits: FloatArray | None = None
    noise: Callable[[IntArray], FloatArray] | None = None


@dataclass(frozen=True)
class Setting:
    """What all intervals of a model have in common."""

    level: float  # two-sided coverage, say .95
    correlation: float  # of hits within a group, in [0, 1], known from elsewhere (policy.json)
    few_groups: int  # with fewer groups, or groups as unequal as half of it, an interval is marked


@dataclass(frozen=True)
class Estimate:
    """A value with its interval; null where nothing supports it, never NaN."""

    value: float | None
    low: float | None
    high: float | None
    n_rows: int
    n_groups: int
    few_groups: bool  # too few, or too unequal, for the interval to be taken at its word


def group_weights(n_groups: int, *, replicates: int, rng: np.random.Generator) -> IntArray:
    """Return how often each of `replicates` resamples draws each group, int32 of shape (replicates, n_groups)."""
    drawn = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=replicates)
    return drawn.astype(np.int32)


def estimate(measure: Measure, weights: IntArray, setting: Setting, *, interval: Interval = "percentile") -> Estimate:
    """Return the metric's value on its rows and an interval that takes groups, not rows, for observations.

    A share of rows has the interval of `shares.share_interval`. Other metrics have percentiles of the replicates,
    widened for few groups (see `expanded_tail`). Four cases have their own rule:

    * no support, or a value that these rows do not define (AUROC of one class): null, `n_rows` says which;
    * one group: no interval, because one group does not show how groups differ;
    * a value of exactly 0 or 1 with which every replicate agrees, so that the bootstrap says nothing: Clopper-Pearson
      on the effective number of groups (see `effective_groups`);
    * a sum of absolute values: see `Measure.noise`, whatever `interval` is, because BCa needs a metric without bias.

    Parameters
    ----------
    weights : int32 array, shape (replicates, groups)
        From `group_weights`; the same matrix for every metric, stratum and side, so that they can be compared.
    setting : Setting
    interval : "percentile" or "bca"
        BCa shifts the percentiles for median bias and skewness (see `bca_levels`), at the cost of one more replicate
        for each group; its extreme percentiles want 10,000 replicates where plain ones want 2,000.
    """
    n_rows, n_groups = int(measure.support.sum()), int(np.count_nonzero(measure.support))
    few = is_few(measure.support, setting.few_groups)
    value = point(measure) if n_groups else np.nan
    if np.isnan(value):
        return Estimate(None, None, None, n_rows, n_groups, few)
    ends = _ends(measure, value, weights, setting, interval) if n_groups > 1 else None
    low, high = (min(ends[0], value), max(ends[1], value)) if ends is not None else (None, None)
    return Estimate(value, low, high, n_rows, n_groups, few)


def is_few(support: FloatArray, few_groups: int) -> bool:
    """Whether groups are fewer than `few_groups`, or so unequal in size that they are worth less than half of it."""
    n_groups = int(np.count_nonzero(support))
    return n_groups < max(few_groups, 1) or effective_groups(support) < few_groups / 2


def _ends(
    measure: Measure, value: float, weights: IntArray, setting: Setting, interval: Interval
) -> tuple[float, float] | None:
    level, n_groups = setting.level, int(np.count_nonzero(measure.support))
    if measure.hits is not None:
        return share_interval(measure.hits, measure.support, correlation=setting.correlation, level=level)
    replicates = measure.values(weights)
    replicates = replicates[~np.isnan(replicates)]
    if not len(replicates):
        return None
    if measure.share and value in (0.0, 1.0) and np.all(replicates == value):
        return clopper_pearson_end(value, effective_groups(measure.support), level=level)
    tail = expanded_tail(level, n_groups)
    low, high = _percentiles(measure, value, replicates, tail, interval)
    if measure.noise is not None:
        # Resampling adds noise to noise, so percentiles of a sum of absolute values lie above its own value. By the
        # triangle inequality value - noise is a valid lower end; the upper percentile errs on the safe side.
        low = max(0.0, value - float(np.nanquantile(measure.noise(weights), 1 - 2 * tail)))
    return low, high


def point(measure: Measure) -> float:
    """Return the metric under weight 1 for every group, NaN without support."""
    return float(measure.values(np.ones((1, len(measure.support)), dtype=np.int32))[0])


def _percentiles(
    measure: Measure, value: float, replicates: FloatArray, tail: float, interval: Interval
) -> tuple[float, float]:
    levels = (tail, 1 - tail)
    if interval == "bca" and measure.noise is None:
        levels = bca_levels(replicates, value, jackknife(measure), tail=tail)
    low, high = np.quantile(replicates, levels)
    return float(low), float(high)


def bca_levels(replicates: FloatArray, value: float, left_out: FloatArray, *, tail: float) -> tuple[float, float]:
    """Return the percentiles of the replicates at which the BCa interval ends, in place of `tail` and 1 - `tail`.

    Parameters
    ----------
    replicates : float64 array, shape (b,)
    value : float
        The metric on all groups.
    left_out : float64 array, shape (g,)
        From `jackknife`.

    References
    ----------
    Efron 1987, "Better Bootstrap Confidence Intervals"; the acceleration from a jackknife over groups.
    """
    below = np.mean(replicates < value) + np.mean(replicates == value) / 2
    least = 0.5 / len(replicates)  # no replicate below: as little as half of one
    shift = norm.ppf(np.clip(below, least, 1 - least))
    apart = left_out.mean() - left_out
    spread = (apart**2).sum() ** 1.5
    skew = float((apart**3).sum() / (6 * spread)) if spread > 0 else 0.0
    low, high = (_shifted(float(shift), skew, z) for z in (-float(norm.isf(tail)), float(norm.isf(tail))))
    return low, high


def _shifted(shift: float, skew: float, z: float) -> float:
    """Return Phi(z0 + (z0 + z) / (1 - a (z0 + z))); beyond its pole, the end of the replicates on z's side."""
    below = 1 - skew * (shift + z)
    return float(norm.cdf(shift + (shift + z) / below)) if below > 0 else float(z > 0)


def jackknife(measure: Measure) -> FloatArray:
    """Return the metric without each group in turn, undefined ones left out."""
    n_groups = len(measure.support)
    found = []
    for start in range(0, n_groups, LEFT_OUT):
        some = np.arange(start, min(start + LEFT_OUT, n_groups))
        weights = np.ones((len(some), n_groups), dtype=np.int32)
        weights[np.arange(len(some)), some] = 0
        found.append(measure.values(weights))
    values = np.concatenate(found)
    return values[~np.isnan(values)]


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
