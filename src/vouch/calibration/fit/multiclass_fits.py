"""Learn calibration maps of several classes from logits and labels, by maximum likelihood in float64.

Each fit returns one map or more, the simplest first: matrix and Dirichlet scaling have one for each penalty, and
grouped cross-validation says which is used.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from scipy.optimize import minimize

from vouch.calibration.apply.probabilities import IntArray, log_softmax, softmax
from vouch.calibration.apply.scalar_maps import FloatArray, Map
from vouch.calibration.fit.matrix_loss import MatrixLoss
from vouch.calibration.fit.newton import Loss, newton
from vouch.calibration.fit.one_vs_rest import CURVES, fit_one_vs_rest
from vouch.calibration.fit.scalar_fits import LOG_SCALE

PENALTIES = tuple(10.0**power for power in range(0, -7, -1))  # lambda = mu, strongest first
RIDGE = 1e-6  # of a row's loss: finite coefficients for separable rows and for a class that no row has

Fit = Callable[[FloatArray, IntArray], list[Map]]


def fit_identity(logits: FloatArray, labels: IntArray) -> list[Map]:
    """Return the softmax as it is."""
    return [{"method": "identity"}]


def fit_temperature(logits: FloatArray, labels: IntArray) -> list[Map]:
    """Return softmax(z / T), T by bisection of the log loss's derivative in ln(1 / T) (Guo et al. 2017).

    Parameters
    ----------
    logits : float64 array, shape (n, classes)
    labels : intp array, shape (n,), in [0, classes)
    """
    shifted = np.ascontiguousarray((logits - logits.max(axis=1, keepdims=True)).T)
    true = shifted[labels, np.arange(len(labels))].sum()
    low, high = -LOG_SCALE, LOG_SCALE
    for _ in range(40):  # 16 / 2^40 is 1e-11 of the temperature
        middle = (low + high) / 2
        powers = np.exp(np.exp(middle) * shifted)
        slope = ((powers * shifted).sum(axis=0) / powers.sum(axis=0)).sum() - true
        low, high = (middle, high) if slope < 0 else (low, middle)
    return [{"method": "temperature", "temperature": float(np.exp(-(low + high) / 2))}]


def fit_ensemble_temperature(logits: FloatArray, labels: IntArray) -> list[Map]:
    """Return w1 softmax(z / T) + w2 softmax(z) + w3 / K, w on the simplex, after T (Zhang, Kailkhura, Han 2020)."""
    temperature = fit_temperature(logits, labels)[0]["temperature"]
    rows = np.arange(len(labels))
    softened, raw = softmax(logits / temperature)[rows, labels], softmax(logits)[rows, labels]
    said = np.stack([softened, raw, np.full(len(rows), 1.0 / logits.shape[1])], axis=1)
    return [{"method": "ensemble_temperature", "temperature": temperature, "weights": _mixture(said).tolist()}]


def fit_vector(logits: FloatArray, labels: IntArray) -> list[Map]:
    """Return softmax(w z + c) with a weight and a bias for each class (Guo et al. 2017)."""
    classes = logits.shape[1]
    start = np.concatenate([np.ones(classes), np.zeros(classes)])
    weights, biases = newton(_vector_loss(logits, labels, start), start).reshape(2, classes)
    return [{"method": "vector", "weights": weights.tolist(), "biases": biases.tolist()}]


def fit_matrix(logits: FloatArray, labels: IntArray) -> list[Map]:
    """Return softmax(W z + c) for each penalty of off-diagonal weights and biases (ODIR), the strongest first."""
    return [{"method": "matrix", **linear} for linear in _odir(logits, labels)]


def fit_dirichlet(logits: FloatArray, labels: IntArray) -> list[Map]:
    """Return matrix scaling of log-probabilities for each penalty (Kull et al. 2019, arXiv:1910.12656)."""
    return [{"method": "dirichlet", **linear} for linear in _odir(log_softmax(logits), labels)]


def _fit_curves(method: str, logits: FloatArray, labels: IntArray) -> list[Map]:
    return [fit_one_vs_rest(method, logits, labels)]


FITS: dict[str, Fit] = {
    "identity": fit_identity,
    "temperature": fit_temperature,
    "vector": fit_vector,
    "matrix": fit_matrix,
    "dirichlet": fit_dirichlet,
    "ensemble_temperature": fit_ensemble_temperature,
    **{method: partial(_fit_curves, method) for method in CURVES},
}


def _mixture(said: FloatArray) -> FloatArray:
    """Return the weights of the least log loss; temperature scaling alone where the solver finds nothing better.

    Parameters
    ----------
    said : float64 array, shape (n, 3)
        What each part gives the true class.
    """

    def loss(weights: FloatArray) -> float:
        return float(-np.mean(np.log(np.maximum(said @ weights, 1e-300))))

    def gradient(weights: FloatArray) -> FloatArray:
        slope: FloatArray = -np.mean(said / np.maximum(said @ weights, 1e-300)[:, None], axis=0)
        return slope

    simplex: Any = {"type": "eq", "fun": lambda weights: weights.sum() - 1.0, "jac": np.ones_like}
    found = minimize(
        loss,
        np.full(3, 1 / 3),
        jac=gradient,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * 3,
        constraints=simplex,
        options={"ftol": 1e-12, "maxiter": 200},
    )
    weights = np.clip(np.asarray(found.x, dtype=np.float64), 0.0, 1.0)
    candidates: Sequence[FloatArray] = (np.array([1.0, 0.0, 0.0]), weights / weights.sum())
    return min(candidates, key=loss)


def _odir(features: FloatArray, labels: IntArray) -> list[Map]:
    """Return weights and biases for each penalty; each fit starts where the stronger one before it ended."""
    classes = features.shape[1]
    design = np.asfortranarray(np.column_stack([features, np.ones(len(features))]))  # column by column
    weights, found = np.eye(classes, classes + 1), []
    for penalty in PENALTIES:
        scale = np.full((classes, classes + 1), penalty / (classes * (classes - 1)))
        scale[:, -1] = penalty / classes
        np.fill_diagonal(scale, 0.0)
        weights = MatrixLoss(design, labels, scale).minimum(weights)
        found.append({"weights": weights[:, :-1].tolist(), "biases": weights[:, -1].tolist(), "penalty": penalty})
    return found


def _vector_loss(logits: FloatArray, labels: IntArray, centre: FloatArray) -> Loss:
    """Return the mean log loss of softmax(w z + c) plus a tiny ridge around the identity, over w and c in a row."""
    n, classes = logits.shape
    rows, truth = np.arange(n), np.eye(classes)[labels]

    def scaled(flat: FloatArray) -> FloatArray:
        return logits * flat[:classes] + flat[classes:]

    def value(flat: FloatArray) -> float:
        ridge = RIDGE / 2 * np.sum((flat - centre) ** 2)
        return float(-np.mean(log_softmax(scaled(flat))[rows, labels]) + ridge)

    def gradient(flat: FloatArray) -> FloatArray:
        error = softmax(scaled(flat)) - truth
        return np.concatenate([(error * logits).mean(axis=0), error.mean(axis=0)]) + RIDGE * (flat - centre)

    def curvature(flat: FloatArray) -> FloatArray:
        shares = softmax(scaled(flat))
        spread = np.concatenate([shares * logits, shares], axis=1)
        squares, crossed = (spread[:, :classes] * logits).sum(axis=0), spread[:, :classes].sum(axis=0)
        single = np.block(
            [[np.diag(squares), np.diag(crossed)], [np.diag(crossed), np.diag(spread[:, classes:].sum(axis=0))]]
        )
        bent: FloatArray = (single - spread.T @ spread) / n + RIDGE * np.eye(2 * classes)
        return bent

    return Loss(value, gradient, curvature)
