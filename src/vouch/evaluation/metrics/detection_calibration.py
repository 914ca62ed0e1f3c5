"""Calibration errors of detections: over box sizes, against overlap, and with each predicted class counting as much."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from vouch.evaluation.metrics.calibration_error import BINS, binned, equal_mass, equal_width
from vouch.evaluation.metrics.intervals import FloatArray, IntArray, Measure
from vouch.evaluation.metrics.ratios import Terms, ratio

LAECE_BINS = 25  # the paper's; its figures can be compared only at the same number
AREA_BINS = 3  # small, medium and large thirds of the boxes


def d_ece(rows: pd.DataFrame) -> Terms:
    """Calibrated confidence against correctness, in bins of confidence and box area.

    A detector that is too sure of small boxes and too unsure of large ones can have a small ECE; it cannot have a small
    D-ECE. Bins of the area hold equally many rows, because areas spread over decades.

    References
    ----------
    Küppers et al., CVPR workshops 2020, equation 5 (there with equal widths).
    """
    area_px = ((rows["x2"] - rows["x1"]) * (rows["y2"] - rows["y1"])).to_numpy(dtype=np.float64)
    level = _confidence(rows)
    cell = equal_width(level, BINS) * AREA_BINS + equal_mass(area_px, AREA_BINS)
    return binned(level - rows["correct"].to_numpy(dtype=np.float64), cell, BINS * AREA_BINS)


def ece_class_mean(rows: pd.DataFrame, n_groups: int) -> Measure:
    """Return the mean over predicted classes of each class's own ECE, so that rare classes count as much."""
    return _class_mean(rows, n_groups, terms=_ece, share=True)


def laece0(rows: pd.DataFrame, n_groups: int) -> Measure:
    """Return LaECE_0: confidence against localisation quality, |mean confidence - mean IoU| of bins, then class mean.

    References
    ----------
    Kuzucu, Oksuz, Sadeghi, Dokania, "On Calibration of Object Detectors", ECCV 2024 (arXiv:2405.20459). Written from
    the definition; the authors' code carries a non-commercial licence and was not used.
    """
    return _class_mean(rows, n_groups, terms=_laece, share=True)


def laace0(rows: pd.DataFrame, n_groups: int) -> Measure:
    """Return LaACE_0: the mean over classes of the mean |IoU - confidence| of single detections (same reference)."""
    return _class_mean(rows, n_groups, terms=_laace, share=False)


def _ece(rows: pd.DataFrame) -> Terms:
    level = _confidence(rows)
    return binned(level - rows["correct"].to_numpy(dtype=np.float64), equal_width(level, BINS), BINS)


def _laece(rows: pd.DataFrame) -> Terms:
    level = _confidence(rows)
    return binned(level - overlap_at_zero(rows), equal_width(level, LAECE_BINS), LAECE_BINS)


def _laace(rows: pd.DataFrame) -> Terms:
    return np.abs(_confidence(rows) - overlap_at_zero(rows)), np.ones(len(rows))


def overlap_at_zero(rows: pd.DataFrame) -> FloatArray:
    """Return the IoU that a detection has as a true positive at threshold 0, from rows matched at .50; 0 for none.

    Rows at .50 say which truth a detection overlaps best, not whether another one has taken it. A wrong detection with
    an IoU of .50 or more lost its truth to a better one and counts 0; one below .50 counts its IoU, so a loose double
    counts as a loose hit. Matching again at 0 would need the truths' boxes, which rows do not carry.
    """
    iou = rows["iou"].to_numpy(dtype=np.float64)
    return np.where(rows["correct"].to_numpy(dtype=bool) | (iou < 0.5), iou, 0.0)


def _confidence(rows: pd.DataFrame) -> FloatArray:
    return rows["confidence"].to_numpy(dtype=np.float64)


def _class_mean(rows: pd.DataFrame, n_groups: int, *, terms: Callable[[pd.DataFrame], Terms], share: bool) -> Measure:
    """Return the mean of a ratio over the predicted classes; NaN under weights that leave out all of a class."""
    parts = [ratio(of_class, n_groups, terms=terms, share=share) for _, of_class in rows.groupby("class_pred")]

    def values(weights: IntArray) -> FloatArray:
        found = [part.values(weights) for part in parts] or [np.full(len(weights), np.nan)]
        means: FloatArray = np.mean(found, axis=0)
        return means

    support = np.bincount(rows["group_index"].to_numpy(dtype=np.intp), minlength=n_groups).astype(np.float64)
    return Measure(values, support, share=share)
