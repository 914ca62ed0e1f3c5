"""What a calibration changed: metrics under the names of `definitions`, and a reliability table, before and after.

These figures watch the fit on val_select; evaluate judges on val_test, with intervals.
"""

from collections.abc import Mapping
from typing import Any, assert_never

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri

from vouch.calibration.fit.params import Crops, Multiclass, Scalar
from vouch.evaluation.metrics.calibration_error import equal_width
from vouch.evaluation.metrics.definitions.metric import BEFORE
from vouch.evaluation.metrics.intervals import FloatArray, point
from vouch.evaluation.metrics.measures import by_chance, refuse_unmeasurable
from vouch.evaluation.metrics.strata import ALL, CLASS
from vouch.evaluation.metrics.table import measured
from vouch.tables import PROBABILITY

Metrics = dict[str, dict[str, dict[str, Any]]]

OF_ERROR = {name: name for name in ("ece", "ece_adaptive", "ece_debiased", "mce")}
OF_CROPS = OF_ERROR | {name: name for name in ("nll_confidence", "brier_confidence", "ece_class_mean")}
OF_DETECTIONS = OF_CROPS | {name: name for name in ("d_ece", "laece0", "laace0")}
OF_CLASSES = OF_ERROR | {name: name for name in ("nll", "brier", "ece_classwise")}
OF_GATE = {"gate_ece": "ece", "gate_nll": "nll_confidence", "gate_brier": "brier_confidence"}
ONE_VS_REST = {f"one_vs_rest_{name}": name for name in OF_ERROR} | {
    "one_vs_rest_nll": "nll_confidence",
    "one_vs_rest_brier": "brier_confidence",
}


def metrics_before_after(
    before: pd.DataFrame, after: pd.DataFrame, asked: Scalar | Multiclass, *, correlation: float
) -> Metrics:
    """Return {metric: {stratum: {value, low, high, n_rows, n_groups}}}, each metric also as `<metric>_before`.

    Parameters
    ----------
    before, after : tables
        The same rows as predicted, and as a calibrator that has not seen them leaves them: `confidence`, `correct`,
        `class_pred`, `group`, of detections the boxes, of classes `class_true`, `probability_<class>`, perhaps `gate`.
    asked
        The kind of calibrator, which says what rows are measured by.
    correlation : float
        Of being right in two rows of a group, for `expected_by_chance`.

    Returns
    -------
    dict
        Of detections and crops the strata are `all` and `class=<predicted class>`; of classes `all` judges answers,
        probabilities and gate, and `class=<name>` that class's probability over all rows (one_vs_rest_*). `low` and
        `high` are null. Empty where there are no rows.

    Raises
    ------
    DataError
        Naming each metric that the rows lack a column for.
    """
    sides = {"": after, BEFORE: before}
    return {
        name + suffix: strata
        for suffix, rows in sides.items()
        for name, strata in _of_side(_numbered(rows), asked, correlation).items()
    }


def _of_side(rows: pd.DataFrame, asked: Scalar | Multiclass, correlation: float) -> Metrics:
    if rows.empty:
        return {}
    match asked:
        case Scalar():
            parts = {f"{CLASS}={name}": part for name, part in rows.groupby("class_pred")}
            return _cells({ALL: rows, **parts}, OF_CROPS if isinstance(asked, Crops) else OF_DETECTIONS, correlation)
        case Multiclass():
            gate = {ALL: rows.assign(confidence=rows["gate"])} if "gate" in rows else {}
            return {
                **_cells({ALL: rows}, OF_CLASSES, correlation),
                **_cells(gate, OF_GATE, correlation),
                **_cells(_one_vs_rest(rows), ONE_VS_REST, correlation),
            }
        case _:
            assert_never(asked)


def _one_vs_rest(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the rows once for each class: its probability as the confidence, right where the class is there."""
    names = [str(column).removeprefix(PROBABILITY) for column in rows if str(column).startswith(PROBABILITY)]
    return {
        f"{CLASS}={name}": rows.assign(confidence=rows[PROBABILITY + name], correct=rows["class_true"] == name)
        for name in names
    }


def _numbered(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(calibrated=True, group_index=pd.factorize(rows["group"], sort=True)[0])


def _cells(strata: Mapping[str, pd.DataFrame], names: Mapping[str, str], correlation: float) -> Metrics:
    for rows in strata.values():
        refuse_unmeasurable(rows, [*names.values()])
    return {
        name: {where: _cell(rows, of, correlation) for where, rows in strata.items()}
        for name, of in names.items()
        if strata
    }


def _cell(rows: pd.DataFrame, name: str, correlation: float) -> dict[str, Any]:
    measure = measured(rows, name, int(rows["group_index"].max()) + 1)
    return {
        "value": point(measure),
        "low": None,
        "high": None,
        "n_rows": len(rows),
        "n_groups": int(rows["group"].nunique()),
        **by_chance(rows, name, correlation, "expected_by_chance"),
    }


def reliability_before_after(before: pd.DataFrame, after: pd.DataFrame, *, bins: int) -> pd.DataFrame:
    """Return the reliability tables of both sides, each with its own answers, one above the other.

    Returns
    -------
    table
        `side` (before, after), `bin_low`, `bin_high`, `n`, `confidence` (mean), `accuracy`, `low`, `high`: one row for
        each equal-width bin that holds rows, with a 95 % Wilson interval of its accuracy. Empty when there are none.
    """
    sides = {"before": before, "after": after}
    table = pd.concat([_reliability(rows, bins).assign(side=side) for side, rows in sides.items()], ignore_index=True)
    return table[["side", *table.columns.drop("side")]]


def _reliability(rows: pd.DataFrame, bins: int) -> pd.DataFrame:
    confidence, correct = rows["confidence"].to_numpy(dtype=np.float64), rows["correct"].to_numpy(dtype=bool)
    filled, inverse, n = np.unique(equal_width(confidence, bins), return_inverse=True, return_counts=True)
    accuracy = np.bincount(inverse, weights=correct, minlength=len(filled)) / n
    low, high = wilson(accuracy, n)
    return pd.DataFrame(
        {
            "bin_low": filled / bins,
            "bin_high": (filled + 1) / bins,
            "n": n,
            "confidence": np.bincount(inverse, weights=confidence, minlength=len(filled)) / n,
            "accuracy": accuracy,
            "low": low,
            "high": high,
        }
    )


def wilson(share: FloatArray, n: npt.NDArray[np.integer]) -> tuple[FloatArray, FloatArray]:
    """Return the ends of the 95 % Wilson score interval of a share of n independent rows."""
    z = ndtri(0.975)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return np.clip(centre - half, 0.0, 1.0), np.clip(centre + half, 0.0, 1.0)
