import numpy as np
import pytest

from vouch.calibration.fit import newton as n


def test_the_minimum_of_a_quadratic_is_found() -> None:
    root = np.random.default_rng(0).normal(size=(300, 300)) / 300**0.5 + np.eye(300)
    bent, goal = root @ root.T + np.eye(300), np.linspace(-1, 1, 300)
    loss = n.Loss(lambda x: float((x - goal) @ bent @ (x - goal)), lambda x: 2 * bent @ (x - goal), lambda x: 2 * bent)
    assert n.newton(loss, np.zeros(300)) == pytest.approx(goal, abs=1e-5)


def test_a_step_that_overshoots_is_halved() -> None:
    # Newton alone diverges on sqrt(1 + x^2) from |x| > 1
    loss = n.Loss(
        lambda x: float(np.sqrt(1 + x[0] ** 2)),
        lambda x: x / np.sqrt(1 + x**2),
        lambda x: np.diag((1 + x**2) ** -1.5),
    )
    assert n.newton(loss, np.array([5.0])) == pytest.approx([0.0], abs=1e-5)
