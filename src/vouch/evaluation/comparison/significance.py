"""How surprising a paired difference would be if neither side were better: what groups add to it, with signs turned.

Were the sides equal, what a group adds would as often have had the other sign. So the difference is set against those
under other signs (a randomisation test; Fisher 1935, section 21). No p is below the share of one pattern in all, which
is what keeps a difference that rests on a handful of groups, as that of two models near 1 does, from looking certain.
"""

import numpy as np
import numpy.typing as npt

from vouch.evaluation.metrics.intervals import FloatArray, IntArray, Measure, left_out

SignArray = npt.NDArray[np.int8]

BLOCK = 256  # patterns at a time: 256 of 20,000 groups are 41 MB
TIE = 1e-9  # relative; sums of the same numbers in another order differ by less


def flip_signs(n_groups: int, *, patterns: int, rng: np.random.Generator) -> SignArray:
    """Return random signs, int8 of shape (patterns, n_groups), each 1 or -1 with probability one half."""
    return (2 * rng.integers(0, 2, size=(patterns, n_groups), dtype=np.int8) - 1).astype(np.int8)


def contributions(
    first: Measure, second: Measure, *, delta: float, deltas: FloatArray, weights: IntArray, smooth: bool
) -> FloatArray:
    """Return what each group that supports either side adds to the difference; they add up to it.

    For a share of the same rows on both sides, that is the group's own difference of hits over all rows, exactly.

    Parameters
    ----------
    delta : float
        First less second.
    deltas, weights : float64 array, shape (b,), and int32 array, shape (b, groups)
        The difference under the weights of each replicate, NaN where a side is undefined.
    smooth : bool
        The metric changes little and evenly when a group is left out. Average precision jumps or stays: what groups add
        to it is read off the replicates.
    """
    some = np.flatnonzero((first.support > 0) | (second.support > 0))
    part = (_part(first) + _part(second))[some] / 2
    if smooth and 2 * len(some) <= len(weights):  # with more groups it would cost more than the replicates did
        without = left_out(lambda drawn: first.values(drawn) - second.values(drawn), len(first.support), some)
        if not np.isnan(without).any():
            added: FloatArray = delta - (1 - part) * without
            return added + float(delta - added.sum()) / len(some)
    kept = ~np.isnan(deltas)
    found: FloatArray = _from_replicates(deltas[kept], weights[kept][:, some]) + delta * part
    return found


def _part(side: Measure) -> FloatArray:
    return side.support / float(side.support.sum())


def _from_replicates(deltas: FloatArray, weights: IntArray) -> FloatArray:
    """Return the covariance of each group's weight with the difference (Efron 2014), at the bootstrap's variance.

    Of few replicates the covariances are noise in part, which would add to their squares.
    """
    n_groups = weights.shape[1]
    moved: FloatArray = weights.T.astype(np.float64) @ (deltas - deltas.mean())
    moved -= moved.mean()
    size, variance = float((moved**2).sum()), float(deltas.var()) * n_groups / (n_groups - 1)
    return moved * float(np.sqrt(variance / size)) if size > 0 else moved


def flipped_p(added: FloatArray, signs: SignArray) -> float:
    """Return the two-sided p-value: the share of sign patterns under which the sum is at least as far from 0.

    Every pattern is tried where they are no more than rows of `signs`; else those, and the pattern seen.

    >>> flipped_p(np.ones(4), np.ones((8, 4), dtype=np.int8))  # two of 16 patterns reach 4
    0.125
    """
    every = _every(len(added), len(signs))
    tried = signs if every is None else every
    reached = abs(float(added.sum())) * (1 - TIE)
    beyond = sum(
        int(np.count_nonzero(np.abs(tried[start : start + BLOCK].astype(np.float64) @ added) >= reached))
        for start in range(0, len(tried), BLOCK)
    )
    return beyond / len(tried) if every is not None else (beyond + 1) / (len(tried) + 1)


def least_p(n_groups: int, patterns: int) -> float:
    """Return the least that `flipped_p` can be: one pattern of all (and its opposite) that are tried.

    >>> least_p(5, 2000)
    0.0625
    """
    return 2.0 ** (1 - n_groups) if _few(n_groups, patterns) else 1 / (patterns + 1)


def _few(n_groups: int, patterns: int) -> bool:
    return n_groups - 1 < patterns.bit_length() and 2 ** (n_groups - 1) <= patterns


def _every(n_groups: int, patterns: int) -> SignArray | None:
    """Return every pattern in which the first group keeps its sign, or None of too many."""
    if not _few(n_groups, patterns):
        return None
    bits = np.arange(2 ** (n_groups - 1))[:, None] >> np.arange(n_groups)[None, ::-1]
    return (1 - 2 * (bits & 1)).astype(np.int8)


def holm(p: FloatArray) -> FloatArray:
    """Return Holm's step-down adjusted p-values (Holm 1979), in the order given; larger p never make one smaller.

    >>> holm(np.array([0.01, 0.04, 0.03])).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
