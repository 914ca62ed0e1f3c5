"""Minimise a smooth convex loss of many parameters: Newton steps that conjugate gradients solve.

A curvature of p x p numbers costs p^2 for each row, and p grows with the square of the classes. So it is never written
down: its product with a direction costs p for each row, and with an approximate inverse a few dozen products give a
step.

References
----------
Dembo and Steihaug, "Truncated-Newton algorithms for large-scale unconstrained optimization", Math. Programming 26
(1983).
"""

from collections.abc import Callable
from dataclasses import dataclass

from vouch.calibration.fit.newton import STEPS, FloatArray, damped

FALL = 1e-8  # nats that the loss can still fall where the steps end: 1 / 10,000 of what two maps must differ by
ROUGH = 0.25  # of the gradient's norm that a first step may leave; the norm itself where that is less
PRODUCTS = 500  # for one step; well-scaled ones take 10 to 100


@dataclass(frozen=True)
class Curvature:
    """The second derivative at one point, as what it does to a direction (a flat float64 array)."""

    product: Callable[[FloatArray], FloatArray]  # symmetric, positive definite
    solve_roughly: Callable[[FloatArray], FloatArray]  # likewise, and near its inverse


@dataclass(frozen=True)
class LargeLoss:
    """A convex function of a flat float64 array of many parameters."""

    value: Callable[[FloatArray], float]
    gradient: Callable[[FloatArray], FloatArray]
    curvature: Callable[[FloatArray], Curvature]


def truncated_newton(loss: LargeLoss, start: FloatArray) -> FloatArray:
    """Return parameters whose loss is within 1e-8 of the least one; deterministic."""
    weights, least = start, loss.value(start)
    for _ in range(STEPS):
        gradient = loss.gradient(weights)
        step = _conjugate_gradients(loss.curvature(weights), gradient)
        if gradient @ step <= FALL:  # twice what the loss can still fall
            break
        moved, improved = damped(loss.value, weights, step, least)
        if improved >= least:  # what is left is float noise
            break
        weights, least = moved, improved
    return weights


def _conjugate_gradients(curvature: Curvature, gradient: FloatArray) -> FloatArray:
    """Solve curvature @ step = gradient, the more exactly the smaller the gradient is."""
    step, left = 0.0 * gradient, gradient
    ahead = curvature.solve_roughly(left)
    direction, norm = ahead, float(left @ ahead)
    enough = max(norm * min(ROUGH**2, norm), FALL / 100)
    for _ in range(PRODUCTS):
        if norm <= enough:
            break
        bent = curvature.product(direction)
        length = norm / float(direction @ bent)
        step, left = step + length * direction, left - length * bent
        ahead = curvature.solve_roughly(left)
        after = float(left @ ahead)
        direction, norm = ahead + after / norm * direction, after
    return step
