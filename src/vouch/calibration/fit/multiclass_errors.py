"""How far probabilities of several classes are from the truth: pure functions over (n, classes) and labels."""

import numpy as np

from vouch.calibration.apply.probabilities import FloatArray, IntArray
from vouch.calibration.fit.calibration_errors import LOG_CLIP, ece


def nll(probability: FloatArray, truth: IntArray) -> float:
    """Return the mean log loss in nats, each row's at most 27.6.

    Parameters
    ----------
    probability : float64 array, shape (n, classes), rows sum to one
    truth : intp array, shape (n,), in [0, classes)
    """
    said = probability[np.arange(len(truth)), truth]
    return float(-np.mean(np.log(np.clip(said, LOG_CLIP, 1.0))))


def brier(probability: FloatArray, truth: IntArray) -> float:
    """Return the mean of sum_k (p_k - y_k)^2, in [0, 2]: of two classes twice the scalar score."""
    return float(np.mean(np.sum((probability - _one_hot(probability, truth)) ** 2, axis=1)))


def classwise_ece(probability: FloatArray, truth: IntArray, *, bins: int) -> float:
    """Return 1/K sum_k of the calibration error of class k's probability, over all rows (Kull et al. 2019)."""
    right = _one_hot(probability, truth) == 1.0
    return float(np.mean([ece(probability[:, k], right[:, k], bins=bins) for k in range(probability.shape[1])]))


def _one_hot(probability: FloatArray, truth: IntArray) -> FloatArray:
    return np.eye(probability.shape[1])[truth]
