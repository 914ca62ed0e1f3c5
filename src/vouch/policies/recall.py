"""Recall as a function of the threshold, with a lower bound that knows that rows of a group resemble each other."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import betaincinv, stdtrit

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RecallCurve:
    """Recall when everything at or above a level is accepted, at each distinct confidence of a hit, strictest first."""

    levels: FloatArray  # falling
    recall: FloatArray  # rising, in (0, 1]
    low: FloatArray  # one-sided lower bound of the recall
    n_truths: int
    n_groups: int

    def strictest(self, target: float, *, bound: str) -> float | None:
        """Return the highest level from which on every looser one reaches the target, or None.

        Walking from the loosest level and stopping at the first failure keeps the bound's word although the level is
        chosen on the same rows: recall is monotone, so one failure is enough for all that follow (fixed-sequence
        testing, Angelopoulos et al. arXiv:2110.01052; METHODS 1.4).
        """
        reached = (self.recall if bound == "value" else self.low) >= target - 1e-12
        failures = np.flatnonzero(~reached)
        first = failures[-1] + 1 if len(failures) else 0
        return float(self.levels[first]) if first < len(self.levels) else None

    def at(self, level: float | None) -> tuple[float, float]:
        """Return recall and its lower bound when everything at or above the level is accepted."""
        accepted = 0 if level is None else int(np.sum(self.levels >= level))
        return (float(self.recall[accepted - 1]), float(self.low[accepted - 1])) if accepted else (0.0, 0.0)


def recall_curve(
    confidence: FloatArray, hit: npt.NDArray[np.bool_], group: npt.ArrayLike, *, delta: float
) -> RecallCurve:
    """Return the recall curve of some truths.

    Parameters
    ----------
    confidence : float64 array, shape (n,)
        Of the detection that found the truth; any value for a miss.
    hit : bool array, shape (n,)
        Whether the truth was found at all.
    group : array, shape (n,)
        What the truths depend on.
    delta : float
        Probability that the lower bound may lie above the truth.

    References
    ----------
    Korn, Graubard 1998: Clopper-Pearson on the effective number of rows, n over the design effect of the groups.
    """
    codes, names = pd.factorize(np.asarray(group, dtype=object))
    truths = np.bincount(codes, minlength=len(names)).astype(np.float64)
    order = np.flatnonzero(hit)[np.argsort(-confidence[hit], kind="stable")]
    levels, of_hit = confidence[order], codes[order]
    last = np.concatenate([levels[1:] < levels[:-1], [True]]) if len(levels) else np.zeros(0, dtype=bool)
    recall = np.arange(1, len(levels) + 1) / len(codes)
    effective = _effective_rows(recall, of_hit, truths, delta)
    low = betaincinv(np.maximum(recall * effective, 1e-9), (1 - recall) * effective + 1, delta)
    return RecallCurve(levels[last], recall[last], low[last], len(codes), len(names))


def _effective_rows(recall: FloatArray, of_hit: npt.NDArray[np.intp], truths: FloatArray, delta: float) -> FloatArray:
    """Return at each hit the number of independent rows that would know the recall as well as these do."""
    rows, groups = truths.sum(), len(truths)
    if groups < 2:
        return np.ones(len(of_hit))  # one group is one observation
    before = pd.Series(of_hit).groupby(of_hit).cumcount().to_numpy(dtype=np.float64)  # earlier hits of the same group
    squares = np.cumsum(2 * before + 1)  # sum over groups of hits^2
    products = np.cumsum(truths[of_hit])  # sum over groups of hits * truths
    spread = squares - 2 * recall * products + recall**2 * np.sum(truths**2)
    variance = np.maximum(spread, 0.0) * groups / (groups - 1) / rows**2
    binomial = recall * (1 - recall) / max(rows - 1, 1)  # so that rows in groups of their own have an effect of 1
    effect = np.where(binomial > 0, variance / np.maximum(binomial, 1e-300), 1.0)
    # Where hardly anything is missed the design effect of the few misses is mostly noise, and low more often than not.
    # Its mean over the upper half of the curve steadies it: violations in simulation fall from .28 to at most delta
    # (10 to 100 groups, correlation 0 to .8, recall .90 and .95, delta .05), at no loss for independent rows.
    steady = effect[(recall >= 0.5) & (recall < 1)]
    effect = np.maximum(np.maximum(effect, steady.mean() if len(steady) else 1.0), 1.0)
    tails = (stdtrit(groups - 1, delta) / stdtrit(max(rows - 1, 1), delta)) ** 2
    independent: FloatArray = rows / (effect * tails)
    return independent
