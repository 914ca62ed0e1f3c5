"""Judge what cross_validate's networks said of the groups that they never saw, with intervals over all those groups.

Reads   pipeline.models.M.task, data/predictions/M/by_group.parquet
Writes  metrics/M/by_group.json, plots/M/by_group.csv: one line a fold
Fails   when the rows lack a column that a metric needs
"""

from typing import Annotated

import numpy as np
from pydantic import Field

from vouch import io, paths
from vouch.evaluation import by_group
from vouch.evaluation.metrics.intervals import Setting, group_weights
from vouch.evaluation.metrics.params import Intervals
from vouch.params import load
from vouch.roads import task_of
from vouch.stages import main


class Params(Intervals):
    """models.M.evaluate_by_group."""

    intraclass_floor: Annotated[float, Field(ge=0, le=1)]


def run(model: str) -> None:
    """Measure raw scores: there is neither a calibrator nor a policy of these networks."""
    params, task = load(Params, "models", model, "evaluate_by_group"), task_of(model)
    rows = by_group.as_said(io.read_table(paths.by_group(model)), task)
    setting = Setting(params.level, by_group.correlation(rows, floor=params.intraclass_floor), params.few_groups)
    rng = np.random.default_rng(params.seed)
    weights = group_weights(rows["group"].nunique(), replicates=params.replicates, rng=rng)
    io.write_json(paths.metrics(model, "by_group"), by_group.table(rows, task, weights=weights, setting=setting))
    io.write_table(paths.plots(model, "by_group.csv"), by_group.fold_table(rows, task))


if __name__ == "__main__":
    main(run)
