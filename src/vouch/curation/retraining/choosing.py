"""Which photographs a person should label next: those that teach most, and no two that teach the same.

After PAL (arXiv:2605.10349), with our calibrator for its p(true positive): a label gains by the entropy of the
probability of being right, by how weak its class is, and by how little it resembles what is chosen already. Greedy,
exactly: a gain only falls while others are chosen (lazy greedy, Minoux 1978), so what was computed earlier bounds it,
and a candidate is compared with the chosen only when its bound is among the best. No pair is held: memory is linear.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BLOCK = 256  # candidates compared at a time: of 16 x 16 pixels they and 1,000 chosen ones are 1 ms
NONE = -1  # code of a stratum or group that is not stated: no quota holds for it


@dataclass(frozen=True)
class Pool:
    """Candidates for a label, in any order.

    Attributes
    ----------
    value : float64 (n,), at least 0: what a label is worth by itself, say entropy in bits plus misses of its strata
    classes : int64 (n,), from 0
    strata : int64 (n, s), a code from 0 for each value of each stratum, or `NONE`
    groups : int64 (n, g), a code from 0 for each value of each leakage key, or `NONE`
    looks : float32 (n, d), rows of length 1 (or 0: unlike everything); their products say how alike two are
    """

    value: FloatArray
    classes: IntArray
    strata: IntArray
    groups: IntArray
    looks: NDArray[np.float32]


@dataclass(frozen=True)
class Terms:
    """What else makes a gain, and how many may be chosen of each.

    Attributes
    ----------
    weak : float64 (classes,), at least 0: what the first label of a class adds
    fair : number of labels of a class after which another adds half as much
    diversity : in [0, 1]: share of a gain that a copy of a chosen one loses
    per_class, per_stratum, per_group : quotas, at least 1
    """

    weak: FloatArray
    fair: float
    diversity: float
    per_class: int
    per_stratum: int
    per_group: int


@dataclass(frozen=True)
class Chosen:
    """Positions in the pool, the first choice first, and the gain of each when it was chosen."""

    index: IntArray
    gain: FloatArray


def choose(pool: Pool, terms: Terms, *, most: int, rng: np.random.Generator) -> Chosen:
    """Return at most `most` candidates, each the one with the largest gain beside those before it.

    The gain is (value + weak[class] / (1 + chosen of the class / fair)) x (1 - diversity x likeness), likeness the
    largest product with a chosen one, at least 0. A candidate whose class, stratum or group has reached its quota is
    passed over, and so is one without gain; then there are fewer.

    Parameters
    ----------
    rng : decides between equals
    """
    order = rng.permutation(len(pool.value))
    state = _State(_ordered(pool, order), terms)
    index, gain = [], []
    for place, worth in _greedy(state, most):
        index.append(order[place])
        gain.append(worth)
    return Chosen(np.array(index, np.int64), np.array(gain, np.float64))


def _ordered(pool: Pool, order: IntArray) -> Pool:
    return Pool(pool.value[order], pool.classes[order], pool.strata[order], pool.groups[order], pool.looks[order])


class _State:
    """How far a choice is: what is open, counts against quotas, and likeness to the chosen as far as it is known."""

    def __init__(self, pool: Pool, terms: Terms) -> None:
        n = len(pool.value)
        self.pool, self.terms = pool, terms
        self.open = np.ones(n, dtype=bool)
        self.likeness = np.zeros(n, dtype=np.float32)
        self.compared = np.zeros(n, dtype=np.int64)  # with so many of the chosen
        self.looks = np.empty((0, pool.looks.shape[1]), dtype=np.float32)  # of the chosen
        self.of_class = np.zeros(len(terms.weak), dtype=np.int64)
        self.of_stratum = np.zeros(int(pool.strata.max(initial=NONE)) + 1, dtype=np.int64)
        self.of_group = np.zeros(int(pool.groups.max(initial=NONE)) + 1, dtype=np.int64)

    def gains(self, places: IntArray | slice) -> FloatArray:
        """Return the gains by what is known: exact where everything chosen was compared, else not less than exact."""
        classes, terms = self.pool.classes[places], self.terms
        base = self.pool.value[places] + (terms.weak / (1 + self.of_class / terms.fair))[classes]
        gains = base * (1 - terms.diversity * self.likeness[places])
        return np.where(self.open[places], gains, 0.0)

    def compare(self, places: IntArray) -> None:
        """Bring the likeness of candidates up to date."""
        behind = int(self.compared[places].min())
        if behind < len(self.looks):
            alike = (self.pool.looks[places] @ self.looks[behind:].T).max(axis=1)
            self.likeness[places] = np.clip(alike, self.likeness[places], 1.0)
            self.compared[places] = len(self.looks)

    def take(self, place: int) -> None:
        """Choose a candidate; close it, and all that have reached a quota by it."""
        pool, terms = self.pool, self.terms
        self.open[place] = False
        self.looks = np.concatenate([self.looks, pool.looks[place : place + 1]])
        self.of_class[pool.classes[place]] += 1
        if self.of_class[pool.classes[place]] >= terms.per_class:
            self.open &= pool.classes != pool.classes[place]
        self._count(pool.strata, self.of_stratum, place, terms.per_stratum)
        self._count(pool.groups, self.of_group, place, terms.per_group)

    def _count(self, codes: IntArray, counts: IntArray, place: int, quota: int) -> None:
        """Count a choice for each of its codes; close all that have one whose quota is reached."""
        for column, code in enumerate(codes[place]):
            if code != NONE:
                counts[code] += 1
                if counts[code] >= quota:
                    self.open &= codes[:, column] != code


def _greedy(state: _State, most: int) -> Iterator[tuple[int, float]]:
    """Yield the places chosen, and their gains: of the best candidates by their bounds, the best by their gains."""
    left = most if len(state.open) else 0
    while left > 0:
        bounds = state.gains(slice(None))
        block, beyond = _best(bounds)
        state.compare(block)
        while left > 0:
            gains = state.gains(block)
            best = int(gains.argmax())
            if gains[best] <= 0 or gains[best] < beyond:
                break
            state.take(int(block[best]))
            state.compare(block)
            left -= 1
            yield int(block[best]), float(gains[best])
        if beyond <= 0 and not state.gains(block).any():
            return


def _best(bounds: FloatArray) -> tuple[IntArray, float]:
    """Return the places of the best bounds, in rising order, and the best bound of all others."""
    n = len(bounds)
    if n <= BLOCK:
        return np.arange(n), 0.0
    parted = np.argpartition(bounds, n - BLOCK - 1)
    return np.sort(parted[n - BLOCK :]), float(bounds[parted[n - BLOCK - 1]])
