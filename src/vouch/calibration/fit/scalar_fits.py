"""Learn scalar calibration maps from scores and whether they were right, by maximum likelihood.

Every fit is deterministic and returns a map that does not fall: a map that turned scores round would change which
detection wins, so a negative slope is set to zero instead (the score then says nothing, and neither does the map).
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression

from vouch.calibration.apply.scalar_maps import FloatArray, Map, log_odds_parts, logit, sigmoid
from vouch.calibration.fit.newton import Loss, newton

BoolArray = npt.NDArray[np.bool_]

RIDGE = 1e-6  # of the summed loss: finite coefficients where the rows are separable, else under 1e-6 of a coefficient
LOG_SCALE = 8.0  # temperatures between exp(-8) and exp(8)


def fit_identity(score: FloatArray, correct: BoolArray) -> Map:
    """Return the map that leaves scores as they are: the honest answer when nothing better can be learned."""
    return {"method": "identity"}


def fit_temperature(score: FloatArray, correct: BoolArray) -> Map:
    """Return sigma(logit(s) / T), T by bisection of the log loss's derivative in ln(1/T) (Guo et al. 2017).

    Parameters
    ----------
    score : float64 array, shape (n,), in [0, 1]
    correct : bool array, shape (n,)
    """
    odds, low, high = logit(score), -LOG_SCALE, LOG_SCALE
    for _ in range(40):  # 16 / 2^40 is 1e-11 of the temperature
        middle = (low + high) / 2
        slope = float(np.mean(odds * (sigmoid(np.exp(middle) * odds) - correct)))
        low, high = (middle, high) if slope < 0 else (low, middle)
    return {"method": "temperature", "temperature": float(np.exp(-(low + high) / 2))}


def fit_platt(score: FloatArray, correct: BoolArray) -> Map:
    """Return sigma(a logit(s) + b) with Platt's smoothed targets (Platt 1999; Lin, Lin, Weng 2007), a >= 0.

    The feature is the logit of the score, not the score: a detector's score is a sigmoid already, so the identity
    lies in the family (a = 1, b = 0).
    """
    right = float(correct.sum())
    wrong = len(correct) - right
    target = np.where(correct, (right + 1) / (right + 2), 1 / (wrong + 2))
    slope, intercept = _logistic(logit(score)[:, None], target)
    return {"method": "platt", "slope": slope, "intercept": intercept}


def fit_beta(score: FloatArray, correct: BoolArray) -> Map:
    """Return sigma(a ln(s) - b ln(1 - s) + c), a >= 0 and b >= 0 (Kull, Silva Filho, Flach 2017, algorithm 1)."""
    a, b, c = _logistic(np.stack(log_odds_parts(score), axis=1), correct.astype(np.float64))
    return {"method": "beta", "a": a, "b": b, "c": c}


def fit_isotonic(score: FloatArray, correct: BoolArray) -> Map:
    """Return the non-decreasing steps of least squares (pool adjacent violators), linear between them.

    Values are kept in [1 / (n + 2), 1 - 1 / (n + 2)], so that no later row can meet an infinite loss.
    """
    values, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    shares = np.bincount(inverse, weights=correct) / counts
    levels = isotonic_regression(shares, weights=counts.astype(np.float64)).x
    margin = 1.0 / (len(score) + 2)
    levels = np.clip(levels, margin, 1.0 - margin)
    changes = np.diff(levels) > 0
    ends = np.concatenate([[True], changes]) | np.concatenate([changes, [True]])  # first and last score of each step
    return {"method": "isotonic", "scores": values[ends].tolist(), "confidences": levels[ends].tolist()}


FITS: dict[str, Callable[[FloatArray, BoolArray], Map]] = {
    "identity": fit_identity,
    "temperature": fit_temperature,
    "platt": fit_platt,
    "beta": fit_beta,
    "isotonic": fit_isotonic,
}


def _logistic(features: FloatArray, target: FloatArray) -> list[float]:
    """Fit slopes >= 0 and an intercept: a feature whose slope turns out negative is dropped and the rest refitted."""
    kept = list(range(features.shape[1]))
    while True:
        fitted = _newton(np.column_stack([features[:, kept], np.ones(len(target))]), target)
        negative = [index for index, slope in zip(kept, fitted[:-1], strict=True) if slope < 0]
        if not negative:
            break
        worst = min(negative, key=lambda index: fitted[kept.index(index)])
        kept.remove(worst)
    slopes = dict(zip(kept, fitted[:-1], strict=True))
    return [float(slopes.get(index, 0.0)) for index in range(features.shape[1])] + [float(fitted[-1])]


def _newton(design: FloatArray, target: FloatArray) -> FloatArray:
    """Minimise the summed log loss plus a tiny ridge."""

    def gradient(weights: FloatArray) -> FloatArray:
        return design.T @ (sigmoid(design @ weights) - target) + RIDGE * weights

    def curvature(weights: FloatArray) -> FloatArray:
        probability = sigmoid(design @ weights)
        return (design.T * (probability * (1 - probability))) @ design + RIDGE * np.eye(len(weights))

    return newton(Loss(lambda weights: _loss(design, target, weights), gradient, curvature), np.zeros(design.shape[1]))


def _loss(design: FloatArray, target: FloatArray, weights: FloatArray) -> float:
    odds = design @ weights
    return float(np.sum(np.logaddexp(0.0, odds) - target * odds) + RIDGE / 2 * weights @ weights)
