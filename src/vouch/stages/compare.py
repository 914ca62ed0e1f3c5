"""Compare the candidate with the baseline on the same val_test photographs.

Reads:  pipeline.models.M.task, data/predictions/M/{candidate,baseline}/val_test.parquet,
        models/M/{calibrator,policy}.json, the baseline bundle
Writes: metrics/M/comparison.json
Fails when: the two sides share no photograph, or disagree on its group; the baseline bundle does not check.
"""

from pathlib import Path

from vouch import io, paths
from vouch.calibration.apply.calibrator import calibrated, fitted_from
from vouch.evaluation.comparison.differences import Comparing, compare, overlap, resampled
from vouch.evaluation.metrics.numbering import numbered
from vouch.params import load
from vouch.policies.apply.policy import decided
from vouch.release import bundle
from vouch.roads import task_of
from vouch.splits.contract import read_predictions
from vouch.stages import main


class Params(Comparing):
    """models.M.compare."""


def run(name: str, baseline_bundle: str) -> None:
    """Judge each side by its own calibrator and policy, the misses of both by the candidate's positive class."""
    params, task = load(Params, "models", name, "compare"), task_of(name)
    shared = overlap(*(read_predictions(name, side, "val_test", purpose="judge") for side in ("candidate", "baseline")))
    calibrator, policy = (io.read_json(paths.model(name, f"{part}.json")) for part in ("calibrator", "policy"))
    opposite = bundle.read(Path(baseline_bundle)).parts
    sides = ((calibrator, policy), (opposite.calibrator, opposite.policy))
    candidate, baseline = (
        numbered(
            decided(decides, calibrated(maps, rows)),
            task=task,
            floor=fitted_from(maps),
            positive=policy.get("positive"),  # a trivial baseline names none
        )
        for rows, (maps, decides) in zip(shared, sides, strict=True)
    )
    n_groups, correlation = candidate["group"].nunique(), policy["intraclass_correlation"]
    resampling = resampled(params, n_groups, patterns=params.replicates, correlation=correlation)
    differences = compare(candidate, baseline, margins=params.margins, strata=params.strata, resampling=resampling)
    io.write_json(paths.metrics(name, "comparison"), differences)


if __name__ == "__main__":
    main(run)
