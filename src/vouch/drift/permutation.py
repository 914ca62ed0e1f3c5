"""Two sets of photographs compared by statistics whose chance behaviour is measured by permuting groups.

Photographs of one drive resemble each other, so rows are not exchangeable between two sets; whole groups are. Each
statistic here is computed for the true division of the groups and for many random ones at once: row 0 of `masks` is the
truth, every other row one that chance could have given.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]

PSI_FLOOR = 1e-4  # of a bin's share: an empty bin would make the index infinite
BLOCK = 4_000_000  # cells of one block of permuted rows: 32 MB
ROUNDING = 1e-12  # two divisions into the same sets may differ by float noise


def group_permutations(n_reference: int, n_window: int, *, permutations: int, rng: np.random.Generator) -> BoolArray:
    """Return which groups are the window's: the truth first, then `permutations` random choices of as many.

    Returns
    -------
    bool array, shape (1 + permutations, n_reference + n_window)
        The reference's groups come first.
    """
    truth = np.arange(n_reference + n_window) >= n_reference
    moved = rng.permuted(np.broadcast_to(truth, (permutations, len(truth))), axis=1)
    return np.concatenate([truth[None], moved])


def p_value(statistics: FloatArray) -> float:
    """Return the exact p of the first statistic, large ones speaking against chance: (1 + #{>=}) / (1 + P)."""
    return float((statistics >= statistics[0] - ROUNDING * abs(statistics[0])).mean())


def family_p(statistics: FloatArray) -> FloatArray:
    """Return, for each of several statistics, its p adjusted for having looked at all of them.

    The chance that a random division makes any of them as large, each in units of its root mean square over all
    divisions (Westfall and Young 1993, max T). Exact as `p_value` is, as small as 1 / (1 + P) for any number of them,
    and less costly than Bonferroni where they move together.

    Parameters
    ----------
    statistics : float64 array, shape (variables, 1 + P), not negative
    """
    size = np.sqrt((statistics**2).mean(axis=1, keepdims=True))
    units = np.divide(statistics, size, out=np.zeros_like(statistics), where=size > 0)
    largest = units.max(axis=0)
    return np.asarray((largest[None, :] >= units[:, :1] * (1 - ROUNDING)).mean(axis=1), dtype=np.float64)


def psi(reference: FloatArray, window: FloatArray) -> FloatArray:
    """Return the population stability index sum (q - p) ln(q / p) of counts in bins, shape (..., bins)."""
    p, q = (np.maximum(_shares(counts), PSI_FLOOR) for counts in (reference, window))
    return np.asarray(((q - p) * np.log(q / p)).sum(axis=-1), dtype=np.float64)


def psi_statistics(values: FloatArray, group: IntArray, masks: BoolArray, *, bins: int) -> FloatArray:
    """Return the index over quantile bins of the reference, for every division: float64 (1 + P,).

    Every division's bins are its own reference's: with the true one's for all, chance would look smaller than it is
    (11 false alarms in 100 at level .05, measured on two sides of 60 photographs).

    Parameters
    ----------
    values : float64 array, shape (n,)
    group : intp array, shape (n,)
        Place of each row's group in `masks`.
    bins : int
        As many, with open ends; where values repeat, some stay empty on both sides and add nothing.
    """
    found = []
    for window, rest in _cumulated(values, group, masks):
        targets = rest[:, -1:] * np.arange(1, bins) / bins
        edges = np.stack([np.searchsorted(row, some) for row, some in zip(rest, targets, strict=True)])
        found.append(psi(*(_between(counts, edges) for counts in (rest, window))))
    return np.concatenate(found)


def _between(counts: IntArray, edges: IntArray) -> FloatArray:
    """Return the counts in the bins that end at `edges`, and beyond, from cumulated counts."""
    cumulated = np.column_stack([np.take_along_axis(counts, edges, axis=1), counts[:, -1]])
    return np.diff(cumulated, axis=1, prepend=0).astype(np.float64)


def chi_square_statistics(codes: IntArray, group: IntArray, masks: BoolArray, n_codes: int) -> FloatArray:
    """Return Pearson's chi-square of division against class, for every division: float64 (1 + P,)."""
    window, rest = _counted(codes, group, masks, n_codes)
    total = window + rest
    n_window, n_rest, n_all = (np.maximum(counts.sum(axis=-1), 1.0) for counts in (window, rest, total))
    expected = total * (n_window / n_all)[:, None]
    terms = np.divide((window - expected) ** 2, total, out=np.zeros_like(expected), where=total > 0)
    return np.asarray(n_all**2 / (n_window * n_rest) * terms.sum(axis=-1), dtype=np.float64)


def share_distance(codes: IntArray, group: IntArray, masks: BoolArray, n_codes: int) -> float:
    """Return how much of the one division's class shares would have to move to give the other's, in [0, 1]."""
    window, rest = (_shares(counts[0]) for counts in _counted(codes, group, masks[:1], n_codes))
    return float(np.abs(window - rest).sum() / 2)


def mean_differences(values: FloatArray, group: IntArray, masks: BoolArray) -> FloatArray:
    """Return window's mean less the reference's, for every division: float64 (1 + P,)."""
    n_groups = masks.shape[1]
    sums, sizes = (np.bincount(group, weights, minlength=n_groups) for weights in (values, np.ones(len(values))))
    inside, rows = masks @ sums, masks @ sizes
    rest = np.maximum(sizes.sum() - rows, 1.0)  # a random window of groups without any detection has none
    return np.asarray(inside / np.maximum(rows, 1.0) - (sums.sum() - inside) / rest, dtype=np.float64)


def ks_statistics(values: FloatArray, group: IntArray, masks: BoolArray) -> FloatArray:
    """Return the largest distance of the two distribution functions, for every division: float64 (1 + P,) in [0, 1]."""
    apart = [
        window / np.maximum(window[:, -1:], 1) - rest / np.maximum(rest[:, -1:], 1)
        for window, rest in _cumulated(values, group, masks)
    ]
    return np.concatenate([np.abs(distances).max(axis=1) for distances in apart])


def _cumulated(values: FloatArray, group: IntArray, masks: BoolArray) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield, for some divisions at a time, how many rows of window and rest lie at or below each different value."""
    order = np.argsort(values, kind="stable")
    last = np.append(np.diff(values[order]) > 0, True)  # between equal values no function has a step
    below = np.arange(1, len(values) + 1)[last]
    block = max(1, BLOCK // len(values))
    for start in range(0, len(masks), block):
        inside = np.cumsum(masks[start : start + block][:, group[order]], axis=1, dtype=np.intp)[:, last]
        yield inside, below - inside


def _shares(counts: FloatArray) -> FloatArray:
    return np.asarray(counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1.0), dtype=np.float64)


def _counted(codes: IntArray, group: IntArray, masks: BoolArray, n_codes: int) -> tuple[FloatArray, FloatArray]:
    """Return the counts of codes in the window and in the rest, float64 (divisions, n_codes)."""
    n_groups = masks.shape[1]
    counts = np.bincount(group * n_codes + codes, minlength=n_groups * n_codes).reshape(n_groups, n_codes)
    window = masks.astype(np.float64) @ counts
    return window, counts.sum(axis=0) - window
