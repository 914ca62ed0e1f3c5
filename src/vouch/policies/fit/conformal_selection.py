"""Selective conformal risk control, the arithmetic: who is selected, and how large their sets must be.

The recipe is reconstructed from Xu, Guo, Wei, arXiv:2512.12844; tests/promises/test_policies.py simulates what it
keeps. With rows that resemble those of their group, `spread` of them are worth one independent row, and a fresh row
counts for as many.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import betaincinv

from vouch.policies.apply.kinds import DIGITS, SLACK, jitter

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

_EDGE = 1e-9  # a product that misses a whole number by float noise alone is that number


@dataclass(frozen=True)
class Ranked:
    """Calibration rows, the most certain first; jitter parts equal ones."""

    order: npt.NDArray[np.intp]  # places of the rows, shape (n,)
    level: FloatArray  # their scores, falling
    jitter: FloatArray  # falling among equal scores
    event: BoolArray  # rows whose sets are bounded where they are selected, shape (n,)
    spread: float  # rows that are worth one independent row


@dataclass(frozen=True)
class Selection:
    """Who is selected, and how many of the counted may have their truth outside the set."""

    lam1: float
    tie: float  # the least jitter that is selected at lam1
    chosen: BoolArray  # shape (n,)
    counted: BoolArray  # whose sets lam2 is fixed on
    low: float  # what the probability of selection is, or is at least
    event_low: float | None  # what the probability of selection and the event is at least; None where none is needed
    allowed: int  # negative: nothing can be promised


def rank(
    score: FloatArray, sample_id: "pd.Series[str]", group: "pd.Series[str]", event: BoolArray, *, unit: str, seed: int
) -> Ranked:
    """Return the rows in order of their score, then of a jitter that their names and the seed alone decide.

    `event`, shape (n,), says whose sets are bounded where they are selected: every row's, or those of one class.
    """
    level, drawn = np.round(score, DIGITS), jitter(sample_id, seed)
    order = np.lexsort((-drawn, -level))
    spread, groups = 1.0, pd.factorize(group, sort=True)[0]
    if unit == "group":  # of who is selected, and of who is and has the event
        spread = max(_spread(level, groups), _spread(np.where(event, level, -1.0), groups))
    return Ranked(order, level[order], drawn[order], event, spread)


def select(ranked: Ranked, xi: float, *, variant: str, alpha: float, delta: float) -> Selection | None:
    """Return the strictest selection that keeps coverage xi, or None where there are too few rows for any.

    Parameters
    ----------
    ranked : Ranked
    xi : float
        Share of fresh rows to select, in (0, 1].
    variant : str
        How coverage is kept, over draws of val_calib: rank on average; clopper_pearson with probability 1 - delta, at a
        number of rows fixed from n; dkw with probability 1 - delta, uniformly in the threshold. Exact for independent
        rows, approximate for groups; alpha is kept on average alone.
    alpha, delta : float
    """
    n, spread = len(ranked.order), ranked.spread
    if variant == "rank":
        k = int(np.ceil(xi * (n + spread) - _EDGE))
        if not 1 <= k <= n:
            return None
        # A fresh row that is selected is the k-th: it takes the place of the row at lam1. Among rows with the event
        # it is as likely to be any, so their number needs no bound.
        counted = _first(ranked, k - 1)
        budget = (float(counted.sum()) + spread) * alpha - spread
        return _selection(ranked, k, counted, k / (n + spread), None, budget)
    everyone = bool(ranked.event.all())
    each = delta if variant == "dkw" or everyone else delta / 2  # dkw's half-width covers two one-sided bounds already
    counts, lows = _lower_bounds(ranked, variant, each)
    reached = np.flatnonzero(lows >= xi)
    if len(reached) == 0:
        return None
    k, low = int(counts[reached[0]]), float(lows[reached[0]])
    event_low = low if everyone else _event_low(ranked, k, low, variant, each)
    budget = (n + spread) * alpha * event_low - spread
    return _selection(ranked, k, _first(ranked, k), low, event_low, budget, whole=variant == "dkw")


def set_level(nonconformity: FloatArray, allowed: int) -> float | None:
    """Return the smallest lam2 at which at most `allowed` rows have their truth outside the set; None for none.

    `nonconformity` is 1 - p of the true class, float64, in [0, 1].
    """
    if allowed < 0:
        return None
    if allowed >= len(nonconformity):
        return 0.0
    smallest = np.sort(nonconformity)[len(nonconformity) - allowed - 1]
    return float(min(np.ceil((smallest - SLACK) * 10**DIGITS) / 10**DIGITS, 1.0)) + 0.0


def _lower_bounds(ranked: Ranked, variant: str, delta: float) -> tuple[npt.NDArray[np.intp], FloatArray]:
    """Return numbers of selected rows, rising, and the lower bound of the coverage at each."""
    n, spread = len(ranked.order), ranked.spread
    if variant == "clopper_pearson":
        counts = np.arange(1, n + 1)
        return counts, np.asarray(betaincinv(counts / spread, (n - counts) / spread + 1, delta), dtype=np.float64)
    counts = np.append(np.flatnonzero(np.diff(ranked.level) < 0) + 1, n)
    return counts, counts / n - np.sqrt(np.log(2 / delta) * spread / (2 * n))


def _first(ranked: Ranked, k: int) -> BoolArray:
    """Return which rows are among the first k and have the event, shape (n,)."""
    inside = np.zeros(len(ranked.order), dtype=bool)
    inside[ranked.order[:k]] = True
    inside &= ranked.event
    return inside


def _event_low(ranked: Ranked, k: int, low: float, variant: str, delta: float) -> float:
    """Return a lower bound of the probability to be selected and have the event, where the first k rows are selected.

    dkw: the score, lowered to nothing without the event, is one variable whose distribution it bounds uniformly.
    clopper_pearson: rows above the k-th are draws from those selected, so the share with the event is a binomial's.
    """
    n, spread = len(ranked.order), ranked.spread
    if variant == "dkw":
        return float(_first(ranked, k).sum() / n - np.sqrt(np.log(2 / delta) * spread / (2 * n)))
    with_event = int(_first(ranked, k - 1).sum())
    if with_event == 0:
        return 0.0
    return low * float(betaincinv(with_event / spread, (k - 1 - with_event) / spread + 1, delta))


def _selection(
    ranked: Ranked,
    k: int,
    counted: BoolArray,
    low: float,
    event_low: float | None,
    budget: float,
    *,
    whole: bool = False,
) -> Selection:
    chosen = np.zeros(len(ranked.order), dtype=bool)
    chosen[ranked.order[:k]] = True
    tie = 0.0 if whole else float(ranked.jitter[k - 1])
    allowed = int(np.floor(budget + _EDGE))
    return Selection(float(ranked.level[k - 1]), tie, chosen, counted, low, event_low, allowed)


def _spread(level: FloatArray, group: npt.NDArray[np.intp]) -> float:
    """Return the variance of the scores' mean rank by groups over that of independent rows, at least 1."""
    _, place, counts = np.unique(level, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - counts / 2)[place]
    off = ranks - ranks.mean()
    sums = np.bincount(group, weights=off)
    rows, groups = len(level), len(sums)
    total = float(np.sum(off**2)) / (rows - 1) if rows > 1 else 0.0
    if groups < 2 or total == 0:
        return float(rows) if groups < 2 else 1.0
    return max(1.0, float(np.sum(sums**2)) / rows * groups / (groups - 1) / total)
