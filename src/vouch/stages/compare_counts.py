"""Compare a system's counts with those of its baseline, on the same val_test photographs.

Reads   data/predictions/S/val_test.parquet, data/predictions/S/baseline/val_test.parquet
Writes  metrics/S/comparison.json
Fails   when the two sides share no photograph, or disagree on its group; when a table holds no counts
"""

from typing import Annotated

from pydantic import Field

from vouch import io, params, paths
from vouch.evaluation.comparison.differences import Comparing, compare, overlap, resampled
from vouch.evaluation.metrics.counts import numbered_counts
from vouch.splits import contract
from vouch.stages import main


class Params(Comparing):
    """systems.S.compare_counts."""

    intraclass_correlation: Annotated[float, Field(ge=0.0, le=1.0)]


def run(name: str) -> None:
    """Judge what differs between the counts of system S and those of its baseline."""
    section = params.load(Params, "systems", name, "compare_counts")
    contract.allow("val_test", "judge")
    shared = overlap(io.read_table(paths.counts(name)), io.read_table(paths.baseline_counts(name)))
    candidate, baseline = map(numbered_counts, shared)
    n_groups, correlation = candidate["group"].nunique(), section.intraclass_correlation
    resampling = resampled(section, n_groups, patterns=section.replicates, correlation=correlation)
    found = compare(candidate, baseline, margins=section.margins, strata=section.strata, resampling=resampling)
    io.write_json(paths.metrics(name, "comparison"), found)


if __name__ == "__main__":
    main(run)
