"""Calibration maps of several classes: logits become probabilities that sum to one.

A map is a plain dict, readable in calibrator.json, its lists in the order of the calibrator's classes:
{"method": "vector", "weights": [0.6, 0.7], "biases": [0.1, -0.1]}. This module applies maps and needs numpy alone;
`multiclass_fitting` and `one_vs_rest` learn them.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from vouch.calibration.maps import CLIP, COEFFICIENTS, FloatArray, apply_map, map_problems
from vouch.calibration.probabilities import log_softmax, softmax
from vouch.errors import Problem

LEAST = 1e-12  # of a class's value before a row is made to sum to one: a row can then never be 0 / 0
STEPPED = ("histogram", "bbq")  # curves of constant pieces
ONE_VS_REST = ("platt", "isotonic", "beta", *STEPPED, "spline")  # one scalar curve a class, then a sum of one
LINEAR = {"vector": 1, "matrix": 2, "dirichlet": 2}  # method: dimensions of its weights
KEYS = {
    "identity": (),
    "temperature": ("temperature",),
    "ensemble_temperature": ("temperature", "weights"),
    "vector": ("weights", "biases"),
    "matrix": ("weights", "biases", "penalty"),
    "dirichlet": ("weights", "biases", "penalty"),
    **dict.fromkeys(ONE_VS_REST, ("classes",)),
}


def apply_multiclass(curve: Mapping[str, Any], logits: FloatArray) -> FloatArray:
    """Return the probability of each class; rows sum to one.

    Parameters
    ----------
    curve : mapping
        `method` and that method's parameters, as `multiclass_fitting.FITS` returns them.
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
    """Return the softmax kept in [1e-7, 1 - 1e-7]: what the curves of one-vs-rest maps are learnt on and read at."""
    return np.clip(softmax(logits), CLIP, 1.0 - CLIP)


def parameters(classes: int) -> dict[str, int]:
    """Return how many free parameters each method has, to break ties; those that follow the data come last."""
    linear = classes * (classes + 1)
    counts = {"identity": 0, "temperature": 1, "ensemble_temperature": 3, "vector": 2 * classes, "platt": 2 * classes}
    counts |= {"beta": 3 * classes, "spline": 5 * classes, "histogram": 15 * classes}
    return counts | {"matrix": linear, "dirichlet": linear, "isotonic": 1_000_000, "bbq": 1_000_001}


def multiclass_problems(curve: object, classes: int, where: str) -> list[Problem]:
    """List what keeps a stored map from being applied to logits of so many classes."""
    if not isinstance(curve, Mapping) or curve.get("method") not in KEYS:
        return [Problem(where, f"a map with a method of {sorted(KEYS)}", repr(curve)[:80], _REMEDY)]
    method = curve["method"]
    expected = {"method", *KEYS[method]}
    if set(curve) - {"reason"} != expected:
        return [Problem(where, f"the keys {sorted(expected)}", f"{sorted(curve)}", _REMEDY)]
    if method in ONE_VS_REST:
        return _curves_problems(curve, classes, where)
    problems = []
    for key, shape in _shapes(method, classes).items():
        problems += _array_problems(curve[key], shape, f"{where}.{key}")
    if not problems and curve.get("temperature", 1) <= 0:
        problems.append(Problem(f"{where}.temperature", "a number > 0", repr(curve["temperature"]), _REMEDY))
    if not problems and method == "ensemble_temperature" and not _is_mixture(np.asarray(curve["weights"])):
        problems.append(
            Problem(f"{where}.weights", "numbers >= 0 that sum to one", repr(curve["weights"])[:80], _REMEDY)
        )
    return problems


_REMEDY = "fit the calibrator again"


def _shapes(method: str, classes: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(KEYS[method], ())
    if method in LINEAR:
        shapes |= {"weights": (classes,) * LINEAR[method], "biases": (classes,)}
    return shapes | ({"weights": (3,)} if method == "ensemble_temperature" else {})


def _is_mixture(weights: FloatArray) -> bool:
    return bool((weights >= 0).all() and abs(weights.sum() - 1.0) < 1e-6)


def _array_problems(value: object, shape: tuple[int, ...], where: str) -> list[Problem]:
    try:
        array = np.asarray(value)
    except ValueError:  # lists of different lengths
        array = np.asarray("")
    if array.dtype.kind in "iuf" and array.shape == shape and np.isfinite(array).all():
        return []
    expected = f"finite numbers of shape {shape}" if shape else "a finite number"
    return [Problem(where, expected, repr(value)[:80], _REMEDY)]


def _curves_problems(curve: Mapping[str, Any], classes: int, where: str) -> list[Problem]:
    curves, method = curve["classes"], curve["method"]
    if not isinstance(curves, list) or len(curves) != classes:
        return [Problem(f"{where}.classes", f"{classes} curves", repr(curves)[:80], _REMEDY)]
    problems = []
    for index, single in enumerate(curves):
        place = f"{where}.classes[{index}]"
        if not isinstance(single, Mapping) or single.get("method") != method:
            problems.append(Problem(place, f"a curve of method {method}", repr(single)[:80], _REMEDY))
        else:
            problems += map_problems(single, place) if method in COEFFICIENTS else _piece_problems(single, place)
    return problems


def _piece_problems(curve: Mapping[str, Any], where: str) -> list[Problem]:
    knots = "edges" if curve["method"] in STEPPED else "scores"
    expected = {"method", knots, "confidences"}
    if set(curve) != expected:
        return [Problem(where, f"the keys {sorted(expected)}", f"{sorted(curve)}", _REMEDY)]
    problems, sizes = [], {}
    for key in (knots, "confidences"):
        sizes[key] = len(curve[key]) if isinstance(curve[key], list) else -1
        found = _array_problems(curve[key], (sizes[key],), f"{where}.{key}") if sizes[key] else []
        values = np.zeros(0) if found else np.asarray(curve[key], dtype=np.float64)
        outside = bool(((values < 0) | (values > 1)).any())
        falling = key == knots and bool((np.diff(values) < 0).any())
        if found or outside or falling:
            wanted = "numbers in [0, 1]" + (" that do not fall" if key == knots else "")
            problems.append(Problem(f"{where}.{key}", wanted, repr(curve[key])[:80], _REMEDY))
    more = sizes["confidences"] - sizes[knots]
    if not problems and (more != (knots == "edges") or sizes["confidences"] == 0):
        wanted = "one number more than edges" if knots == "edges" else "as many numbers as scores"
        problems.append(Problem(f"{where}.confidences", wanted, f"{sizes['confidences']} numbers", _REMEDY))
    return problems


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
