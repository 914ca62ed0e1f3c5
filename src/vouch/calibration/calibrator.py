"""A calibrator: one scalar map for each class and one for every other class.

calibrator.json: {"kind": "scalar", "floor": ..., "global": map, "classes": {class: map}, "cross_validation": ...,
"population": ...}. `choice` fits it; this module applies it. Serving imports it, so it needs numpy and pandas alone.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vouch.calibration.maps import FloatArray, apply_map, map_problems
from vouch.errors import BundleError, DataError, Problem, refuse_any

Calibrator = dict[str, Any]


def confidence(calibrator: Calibrator, score: npt.ArrayLike, class_pred: npt.ArrayLike) -> FloatArray:
    """Return the calibrated probability that each prediction is right, non-decreasing in the score within a class.

    Parameters
    ----------
    calibrator : dict
        As `choice.fit_calibrator` returns it and calibrator.json stores it.
    score : float64 array, shape (n,), in [0, 1]
        Raw scores. Below the stored `floor`, where nothing was fitted, the same map continues.
    class_pred : object array, shape (n,)
        Predicted classes. A class without a map of its own takes the global one; null (a miss) has confidence 0.

    Returns
    -------
    float64 array, shape (n,), in [0, 1], never NaN

    Raises
    ------
    DataError
        Listing every score that is NaN or outside [0, 1].
    """
    raw = np.asarray(score, dtype=np.float64)
    refuse_any(DataError, score_problems(raw))
    codes, names = pd.factorize(np.asarray(class_pred, dtype=object))
    calibrated = np.zeros(len(raw))
    for code, name in enumerate(names):
        mask = codes == code
        calibrated[mask] = apply_map(calibrator["classes"].get(name, calibrator["global"]), raw[mask])
    return calibrated


def score_problems(score: FloatArray) -> list[Problem]:
    """List every score that is NaN or outside [0, 1], by row."""
    bad = np.flatnonzero(~((score >= 0.0) & (score <= 1.0)))
    remedy = "mend the prediction that wrote it"
    return [Problem(f"row {row}: score", "a number in [0, 1]", str(score[row]), remedy) for row in bad]


def validate_calibrator(calibrator: object) -> None:
    """Return when `confidence` can apply the calibrator to any score.

    Raises
    ------
    BundleError
        Listing every unknown kind, missing part and map that is unknown, incomplete or not non-decreasing.
    """
    if not isinstance(calibrator, Mapping) or calibrator.get("kind") != "scalar":
        got = repr(calibrator.get("kind") if isinstance(calibrator, Mapping) else calibrator)[:80]
        raise BundleError([Problem("calibrator.json: kind", "'scalar'", got, "fit the calibrator again")])
    problems = map_problems(calibrator.get("global"), "calibrator.json: global")
    classes = calibrator.get("classes")
    if isinstance(classes, Mapping):
        for name, curve in sorted(classes.items()):
            problems += map_problems(curve, f"calibrator.json: classes.{name}")
    else:
        problems.append(Problem("calibrator.json: classes", "a map", repr(classes)[:80], "fit the calibrator again"))
    refuse_any(BundleError, problems)
