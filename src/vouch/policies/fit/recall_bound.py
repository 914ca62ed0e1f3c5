"""Recall as a function of the threshold, with a lower bound that knows that rows of a group resemble each other."""

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from vouch.evaluation.metrics.shares import lower_bound

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RecallCurve:
    """Recall when everything at or above a level is accepted, at each distinct confidence of a hit, strictest first."""

    levels: FloatArray  # falling
    hits: npt.NDArray[np.intp]  # at or above each level, rising
    of_hit: npt.NDArray[np.intp]  # the group of each hit, strictest first
    truths: FloatArray  # of each group, float64 of shape (g,)
    correlation: float  # of hits within a group, in [0, 1]
    delta: float  # probability that the lower bound may lie above the truth

    @property
    def n_truths(self) -> int:
        """All truths."""
        return int(self.truths.sum())

    @property
    def n_groups(self) -> int:
        """Groups that truths lie in."""
        return len(self.truths)

    def strictest(self, target: float, *, bound: str) -> float | None:
        """Return the highest level at which the recall, or its lower bound, reaches the target, or None.

        Both rise from level to level, since each only turns misses into hits. So the levels that fail come first, and
        the bound keeps its word although the level is chosen on the same rows: walking from the loosest level, one
        failure is enough for all that follow (fixed-sequence testing, Angelopoulos et al. arXiv:2110.01052).
        """
        figure = self._recall if bound == "value" else self._low
        place = bisect_left(range(len(self.levels)), target - 1e-12, key=lambda index: figure(int(self.hits[index])))
        return float(self.levels[place]) if place < len(self.levels) else None

    def at(self, level: float | None) -> tuple[float, float]:
        """Return recall and its lower bound when everything at or above the level is accepted."""
        accepted = 0 if level is None else int(np.sum(self.levels >= level))
        hits = int(self.hits[accepted - 1]) if accepted else 0
        return self._recall(hits), self._low(hits)

    def _recall(self, hits: int) -> float:
        return hits / self.n_truths

    def _low(self, hits: int) -> float:
        of_group = np.bincount(self.of_hit[:hits], minlength=self.n_groups).astype(np.float64)
        return lower_bound(of_group, self.truths, correlation=self.correlation, tail=self.delta)


def recall_curve(
    confidence: FloatArray, hit: npt.NDArray[np.bool_], group: npt.ArrayLike, *, correlation: float, delta: float
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
    correlation : float
        Of hits within a group, in [0, 1].
    delta : float
        Probability that the lower bound may lie above the truth.
    """
    codes, names = pd.factorize(np.asarray(group, dtype=object))
    truths = np.bincount(codes, minlength=len(names)).astype(np.float64)
    order = np.flatnonzero(hit)[np.argsort(-confidence[hit], kind="stable")]
    levels = confidence[order]
    last = np.flatnonzero(np.append(levels[1:] < levels[:-1], True)) if len(levels) else np.zeros(0, dtype=np.intp)
    return RecallCurve(levels[last], last + 1, codes[order], truths, correlation, delta)
