"""What a calibration changed, as metrics and as a reliability table, before and after."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from vouch.calibration.apply.scalar_maps import FloatArray
from vouch.calibration.fit.calibration_errors import (
    BoolArray,
    adaptive_ece,
    brier,
    classwise_ece,
    debiased_ece,
    detection_ece,
    ece,
    equal_mass,
    equal_width,
    expected_ece,
    laace0,
    laece0,
    mce,
    nll,
    overlap_at_zero,
    reliability_table,
)

LAECE_BINS = 25  # the paper's; its figures can be compared only at the same number
AREA_BINS = 3  # small, medium and large thirds of the boxes

Metrics = dict[str, dict[str, dict[str, Any]]]


def calibration_metrics(rows: pd.DataFrame, calibrated: FloatArray, *, bins: int, correlation: float) -> Metrics:
    """Return {metric: {stratum: {value, low, high, n_rows, n_groups}}}, each metric also as `<metric>_before`.

    `ece` and `adaptive_ece` also have `expected_by_chance`, see `calibration_errors.expected_ece`.

    Parameters
    ----------
    rows : table
        `score`, `correct`, `class_pred`, `group`, and where the task has boxes `x1 y1 x2 y2 iou`.
    calibrated : float64 array, shape (n,), in [0, 1]
        Confidences from a calibrator that has not seen the row, or the figures flatter.
    bins : int
    correlation : float
        Of being right in two rows of a group.

    Returns
    -------
    dict
        Strata are `all` and `class=<name>`. `low` and `high` are null: these figures watch the fit; evaluate judges,
        with intervals. Empty where there are no rows.
    """
    strata = {"all": np.ones(len(rows), dtype=bool)} if len(rows) else {}
    strata |= {f"class={name}": (rows["class_pred"] == name).to_numpy() for name in sorted(set(rows["class_pred"]))}
    metrics: Metrics = {}
    for stratum, mask in strata.items():
        part = rows[mask]
        entry = {"low": None, "high": None, "n_rows": len(part), "n_groups": int(part["group"].nunique())}
        for suffix, confidence in (("", calibrated[mask]), ("_before", part["score"].to_numpy(dtype=np.float64))):
            chance = by_chance(confidence, part["group"], bins=bins, correlation=correlation)
            for metric, value in _values(part, confidence, bins).items():
                metrics.setdefault(metric + suffix, {})[stratum] = {"value": value, **entry, **chance.get(metric, {})}
    return metrics


def reliability_sides(rows: pd.DataFrame, calibrated: FloatArray, *, bins: int) -> pd.DataFrame:
    """Return the reliability tables of raw scores (`side` before) and confidences (after), one above the other."""
    right, score = rows["correct"].to_numpy(dtype=bool), rows["score"].to_numpy(dtype=np.float64)
    return reliability_of(score, right, calibrated, right, bins=bins)


def reliability_of(
    stated: FloatArray, right: BoolArray, calibrated: FloatArray, right_after: BoolArray, *, bins: int
) -> pd.DataFrame:
    """Return the reliability tables of two sides, each with its own answers, one above the other."""
    before = reliability_table(stated, right, bins=bins).assign(side="before")
    after = reliability_table(calibrated, right_after, bins=bins).assign(side="after")
    table = pd.concat([before, after], ignore_index=True)
    return table[["side", *table.columns.drop("side")]]


def _values(rows: pd.DataFrame, confidence: FloatArray, bins: int) -> dict[str, float]:
    right = rows["correct"].to_numpy(dtype=bool)
    named = classwise_ece(confidence, right, rows["class_pred"].to_numpy(dtype=object), bins=bins)
    values = {**binary_values(confidence, right, bins=bins), "classwise_ece": named}
    return values | (_box_values(rows, confidence, bins) if "iou" in rows else {})


def binary_values(confidence: FloatArray, right: BoolArray, *, bins: int) -> dict[str, float]:
    """Return the calibration errors and losses of confidences against right or wrong."""
    binned: tuple[Callable[..., float], ...] = (ece, adaptive_ece, debiased_ece, mce)
    values = {function.__name__: function(confidence, right, bins=bins) for function in binned}
    return values | {"nll": nll(confidence, right), "brier": brier(confidence, right)}


def by_chance(
    confidence: FloatArray, group: "pd.Series[Any]", *, bins: int, correlation: float
) -> dict[str, dict[str, float]]:
    """Return {metric: {expected_by_chance}} of the errors whose value under perfect calibration is known."""
    codes = pd.factorize(group, sort=True)[0]
    places = {"ece": equal_width(confidence, bins), "adaptive_ece": equal_mass(confidence, bins)}
    return {
        metric: {"expected_by_chance": expected_ece(confidence, index, codes, correlation=correlation)}
        for metric, index in places.items()
    }


def _box_values(rows: pd.DataFrame, confidence: FloatArray, bins: int) -> dict[str, float]:
    area_px = ((rows["x2"] - rows["x1"]) * (rows["y2"] - rows["y1"])).to_numpy(dtype=np.float64)
    right, class_pred = rows["correct"].to_numpy(dtype=bool), rows["class_pred"].to_numpy(dtype=object)
    overlap = overlap_at_zero(rows["iou"].to_numpy(dtype=np.float64), right)
    return {
        "d_ece": detection_ece(confidence, right, area_px, bins=bins, feature_bins=AREA_BINS),
        "laece0": laece0(confidence, overlap, class_pred, bins=LAECE_BINS),
        "laace0": laace0(confidence, overlap, class_pred),
    }
