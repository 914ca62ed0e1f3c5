"""Intervals that take groups for observations: a metric over a matrix of group weights, and percentiles of it.

Frames of one drive fail together, so a row is not an independent observation; a group is (promise 5).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, expit, gammaincinv, logit, ndtr, ndtri, stdtrit  # scipy.stats: .4 s to import

from vouch.evaluation.metrics.definitions.metric import Method
from vouch.evaluation.metrics.shares import effective_rows, share_interval

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]

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
    without
        float64 of shape (g,), where a subtraction tells it: the value without each group in turn, as `values` gives it.
    """

    values: Callable[[IntArray], FloatArray]
    support: FloatArray
    share: bool
    hits: FloatArray | None = None
    noise: Callable[[IntArray], FloatArray] | None = None
    without: FloatArray | None = None


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


def estimate(measure: Measure, weights: IntArray, setting: Setting, *, method: Method | None) -> Estimate:
    """Return the metric's value on its rows and an interval that takes groups, not rows, for observations.

    No support, or a value that these rows do not define (AUROC of one class), is null, and `n_rows` says which; one
    group has no interval, because one group does not show how groups differ.

    Parameters
    ----------
    weights : int32 array, shape (replicates, groups)
        From `group_weights`; the same matrix for every metric, stratum and side, so that they can be compared.
    setting : Setting
    method : Method or None
        None: no interval. docs/intervals.md says what each errs by.

        * share: of rows that count or do not, see `shares.share_interval`;
        * effective: of a value in [0, 1], as a share of as many rows as would vary so much, see `effective_interval`;
        * count: of a number of events a row, as of independent events that vary so much, see `count_interval`;
        * log, logit: of a positive value, or one in (0, 1), t on that scale, see `scaled_interval`;
        * percentile: of resampled groups, widened for few of them, see `percentile_interval`;
        * noise: of a sum of absolute values, see `Measure.noise`.
    """
    n_rows, n_groups = int(measure.support.sum()), int(np.count_nonzero(measure.support))
    few = is_few(measure.support, setting.few_groups)
    value = point(measure) if n_groups else np.nan
    if np.isnan(value):
        return Estimate(None, None, None, n_rows, n_groups, few)
    ends = _ends(measure, value, weights, setting, method) if n_groups > 1 and method else None
    low, high = (min(ends[0], value), max(ends[1], value)) if ends is not None else (None, None)
    return Estimate(value, low, high, n_rows, n_groups, few)


def _ends(
    measure: Measure, value: float, weights: IntArray, setting: Setting, method: Method
) -> tuple[float, float] | None:
    if method == "share" and measure.hits is not None:
        return share_interval(measure.hits, measure.support, correlation=setting.correlation, level=setting.level)
    if method in ("percentile", "noise"):
        return percentile_interval(measure, value, weights, setting)
    left_out = jackknife(measure)
    if len(left_out) < 2:
        return None
    if method == "count":
        return count_interval(value, left_out, measure.support, setting)
    scaled = None if method == "effective" else scaled_interval(value, left_out, measure.support, setting, method)
    if scaled is None and measure.share:
        return effective_interval(min(max(value, 0.0), 1.0), left_out, measure.support, setting)
    return scaled


def is_few(support: FloatArray, few_groups: int) -> bool:
    """Whether groups are fewer than `few_groups`, or so unequal in size that they are worth less than half of it."""
    n_groups = int(np.count_nonzero(support))
    return n_groups < max(few_groups, 1) or effective_groups(support) < few_groups / 2


def point(measure: Measure) -> float:
    """Return the metric under weight 1 for every group, NaN without support."""
    return float(measure.values(np.ones((1, len(measure.support)), dtype=np.int32))[0])


def percentile_interval(
    measure: Measure, value: float, weights: IntArray, setting: Setting
) -> tuple[float, float] | None:
    """Return percentiles of the replicates, further out for few groups (see `expanded_tail`); None without any.

    A share of 0 or 1 has no shorter interval than that of `effective_interval`, though few replicates or none differ.
    """
    replicates = measure.values(weights)
    replicates = replicates[~np.isnan(replicates)]
    if not len(replicates):
        return None
    tail = expanded_tail(setting.level, int(np.count_nonzero(measure.support)))
    low, high = np.quantile(replicates, [tail, 1 - tail])
    if measure.noise is not None:
        # Resampling adds noise to noise, so percentiles of a sum of absolute values lie above its own value. By the
        # triangle inequality value - noise is a valid lower end; the upper percentile errs on the safe side.
        low = max(0.0, value - float(np.nanquantile(measure.noise(weights), 1 - 2 * tail)))
    if measure.share and value in (0.0, 1.0):
        least, most = effective_interval(value, np.full(2, value), measure.support, setting)
        low, high = min(low, least), max(high, most)
    return float(low), float(high)


def effective_interval(
    value: float, left_out: FloatArray, support: FloatArray, setting: Setting
) -> tuple[float, float]:
    """Return the interval of a share of as many independent rows as would vary like this value in [0, 1].

    Clopper-Pearson on value (1 - value) / variance rows, the variance from leaving out groups; never on more than the
    rows are worth under the correlation, which is what there is at 0 and 1, where nothing varies.

    Parameters
    ----------
    left_out : float64 array, shape (g,)
        From `jackknife`.
    support : float64 array, shape (g,)
    """
    tail = (1 - setting.level) / 2
    rows, spread = effective_rows(support, setting.correlation), value * (1 - value)
    variance = _variance(left_out, support, tail)
    rows = min(rows, spread / variance) if spread > 0 and variance > 0 else rows
    hits, misses = value * rows, (1 - value) * rows
    low = float(betaincinv(hits, misses + 1, tail)) if hits > 0 else 0.0
    return low, 1 - float(betaincinv(misses, hits + 1, tail)) if misses > 0 else 1.0


def count_interval(value: float, left_out: FloatArray, support: FloatArray, setting: Setting) -> tuple[float, float]:
    """Return the interval of a Poisson rate with as many independent events as would vary like this number per row.

    The exact gamma limits on events over their dispersion, which is at least what the correlation makes of the groups:
    so no event in some rows is no certainty of none.
    """
    tail, rows = (1 - setting.level) / 2, float(support.sum())
    dispersion = rows / effective_rows(support, setting.correlation)
    if value > 0:
        dispersion = max(dispersion, _variance(left_out, support, tail) * rows / value)
    events = value * rows / dispersion
    low = float(gammaincinv(events, tail)) if events > 0 else 0.0
    return low * dispersion / rows, float(gammaincinv(events + 1, 1 - tail)) * dispersion / rows


def scaled_interval(
    value: float, left_out: FloatArray, support: FloatArray, setting: Setting, scale: Method
) -> tuple[float, float] | None:
    """Return the t interval on the log or logit scale, its variance from leaving out groups.

    None where the value, or that without some group, is at an end of the scale, or where no group makes a difference:
    that all are alike by chance shows nothing.
    """
    to, back = (np.log, np.exp) if scale == "log" else (logit, expit)
    if min(value, left_out.min()) <= 0 or (scale == "logit" and max(value, left_out.max()) >= 1):
        return None
    if np.allclose(left_out, value, rtol=1e-12, atol=0):
        return None
    reach = float(stdtrit(np.count_nonzero(support) - 1, (1 + setting.level) / 2)) * _deviation(to(left_out))
    return float(back(to(value) - reach)), float(back(to(value) + reach))


def _deviation(left_out: FloatArray) -> float:
    """Return the jackknife's standard error."""
    return float(np.sqrt((len(left_out) - 1) / len(left_out) * ((left_out - left_out.mean()) ** 2).sum()))


def _variance(left_out: FloatArray, support: FloatArray, tail: float) -> float:
    """Return the jackknife's variance, at the price of t for normal quantiles."""
    return float(_deviation(left_out) * stdtrit(np.count_nonzero(support) - 1, tail) / ndtri(tail)) ** 2


def jackknife(measure: Measure) -> FloatArray:
    """Return the metric without each group in turn, undefined ones left out."""
    n_groups, values = len(measure.support), measure.without
    if values is None:
        values = left_out(measure.values, n_groups, np.arange(n_groups))
    return values[~np.isnan(values)]


def left_out(values: Callable[[IntArray], FloatArray], n_groups: int, groups: npt.NDArray[np.intp]) -> FloatArray:
    """Return what `values` gives without each of the groups in turn, in their order; NaN where that is undefined."""
    found = []
    for start in range(0, len(groups), LEFT_OUT):
        some = groups[start : start + LEFT_OUT]
        weights = np.ones((len(some), n_groups), dtype=np.int32)
        weights[np.arange(len(some)), some] = 0
        found.append(values(weights))
    return np.concatenate(found)


def expanded_tail(level: float, n_groups: int) -> float:
    """Return the tail probability of each end, smaller than (1 - level) / 2 by what `n_groups` >= 2 groups call for.

    The plain percentile interval is too short by sqrt((n - 1) / n) and uses normal in place of t quantiles: at 10
    groups .025 becomes .0086, at 100 groups .0231 (Hesterberg 2015, "What Teachers Should Know About the Bootstrap",
    The American Statistician 69(4), expanded percentile interval).
    """
    z = stdtrit(n_groups - 1, (1 + level) / 2) * np.sqrt(n_groups / (n_groups - 1))
    return float(ndtr(-z))


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
