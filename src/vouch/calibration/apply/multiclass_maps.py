"""Calibration maps of several classes: logits become probabilities that sum to one.

A map is a plain dict, readable in calibrator.json, its lists in the order of the calibrator's classes:
{"method": "vector", "weights": [0.6, 0.7], "biases": [0.1, -0.1]}. This module applies maps and needs numpy alone;
`multiclass_fits` and `one_vs_rest` learn them.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from vouch.calibration.apply.probabilities import log_softmax, softmax
from vouch.calibration.apply.scalar_maps import CLIP, FloatArray, apply_map
from vouch.calibration.apply.validity import ONE_VS_REST, STEPPED

LEAST = 1e-12  # of a class's value before a row is made to sum to one: a row can then never be 0 / 0


def apply_multiclass(curve: Mapping[str, Any], logits: FloatArray) -> FloatArray:
    """Return the probability of each class; rows sum to one.

    Parameters
    ----------
    curve : mapping
        `method` and that method's parameters, as `multiclass_fits.FITS` returns them.
    logits : float64 array, shape (n, classes), finite

    Returns
    -------
    float64 array, shape (n, classes), in [0, 1]
    """
    return _APPLY[curve["method"]](curve, np.asarray(logits, dtype=np.float64))


def apply_curve(curve: Mapping[str, Any], score: FloatArray) -> FloatArray:
    """Return one class's values before its row is made to sum to one; only platt, isotonic and beta always rise.

    Parameters
    ----------
    curve : mapping
        A scalar map, or {"method": "histogram" | "bbq", "edges", "confidences"} or
        {"method": "spline", "scores", "confidences"}.
    score : float64 array, shape (n,), in [0, 1]
        The class's softmax.

    Returns
    -------
    float64 array, shape (n,), in [0, 1]
    """
    if curve["method"] in STEPPED:
        levels: FloatArray = np.asarray(curve["confidences"])[np.searchsorted(curve["edges"], score, side="right")]
        return levels
    if curve["method"] == "spline":
        bent: FloatArray = np.interp(score, curve["scores"], curve["confidences"])
        return bent
    return apply_map(curve, score)


def one_vs_rest_scores(logits: FloatArray) -> FloatArray:
    """Return the softmax kept in [1e-7, 1 - 1e-7]: what the curves of one-vs-rest maps are fitted on and read at."""
    return np.clip(softmax(logits), CLIP, 1.0 - CLIP)


def parameters(classes: int) -> dict[str, int]:
    """Return how many free parameters each method has, to break ties; those that follow the data come last."""
    linear = classes * (classes + 1)
    counts = {"identity": 0, "temperature": 1, "ensemble_temperature": 3, "vector": 2 * classes, "platt": 2 * classes}
    counts |= {"beta": 3 * classes, "spline": 5 * classes, "histogram": 15 * classes}
    return counts | {"matrix": linear, "dirichlet": linear, "isotonic": 1_000_000, "bbq": 1_000_001}


def n_parameters(classes: int) -> dict[str, int]:
    """Return how many numbers each method learns; curves that follow the data are taken for histograms."""
    counts = parameters(classes)
    return counts | dict.fromkeys(("isotonic", "bbq"), counts["histogram"])


def _identity(curve: Mapping[str, Any], logits: FloatArray) -> FloatArray:
    return softmax(logits)


def _temperature(curve: Mapping[str, Any], logits: FloatArray) -> FloatArray:
    return softmax(logits / curve["temperature"])


def _ensemble(curve: Mapping[str, Any], logits: FloatArray) -> FloatArray:
    softened, raw, even = curve["weights"]
    mixed = softened * softmax(logits / curve["temperature"]) + raw * softmax(logits) + even / logits.shape[1]
    return _summing_to_one(mixed)


def _vector(curve: Mapping[str, Any], logits: FloatArray) -> FloatArray:
    return softmax(logits * np.asarray(curve["weights"]) + np.asarray(curve["biases"]))


def _matrix(curve: Mapping[str, Any], logits: FloatArray) -> FloatArray:
    return softmax(logits @ np.asarray(curve["weights"], dtype=np.float64).T + np.asarray(curve["biases"]))


def _dirichlet(curve: Mapping[str, Any], logits: FloatArray) -> FloatArray:
    return _matrix(curve, log_softmax(logits))


def _one_vs_rest(curve: Mapping[str, Any], logits: FloatArray) -> FloatArray:
    scores = one_vs_rest_scores(logits)
    columns = [apply_curve(single, scores[:, index]) for index, single in enumerate(curve["classes"])]
    return _summing_to_one(np.maximum(np.stack(columns, axis=1), LEAST))


def _summing_to_one(values: FloatArray) -> FloatArray:
    shares: FloatArray = values / values.sum(axis=1, keepdims=True)
    return shares


_APPLY: dict[str, Callable[[Mapping[str, Any], FloatArray], FloatArray]] = {
    "identity": _identity,
    "temperature": _temperature,
    "ensemble_temperature": _ensemble,
    "vector": _vector,
    "matrix": _matrix,
    "dirichlet": _dirichlet,
    **dict.fromkeys(ONE_VS_REST, _one_vs_rest),
}
