"""Scalar calibration maps: a raw score in [0, 1] becomes a confidence in [0, 1], order kept.

A map is a plain dict, readable in calibrator.json: {"method": "beta", "a": 1.2, "b": 0.7, "c": -0.4}.
This module applies maps and needs numpy alone; `scalar_fits` learns them.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Map = dict[str, Any]

# Free parameters, to break ties between methods; isotonic has one for each step, so it comes last.
PARAMETERS = {"identity": 0, "temperature": 1, "platt": 2, "beta": 3, "isotonic": 1_000_000}
CLIP = 1e-7  # a float32 sigmoid saturates at 1 - 6e-8, so nothing finer can be told apart


def apply_map(curve: Mapping[str, Any], score: FloatArray) -> FloatArray:
    """Return confidences for scores, non-decreasing in the score.

    Parameters
    ----------
    curve : mapping
        `method` and that method's coefficients, as `scalar_fits` returns them.
    score : float64 array, shape (n,), in [0, 1]

    Returns
    -------
    float64 array, shape (n,), in [0, 1]
    """
    return _APPLY[curve["method"]](curve, np.asarray(score, dtype=np.float64))


def logit(score: FloatArray) -> FloatArray:
    """Return ln(s / (1 - s)) of scores clipped to [1e-7, 1 - 1e-7]."""
    positive, negative = log_odds_parts(score)
    return positive + negative


def log_odds_parts(score: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return ln(s) and -ln(1 - s) of clipped scores: the two features of beta calibration, whose sum is the logit."""
    clipped = np.clip(score, CLIP, 1.0 - CLIP)
    return np.log(clipped), -np.log1p(-clipped)


def sigmoid(odds: FloatArray) -> FloatArray:
    """Return 1 / (1 + exp(-x)) without overflow."""
    small = np.exp(-np.abs(odds))
    return np.where(odds >= 0, 1.0, small) / (1.0 + small)


def _identity(curve: Mapping[str, Any], score: FloatArray) -> FloatArray:
    return score.copy()


def _temperature(curve: Mapping[str, Any], score: FloatArray) -> FloatArray:
    return sigmoid(logit(score) / curve["temperature"])


def _platt(curve: Mapping[str, Any], score: FloatArray) -> FloatArray:
    return sigmoid(curve["slope"] * logit(score) + curve["intercept"])


def _beta(curve: Mapping[str, Any], score: FloatArray) -> FloatArray:
    positive, negative = log_odds_parts(score)
    return sigmoid(curve["a"] * positive + curve["b"] * negative + curve["c"])


def _isotonic(curve: Mapping[str, Any], score: FloatArray) -> FloatArray:
    steps: FloatArray = np.interp(score, curve["scores"], curve["confidences"])
    return steps


_APPLY: dict[str, Callable[[Mapping[str, Any], FloatArray], FloatArray]] = {
    "identity": _identity,
    "temperature": _temperature,
    "platt": _platt,
    "beta": _beta,
    "isotonic": _isotonic,
}
