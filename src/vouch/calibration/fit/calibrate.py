"""Everything that calibrating a model on its val_select rows gives, for each kind of calibrator."""

from dataclasses import dataclass
from typing import assert_never

import numpy as np
import pandas as pd

from vouch.calibration.apply.calibrator import Calibrator, calibrated
from vouch.calibration.apply.multiclass import as_predicted
from vouch.calibration.fit import multiclass_selection as multiclass
from vouch.calibration.fit import scalar_selection as scalar
from vouch.calibration.fit.candidates import intraclass_correlation
from vouch.calibration.fit.multiclass_lookup import multiclass_lookup
from vouch.calibration.fit.params import Crops, Multiclass, Scalar
from vouch.calibration.fit.scalar_lookup import lookup_table


@dataclass(frozen=True)
class Fitted:
    """A fitted calibrator, the same as a table, and the rows before and after one that has not seen them."""

    calibrator: Calibrator
    lookup: pd.DataFrame
    before: pd.DataFrame  # `confidence` as predicted
    after: pd.DataFrame  # `confidence` from folds that did not see the row, or metrics of it flatter
    correlation: float  # of being right in two rows of a group


def fit(rows: pd.DataFrame, asked: Scalar | Multiclass, *, tell: multiclass.Tell = multiclass.silent) -> Fitted:
    """Return the calibrator of the kind asked for, fitted on the waist's rows.

    Maps of many classes take minutes: `tell` hears what is fitted. Curves of one score take milliseconds.

    Raises
    ------
    DataError
        Listing every score, logit, label or group that nothing can be learned from.
    """
    match asked:
        case Scalar():
            return _fit_scalar(rows, asked)
        case Multiclass():
            return _fit_multiclass(rows, asked, tell)
        case _:
            assert_never(asked)


def _fit_scalar(rows: pd.DataFrame, asked: Scalar) -> Fitted:
    """Fit maps of one score for each predicted class."""
    population = scalar.population(rows, floor=asked.floor)
    if isinstance(asked, Crops):
        population = population[population["class_true"].notna()].reset_index(drop=True)
    calibrator = scalar.fit_calibrator(population, asked)
    classes = {*rows["class_true"].dropna(), *rows["class_pred"].dropna()}
    return Fitted(
        calibrator=calibrator,
        lookup=lookup_table(calibrator, classes),
        before=population.assign(confidence=population["score"].to_numpy(dtype=np.float64)),
        after=population.assign(confidence=scalar.out_of_fold(population, asked)),
        correlation=intraclass_correlation(population, asked.intraclass_floor),
    )


def _fit_multiclass(rows: pd.DataFrame, asked: Multiclass, tell: multiclass.Tell) -> Fitted:
    """Fit one map of all logits, and one of the gate."""
    labelled = multiclass.labelled(rows)
    calibrator = multiclass.fit_multiclass(labelled, asked, tell=tell)
    return Fitted(
        calibrator=calibrator,
        lookup=multiclass_lookup(calibrator),
        before=calibrated(as_predicted(calibrator["classes"]), labelled),
        after=multiclass.out_of_fold(labelled, asked, tell=tell),
        correlation=intraclass_correlation(labelled, asked.intraclass_floor),
    )
