"""Calibration errors under weights of the groups. Bins are those of the rows: a replicate moves rows, never a bin.

Each error is a sum or maximum of magnitudes, which chance pushes up, so each measure says its noise as well.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr

from vouch.evaluation.metrics.intervals import FloatArray, IntArray, Measure
from vouch.evaluation.metrics.probabilities import truth_mask
from vouch.evaluation.metrics.ratios import Terms, ratio
from vouch.policies.apply.rows import class_names, probabilities

BINS = 15  # equal width: a constant, so that `ece` means the same for every model, side and gate


def equal_width(confidence: FloatArray, bins: int) -> npt.NDArray[np.intp]:
    """Return each row's bin among [0, 1/b), [1/b, 2/b) .. [1 - 1/b, 1]."""
    return np.minimum((confidence * bins).astype(np.intp), bins - 1)


def equal_mass(values: FloatArray, bins: int) -> npt.NDArray[np.intp]:
    """Return each row's bin among at most `bins` with about equally many rows; equal values share a bin."""
    ordered = np.sort(values)
    starts = ordered[(np.arange(1, bins) * len(ordered)) // bins] if len(ordered) else ordered
    return np.searchsorted(starts, values, side="right").astype(np.intp)


def binned(gap: FloatArray, index: npt.NDArray[np.intp], columns: int) -> Terms:
    """Return ratio terms whose sum of magnitudes is an error: each row's gap in the column of its bin, over all."""
    above = np.zeros((len(gap), columns))
    above[np.arange(len(gap)), index] = gap
    return above, np.ones(len(gap))


def calibration_terms(stated: pd.Series, correct: pd.Series, counted: pd.Series) -> Terms:
    """Return ECE's terms: confidence less correctness in the column of the row's bin, over the rows that count."""
    level = stated.to_numpy(dtype=np.float64)
    mask = counted.to_numpy(dtype=bool)
    gap = np.where(mask, level - correct.to_numpy(dtype=np.float64), 0.0)
    return binned(gap, equal_width(level, BINS), BINS)[0], mask.astype(np.float64)


def ece(rows: pd.DataFrame) -> Terms:
    """Calibrated confidence against correctness."""
    return calibration_terms(rows["confidence"], rows["correct"], rows["calibrated"])


def ece_before(rows: pd.DataFrame) -> Terms:
    """Raw score against the correctness of the raw answer."""
    return calibration_terms(rows["score"], rows["correct_before"], rows["calibrated"])


def ece_accepted(rows: pd.DataFrame) -> Terms:
    """Calibrated confidence against correctness among accepted answers."""
    return calibration_terms(rows["confidence"], rows["correct"], rows["accept"])


def ece_adaptive(rows: pd.DataFrame) -> Terms:
    """As `ece`, with bins of equally many rows; equal confidences share a bin."""
    counted = rows["calibrated"].to_numpy(dtype=bool)
    level = rows["confidence"].to_numpy(dtype=np.float64)
    above = np.zeros((len(rows), BINS))
    bins = equal_mass(level[counted], BINS)
    above[np.flatnonzero(counted), bins] = (level - rows["correct"].to_numpy(dtype=np.float64))[counted]
    return above, counted.astype(np.float64)


def ece_classwise(rows: pd.DataFrame, n_groups: int) -> Measure:
    """Return the calibration error of each class's probability (not only of the answer's), mean over classes.

    References
    ----------
    Kull et al. 2019 (arXiv:1910.12656), equation 2.
    """
    return ratio(rows, n_groups, terms=_classwise, share=True)


def _classwise(rows: pd.DataFrame) -> Terms:
    stated, truth, classes = probabilities(rows), truth_mask(rows), len(class_names(rows))
    above = np.zeros((len(rows), classes, BINS))
    for column in range(classes):
        bins = equal_width(stated[:, column], BINS)
        above[np.arange(len(rows)), column, bins] = stated[:, column] - truth[:, column]
    return above.reshape(len(rows), classes * BINS), np.full(len(rows), float(classes))


def expected_ece(
    confidence: FloatArray, index: npt.NDArray[np.intp], group: npt.NDArray[np.intp], *, correlation: float
) -> float:
    """Return the calibration error that chance alone gives a perfectly calibrated model, on average.

    Such a model is right with the probability that it says, so a bin's sum of confidence less correctness has the mean
    0 and a known variance; its mean size is that of a normal variable, and at most the sum over single rows, which is
    what counts in bins of next to no chance. Within 6 % of simulated outcomes in the tests.

    Parameters
    ----------
    confidence : float64 array, shape (n,), in [0, 1], n > 0
    index : intp array, shape (n,)
        Each row's bin, as the error in question bins it.
    group : intp array, shape (n,)
    correlation : float
        In [0, 1], of being right in two rows of a group that fall into one bin.
    """
    variance = confidence * (1 - confidence)
    cell, groups = index * (int(group.max()) + 1) + group, int(group.max()) + 1
    summed = np.bincount(cell, weights=np.sqrt(variance), minlength=groups * (int(index.max()) + 1))
    alike = (summed.reshape(-1, groups) ** 2).sum(axis=1)
    alone = np.bincount(index, weights=variance)
    size = np.sqrt(2 / np.pi * ((1 - correlation) * alone + correlation * alike))
    return float(np.minimum(size, 2 * alone).sum() / len(confidence))


def expected(
    rows: pd.DataFrame,
    correlation: float,
    *,
    stated: str,
    counted: str,
    bins: Callable[[FloatArray, int], npt.NDArray[np.intp]],
) -> float | None:
    """Return what chance alone makes of an error over the column `stated`, see `expected_ece`.

    Null where no row of the column `counted` is true.
    """
    inside = rows[rows[counted].to_numpy(dtype=bool)]
    if inside.empty:
        return None
    level, group = inside[stated].to_numpy(dtype=np.float64), inside["group_index"].to_numpy(dtype=np.intp)
    return expected_ece(level, bins(level, BINS), group, correlation=correlation)


def expected_classwise(rows: pd.DataFrame, correlation: float) -> float | None:
    """Return what chance alone makes of `ece_classwise`; null without rows."""
    if rows.empty:
        return None
    group = rows["group_index"].to_numpy(dtype=np.intp)
    classes = probabilities(rows).T
    errors = [expected_ece(each, equal_width(each, BINS), group, correlation=correlation) for each in classes]
    return float(np.mean(errors))


@dataclass(frozen=True)
class Bins:
    """Bins of some replicates, each float64 of shape (b, bins); a bin without rows has gap and accuracy 0."""

    mass: FloatArray
    gap: FloatArray
    accuracy: FloatArray

    @property
    def share(self) -> FloatArray:
        """Each bin's share of the rows, 0 everywhere for a replicate without any."""
        share: FloatArray = self.mass / np.maximum(self.mass.sum(axis=1, keepdims=True), 1.0)
        return share


def ece_debiased(rows: pd.DataFrame, n_groups: int) -> Measure:
    """Return the calibration error less what chance alone adds to each bin, not below 0.

    References
    ----------
    Kumar, Liang, Ma 2019 (arXiv:1909.10155, and its library's normal debiasing for p = 1): a bin's accuracy is noise
    around its truth with variance a(1 - a) / n, and the mean of the folded normal, here in closed form instead of 1,000
    draws, says how much that noise adds to |gap|.
    """
    return _binned(rows, n_groups, error=_debiased, apart=_mean_apart)


def mce(rows: pd.DataFrame, n_groups: int) -> Measure:
    """Return the largest |accuracy - confidence| of the bins that hold rows; one row is enough to make it."""
    return _binned(rows, n_groups, error=lambda bins: np.abs(bins.gap).max(axis=1), apart=_most_apart)


def _debiased(bins: Bins) -> FloatArray:
    deviation = np.sqrt(bins.accuracy * (1 - bins.accuracy) / np.maximum(bins.mass, 1.0))
    noise = np.maximum(deviation, 1e-300)  # no 0 / 0: a bin without noise has no bias
    height = np.abs(bins.gap)
    times = height / noise
    bell = noise * np.sqrt(2 / np.pi) * np.exp(-(np.minimum(times, 40.0) ** 2) / 2)
    folded = bell + height * (2 * ndtr(times) - 1)
    error: FloatArray = np.maximum(0.0, (bins.share * (2 * height - folded)).sum(axis=1))
    return error


def _mean_apart(bins: Bins, own: Bins) -> FloatArray:
    apart: FloatArray = np.abs(bins.share * bins.gap - own.share * own.gap).sum(axis=1)
    return apart


def _most_apart(bins: Bins, own: Bins) -> FloatArray:
    apart: FloatArray = np.where(bins.mass > 0, np.abs(bins.gap - own.gap), 0.0).max(axis=1)
    return apart


def _binned(
    rows: pd.DataFrame, n_groups: int, *, error: Callable[[Bins], FloatArray], apart: Callable[[Bins, Bins], FloatArray]
) -> Measure:
    counted = rows[rows["calibrated"].to_numpy(dtype=bool)]
    group = counted["group_index"].to_numpy(dtype=np.intp)
    stated, right = (counted[name].to_numpy(dtype=np.float64) for name in ("confidence", "correct"))
    cell = group * BINS + equal_width(stated, BINS)
    sums = [_summed(cell, weight, n_groups) for weight in (np.ones(len(stated)), stated, right)]
    bins = partial(_weighted, sums)
    own = bins(np.ones((1, n_groups), dtype=np.int32))

    def values(weights: IntArray) -> FloatArray:
        found = bins(weights)
        return np.where(found.mass.any(axis=1), error(found), np.nan)

    support = np.bincount(group, minlength=n_groups).astype(np.float64)
    return Measure(values, support, share=True, noise=lambda weights: apart(bins(weights), own))


def _summed(cell: npt.NDArray[np.intp], weight: FloatArray, n_groups: int) -> FloatArray:
    sums = np.bincount(cell, weights=weight, minlength=n_groups * BINS).astype(np.float64)
    return sums.reshape(n_groups, BINS)


def _weighted(sums: list[FloatArray], weights: IntArray) -> Bins:
    drawn = weights.astype(np.float64)
    mass, stated, right = (drawn @ part for part in sums)
    rows = np.maximum(mass, 1.0)  # whole numbers: only empty bins are changed
    return Bins(mass, (right - stated) / rows, right / rows)
