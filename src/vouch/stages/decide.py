"""Fix the one policy that says which of a model's predictions are accepted.

Reads   models.M.decide; the candidate's predictions on val_calib; models/M/calibrator.json
Writes  models/M/policy.json
Fails when  a stratum of the objective is not in the rows, or the calibrator cannot be applied. A target that is out of
        reach is not a failure: the policy then says `feasible: false` and why, and the gate judges it.
"""

from typing import Annotated, Literal

from pydantic import Field

from vouch import io, paths
from vouch.calibration.calibrator import confidence, validate_calibrator
from vouch.params import Section, load
from vouch.policies.operating_point import Objective, fit_operating_point
from vouch.splits.contract import read_predictions
from vouch.stages import main

DIGITS = 12  # decimals of a threshold: it lies 5e-10 or more from every confidence seen, and must stay there

Share = Annotated[float, Field(gt=0, lt=1)]


class RecallObjective(Section):
    """The highest thresholds that still reach a recall."""

    metric: Literal["recall"]
    level: Literal["class", "all"]
    target: Share
    bound: Literal["value", "low"]
    delta: Share


class F1Objective(Section):
    """The thresholds with the largest F1."""

    metric: Literal["f1"]
    level: Literal["class", "all"]
    delta: Share


class Params(Section):
    """models.M.decide."""

    objective: Annotated[RecallObjective | F1Objective, Field(discriminator="metric")]
    strata: tuple[str, ...]
    min_truths: Annotated[int, Field(ge=1)]


def run(model: str) -> None:
    """Decide for one model."""
    params = load(Params, "models", model, "decide")
    objective = Objective(**params.objective.model_dump(), strata=params.strata, min_truths=params.min_truths)
    rows = read_predictions(model, "candidate", "val_calib", purpose="fix_policy")
    calibrator = io.read_json(paths.model(model, "calibrator.json"))
    validate_calibrator(calibrator)
    calibrated = confidence(calibrator, rows["score"], rows["class_pred"])
    io.write_json(paths.model(model, "policy.json"), fit_operating_point(rows, calibrated, objective), digits=DIGITS)


if __name__ == "__main__":
    main(run)
