"""Compare the candidate with the baseline on the same val_test photographs.

Reads:  pipeline.models.M.task, data/predictions/M/{candidate,baseline}/val_test.parquet,
        models/M/{calibrator,policy}.json, the baseline bundle
Writes: metrics/M/comparison.json
Fails when: the two sides share no photograph, or disagree on its group; the baseline bundle does not check.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from vouch import io, paths
from vouch.calibration.apply.calibrator import calibrated, fitted_from
from vouch.evaluation.comparison import Resampling, compare, overlap
from vouch.evaluation.metrics.definitions import ComparedName
from vouch.evaluation.metrics.intervals import group_weights
from vouch.evaluation.metrics.numbering import numbered
from vouch.evaluation.significance import flip_signs
from vouch.params import Section, load
from vouch.policies.apply.policy import decided
from vouch.release import bundle
from vouch.roads import task_of
from vouch.splits.contract import read_predictions
from vouch.stages import main


class Params(Section):
    """models.M.compare."""

    margins: dict[ComparedName, Annotated[float, Field(ge=0.0)]]
    strata: tuple[tuple[str, ...], ...]
    replicates: Annotated[int, Field(ge=200, le=1_000_000)]  # and patterns of signs: 5 bytes for each group of each
    seed: Annotated[int, Field(ge=0)]
    level: Annotated[float, Field(gt=0.5, lt=1.0)]


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
    rng = np.random.default_rng(params.seed)
    n_groups = candidate["group"].nunique()
    resampling = Resampling(
        weights=group_weights(n_groups, replicates=params.replicates, rng=rng),
        signs=flip_signs(n_groups, patterns=params.replicates, rng=rng),
        level=params.level,
        correlation=policy["intraclass_correlation"],
    )
    differences = compare(candidate, baseline, margins=params.margins, strata=params.strata, resampling=resampling)
    io.write_json(paths.metrics(name, "comparison"), differences)


if __name__ == "__main__":
    main(run)
