"""A calibrator turns what a network says into probabilities: `calibrated` is the one entry for every task.

Of kind `scalar` it has one map for each predicted class and one for every other class. calibrator.json: {"kind":
"scalar", "floor": ..., "global": map, "classes": {class: map}, "cross_validation": ..., "population": ...}.
`scalar_selection` fits it. Of kind `multiclass` it maps the logits of all classes together, see `multiclass`. Serving
imports this module, so it needs numpy and pandas alone.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vouch.calibration.apply.multiclass import calibrated_classes
from vouch.calibration.apply.scalar_maps import FloatArray, apply_map
from vouch.calibration.apply.validity import validate_calibrator
from vouch.errors import DataError, Problem, refuse_any

Calibrator = dict[str, Any]


def calibrated(calibrator: Calibrator, rows: pd.DataFrame) -> pd.DataFrame:
    """Return prediction rows with `confidence`, the calibrated probability that each is right.

    Kind `scalar` maps `score`, and `correct_before` is `correct`. Kind `multiclass` maps `logit_<class>` and adds
    `probability_<class>`, perhaps `gate`, and a new `class_pred` and `correct`: see `multiclass.calibrated_classes`.
    Rows without truth (no `correct`, no `class_true`) get no judgment of it.

    Parameters
    ----------
    calibrator : dict
        As calibrator.json stores it.
    rows : table
        The waist's rows.

    Raises
    ------
    BundleError
        When the calibrator cannot be applied.
    DataError
        Listing every score, logit or label that is not one.
    """
    validate_calibrator(calibrator)
    if calibrator["kind"] == "multiclass":
        return calibrated_classes(calibrator, rows)
    sure = confidence(calibrator, rows["score"].to_numpy(dtype=np.float64), rows["class_pred"].to_numpy(dtype=object))
    before = {"correct_before": rows["correct"]} if "correct" in rows else {}
    return rows.assign(confidence=sure, **before)


def fitted_from(calibrator: Calibrator) -> float:
    """Return the raw score from which on the calibrator was fitted: every one, where it maps logits."""
    return float(calibrator["floor"]) if calibrator["kind"] == "scalar" else 0.0


def confidence(calibrator: Calibrator, score: npt.ArrayLike, class_pred: npt.ArrayLike) -> FloatArray:
    """Return the calibrated probability that each prediction is right, non-decreasing in the score within a class.

    Parameters
    ----------
    calibrator : dict
        As `scalar_selection.fit_calibrator` returns it and calibrator.json stores it.
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
