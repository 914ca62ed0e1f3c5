"""Compare a system's counts with those of its baseline, on the same val_test photographs.

Reads   data/predictions/S/val_test.parquet, data/predictions/S/baseline/val_test.parquet
Writes  metrics/S/comparison.json
Fails   when the two sides share no photograph, or disagree on its group; when a table holds no counts
"""

from typing import Annotated

import numpy as np
from pydantic import Field

from vouch import io, params, paths
from vouch.evaluation.comparison import Resampling, compare, overlap
from vouch.evaluation.metrics.counts import numbered_counts
from vouch.evaluation.metrics.definitions import ComparedName
from vouch.evaluation.metrics.intervals import group_weights
from vouch.evaluation.significance import flip_signs
from vouch.params import Section
from vouch.splits import contract
from vouch.stages import main


class Params(Section):
    """systems.S.compare_counts."""

    margins: dict[ComparedName, Annotated[float, Field(ge=0.0)]]
    strata: tuple[tuple[str, ...], ...]
    replicates: Annotated[int, Field(ge=200, le=1_000_000)]  # and patterns of signs: 5 bytes for each group of each
    seed: Annotated[int, Field(ge=0)]
    level: Annotated[float, Field(gt=0.5, lt=1.0)]
    intraclass_correlation: Annotated[float, Field(ge=0.0, le=1.0)]


def run(name: str) -> None:
    """Judge what differs between the counts of system S and those of its baseline."""
    section = params.load(Params, "systems", name, "compare_counts")
    contract.allow("val_test", "judge")
    shared = overlap(io.read_table(paths.counts(name)), io.read_table(paths.baseline_counts(name)))
    candidate, baseline = map(numbered_counts, shared)
    rng, n_groups = np.random.default_rng(section.seed), candidate["group"].nunique()
    resampling = Resampling(
        weights=group_weights(n_groups, replicates=section.replicates, rng=rng),
        signs=flip_signs(n_groups, patterns=section.replicates, rng=rng),
        level=section.level,
        correlation=section.intraclass_correlation,
    )
    found = compare(candidate, baseline, margins=section.margins, strata=section.strata, resampling=resampling)
    io.write_json(paths.metrics(name, "comparison"), found)


if __name__ == "__main__":
    main(run)
