"""Fit the calibrator that turns a model's raw scores into probabilities of being right.

Reads   models.M.calibrate; the candidate's predictions on val_select
Writes  models/M/calibrator.json, models/M/calibrator.csv (101 points for each class),
        metrics/M/calibration.json and plots/M/calibration.csv (before, and after from folds that did not see the row)
Fails when  a score is not in [0, 1] or a row has no group. Too few predictions are not a failure: the calibrator is
        then the identity and says why.
"""

from typing import Annotated, Literal

from pydantic import Field

from vouch import io, paths
from vouch.calibration.choice import Choice, fit_calibrator, out_of_fold, population
from vouch.calibration.lookup import lookup_table
from vouch.calibration.summary import calibration_metrics, reliability_sides
from vouch.params import Section, load
from vouch.splits.contract import read_predictions
from vouch.stages import main

DIGITS = 9  # decimals of a coefficient: confidences then agree to 1e-8 with those that were fitted


class Params(Section):
    """models.M.calibrate."""

    methods: Annotated[tuple[Literal["identity", "temperature", "platt", "beta", "isotonic"], ...], Field(min_length=1)]
    folds: Annotated[int, Field(ge=2)]
    floor: Annotated[float, Field(ge=0, lt=1)]  # raw score
    min_rows: Annotated[int, Field(ge=1)]
    min_groups: Annotated[int, Field(ge=2)]
    bins: Annotated[int, Field(ge=1)]


def run(model: str) -> None:
    """Calibrate one model."""
    params = load(Params, "models", model, "calibrate")
    choice = Choice(params.methods, params.folds, params.floor, params.min_rows, params.min_groups)
    rows = read_predictions(model, "candidate", "val_select", purpose="fit_calibrator")
    learnt_from = population(rows, floor=params.floor)
    calibrator = fit_calibrator(learnt_from, choice)
    unseen = out_of_fold(learnt_from, choice)
    classes = {*rows["class_true"].dropna(), *rows["class_pred"].dropna()}
    io.write_json(paths.model(model, "calibrator.json"), calibrator, digits=DIGITS)
    io.write_table(paths.model(model, "calibrator.csv"), lookup_table(calibrator, classes))
    io.write_json(paths.metrics(model, "calibration"), calibration_metrics(learnt_from, unseen, bins=params.bins))
    io.write_table(paths.plots(model, "calibration.csv"), reliability_sides(learnt_from, unseen, bins=params.bins))


if __name__ == "__main__":
    main(run)
