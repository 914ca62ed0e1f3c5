"""How each metric of `definitions` is made ready on rows, and whether the rows carry what it needs.

Three families: ratios of sums over rows (`ratios`, `probabilities`, `calibration_error`, `counts`), ranks of detections
(`average_precision`), and orders of answers, of a class or of crops (`selective`, `auroc`, `open_set`).
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from vouch.errors import DataError, Problem, refuse_any
from vouch.evaluation.metrics import (
    auroc,
    calibration_error,
    counts,
    detection_calibration,
    open_set,
    probabilities,
    ratios,
    selective,
)
from vouch.evaluation.metrics.average_precision import IOU_BITS, mean_average_precision
from vouch.evaluation.metrics.calibration_error import equal_mass, equal_width
from vouch.evaluation.metrics.definitions.table import METRICS
from vouch.evaluation.metrics.intervals import FloatArray, Measure
from vouch.evaluation.metrics.ratios import Terms, ratio

Ready = Callable[[pd.DataFrame, int], Measure]  # takes judged rows (a stratum) and the number of groups of the table
Chance = Callable[[pd.DataFrame, float], float | None]  # takes judged rows and the correlation of a group's rows


def _counted(terms: Callable[[pd.DataFrame], Terms], *, share: bool) -> Ready:
    return partial(ratio, terms=terms, share=share)


def _by_chance(*, stated: str, counted: str, bins: Callable[[FloatArray, int], npt.NDArray[np.intp]]) -> Chance:
    return partial(calibration_error.expected, stated=stated, counted=counted, bins=bins)


MEASURES: dict[str, Ready] = {
    # of detections
    "map50": partial(mean_average_precision, bits=(0,)),
    "map75": partial(mean_average_precision, bits=(5,)),
    "map50_95": partial(mean_average_precision, bits=IOU_BITS),
    "recall": _counted(ratios.recall, share=True),
    "precision": _counted(ratios.precision, share=True),
    "false_alarms_per_sample": _counted(ratios.false_alarms, share=False),
    "limit_reached_fraction": _counted(ratios.limit_reached, share=True),
    # of class probabilities
    "accuracy": _counted(ratios.accuracy, share=True),
    "nll": _counted(probabilities.nll, share=False),
    "brier": _counted(probabilities.brier, share=False),
    "auroc": auroc.auroc,
    "recall_at_precision_95": partial(auroc.recall_at_precision, limit=0.05),
    # of crops of known and unknown products
    "top1": _counted(open_set.top1, share=True),
    "top1_accepted": _counted(ratios.precision, share=True),
    "known_accept_rate": _counted(open_set.known_accept_rate, share=True),
    "unknown_false_accept_rate": _counted(open_set.unknown_false_accept_rate, share=True),
    "auroc_unknown": open_set.auroc_unknown,
    "oscr": open_set.oscr,
    "tpr_at_fpr_05": partial(open_set.tpr_at_fpr, limit=0.05),
    # of confidence
    "ece": _counted(calibration_error.ece, share=True),
    "ece_before": _counted(calibration_error.ece_before, share=True),
    "ece_accepted": _counted(calibration_error.ece_accepted, share=True),
    "ece_adaptive": _counted(calibration_error.ece_adaptive, share=True),
    "ece_debiased": calibration_error.ece_debiased,
    "ece_classwise": calibration_error.ece_classwise,
    "ece_class_mean": detection_calibration.ece_class_mean,
    "mce": calibration_error.mce,
    "nll_confidence": _counted(probabilities.nll_confidence, share=False),
    "brier_confidence": _counted(probabilities.brier_confidence, share=False),
    "d_ece": _counted(detection_calibration.d_ece, share=True),
    "laece0": detection_calibration.laece0,
    "laace0": detection_calibration.laace0,
    # of the policy
    "coverage": _counted(ratios.coverage, share=True),
    "accuracy_on_exits": _counted(ratios.precision, share=True),
    "fnr_on_exits": _counted(ratios.fnr_on_exits, share=True),
    "fpr_on_exits": _counted(ratios.fpr_on_exits, share=True),
    "average_set_size": _counted(probabilities.set_size, share=False),
    "set_size_all": _counted(probabilities.set_size_all, share=False),
    # of every policy that confidence allows
    "aurc": selective.aurc,
    "e_aurc": selective.e_aurc,
    "augrc": selective.augrc,
    "risk_at_coverage_80": partial(selective.risk_at_coverage, share=0.8),
    "coverage_at_risk_02": partial(selective.coverage_at_risk, limit=0.02),
    "coverage_at_risk_02_first": partial(selective.coverage_before_risk, limit=0.02),
    "coverage_at_precision_95": partial(selective.coverage_at_risk, limit=0.05),
    # of counts
    "count_mae": counts.mean_over_products,
    "count_mae_micro": _counted(counts.error, share=False),
    "exact_count_rate": _counted(counts.exact, share=True),
    "count_bias": _counted(counts.bias, share=False),
    "false_gap_rate": _counted(counts.false_gaps, share=True),
    "hidden_gap_rate": _counted(counts.hidden_gaps, share=True),
}

CHANCE: dict[str, Chance] = {  # what a perfectly calibrated model would show on average
    "ece": _by_chance(stated="confidence", counted="calibrated", bins=equal_width),
    "ece_before": _by_chance(stated="score", counted="calibrated", bins=equal_width),
    "ece_accepted": _by_chance(stated="confidence", counted="accept", bins=equal_width),
    "ece_adaptive": _by_chance(stated="confidence", counted="calibrated", bins=equal_mass),
    "ece_classwise": calibration_error.expected_classwise,
}


def by_chance(rows: pd.DataFrame, name: str, correlation: float, key: str) -> dict[str, float | None]:
    """Return what chance alone makes of a calibration error, under `key`; nothing for another metric."""
    return {key: CHANCE[name](rows, correlation)} if name in CHANCE else {}


def refuse_unmeasurable(rows: pd.DataFrame, names: Sequence[str], *, side: str = "") -> None:
    """Return when the rows have every column that the named metrics need.

    Raises
    ------
    DataError
        Naming each metric and the columns that it lacks.
    """
    remedy = "leave the metric out for this model, or judge rows that carry it"
    problems = [
        Problem(f"{side}metric {name}", f"judged rows with {_columns(lacking)}", "rows without", remedy)
        for name in names
        if (lacking := missing_columns(rows, name))
    ]
    refuse_any(DataError, problems)


def missing_columns(rows: pd.DataFrame, name: str) -> list[str]:
    """Return the columns that a metric needs and the rows lack."""
    present = [str(column) for column in rows.columns]
    return [
        need
        for need in METRICS[name].needs
        if need not in present and not (need.endswith("_") and any(column.startswith(need) for column in present))
    ]


def _columns(needs: Sequence[str]) -> str:
    said = [f"column {need}<class>" if need.endswith("_") else f"column {need}" for need in needs]
    notes = {"column positive": "column positive (a policy that names a positive class)"}
    return ", ".join(notes.get(need, need) for need in said)
