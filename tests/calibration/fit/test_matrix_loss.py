import numpy as np
import pytest
from scipy.optimize import approx_fprime

from vouch.calibration.apply.multiclass_maps import apply_multiclass
from vouch.calibration.fit import matrix_loss
from vouch.calibration.fit.matrix_loss import MatrixLoss
from vouch.calibration.fit.multiclass_fits import FITS
from vouch.calibration.fit.truncated_newton import Curvature


def simulated(rows: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(3)
    logits = generator.normal(0, 2, (rows, classes))
    return logits, (0.5 * logits + generator.gumbel(size=logits.shape)).argmax(axis=1)


def test_the_curvature_is_the_slope_of_the_gradient_whole_and_as_a_product() -> None:
    features, labels = simulated(40, 3)
    loss = MatrixLoss(np.asfortranarray(features), labels, np.full((3, 3), 0.01))
    flat = np.linspace(-1, 1, 9)
    slope = np.stack([approx_fprime(flat, lambda x, k=k: loss.gradient(x)[k], 1e-6) for k in range(9)])
    assert loss.gradient(flat) == pytest.approx(approx_fprime(flat, loss.value, 1e-7), abs=1e-6)
    assert loss.curvature(flat) == pytest.approx(slope, abs=1e-5)
    product = loss.products(flat).product
    assert np.stack([product(unit) for unit in np.eye(9)]) == pytest.approx(slope, abs=1e-5)


@pytest.mark.parametrize("method", ["matrix", "dirichlet"])
def test_both_solvers_give_the_same_probabilities(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    logits, truth = simulated(800, 5)
    first = FITS[method](logits, truth)
    monkeypatch.setattr(matrix_loss, "NEWTON_LIMIT", 0)
    for ours, larger in zip(first, FITS[method](logits, truth), strict=True):
        assert ours != larger
        assert apply_multiclass(larger, logits) == pytest.approx(apply_multiclass(ours, logits), abs=1e-4)


def sure(rows: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw logits as a network's are: correlated, far from zero, a tenth of the labels wrong."""
    generator = np.random.default_rng(5)
    prototypes = generator.normal(size=(classes, classes)) / classes**0.5
    truth = generator.integers(0, classes, rows)
    seen = prototypes[truth] + 1.5 * generator.normal(size=(rows, classes)) / classes**0.5
    return 6 * seen @ prototypes.T, np.where(generator.random(rows) < 0.1, generator.permutation(truth), truth)


@pytest.mark.parametrize("classes", [17, 24])
def test_beyond_the_limit_few_looks_at_the_rows_are_enough(classes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    logits, truth = sure(1000, classes)
    looks = 0
    products = MatrixLoss.products

    def counted(loss: MatrixLoss, flat: np.ndarray) -> Curvature:
        found = products(loss, flat)

        def product(step: np.ndarray) -> np.ndarray:
            nonlocal looks
            looks += 1
            return found.product(step)

        return Curvature(product, found.solve_roughly)

    monkeypatch.setattr(MatrixLoss, "products", counted)
    FITS["dirichlet"](logits, truth)
    assert (
        0 < looks < 1_500
    )  # L-BFGS took 6,300 for 17 classes, and conjugate gradients without the inverse 3,400 for 24
