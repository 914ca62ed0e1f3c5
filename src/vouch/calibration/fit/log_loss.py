"""The loss by which calibration maps are chosen: a proper score, which no map lowers by saying less."""

import numpy as np
import numpy.typing as npt

from vouch.calibration.apply.probabilities import FloatArray, IntArray

LOG_CLIP = 1e-12  # a row that was certain and wrong costs 28 nats, not infinity


def log_loss(confidence: FloatArray, correct: npt.NDArray[np.bool_]) -> float:
    """Return the mean log loss in nats, each row's at most 27.6.

    Parameters
    ----------
    confidence : float64 array, shape (n,), in [0, 1], n > 0
    correct : bool array, shape (n,)
    """
    said = np.where(correct, confidence, 1.0 - confidence)
    return float(np.mean(-np.log(np.clip(said, LOG_CLIP, 1.0))))


def log_loss_of_classes(probability: FloatArray, truth: IntArray) -> float:
    """Return the mean log loss of the true class in nats, each row's at most 27.6.

    Parameters
    ----------
    probability : float64 array, shape (n, classes), rows sum to one, n > 0
    truth : intp array, shape (n,), in [0, classes)
    """
    said = probability[np.arange(len(truth)), truth]
    return float(-np.mean(np.log(np.clip(said, LOG_CLIP, 1.0))))
