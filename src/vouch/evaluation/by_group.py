"""Judging what each group got from a network that never saw it: raw scores of several networks, one table."""

from typing import Any, assert_never

import numpy as np
import pandas as pd

from vouch.calibration.apply.multiclass import as_predicted, calibrated_classes
from vouch.calibration.fit.candidates import intraclass_correlation
from vouch.evaluation.metrics.intervals import IntArray, Setting, point
from vouch.evaluation.metrics.numbering import numbered
from vouch.evaluation.metrics.strata import every_stratum, strata_masks
from vouch.evaluation.metrics.table import measured, metrics_table
from vouch.tables import FOLD, LOGIT
from vouch.tasks import ByTask, Task

RAW = ByTask[tuple[str, ...]](  # need neither calibrator nor policy; the first is the one told by fold
    detect=("map50", "map50_95", "ece_before"),
    classify=("accuracy", "auroc", "nll", "brier", "ece_before"),
    identify=("top1", "ece_before"),
)


def as_said(rows: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Return the waist's rows as `numbering.numbered` does, a raw score taken for the confidence that it claims."""
    match task:
        case "detect":
            said = rows.assign(confidence=rows["score"], correct_before=rows["correct"])
        case "classify":
            classes = [name.removeprefix(LOGIT) for name in rows.columns if name.startswith(LOGIT)]
            said = calibrated_classes(as_predicted(classes), rows)
        case "identify":
            said = rows.assign(confidence=rows["score"], correct_before=rows["correct"])
        case _:
            assert_never(task)
    return numbered(said, task=task, floor=0.0, positive=None)


def correlation(rows: pd.DataFrame, *, floor: float) -> float:
    """Return how alike the rows of a group are: right answers among what is labelled, at least `floor`."""
    return intraclass_correlation(rows[rows["class_true"].notna()], floor)


def table(rows: pd.DataFrame, task: Task, *, weights: IntArray, setting: Setting) -> dict[str, dict[str, Any]]:
    """Return `metrics_table` over all groups, and by stratum and class; rows as `as_said` returns them."""
    masks = strata_masks(rows, every_stratum(rows))
    return metrics_table(rows, names=RAW[task], masks=masks, weights=weights, setting=setting)


def fold_table(rows: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Return one row a fold: the groups held out, joined by "|", their photographs, and the first metric's value."""
    main, n_groups = RAW[task][0], rows["group"].nunique()
    lines = []
    for fold, part in rows.groupby(FOLD):
        value = point(measured(part, main, n_groups))
        lines.append(
            {
                FOLD: fold,
                "groups": "|".join(sorted(part["group"].unique())),
                "photographs": part["sample_id"].nunique(),
                "metric": main,
                "value": None if np.isnan(value) else value,
            }
        )
    return pd.DataFrame(lines)
