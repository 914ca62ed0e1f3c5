import numpy as np
import pytest

from vouch.calibration.apply.multiclass_maps import apply_multiclass
from vouch.calibration.fit import newton as n
from vouch.calibration.fit.multiclass_fits import FITS


def quadratic(size: int) -> tuple[n.Loss, np.ndarray]:
    root = np.random.default_rng(0).normal(size=(size, size)) / size**0.5 + np.eye(size)
    bent, goal = root @ root.T + np.eye(size), np.linspace(-1, 1, size)
    return n.Loss(
        lambda x: float((x - goal) @ bent @ (x - goal)), lambda x: 2 * bent @ (x - goal), lambda x: 2 * bent
    ), goal


@pytest.mark.parametrize("size", [1, 300, 301])
def test_the_minimum_of_a_quadratic_is_found_below_and_above_the_limit(size: int) -> None:
    loss, goal = quadratic(size)
    assert n.minimise(loss, np.zeros(size)) == pytest.approx(goal, abs=1e-5)


def test_a_step_that_overshoots_is_halved() -> None:
    # Newton alone diverges on sqrt(1 + x^2) from |x| > 1
    loss = n.Loss(
        lambda x: float(np.sqrt(1 + x[0] ** 2)),
        lambda x: x / np.sqrt(1 + x**2),
        lambda x: np.diag((1 + x**2) ** -1.5),
    )
    assert n.newton(loss, np.array([5.0])) == pytest.approx([0.0], abs=1e-5)


@pytest.mark.parametrize("method", ["vector", "dirichlet"])
def test_both_solvers_give_the_same_probabilities(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(3)
    logits = generator.normal(0, 2, (800, 5))
    truth = (0.5 * logits + generator.gumbel(size=logits.shape)).argmax(axis=1)
    first = FITS[method](logits, truth)
    monkeypatch.setattr(n, "NEWTON_LIMIT", 0)
    for ours, slower in zip(first, FITS[method](logits, truth), strict=True):
        assert ours != slower
        assert apply_multiclass(slower, logits) == pytest.approx(apply_multiclass(ours, logits), abs=1e-4)
