"""What a calibration of several classes changed, as metrics and as a reliability table, before and after."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from vouch.calibration.apply.probabilities import PROBABILITY, labels, matrix
from vouch.calibration.apply.scalar_maps import FloatArray
from vouch.calibration.fit import multiclass_errors as by_class
from vouch.calibration.fit.calibration_errors import BoolArray
from vouch.calibration.fit.scalar_report import Metrics, binary_values, by_chance, reliability_of


def multiclass_metrics(
    before: pd.DataFrame, after: pd.DataFrame, classes: Sequence[str], *, bins: int, correlation: float
) -> Metrics:
    """Return {metric: {stratum: {value, low, high, n_rows, n_groups}}}, each metric also as `<metric>_before`.

    `ece` and `adaptive_ece` also have `expected_by_chance`, as in `scalar_report`.

    Parameters
    ----------
    before, after : tables
        The same labelled rows, as `multiclass.as_predicted` and as calibrators that have not seen them leave them.
    classes : sequence of str
    bins : int
    correlation : float
        Of being right in two rows of a group.

    Returns
    -------
    dict
        Stratum `all` judges the answer by its confidence (ece, adaptive_ece, debiased_ece, mce), all probabilities
        together (nll, brier as the sum over classes, classwise_ece), and the gate where there is one (gate_*).
        Stratum `class=<name>` judges that class's probability over all rows, as one against the rest. `low` and `high`
        are null, as in `scalar_report`.
    """
    entry = {"low": None, "high": None, "n_rows": len(before), "n_groups": int(before["group"].nunique())}
    metrics: Metrics = {}
    for suffix, rows in (("", after), ("_before", before)):
        strata = {"all": _values(rows, classes, bins)}
        stated = {"all": rows["confidence"]}
        for name in sorted(classes):
            strata[f"class={name}"], stated[f"class={name}"] = _of_class(rows, name, bins), rows[PROBABILITY + name]
        for stratum, values in strata.items():
            level = stated[stratum].to_numpy(dtype=np.float64)
            chance = by_chance(level, rows["group"], bins=bins, correlation=correlation)
            for metric, value in values.items():
                metrics.setdefault(metric + suffix, {})[stratum] = {"value": value, **entry, **chance.get(metric, {})}
    return metrics


def multiclass_reliability(before: pd.DataFrame, after: pd.DataFrame, *, bins: int) -> pd.DataFrame:
    """Return the reliability tables of the answers' confidence before and after, one above the other."""
    return reliability_of(*_answers(before), *_answers(after), bins=bins)


def _answers(rows: pd.DataFrame) -> tuple[FloatArray, BoolArray]:
    return rows["confidence"].to_numpy(dtype=np.float64), rows["correct"].to_numpy(dtype=bool)


def _values(rows: pd.DataFrame, classes: Sequence[str], bins: int) -> dict[str, float]:
    probability, truth = matrix(rows, classes, PROBABILITY), labels(rows, classes)
    sure, right = _answers(rows)
    values = binary_values(sure, right, bins=bins) | {
        "nll": by_class.nll(probability, truth),
        "brier": by_class.brier(probability, truth),
        "classwise_ece": by_class.classwise_ece(probability, truth, bins=bins),
    }
    if "gate" not in rows:
        return values
    gate = binary_values(rows["gate"].to_numpy(dtype=np.float64), right, bins=bins)
    return values | {f"gate_{metric}": gate[metric] for metric in ("ece", "nll", "brier")}


def _of_class(rows: pd.DataFrame, name: str, bins: int) -> dict[str, float]:
    stated = rows[PROBABILITY + name].to_numpy(dtype=np.float64)
    return binary_values(stated, (rows["class_true"] == name).to_numpy(dtype=bool), bins=bins)
