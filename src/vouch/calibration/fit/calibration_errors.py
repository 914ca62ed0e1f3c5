"""How far confidence is from being right: pure functions over confidence in [0, 1] and whether it was right.

Row weights stand for repeated rows (a bootstrap's counts), so weight 2 equals the row twice. No rows, or no weight, is
refused: an error of nothing is not 0.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr, ndtri

from vouch.errors import DataError, Problem

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.intp]
ObjectArray = npt.NDArray[np.object_]

LOG_CLIP = 1e-12  # a row that was certain and wrong costs 28 nats, not infinity


def ece(confidence: FloatArray, correct: BoolArray, *, bins: int, weights: FloatArray | None = None) -> float:
    """Return the expected calibration error: mean |accuracy - confidence| of equal-width bins, weighted by their rows.

    Parameters
    ----------
    confidence : float64 array, shape (n,), in [0, 1]
    correct : bool array, shape (n,)
    bins : int
        15 in most of the literature; the estimate rises with about sqrt(bins / n), see `debiased_ece`.
    weights : float64 array, shape (n,), >= 0, optional

    References
    ----------
    Naeini, Cooper, Hauskrecht 2015; Guo et al. 2017, equation 3.
    """
    share, gap, _, _ = _bins(confidence, correct, equal_width(confidence, bins), weights)
    return float(np.sum(share * np.abs(gap)))


def adaptive_ece(confidence: FloatArray, correct: BoolArray, *, bins: int, weights: FloatArray | None = None) -> float:
    """Return the calibration error of bins with equally many rows; equal confidences stay in one bin."""
    share, gap, _, _ = _bins(confidence, correct, equal_mass(confidence, bins), weights)
    return float(np.sum(share * np.abs(gap)))


def mce(confidence: FloatArray, correct: BoolArray, *, bins: int, weights: FloatArray | None = None) -> float:
    """Return the largest |accuracy - confidence| of equal-width bins that hold any row."""
    _, gap, _, _ = _bins(confidence, correct, equal_width(confidence, bins), weights)
    return float(np.max(np.abs(gap)))


def debiased_ece(confidence: FloatArray, correct: BoolArray, *, bins: int, weights: FloatArray | None = None) -> float:
    """Return the calibration error less the part that chance alone adds to each bin, not below 0.

    Each bin's accuracy is noise around its truth with variance a(1 - a) / n; the mean of the folded normal says how
    much that noise adds to |gap|. This is the estimator of Kumar, Liang, Ma 2019 (arXiv:1909.10155, and its library's
    normal debiasing for p = 1) with the expectation in closed form instead of 1,000 draws.
    """
    share, gap, accuracy, mass = _bins(confidence, correct, equal_width(confidence, bins), weights)
    noise = np.maximum(np.sqrt(accuracy * (1 - accuracy) / mass), 1e-300)  # no 0 / 0: a bin without noise has no bias
    ratio = np.abs(gap) / noise
    folded = noise * np.sqrt(2 / np.pi) * np.exp(-(np.minimum(ratio, 40.0) ** 2) / 2) + np.abs(gap) * (
        2 * ndtr(ratio) - 1
    )
    return max(0.0, float(np.sum(share * (2 * np.abs(gap) - folded))))


def expected_ece(confidence: FloatArray, index: IntArray, group: IntArray, *, correlation: float) -> float:
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


def classwise_ece(confidence: FloatArray, correct: BoolArray, class_pred: ObjectArray, *, bins: int) -> float:
    """Return the mean over predicted classes of each class's own ECE, so that rare classes count as much."""
    return _class_mean(class_pred, lambda mask: ece(confidence[mask], correct[mask], bins=bins))


def nll(confidence: FloatArray, correct: BoolArray, *, weights: FloatArray | None = None) -> float:
    """Return the mean log loss in nats."""
    return _mean(nll_rows(confidence, correct), weights)


def nll_rows(confidence: FloatArray, correct: BoolArray) -> FloatArray:
    """Return each row's log loss in nats, at most 27.6."""
    said = np.where(correct, confidence, 1.0 - confidence)
    losses: FloatArray = -np.log(np.clip(said, LOG_CLIP, 1.0))
    return losses


def brier(confidence: FloatArray, correct: BoolArray, *, weights: FloatArray | None = None) -> float:
    """Return the mean of (confidence - correct)^2, in [0, 1]: one term a row, not one a class."""
    return _mean(brier_rows(confidence, correct), weights)


def brier_rows(confidence: FloatArray, correct: BoolArray) -> FloatArray:
    """Return each row's (confidence - correct)^2."""
    return (confidence - correct) ** 2


def detection_ece(
    confidence: FloatArray, correct: BoolArray, feature: FloatArray, *, bins: int, feature_bins: int
) -> float:
    """Return D-ECE: |precision - confidence| of bins over confidence and one property of the box.

    A detector that is too sure of small boxes and too unsure of large ones can have a small ECE; it cannot have a
    small D-ECE over box areas.

    Parameters
    ----------
    feature : float64 array, shape (n,)
        Say the box area in pixels. Its bins hold equally many rows, because areas spread over decades.

    References
    ----------
    Küppers et al., CVPR workshops 2020, equation 5 (there with equal widths).
    """
    cell = equal_width(confidence, bins) * feature_bins + equal_mass(feature, feature_bins)
    share, gap, _, _ = _bins(confidence, correct, cell, None)
    return float(np.sum(share * np.abs(gap)))


def laece0(confidence: FloatArray, iou: FloatArray, class_pred: ObjectArray, *, bins: int) -> float:
    """Return LaECE_0: confidence against localisation quality, |mean confidence - mean IoU| of bins, then class mean.

    Parameters
    ----------
    iou : float64 array, shape (n,), in [0, 1]
        IoU of a true positive at threshold 0, 0 for a false alarm: see `overlap_at_zero`.
    bins : int
        25 in the paper.

    References
    ----------
    Kuzucu, Oksuz, Sadeghi, Dokania, "On Calibration of Object Detectors", ECCV 2024 (arXiv:2405.20459). Written from
    the definition; the authors' code carries a non-commercial licence and was not used.
    """

    def of_class(mask: BoolArray) -> float:
        share, gap, _, _ = _bins(confidence[mask], iou[mask], equal_width(confidence[mask], bins), None)
        return float(np.sum(share * np.abs(gap)))

    return _class_mean(class_pred, of_class)


def laace0(confidence: FloatArray, iou: FloatArray, class_pred: ObjectArray) -> float:
    """Return LaACE_0: the mean over classes of the mean |IoU - confidence| of single detections (same reference)."""
    return _class_mean(class_pred, lambda mask: float(np.mean(np.abs(iou[mask] - confidence[mask]))))


def overlap_at_zero(iou: FloatArray, correct: BoolArray) -> FloatArray:
    """Return the IoU that a detection has as a true positive at threshold 0, from rows matched at .50.

    Rows at .50 say which truth a detection overlaps best, not whether another one has taken it. A wrong detection with
    an IoU of .50 or more lost its truth to a better one and counts 0; one below .50 counts its IoU, so a loose double
    counts as a loose hit. Matching again at 0 would need the truths' boxes, which rows do not carry.
    """
    return np.where(correct | (iou < 0.5), iou, 0.0)


def reliability_table(confidence: FloatArray, correct: BoolArray, *, bins: int) -> pd.DataFrame:
    """Return one row for each equal-width bin that holds rows, with a 95 % Wilson interval of its accuracy.

    Returns
    -------
    table
        `bin_low`, `bin_high`, `n`, `confidence` (mean), `accuracy`, `low`, `high`. Empty when there are no rows.
    """
    index = equal_width(confidence, bins)
    filled, inverse, n = np.unique(index, return_inverse=True, return_counts=True)
    accuracy = np.bincount(inverse, weights=correct, minlength=len(filled)) / n
    low, high = wilson(accuracy, n)
    return pd.DataFrame(
        {
            "bin_low": filled / bins,
            "bin_high": (filled + 1) / bins,
            "n": n,
            "confidence": np.bincount(inverse, weights=confidence, minlength=len(filled)) / n,
            "accuracy": accuracy,
            "low": low,
            "high": high,
        }
    )


def wilson(share: FloatArray, n: npt.NDArray[np.integer]) -> tuple[FloatArray, FloatArray]:
    """Return the ends of the 95 % Wilson score interval of a share of n independent rows."""
    z = ndtri(0.975)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return np.clip(centre - half, 0.0, 1.0), np.clip(centre + half, 0.0, 1.0)


def equal_width(confidence: FloatArray, bins: int) -> IntArray:
    """Return each row's bin among [0, 1/b), [1/b, 2/b) .. [1 - 1/b, 1]."""
    return np.minimum((confidence * bins).astype(np.intp), bins - 1)


def equal_mass(values: FloatArray, bins: int) -> IntArray:
    """Return each row's bin among at most `bins` with about equally many rows; equal values share a bin."""
    ordered = np.sort(values)
    starts = ordered[(np.arange(1, bins) * len(ordered)) // bins] if len(ordered) else ordered
    return np.searchsorted(starts, values, side="right").astype(np.intp)


def _bins(
    confidence: FloatArray, target: FloatArray | BoolArray, index: IntArray, weights: FloatArray | None
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return of each bin with weight: share of weight, mean target - mean confidence, mean target, weight."""
    weight = np.ones(len(confidence)) if weights is None else weights
    _check_weight(weight)
    mass: FloatArray = np.bincount(index, weights=weight).astype(np.float64)
    filled = mass > 0
    mass_filled = mass[filled]
    mean_target = np.bincount(index, weights=weight * target)[filled] / mass_filled
    mean_confidence = np.bincount(index, weights=weight * confidence)[filled] / mass_filled
    return mass_filled / mass_filled.sum(), mean_target - mean_confidence, mean_target, mass_filled


def _mean(values: FloatArray, weights: FloatArray | None) -> float:
    weight = np.ones(len(values)) if weights is None else weights
    _check_weight(weight)
    return float(np.sum(weight * values) / np.sum(weight))


def _class_mean(class_pred: ObjectArray, error: Callable[[BoolArray], float]) -> float:
    codes, names = pd.factorize(class_pred)
    _check_weight(np.ones(len(names)))
    return float(np.mean([error(codes == code) for code in range(len(names))]))


def _check_weight(weight: FloatArray) -> None:
    if not weight.sum() > 0:
        remedy = "leave this stratum out, or collect rows for it"
        raise DataError([Problem("calibration error", "rows with weight", f"{len(weight)} rows without", remedy)])
