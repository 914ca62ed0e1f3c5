"""Minimise a smooth convex loss: damped Newton steps where the curvature is small enough to solve, L-BFGS beyond."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

FloatArray = npt.NDArray[np.float64]

STEPS = 100  # Newton reaches 1e-10 within about ten; the rest is for separable rows
NEWTON_LIMIT = 300  # parameters: a curvature of 300 x 300 over 20,000 rows takes 0.2 s, and grows with the square


@dataclass(frozen=True)
class Loss:
    """A convex function with its first two derivatives, of a flat float64 array of parameters."""

    value: Callable[[FloatArray], float]
    gradient: Callable[[FloatArray], FloatArray]
    curvature: Callable[[FloatArray], FloatArray]  # symmetric, positive definite


def minimise(loss: Loss, start: FloatArray) -> FloatArray:
    """Return the parameters of the least loss; deterministic, and independent of the start but for rounding."""
    if len(start) > NEWTON_LIMIT:
        limits: Any = {"maxiter": 10_000, "maxfun": 20_000, "ftol": 1e-13, "gtol": 1e-9}
        return np.asarray(minimize(loss.value, start, jac=loss.gradient, method="L-BFGS-B", options=limits).x)
    return newton(loss, start)


def newton(loss: Loss, start: FloatArray) -> FloatArray:
    """Take Newton steps, halved until the loss falls: convex, so they reach the one minimum."""
    weights, least = start, loss.value(start)
    for _ in range(STEPS):
        gradient = loss.gradient(weights)
        step = np.linalg.solve(loss.curvature(weights), gradient).astype(np.float64)
        if gradient @ step <= 1e-13 * max(1.0, least):  # twice what the loss can still fall
            break
        moved, improved = _damped(loss, weights, step, least)
        if improved >= least:  # what is left is float noise
            break
        weights, least = moved, improved
    return weights


def _damped(loss: Loss, weights: FloatArray, step: FloatArray, least: float) -> tuple[FloatArray, float]:
    """Halve the step until the loss falls; return the old point when no step helps any more."""
    for halving in range(30):
        moved = weights - step / 2**halving
        improved = loss.value(moved)
        if improved < least:
            return moved, improved
    return weights, least
