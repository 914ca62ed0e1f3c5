"""What a rule can see: the chance that it passes, were the truth so and so, on so many groups.

A share of rows is simulated: the hits of each group are beta-binomial with the correlation that its bound allows for,
and the bound is the gate's own (`shares.reaches`). Any other metric is taken as normal on its own scale, as wide as its
interval shows on the side that the rule judges; the width shrinks with the root of the number of groups.
docs/plan.md says what is assumed.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, ndtr, ndtri

from vouch.evaluation.gates.judging import VALUE, kept
from vouch.evaluation.gates.rules import HURTS, Rule
from vouch.evaluation.metrics.definitions.table import names_of
from vouch.evaluation.metrics.shares import effective_rows, reaches

FloatArray = npt.NDArray[np.float64]

SHARES = names_of("share")  # of rows that count or do not
RATES = names_of("log", "count")  # of no upper end, or one that no limit comes near: a hundredth of them means nothing
DRAWS = 1000  # of a chance: it errs by .016 at most, one standard error
SEARCHED = 300  # of each number of groups that a search tries
QUANTILES = 4096  # of a group's own share, in place of its beta distribution
ROWS = 2_000_000  # simulated at once: 32 MB
DOUBLINGS = range(-4, 8)  # numbers of groups that a search tries: a sixteenth to 128 times those at hand
MOST_ROWS = 60_000  # and no more than so many rows
TENFOLD = 10  # a step of .01 of a share is a tenth of the limit of a rate: .02 is a fifth of the room above .90


@dataclass(frozen=True)
class World:
    """What the rules of a model have in common."""

    level: float  # two-sided coverage of the intervals, say .95
    correlation: float  # of hits within a group, in [0, 1]: of the bound, and of the groups simulated
    seed: int


@dataclass(frozen=True)
class Subject:
    """What one verdict is judged on; a metric that is no share of rows has no `sizes`."""

    rule: Rule
    value: float | None  # as observed
    low: float | None
    high: float | None
    n_groups: int
    sizes: FloatArray | None  # rows of each group, shape (g,), each at least 1


def subject(rule: Rule, found: Mapping[str, Any], sizes: FloatArray | None) -> Subject:
    """Return what a rule is judged on from a metric's cell of test.json or comparison.json, empty where there is none.

    Parameters
    ----------
    sizes : float64 array, shape (g,), or None
        Rows of each group under a share.
    """
    value = found.get(VALUE.get(rule.source, "value"))
    return Subject(rule, value, found.get("low"), found.get("high"), found.get("n_groups") or 0, sizes)


def beyond(rule: Rule, step: float) -> float | None:
    """Return the truth that keeps a limit by `step`, or misses it by as much where that is negative.

    Of a rate (`RATES`) a step is that of a share times ten, in parts of the limit: of a limit of 0 there are none. None
    at or past the metric's end, too.

    >>> recall = {"source": "test", "bound": "worst", "min_groups": 0}
    >>> round(beyond(Rule(metric="recall", limit=0.95, **recall), 0.02), 3)
    0.97
    """
    sign = 1 if rule.op == ">=" else -1
    scale = TENFOLD * abs(rule.limit) if rule.metric in RATES else 1.0
    if step and not scale:
        return None
    truth = rule.limit + sign * step * scale
    least, most = _ends(rule)
    return truth if least + 1e-9 < truth < most - 1e-9 else None


def compliant(rule: Rule, step: float) -> float:
    """Return the truth of a model that keeps a limit by `step`; half-way to the metric's end where that is as near.

    The limit itself where there are no steps.
    """
    truth = beyond(rule, step)
    if truth is not None:
        return truth
    end = _ends(rule)[1 if rule.op == ">=" else 0]
    return (rule.limit + end) / 2 if np.isfinite(end) else rule.limit


def _ends(rule: Rule) -> tuple[float, float]:
    if rule.source == "comparison":
        return -np.inf, np.inf
    return 0.0, np.inf if rule.metric in RATES else 1.0


def chance(about: Subject, truth: float, world: World, *, factor: float, draws: int) -> float | None:
    """Return the chance that a rule passes on fresh groups; None where nothing shows how the metric varies.

    Nor is it known of a rule that reads a verdict of the comparison.

    Parameters
    ----------
    truth : float
        Of the metric. That of a calibration error is what such rows show on average, chance included.
    factor : float
        So many times the groups at hand, of the same sizes.
    draws : int
        Of a share; the same ones for every truth, so that a better one never passes less often.
    """
    if about.rule.bound == "verdict":  # of p-values that are corrected together; vouch compare says what they can reach
        return None
    groups = round(about.n_groups * factor)
    if about.n_groups == 0 or groups < max(about.rule.min_groups, 1):
        return 0.0
    if about.sizes is None:
        return _normal(about, truth, world.level, factor)
    return _simulated(about.rule, truth, about.sizes, groups, world, draws)


def intended(rule: Rule, *, groups: int, per_group: int) -> Subject:
    """Return what a share would be judged on if it had so many groups of so many rows; nothing is observed yet."""
    return Subject(rule, None, None, None, groups, np.full(groups, float(per_group)))


def again(about: Subject, world: World) -> float | None:
    """Return the chance that fresh groups pass the rule, were the truth what was observed.

    A share of 1 or 0 is taken for half a miss or half a hit less certain than that: nothing is known to be perfect.
    """
    if about.value is None:
        return 0.0
    return chance(about, _likely(about, world), world, factor=1, draws=DRAWS)


def _likely(about: Subject, world: World) -> float:
    value = 0.0 if about.value is None else about.value
    if about.sizes is None or not len(about.sizes):
        return value
    half = 0.5 / max(effective_rows(about.sizes, world.correlation), 1.0)
    return float(np.clip(value, half, 1 - half))


def _normal(about: Subject, truth: float, level: float, factor: float) -> float | None:
    rule = about.rule
    deviation = _deviation(about, level)
    if deviation is None:  # a bound that is not there keeps no limit
        return None if rule.bound == "value" and about.value is not None else 0.0
    deviation /= np.sqrt(factor)
    if deviation == 0:
        return float(kept(truth, rule.op, rule.limit))
    reach = float(-ndtri((1 - level) / 2))
    room = (truth - rule.limit) * (1 if rule.op == ">=" else -1) / deviation
    return float(ndtr(room if rule.bound == "value" else room - reach))


def _deviation(about: Subject, level: float) -> float | None:
    """Return the standard deviation that the interval shows on the side that is judged."""
    end = about.low if HURTS[about.rule.op] == "low" else about.high
    return None if about.value is None or end is None else abs(about.value - end) / float(-ndtri((1 - level) / 2))


def _simulated(rule: Rule, truth: float, sizes: FloatArray, groups: int, world: World, draws: int) -> float:
    rng = np.random.default_rng(world.seed)  # anew for each truth: the same draws
    quantiles = _shares_of_groups(truth, world.correlation)
    passed = 0
    for some in _blocks(draws, int(sizes.mean() * groups) + 1):
        drawn = rng.choice(sizes, (some, groups)) if groups != len(sizes) else np.broadcast_to(sizes, (some, groups))
        own = quantiles[rng.integers(0, QUANTILES, drawn.shape)]
        whole = drawn.astype(np.intp).ravel()
        right = rng.random(int(whole.sum())) < np.repeat(own.ravel(), whole)
        starts = np.cumsum(whole) - whole
        hits = np.add.reduceat(right.astype(np.float64), starts).reshape(drawn.shape)
        passed += int(np.count_nonzero(_passes(rule, hits, drawn, world)))
    return passed / draws


def _blocks(draws: int, rows: int) -> Iterator[int]:
    size = max(1, min(draws, ROWS // rows))
    while draws > 0:
        yield min(size, draws)
        draws -= size


def _shares_of_groups(truth: float, correlation: float) -> FloatArray:
    """Return evenly spaced quantiles of the beta distribution of a group's share; they rise with the truth."""
    middle = (np.arange(QUANTILES) + 0.5) / QUANTILES
    if truth <= 0 or truth >= 1 or correlation == 0:
        return np.full(QUANTILES, truth)
    if correlation == 1:
        return (middle > 1 - truth).astype(np.float64)
    alike = (1 - correlation) / correlation
    return np.asarray(betaincinv(truth * alike, (1 - truth) * alike, middle), dtype=np.float64)


def _passes(rule: Rule, hits: FloatArray, rows: FloatArray, world: World) -> npt.NDArray[np.bool_]:
    """Return which draws pass, as `judging.judge` judges the end of the interval that `estimate` gives."""
    at_least = rule.op == ">="
    if rule.bound == "value":
        values = hits.sum(axis=-1) / rows.sum(axis=-1)
        return np.asarray(values >= rule.limit if at_least else values <= rule.limit)
    tail = (1 - world.level) / 2
    asked = {"correlation": world.correlation, "tail": tail}
    if at_least:
        return reaches(hits, rows, limit=rule.limit, **asked)
    # the upper bound of hits is at most the limit where the lower bound of misses is at least the rest
    return reaches(rows - hits, rows, limit=1 - rule.limit, **asked)


@dataclass(frozen=True)
class Curve:
    """The chance of a rule over the number of groups: its normal quantile is nearly straight in their square root."""

    factors: FloatArray
    chances: FloatArray

    def at(self, factor: float) -> float:
        """Return the chance with so many times the groups at hand, no further than what was tried."""
        low = 1 / (4 * SEARCHED)
        scores = ndtri(np.clip(np.maximum.accumulate(self.chances), low, 1 - low))
        return float(ndtr(np.interp(np.sqrt(factor), np.sqrt(self.factors), scores)))


def curve(about: Subject, truth: float, world: World) -> Curve | None:
    """Return the chance of a rule over numbers of groups, or None where nothing shows how the metric varies."""
    rows = about.n_groups if about.sizes is None else float(about.sizes.sum())
    tried = [2.0**power for power in DOUBLINGS if power <= 0 or rows * 2.0**power <= MOST_ROWS]
    found = [chance(about, truth, world, factor=factor, draws=SEARCHED) for factor in tried]
    if any(one is None for one in found):
        return None
    return Curve(np.array(tried), np.array(found, dtype=np.float64))


def least_factor(chance_at: Callable[[float], float], *, target: float, factors: FloatArray) -> float | None:
    """Return the least of rising factors from which on a chance reaches the target, None where none does."""
    low, high = 0, len(factors) - 1
    if chance_at(float(factors[high])) < target:
        return None
    while low < high:  # chances rise with the groups
        middle = (low + high) // 2
        low, high = (low, middle) if chance_at(float(factors[middle])) >= target else (middle + 1, high)
    return float(factors[high])
