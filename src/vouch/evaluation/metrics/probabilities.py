"""Metrics of probabilities: log loss and Brier score, of classes and of confidence, and sizes of prediction sets."""

import numpy as np
import pandas as pd

from vouch.calibration.apply.probabilities import labels
from vouch.evaluation.metrics.intervals import FloatArray
from vouch.evaluation.metrics.ratios import Terms
from vouch.policies.apply.rows import class_names, probabilities

CERTAIN = 1e-12  # a class that was ruled out and is there costs 27.6 nats, not infinity


def truth_mask(rows: pd.DataFrame) -> FloatArray:
    """Return 1 in the column of each row's true class, float64 of shape (n, classes)."""
    names = class_names(rows)
    found: FloatArray = np.equal(labels(rows, names)[:, None], np.arange(len(names))).astype(np.float64)
    return found


def nll(rows: pd.DataFrame) -> Terms:
    """Each row's -ln of the probability of its true class, in nats, at most 27.6."""
    said = (probabilities(rows) * truth_mask(rows)).sum(axis=1)
    return -np.log(np.clip(said, CERTAIN, 1.0)), np.ones(len(rows))


def brier(rows: pd.DataFrame) -> Terms:
    """Each row's squared distance from the truth *summed* over the classes, in [0, 2] (Brier 1950).

    For two classes that is twice the one-column score of scikit-learn's default; some authors divide by the number of
    classes.
    """
    squares: FloatArray = ((probabilities(rows) - truth_mask(rows)) ** 2).sum(axis=1)
    return squares, np.ones(len(rows))


def nll_confidence(rows: pd.DataFrame) -> Terms:
    """Each row's -ln of the probability that its confidence gives to what is so, right or wrong, at most 27.6."""
    level = rows["confidence"].to_numpy(dtype=np.float64)
    said = np.where(rows["correct"].to_numpy(dtype=bool), level, 1.0 - level)
    return -np.log(np.clip(said, CERTAIN, 1.0)), np.ones(len(rows))


def brier_confidence(rows: pd.DataFrame) -> Terms:
    """Each row's (confidence - correct)^2, in [0, 1]: one term for a row, not one for each class."""
    gap = rows["confidence"].to_numpy(dtype=np.float64) - rows["correct"].to_numpy(dtype=np.float64)
    squares: FloatArray = gap**2
    return squares, np.ones(len(rows))


def set_size(rows: pd.DataFrame) -> Terms:
    """Classes in the prediction set of each row that the policy selected, whether or not it exits."""
    chosen = rows["selected"].to_numpy(dtype=np.float64)
    return rows["set_size"].to_numpy(dtype=np.float64) * chosen, chosen


def set_size_all(rows: pd.DataFrame) -> Terms:
    """Classes in the prediction set of each row; one that was not selected leaves every class open."""
    return rows["set_size"].to_numpy(dtype=np.float64), np.ones(len(rows))
