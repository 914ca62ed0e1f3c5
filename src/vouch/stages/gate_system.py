"""Write the verdict on a system: every rule on its counts, with what was observed, why it failed and how sure that is.

Reads:  metrics/S/{counts,facings,comparison}.json; to name what it judged by their hashes:
        models/{detector,identifier}/bundle, data/predictions/S/val_test.parquet,
        data/predictions/S/baseline/val_test.parquet
Writes: metrics/S/gate.json, metrics/S/summary.json
Fails when: the rules themselves are wrong, or a metrics file is not of its form. A failed rule is a verdict.
"""

from typing import Any

import numpy as np

from vouch import io, paths
from vouch.evaluation.gates.judging import judge, summary
from vouch.evaluation.gates.metrics_files import metrics_of
from vouch.evaluation.gates.params import Gate
from vouch.evaluation.gates.plan import Gate as Judgeable
from vouch.evaluation.gates.plan import gate_of, power
from vouch.evaluation.gates.power import World
from vouch.params import load, read_value
from vouch.release.verdict import judged_parts
from vouch.stages import main

SOURCES = ("counts", "facings", "comparison")  # metrics of a system: by photograph, by shelf row, against the baseline
NO_GROUPS = {name: np.zeros(0, dtype=np.int64) for name in ("metric", "stratum", "group", "rows", "hits")}


class Params(Gate):
    """systems.S.gate_system."""

    SOURCES = SOURCES


def run(name: str, detector: str, identifier: str) -> None:
    """Judge the rules on the counts."""
    params = load(Params, "systems", name, "gate_system")
    evidence = gathered(name)
    verdict = judge(params.rules, evidence, required=params.required, waivers=params.waivers)
    sure = {"power": power(judgeable(params, evidence, verdict), verdict["rules"], world(name))}
    judged = judged_parts(name, {"detector": detector, "identifier": identifier})
    io.write_json(paths.metrics(name, "gate"), verdict | sure | {"judged": judged})
    io.write_json(paths.metrics(name, "summary"), summary(verdict, evidence["counts"], params.summary))


def gathered(name: str) -> dict[str, dict[str, Any]]:
    """Return what the metrics files of a system hold, by source."""
    remedy = f"run `dvc repro gate_system@{name}`"
    return {source: metrics_of(source, paths.metrics(name, source), remedy=remedy) for source in SOURCES}


def judgeable(params: Params, evidence: dict[str, dict[str, Any]], verdict: dict[str, Any]) -> Judgeable:
    """Return the gate on the groups at hand: an error of counts is taken as normal, and rules as independent."""
    return gate_of(params.rules, evidence, required=params.required, verdicts=verdict["rules"], groups=NO_GROUPS)


def world(name: str) -> World:
    """Return what the intervals of counts.json have in common."""
    keys = ("level", "intraclass_correlation", "seed")
    return World(*(read_value("systems", name, "evaluate_counts", key) for key in keys))


if __name__ == "__main__":
    main(run)
