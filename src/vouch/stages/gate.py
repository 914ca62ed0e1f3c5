"""Write the verdict on a release: every rule, with what was observed and why it failed.

Reads:  metrics/D/data.json, metrics/M/{export,test,comparison}.json
Writes: metrics/M/gate.json, metrics/M/summary.json
Fails when: the rules themselves are wrong (a waiver for no rule, a stratum that nothing requires). A failed rule is a
verdict, not a failure: `vouch gate M --enforce` turns it into an exit code.
"""

from typing import Self

from pydantic import model_validator

from vouch import io, paths
from vouch.evaluation.gates import Rule, Waiver, judge, rule_faults, summary
from vouch.params import Section, load
from vouch.stages import main


class Params(Section):
    """models.M.gate."""

    required: dict[str, tuple[str, ...]]
    rules: dict[str, Rule]
    waivers: dict[str, Waiver]
    summary: tuple[str, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if faults := rule_faults(self.rules, required=self.required, waivers=self.waivers):
            raise ValueError("; ".join(faults))
        return self


def run(name: str, dataset: str) -> None:
    """Judge the rules on the four metrics files."""
    params = load(Params, "models", name, "gate")
    evidence = {
        "data": io.read_json(paths.metrics(dataset, "data")).get("metrics", {}),
        "export": io.read_json(paths.metrics(name, "export")).get("metrics", {}),
        "test": io.read_json(paths.metrics(name, "test")),
        "comparison": io.read_json(paths.metrics(name, "comparison")),
    }
    verdict = judge(params.rules, evidence, required=params.required, waivers=params.waivers)
    io.write_json(paths.metrics(name, "gate"), verdict)
    io.write_json(paths.metrics(name, "summary"), summary(verdict, evidence["test"], params.summary))


if __name__ == "__main__":
    main(run)
