import numpy as np
import pytest

from vouch.calibration.fit.truncated_newton import Curvature, LargeLoss, truncated_newton


def test_the_minimum_of_a_badly_scaled_quadratic_is_found() -> None:
    scales, goal = np.geomspace(1e-4, 1e4, 400), np.linspace(-1, 1, 400)
    loss = LargeLoss(
        lambda x: float(scales @ (x - goal) ** 2) / 2,
        lambda x: scales * (x - goal),
        lambda x: Curvature(lambda step: scales * step, lambda step: step / np.sqrt(scales)),
    )
    found = truncated_newton(loss, np.zeros(400))
    assert loss.value(found) <= 1e-9


def test_a_step_that_overshoots_is_halved() -> None:
    # Newton alone diverges on sqrt(1 + x^2) from |x| > 1
    loss = LargeLoss(
        lambda x: float(np.sqrt(1 + x[0] ** 2)),
        lambda x: x / np.sqrt(1 + x**2),
        lambda x: Curvature(lambda step: step * (1 + x**2) ** -1.5, lambda step: step),
    )
    assert truncated_newton(loss, np.array([5.0])) == pytest.approx([0.0], abs=1e-4)
