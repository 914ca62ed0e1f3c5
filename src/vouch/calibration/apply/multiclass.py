"""A calibrator of several classes: one map from logits to probabilities, and one for the gate.

calibrator.json: {"kind": "multiclass", "classes": [...], "map": ..., "gate": scalar map or null, "cross_validation":
..., "population": ...}. `multiclass_selection` fits it; this module applies it. Serving imports it, so it needs numpy
and pandas alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from vouch.calibration.apply.multiclass_maps import apply_multiclass
from vouch.calibration.apply.probabilities import (
    label_problems,
    labels,
    logit_problems,
    matrix,
)
from vouch.calibration.apply.scalar_maps import FloatArray, apply_map, sigmoid
from vouch.errors import DataError, refuse_any
from vouch.tables import GATE_LOGIT, LOGIT, PROBABILITY


def calibrated_classes(calibrator: Mapping[str, Any], rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with calibrated probabilities and what follows from them.

    Added are `probability_<class>` (rows sum to one), `confidence` (the largest of them) and `gate` (calibrated
    probability of being right, where rows have a gate's logit and the calibrator a map for it). `class_pred` becomes
    the class with the largest probability. Where rows have `class_true`, `correct_before` keeps `correct` and
    `correct` judges the new `class_pred`; a row without a label is not correct.

    Raises
    ------
    DataError
        Listing missing and foreign logit columns, every logit that is NaN or infinite, and every unknown label.
    """
    classes = calibrator["classes"]
    known = "class_true" in rows
    refuse_any(DataError, logit_problems(rows, classes) + (label_problems(rows, classes) if known else []))
    probability = apply_multiclass(calibrator["map"], matrix(rows, classes, LOGIT))
    best = probability.argmax(axis=1)
    columns: dict[str, Any] = {PROBABILITY + name: probability[:, place] for place, name in enumerate(classes)}
    columns |= {"confidence": probability.max(axis=1, initial=0.0)}
    columns |= {"class_pred": pd.array(np.asarray(classes, dtype=object)[best], dtype="str")}
    if known:
        columns |= {
            "correct_before": rows["correct"].to_numpy(dtype=bool),
            "correct": best == labels(rows, classes),
        }
    if GATE_LOGIT in rows and calibrator["gate"] is not None:
        columns |= {"gate": apply_map(calibrator["gate"], gate_score(rows))}
    return rows.assign(**columns)


def gate_score(rows: pd.DataFrame) -> FloatArray:
    """Return the sigmoid of the gate's logit: the raw score that the gate's map is learned on and read at."""
    return sigmoid(rows[GATE_LOGIT].to_numpy(dtype=np.float64))


def as_predicted(classes: Sequence[str]) -> dict[str, Any]:
    """Return the calibrator that leaves softmax and gate as they are."""
    identity = {"method": "identity"}
    return {"kind": "multiclass", "classes": list(classes), "map": identity, "gate": identity}
