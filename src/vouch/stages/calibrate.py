"""Fit the calibrator that turns a model's raw scores into probabilities of being right.

Reads   models.M.calibrate, pipeline.models.M.task; the candidate's predictions on val_select
Writes  models/M/calibrator.json, models/M/calibrator.csv (101 points for each curve of one score),
        metrics/M/calibration.json and plots/M/calibration.csv (before, and after from folds that did not see the row)
Fails when  a score is not in [0, 1], a logit is not finite, a label is unknown, labels are of one class only, or a row
        has no group. Too few predictions are not a failure: the calibrator is then the identity and says why.
"""

import sys
import time
from collections.abc import Callable

from vouch import io, paths
from vouch.calibration.fit.calibrate import fit
from vouch.calibration.fit.params import SECTIONS
from vouch.evaluation.before_after import metrics_before_after, reliability_before_after
from vouch.params import load
from vouch.roads import task_of
from vouch.splits.contract import read_predictions
from vouch.stages import main

DIGITS = 9  # decimals of a coefficient: confidences then agree to 1e-8 with those that were fitted
EVERY_S = 10.0  # a line of progress: none where classes are few


def run(model: str) -> None:
    """Calibrate one model."""
    asked = load(SECTIONS[task_of(model)], "models", model, "calibrate")
    rows = read_predictions(model, "candidate", "val_select", purpose="fit_calibrator")
    found = fit(rows, asked, tell=rarely(time.monotonic))
    metrics = metrics_before_after(found.before, found.after, asked, correlation=found.correlation)
    reliability = reliability_before_after(found.before, found.after, bins=asked.bins)
    io.write_json(paths.model(model, "calibrator.json"), found.calibrator, digits=DIGITS)
    io.write_table(paths.model(model, "calibrator.csv"), found.lookup)
    io.write_json(paths.metrics(model, "calibration"), metrics)
    io.write_table(paths.plots(model, "calibration.csv"), reliability)


def rarely(clock: Callable[[], float]) -> Callable[[str], None]:
    """Return what says on stderr what is fitted now, at most every ten seconds.

    Parameters
    ----------
    clock : function
        Seconds of a clock that never goes back.
    """
    start = last = clock()

    def tell(now: str) -> None:
        nonlocal last
        if clock() - last >= EVERY_S:
            last = clock()
            print(f"calibrate: {last - start:.0f} s so far, now {now}", file=sys.stderr, flush=True)

    return tell


if __name__ == "__main__":
    main(run)
