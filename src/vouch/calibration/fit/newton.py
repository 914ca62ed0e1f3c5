"""Minimise a smooth convex loss of few parameters by damped Newton steps; `truncated_newton` does of many."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

STEPS = 100  # Newton reaches 1e-10 within about ten; the rest is for separable rows


@dataclass(frozen=True)
class Loss:
    """A convex function with its first two derivatives, of a flat float64 array of parameters."""

    value: Callable[[FloatArray], float]
    gradient: Callable[[FloatArray], FloatArray]
    curvature: Callable[[FloatArray], FloatArray]  # symmetric, positive definite


def newton(loss: Loss, start: FloatArray) -> FloatArray:
    """Return the parameters of the least loss by Newton steps: convex, so they reach the one minimum; deterministic."""
    weights, least = start, loss.value(start)
    for _ in range(STEPS):
        gradient = loss.gradient(weights)
        step = np.linalg.solve(loss.curvature(weights), gradient).astype(np.float64)
        if gradient @ step <= 1e-13 * max(1.0, least):  # twice what the loss can still fall
            break
        moved, improved = damped(loss.value, weights, step, least)
        if improved >= least:  # what is left is float noise
            break
        weights, least = moved, improved
    return weights


def damped(
    value: Callable[[FloatArray], float], weights: FloatArray, step: FloatArray, least: float
) -> tuple[FloatArray, float]:
    """Halve the step until the loss falls; return the old point when no step helps any more."""
    for halving in range(30):
        moved = weights - step / 2**halving
        improved = value(moved)
        if improved < least:
            return moved, improved
    return weights, least
