"""Fix the one policy that says which of a model's predictions are accepted.

Reads   models.M.decide; the candidate's predictions on val_calib; models/M/calibrator.json
Writes  models/M/policy.json
Fails when  the rows do not fit the kind of policy, or the calibrator cannot be applied. A target that is out of
        reach is not a failure: the policy then says `feasible: false` and why, and the gate judges it. Nor is a policy
        of little use: stderr, the page and `vouch gate` say so.
"""

import sys

from pydantic import RootModel

from vouch import io, paths
from vouch.calibration.apply.calibrator import calibrated
from vouch.params import load
from vouch.policies.fit.fitted import Kind, fit_policy
from vouch.policies.fit.usefulness import of_little_use
from vouch.splits.contract import read_predictions
from vouch.stages import main

DIGITS = 12  # decimals of a threshold: it lies 5e-10 or more from every confidence seen, and must stay there


class Params(RootModel[Kind]):
    """models.M.decide."""


def run(model: str) -> None:
    """Decide for one model."""
    asked = load(Params, "models", model, "decide").root
    rows = read_predictions(model, "candidate", "val_calib", purpose="fix_policy")
    calibrator = io.read_json(paths.model(model, "calibrator.json"))
    policy = fit_policy(calibrated(calibrator, rows), asked)
    io.write_json(paths.model(model, "policy.json"), policy, digits=DIGITS)
    for weakness in of_little_use(policy):
        sys.stderr.write(f"warning: the policy of {model} is of little use: {weakness}\n")


if __name__ == "__main__":
    main(run)
