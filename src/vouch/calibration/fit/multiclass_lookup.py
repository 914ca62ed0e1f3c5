"""A calibrator of several classes as a table of 101 points, where a curve of one score says what it does."""

from typing import Any

import numpy as np
import pandas as pd

from vouch.calibration.apply.multiclass_maps import apply_curve, apply_multiclass
from vouch.calibration.apply.scalar_maps import FloatArray, apply_map, logit
from vouch.calibration.apply.validity import ONE_VS_REST
from vouch.calibration.fit.scalar_lookup import POINTS

GATE = "*gate"  # the block of the gate: its sigmoid to the calibrated probability of being right


def multiclass_lookup(calibrator: dict[str, Any]) -> pd.DataFrame:
    """Return columns `class`, `score`, `confidence` at scores 0, .01 .. 1, as `scalar_lookup.lookup_table` does.

    Of two classes each has a block: its softmax to its calibrated probability, exact where the map sees the difference
    of the logits alone (all but vector and matrix scaling, for which the other logit is taken as 0). Of more classes
    only one-vs-rest maps are curves: their blocks give a class's value before the row is made to sum to one, and for
    every other map calibrator.json is the only form. The block `*gate` is there where the calibrator has a gate.
    """
    score = np.linspace(0.0, 1.0, POINTS)
    curves = _class_curves(calibrator, score)
    if calibrator["gate"] is not None:
        curves[GATE] = apply_map(calibrator["gate"], score)
    blocks = [pd.DataFrame({"class": name, "score": score, "confidence": level}) for name, level in curves.items()]
    return pd.concat(blocks, ignore_index=True) if blocks else pd.DataFrame(columns=["class", "score", "confidence"])


def _class_curves(calibrator: dict[str, Any], score: FloatArray) -> dict[str, FloatArray]:
    classes, curve = calibrator["classes"], calibrator["map"]
    if len(classes) == 2:
        odds = logit(score)
        first = apply_multiclass(curve, np.stack([odds, np.zeros(POINTS)], axis=1))[:, 0]
        second = apply_multiclass(curve, np.stack([np.zeros(POINTS), odds], axis=1))[:, 1]
        return {classes[0]: first, classes[1]: second}
    if curve["method"] in ONE_VS_REST:
        return {name: apply_curve(single, score) for name, single in zip(classes, curve["classes"], strict=True)}
    return {}
