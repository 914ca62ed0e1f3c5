"""Write the verdict on a system: every rule on its counts, with what was observed and why it failed.

Reads:  metrics/S/{counts,facings}.json; to name what it judged by their hashes: models/{detector,identifier}/bundle,
        data/predictions/S/val_test.parquet
Writes: metrics/S/gate.json, metrics/S/summary.json
Fails when: the rules themselves are wrong, or a metrics file is not of its form. A failed rule is a verdict.
"""

from typing import Self

from pydantic import model_validator

from vouch import io, paths
from vouch.evaluation.gates.metrics_files import metrics_of
from vouch.evaluation.gates.rules import Rule, Waiver, judge, rule_faults, summary
from vouch.params import Section, load
from vouch.release.verdict import judged_parts
from vouch.stages import main

SOURCES = ("counts", "facings")  # metrics of a system: by photograph, by shelf row


class Params(Section):
    """systems.S.gate_system."""

    required: dict[str, tuple[str, ...]]
    rules: dict[str, Rule]
    waivers: dict[str, Waiver]
    summary: tuple[str, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        unread = [name for name, rule in self.rules.items() if rule.source not in SOURCES]
        faults = [f"rule {name}: source is one of {', '.join(SOURCES)}" for name in unread]
        if faults := faults + rule_faults(self.rules, required=self.required, waivers=self.waivers):
            raise ValueError("; ".join(faults))
        return self


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
