"""Everything that calibrating a model on its val_select rows gives, for each kind of calibrator."""

from dataclasses import dataclass

import pandas as pd

from vouch.calibration.apply.calibrator import Calibrator, calibrated
from vouch.calibration.apply.multiclass import as_predicted
from vouch.calibration.fit import multiclass_selection as multiclass
from vouch.calibration.fit import scalar_selection as scalar
from vouch.calibration.fit.candidates import likeness
from vouch.calibration.fit.multiclass_lookup import multiclass_lookup
from vouch.calibration.fit.multiclass_report import multiclass_metrics, multiclass_reliability
from vouch.calibration.fit.scalar_lookup import lookup_table
from vouch.calibration.fit.scalar_report import Metrics, calibration_metrics, reliability_sides


@dataclass(frozen=True)
class Learnt:
    """A fitted calibrator, the same as a table, and what it changed on rows that it did not see."""

    calibrator: Calibrator
    lookup: pd.DataFrame
    metrics: Metrics
    reliability: pd.DataFrame


def learn_scalar(rows: pd.DataFrame, choice: scalar.Choice, *, bins: int) -> Learnt:
    """Learn maps of one score for each predicted class."""
    learnt_from = scalar.population(rows, floor=choice.floor)
    calibrator = scalar.fit_calibrator(learnt_from, choice)
    unseen = scalar.out_of_fold(learnt_from, choice)
    classes = {*rows["class_true"].dropna(), *rows["class_pred"].dropna()}
    correlation = likeness(learnt_from, choice.teaching.intraclass_floor)
    return Learnt(
        calibrator,
        lookup_table(calibrator, classes),
        calibration_metrics(learnt_from, unseen, bins=bins, correlation=correlation),
        reliability_sides(learnt_from, unseen, bins=bins),
    )


def learn_multiclass(rows: pd.DataFrame, choice: multiclass.MulticlassChoice, *, bins: int) -> Learnt:
    """Learn one map of all logits, and one of the gate."""
    learnt_from = multiclass.labelled(rows)
    calibrator = multiclass.fit_multiclass(learnt_from, choice)
    before = calibrated(as_predicted(calibrator["classes"]), learnt_from)
    unseen = multiclass.out_of_fold(learnt_from, choice)
    correlation = likeness(learnt_from, choice.teaching.intraclass_floor)
    return Learnt(
        calibrator,
        multiclass_lookup(calibrator),
        multiclass_metrics(before, unseen, calibrator["classes"], bins=bins, correlation=correlation),
        multiclass_reliability(before, unseen, bins=bins),
    )
