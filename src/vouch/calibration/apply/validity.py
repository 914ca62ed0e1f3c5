"""What a calibrator.json must be before it is applied: of a known kind, with usable maps.

Bundles are checked by this module alone, so predictions do not hang on the code that applies a calibrator.
"""

from collections.abc import Collection, Mapping
from typing import Any, TypeGuard

import numpy as np
import numpy.typing as npt

from vouch.errors import BundleError, Problem, refuse_any

FloatArray = npt.NDArray[np.float64]

LARGEST = 1e12  # of a coefficient: times a logit of 16 it is far from overflow; fitted ones stay below 1e4
LEAST_TEMPERATURE = 1e-12  # fitted ones lie above 3e-4
COEFFICIENTS = {
    "identity": (),
    "temperature": ("temperature",),
    "platt": ("slope", "intercept"),
    "beta": ("a", "b", "c"),
    "isotonic": ("scores", "confidences"),
}
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
FOR_READERS = ("cross_validation", "candidates", "population")
PARTS = {"scalar": ("floor", "global", "classes"), "multiclass": ("classes", "map", "gate")}
_REMEDY = "fit the calibrator again"


def validate_calibrator(calibrator: object) -> None:
    """Return when the calibrator can be applied.

    Raises
    ------
    BundleError
        Listing every unknown kind, missing part and map that is unknown, incomplete or, where order must be kept, not
        non-decreasing.
    """
    kind = calibrator.get("kind") if isinstance(calibrator, Mapping) else None
    if not isinstance(calibrator, Mapping) or not isinstance(kind, str) or kind not in _PROBLEMS:
        got = repr(calibrator.get("kind") if isinstance(calibrator, Mapping) else calibrator)[:80]
        expected = f"one of {sorted(_PROBLEMS)}"
        raise BundleError([Problem("calibrator.json: kind", expected, got, _REMEDY)])
    refuse_any(BundleError, _key_problems(calibrator, PARTS[kind]) + _PROBLEMS[kind](calibrator))


def map_problems(curve: object, where: str) -> list[Problem]:
    """List what keeps a stored map from being applied as a non-decreasing map."""
    problems = form_problems(curve, COEFFICIENTS, where)
    if problems or not isinstance(curve, Mapping):
        return problems
    return [Problem(f"{where}.{key}", expected, repr(got)[:80], _REMEDY) for key, expected, got in _bad_values(curve)]


def form_problems(curve: object, keys: Mapping[str, Collection[str]], where: str) -> list[Problem]:
    """List what is wrong with a map's method and keys; `keys` names those of each method."""
    if not isinstance(curve, Mapping) or not isinstance(curve.get("method"), str) or curve["method"] not in keys:
        return [Problem(where, f"a map with a method of {sorted(keys)}", repr(curve)[:80], _REMEDY)]
    expected = {"method", *keys[curve["method"]]}
    if set(curve) - {"reason"} != expected:
        return [Problem(where, f"the keys {sorted(expected)}", f"{sorted(curve)}"[:80], _REMEDY)]
    if not isinstance(curve.get("reason", ""), str):
        return [Problem(f"{where}.reason", "text", repr(curve["reason"])[:80], _REMEDY)]
    return []


def is_number(value: object, largest: float = LARGEST) -> TypeGuard[float]:
    """Whether a value of JSON is a number that can be calculated with: no truth value, no NaN, at most `largest`."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -largest <= value <= largest


def multiclass_problems(curve: object, classes: int, where: str) -> list[Problem]:
    """List what keeps a stored map from being applied to logits of so many classes."""
    problems = form_problems(curve, KEYS, where)
    if problems or not isinstance(curve, Mapping):
        return problems
    method = curve["method"]
    if method in ONE_VS_REST:
        return _curves_problems(curve, classes, where)
    for key, shape in _shapes(method, classes).items():
        problems += _array_problems(curve[key], shape, f"{where}.{key}")
    if not problems and curve.get("temperature", 1) < LEAST_TEMPERATURE:
        problems.append(Problem(f"{where}.temperature", "a number > 0", repr(curve["temperature"]), _REMEDY))
    if not problems and method == "ensemble_temperature" and not _is_mixture(np.asarray(curve["weights"])):
        problems.append(
            Problem(f"{where}.weights", "numbers >= 0 that sum to one", repr(curve["weights"])[:80], _REMEDY)
        )
    return problems


def _shapes(method: str, classes: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(KEYS[method], ())
    if method in LINEAR:
        shapes |= {"weights": (classes,) * LINEAR[method], "biases": (classes,)}
    return shapes | ({"weights": (3,)} if method == "ensemble_temperature" else {})


def _is_mixture(weights: FloatArray) -> bool:
    return bool((weights >= 0).all() and abs(weights.sum() - 1.0) < 1e-6)


def _array_problems(value: object, shape: tuple[int, ...], where: str) -> list[Problem]:
    if _has_shape(value, shape):
        return []
    expected = f"finite numbers of shape {shape}" if shape else "a finite number"
    return [Problem(where, expected, repr(value)[:80], _REMEDY)]


def _has_shape(value: object, shape: tuple[int, ...]) -> bool:
    """Whether lists within lists have this shape and hold numbers."""
    if not shape:
        return is_number(value)
    return isinstance(value, list) and len(value) == shape[0] and all(_has_shape(one, shape[1:]) for one in value)


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
        return [Problem(where, f"the keys {sorted(expected)}", f"{sorted(curve)}"[:80], _REMEDY)]
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


def _key_problems(calibrator: Mapping[str, Any], parts: tuple[str, ...]) -> list[Problem]:
    """List keys that no calibrator of this kind has; what is for the reader may be absent, or is a mapping."""
    known = {"kind", *parts, *FOR_READERS}
    problems = [
        Problem(f"calibrator.json: {key}", "a known key", "an unknown one", _REMEDY) for key in set(calibrator) - known
    ]
    return problems + [
        Problem(f"calibrator.json: {key}", "a mapping", repr(calibrator[key])[:80], _REMEDY)
        for key in FOR_READERS
        if not isinstance(calibrator.get(key, {}), Mapping)
    ]


def _scalar_problems(calibrator: Mapping[str, Any]) -> list[Problem]:
    problems = map_problems(calibrator.get("global"), "calibrator.json: global")
    floor, classes = calibrator.get("floor"), calibrator.get("classes")
    if not (is_number(floor) and 0 <= floor < 1):
        expected = "a number from 0 to below 1"
        problems.append(Problem("calibrator.json: floor", expected, repr(floor)[:80], _REMEDY))
    if isinstance(classes, Mapping):
        for name, curve in sorted(classes.items()):
            problems += map_problems(curve, f"calibrator.json: classes.{name}")
    else:
        problems.append(Problem("calibrator.json: classes", "a map", repr(classes)[:80], _REMEDY))
    return problems


def _multiclass_problems(calibrator: Mapping[str, Any]) -> list[Problem]:
    """List what keeps a stored calibrator of this kind from being applied."""
    where = "calibrator.json"
    missing = sorted({"classes", "map", "gate"} - set(calibrator))
    problems = [Problem(f"{where}: {key}", "a value", "nothing", _REMEDY) for key in missing]
    classes = calibrator.get("classes")
    named = isinstance(classes, list) and all(isinstance(name, str) for name in classes)
    if not isinstance(classes, list) or not named or len(classes) < 2 or len(set(classes)) < len(classes):
        problems.append(Problem(f"{where}: classes", "two or more different names", repr(classes)[:80], _REMEDY))
    elif "map" in calibrator:
        problems += multiclass_problems(calibrator["map"], len(classes), f"{where}: map")
    if calibrator.get("gate") is not None:
        problems += map_problems(calibrator["gate"], f"{where}: gate")
    return problems


def _bad_values(curve: Mapping[str, Any]) -> list[tuple[str, str, object]]:
    if curve["method"] == "isotonic":
        return _bad_steps(curve)
    bad: list[tuple[str, str, object]] = []
    for key in COEFFICIENTS[curve["method"]]:
        value = curve[key]
        if not is_number(value):
            bad.append((key, "a finite number", value))
        elif key == "temperature" and value < LEAST_TEMPERATURE:
            bad.append((key, "a number > 0", value))
        elif key in ("slope", "a", "b") and value < 0:
            bad.append((key, "a number >= 0, or the order of scores turns round", value))
    return bad


def _bad_steps(curve: Mapping[str, Any]) -> list[tuple[str, str, object]]:
    bad: list[tuple[str, str, object]] = []
    for key in COEFFICIENTS["isotonic"]:
        numbers = isinstance(curve[key], list) and all(is_number(value) for value in curve[key])
        steps = np.asarray(curve[key] if numbers else [], dtype=np.float64)
        rising = steps.size > 0 and bool((np.diff(steps) >= 0).all())
        if not rising or not bool(((steps >= 0) & (steps <= 1)).all()):
            bad.append((key, "rising numbers in [0, 1]", curve[key]))
    if not bad and len(curve["scores"]) != len(curve["confidences"]):
        bad.append(("confidences", f"{len(curve['scores'])} numbers", len(curve["confidences"])))
    return bad


_PROBLEMS = {"scalar": _scalar_problems, "multiclass": _multiclass_problems}
