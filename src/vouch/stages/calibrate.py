"""Fit the calibrator that turns a model's raw scores into probabilities of being right.

Reads   models.M.calibrate; the candidate's predictions on val_select
Writes  models/M/calibrator.json, models/M/calibrator.csv (101 points for each curve of one score),
        metrics/M/calibration.json and plots/M/calibration.csv (before, and after from folds that did not see the row)
Fails when  a score is not in [0, 1], a logit is not finite, a label is unknown, labels are of one class only, or a row
        has no group. Too few predictions are not a failure: the calibrator is then the identity and says why.
"""

from typing import Annotated, Literal

import pandas as pd
from pydantic import Field, RootModel

from vouch import io, paths
from vouch.calibration.fit.calibrate import Learnt, learn_multiclass, learn_scalar
from vouch.calibration.fit.candidates import Teaching
from vouch.calibration.fit.multiclass_selection import MulticlassChoice
from vouch.calibration.fit.scalar_selection import Choice
from vouch.params import Section, load
from vouch.splits.contract import read_predictions
from vouch.stages import main

DIGITS = 9  # decimals of a coefficient: confidences then agree to 1e-8 with those that were fitted

ScalarMethod = Literal["identity", "temperature", "platt", "beta", "isotonic"]
MulticlassMethod = Literal[
    ScalarMethod, "vector", "matrix", "dirichlet", "ensemble_temperature", "histogram", "bbq", "spline"
]
RowsPerParameter = Annotated[float, Field(ge=0)]
Likeness = Annotated[float, Field(ge=0, le=1)]
Folds = Annotated[int, Field(ge=2)]
Bins = Annotated[int, Field(ge=1)]


class Scalar(Section):
    """One score for each prediction, as of a detector."""

    kind: Literal["scalar"]
    methods: Annotated[tuple[ScalarMethod, ...], Field(min_length=1)]
    rows_per_parameter: RowsPerParameter
    intraclass_floor: Likeness
    folds: Folds
    floor: Annotated[float, Field(ge=0, lt=1)]  # raw score
    min_rows: Annotated[int, Field(ge=1)]
    min_groups: Annotated[int, Field(ge=2)]
    bins: Bins


class Multiclass(Section):
    """A logit for each class, as of a classifier."""

    kind: Literal["multiclass"]
    methods: Annotated[tuple[MulticlassMethod, ...], Field(min_length=1)]
    rows_per_parameter: RowsPerParameter
    intraclass_floor: Likeness
    folds: Folds
    bins: Bins


class Params(RootModel[Annotated[Scalar | Multiclass, Field(discriminator="kind")]]):
    """models.M.calibrate, by what the model's rows carry."""


def run(model: str) -> None:
    """Calibrate one model."""
    section = load(Params, "models", model, "calibrate").root
    rows = read_predictions(model, "candidate", "val_select", purpose="fit_calibrator")
    learnt = _learn(rows, section)
    io.write_json(paths.model(model, "calibrator.json"), learnt.calibrator, digits=DIGITS)
    io.write_table(paths.model(model, "calibrator.csv"), learnt.lookup)
    io.write_json(paths.metrics(model, "calibration"), learnt.metrics)
    io.write_table(paths.plots(model, "calibration.csv"), learnt.reliability)


def _learn(rows: pd.DataFrame, section: Scalar | Multiclass) -> Learnt:
    teaching = Teaching(section.rows_per_parameter, section.intraclass_floor)
    if isinstance(section, Multiclass):
        return learn_multiclass(rows, MulticlassChoice(section.methods, section.folds, teaching), bins=section.bins)
    choice = Choice(section.methods, section.folds, section.floor, section.min_rows, section.min_groups, teaching)
    return learn_scalar(rows, choice, bins=section.bins)


if __name__ == "__main__":
    main(run)
