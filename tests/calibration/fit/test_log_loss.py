import math

import numpy as np
import pytest
from sklearn.metrics import log_loss as oracle

from vouch.calibration.fit.log_loss import log_loss, log_loss_of_classes


def test_both_equal_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    probability, truth = generator.dirichlet([1.0, 1.0, 1.0], 400), generator.integers(0, 3, 400)
    assert log_loss_of_classes(probability, truth) == pytest.approx(oracle(truth, probability, labels=[0, 1, 2]))
    confidence, correct = probability[:, 0], truth == 0
    assert log_loss(confidence, correct) == pytest.approx(oracle(correct, confidence))


def test_certain_and_wrong_costs_a_finite_loss() -> None:
    assert log_loss(np.array([1.0]), np.array([False])) == pytest.approx(12 * math.log(10))
    assert log_loss_of_classes(np.array([[1.0, 0.0]]), np.array([1])) == pytest.approx(12 * math.log(10))
