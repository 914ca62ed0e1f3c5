"""Two sets of embeddings compared: principal directions, the kernel distance, and whether a classifier tells them.

Everything that is learned (directions, scale, bandwidth) is learned from both sets together, so that under no drift the
window's groups and the reference's stay exchangeable.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist, pdist
from scipy.special import expit
from scipy.stats import rankdata, t

from vouch.drift.permutation import BoolArray, FloatArray, IntArray, group_permutations
from vouch.evaluation.metrics.intervals import clopper_pearson_end

SELF_SPLIT = 0.95  # percentile of the reference's splits against itself that the kernel distance is measured by
STEPS = 15  # of a logistic regression: areas are then within .005 of the converged ones


@dataclass(frozen=True)
class Kernel:
    """The kernel distance of every division, (1 + P,), and the first in units of what parts of the reference have."""

    statistics: FloatArray
    ratio: float


@dataclass(frozen=True)
class Told:
    """How well a classifier tells the sets apart on groups that it was not fitted on.

    `areas` float64 (1 + P,) under the ROC curve, of every division; `low` and `high` the interval of the first; `seen`
    float64 (n,) the log odds of being the window's, of each row.
    """

    areas: FloatArray
    low: float
    high: float
    seen: FloatArray


def directions(embeddings: FloatArray, *, most: int) -> tuple[FloatArray, FloatArray]:
    """Return rows along their principal directions, standardised, and the share of variance that each holds.

    Parameters
    ----------
    embeddings : float64 array, shape (n, d)
    most : int
        Directions kept; fewer where d, n - 1 or the rank is less.

    Returns
    -------
    scores : float64 array, shape (n, k), mean 0, variance 1
    shares : float64 array, shape (k,), descending
    """
    centred = embeddings - embeddings.mean(axis=0)
    variance, axes = np.linalg.eigh(centred.T @ centred / len(centred))
    variance, axes = variance[::-1], axes[:, ::-1]
    kept = min(most, len(centred) - 1, int(np.count_nonzero(variance > 1e-10 * max(variance[0], 1e-300))))
    largest = np.abs(axes).argmax(axis=0)
    axes = axes * np.sign(axes[largest, np.arange(axes.shape[1])])  # else the sign would be the solver's
    scores = centred @ axes[:, :kept] / np.sqrt(variance[:kept])
    return scores, variance[:kept] / max(variance.sum(), 1e-300)


def kernel_distance(embeddings: FloatArray, group: IntArray, masks: BoolArray, *, rng: np.random.Generator) -> Kernel:
    """Return the squared maximum mean discrepancy (Gretton et al. 2012) of every division of the groups.

    RBF kernel, bandwidth the median distance. Pairs within one group are left out, as a row's pair with itself is: what
    is left is unbiased for clustered rows too. The kernel is summed by group once, so a division costs one product.

    Parameters
    ----------
    embeddings : float64 array, shape (n, d)
    group : intp array, shape (n,)
        Place of each row's group in `masks`.
    masks : bool array, shape (1 + P, g)
        From `group_permutations`.
    """
    n_reference, n_window = int((~masks[0]).sum()), int(masks[0].sum())
    sums, sizes = _by_group(_kernel(embeddings), group, masks.shape[1])
    statistics = discrepancies(sums, sizes, masks)
    part = max(1, min(n_window, n_reference // 2))
    halves = group_permutations(n_reference - part, part, permutations=len(masks) - 1, rng=rng)[1:]
    alone = discrepancies(sums[:n_reference, :n_reference], sizes[:n_reference], halves)
    return Kernel(statistics, float(statistics[0] / max(np.quantile(alone, SELF_SPLIT), 1e-12)))


def discrepancies(sums: FloatArray, sizes: FloatArray, masks: BoolArray) -> FloatArray:
    """Return mean k(window, window) + mean k(rest, rest) - 2 mean k(window, rest) over pairs of different groups.

    Parameters
    ----------
    sums : float64 array, shape (g, g), kernel summed over the pairs of two groups, 0 on the diagonal
    sizes : float64 array, shape (g,), rows of each group
    masks : bool array, shape (b, g), two groups or more on either side
    """
    inside = masks.astype(np.float64)
    outside = 1.0 - inside
    products = inside @ sums
    within, between = (products * inside).sum(axis=1), (products * outside).sum(axis=1)
    apart = sums.sum() - within - 2 * between
    rows_in, rows_out = inside @ sizes, outside @ sizes
    pairs_in, pairs_out = rows_in**2 - inside @ sizes**2, rows_out**2 - outside @ sizes**2
    return np.asarray(within / pairs_in + apart / pairs_out - 2 * between / (rows_in * rows_out), dtype=np.float64)


def _kernel(embeddings: FloatArray) -> FloatArray:
    width = float(np.median(pdist(embeddings)))
    return np.exp(-cdist(embeddings, embeddings, "sqeuclidean") / (2 * max(width, 1e-12) ** 2))


def _by_group(kernel: FloatArray, group: IntArray, n_groups: int) -> tuple[FloatArray, FloatArray]:
    member = np.zeros((n_groups, len(group)))
    member[group, np.arange(len(group))] = 1.0
    sums = member @ kernel @ member.T
    np.fill_diagonal(sums, 0.0)
    return sums, member.sum(axis=1)


def classifier_two_sample_test(
    rows: FloatArray, group: IntArray, masks: BoolArray, *, folds: int, level: float, rng: np.random.Generator
) -> Told:
    """Return how well a logistic regression on other groups tells the window's rows (Lopez-Paz, Oquab 2016).

    Parameters
    ----------
    rows : float64 array, shape (n, d), standardised
    group : intp array, shape (n,)
        Place of each row's group in `masks`.
    masks : bool array, shape (1 + P, g)
        From `group_permutations`: the classifier is fitted for every division, since out-of-fold areas vary more under
        chance than the rows or groups of one fit would say.
    folds : int
        Of whole groups, the same for every division.
    level : float
        Of the interval, say .95.
    """
    fold = rng.permutation(np.arange(masks.shape[1]) % folds)[group]
    new = masks[:, group].T.astype(np.float64)
    seen = np.empty_like(new)
    for number in range(folds):
        within = fold != number
        seen[~within] = with_one(rows[~within]) @ logistic(rows[within], new[within])
    ranks = rankdata(seen, axis=0)
    counts = new.sum(axis=0)
    areas = ((ranks * new).sum(axis=0) - counts * (counts + 1) / 2) / (counts * (len(rows) - counts))
    low, high = interval_of_groups(seen[:, 0], masks[0][group], group, level=level)
    return Told(areas, low, high, seen[:, 0])


def logistic(rows: FloatArray, labels: FloatArray) -> FloatArray:
    """Return ridge logistic regressions (C = 1, intercept free) of many labellings: weights, the intercept last.

    Newton's steps with a quarter of the rows' moments in place of the curvature, which they bound (Böhning, Lindsay
    1988): one matrix serves every labelling and step. The direction settles first, and an area needs no more.

    Parameters
    ----------
    rows : float64 array, shape (n, d)
    labels : float64 array, shape (n, b), 0 or 1

    Returns
    -------
    float64 array, shape (d + 1, b)
    """
    inputs = with_one(rows)
    ridge = np.append(np.ones(rows.shape[1]), 0.0)[:, None]
    steps = np.linalg.inv(inputs.T @ inputs / 4 + np.diag(ridge[:, 0]))
    weights = np.zeros((inputs.shape[1], labels.shape[1]))
    for _ in range(STEPS):
        weights -= steps @ (inputs.T @ (expit(inputs @ weights) - labels) + ridge * weights)
    return weights


def with_one(rows: FloatArray) -> FloatArray:
    """Return the rows with a last column of ones."""
    return np.column_stack([rows, np.ones(len(rows))])


def interval_of_groups(score: FloatArray, new: BoolArray, group: IntArray, *, level: float) -> tuple[float, float]:
    """Return the interval of the area under the ROC curve of scores that are given.

    The variance counts groups, not rows (Obuchowski 1997, "Nonparametric analysis of clustered ROC curve data"), and t
    has as many degrees of freedom as the side with fewer groups allows.
    """
    ranks = rankdata(score)
    n_new, n_old = int(new.sum()), int((~new).sum())
    above_old = (ranks[new] - rankdata(score[new])) / n_old  # of each new row, the share of old ones below it
    below_new = (n_new - (ranks[~new] - rankdata(score[~new]))) / n_new
    auc = float(above_old.mean())
    sides = ((above_old, group[new]), (below_new, group[~new]))
    spread = float(np.sqrt(sum(_variance(values, of, auc) for values, of in sides)))
    fewest = min(len(np.unique(of)) for _, of in sides)
    if auc in (0.0, 1.0):
        return clopper_pearson_end(auc, fewest, level=level)
    reach = float(t.isf((1 - level) / 2, fewest - 1)) * spread
    return max(0.0, auc - reach), min(1.0, auc + reach)


def _variance(values: FloatArray, group: IntArray, auc: float) -> float:
    """Return the variance of the mean of placements, from the sums over groups."""
    _, place = np.unique(group, return_inverse=True)
    sums = np.bincount(place, values - auc)
    return float(len(sums) / (len(sums) - 1) * (sums**2).sum() / len(values) ** 2)
