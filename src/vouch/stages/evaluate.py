"""Judge the candidate on val_test, with intervals, by stratum.

Reads:  pipeline.models.M.task, models.M.predict (its limit), data/predictions/M/candidate/val_test.parquet,
        models/M/{calibrator,policy}.json
Writes: metrics/M/test.json, plots/M/test/{pr,reliability,recall_by_confidence,risk_coverage,confusion,
        oscr,similarity,misses}.csv, plots/M/test/groups.parquet: rows and hits of each group, which gate and `vouch
        plan` reckon with
Fails when: a crossed stratum or a metric is unknown, the rows lack a column that a metric needs, or the calibrator or
policy is not one that can be applied.
"""

from typing import Annotated

import numpy as np
from pydantic import Field

from vouch import io, paths
from vouch.calibration.apply.calibrator import calibrated, fitted_from
from vouch.evaluation.metrics import curves, open_set_curves
from vouch.evaluation.metrics.intervals import Setting, group_weights
from vouch.evaluation.metrics.numbering import limited, numbered
from vouch.evaluation.metrics.params import MetricsTable
from vouch.evaluation.metrics.strata import every_stratum, strata_masks
from vouch.evaluation.metrics.table import group_table, metrics_table
from vouch.params import load, read_section
from vouch.policies.apply.policy import decided
from vouch.roads import task_of
from vouch.splits.contract import read_predictions
from vouch.stages import main


class Params(MetricsTable):
    """models.M.evaluate."""

    worst: Annotated[int, Field(ge=1)]


def run(name: str) -> None:
    """Measure everything once, under one matrix of group weights."""
    params = load(Params, "models", name, "evaluate")
    task = task_of(name)
    calibrator, policy = (io.read_json(paths.model(name, f"{part}.json")) for part in ("calibrator", "policy"))
    predictions = read_predictions(name, "candidate", "val_test", purpose="judge")
    rows = decided(policy, calibrated(calibrator, predictions))
    rows = limited(rows, read_section("models", name, "predict").content.get("limit"))  # of detectors
    rows = numbered(rows, task=task, floor=fitted_from(calibrator), positive=policy.get("positive"))
    setting = Setting(params.level, policy["intraclass_correlation"], params.few_groups)
    rng = np.random.default_rng(params.seed)
    weights = group_weights(rows["group"].nunique(), replicates=params.replicates, rng=rng)
    masks = strata_masks(rows, [*every_stratum(rows), *params.crossed])
    table = metrics_table(rows, names=params.metrics, masks=masks, weights=weights, setting=setting)
    groups = group_table(rows, names=params.metrics, masks=masks, n_groups=weights.shape[1])
    plots = {
        "pr": curves.precision_recall(rows, task=task, weights=weights, level=params.level),
        "reliability": curves.reliability(rows, weights=weights, setting=setting),
        "recall_by_confidence": curves.recall_by_confidence(rows, weights=weights, setting=setting),
        "risk_coverage": curves.risk_coverage(rows, weights=weights, setting=setting),
        "confusion": curves.CONFUSED[task](rows),
        "oscr": open_set_curves.OSCR_CURVES[task](rows, weights=weights, level=params.level),
        "similarity": open_set_curves.SIMILARITIES[task](rows),
        "misses": curves.worst(rows, task=task, count=params.worst),
    }
    io.write_json(paths.metrics(name, "test"), table)
    io.write_table(paths.plots(name, "test/groups.parquet"), groups)
    for plot, content in plots.items():
        io.write_table(paths.plots(name, f"test/{plot}.csv"), content)


if __name__ == "__main__":
    main(run)
