"""Write the verdict on a system: every rule on its counts, with what was observed and why it failed.

Reads:  metrics/S/{counts,facings}.json; to name what it judged by their hashes: models/{detector,identifier}/bundle,
        data/predictions/S/val_test.parquet
Writes: metrics/S/gate.json, metrics/S/summary.json
Fails when: the rules themselves are wrong, or a metrics file is not of its form. A failed rule is a verdict.
"""

from vouch import io, paths
from vouch.evaluation.gates.metrics_files import metrics_of
from vouch.evaluation.gates.params import Gate
from vouch.evaluation.gates.rules import judge, summary
from vouch.params import load
from vouch.release.verdict import judged_parts
from vouch.stages import main

SOURCES = ("counts", "facings")  # metrics of a system: by photograph, by shelf row


class Params(Gate):
    """systems.S.gate_system."""

    SOURCES = SOURCES


def run(name: str, detector: str, identifier: str) -> None:
    """Judge the rules on the counts."""
    params = load(Params, "systems", name, "gate_system")
    remedy = f"run `dvc repro gate_system@{name}`"
    evidence = {source: metrics_of(source, paths.metrics(name, source), remedy=remedy) for source in SOURCES}
    verdict = judge(params.rules, evidence, required=params.required, waivers=params.waivers)
    judged = judged_parts(name, {"detector": detector, "identifier": identifier})
    io.write_json(paths.metrics(name, "gate"), verdict | {"judged": judged})
    io.write_json(paths.metrics(name, "summary"), summary(verdict, evidence["counts"], params.summary))


if __name__ == "__main__":
    main(run)
