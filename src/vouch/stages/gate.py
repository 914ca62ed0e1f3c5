"""Write the verdict on a release: every rule, with what was observed, why it failed and how sure that is.

Reads:  metrics/D/data.json, metrics/M/{export,test,comparison}.json and, of a model on pipeline.by_group,
        metrics/M/by_group.json; plots/M/test/groups.parquet; to name what it judged by their hashes:
        models/M/{model.onnx,preprocess.json,labels.json,calibrator.json,policy.json}, of an embedder
        gallery.safetensors,
        data/predictions/M/{candidate,baseline}/val_test.parquet
Writes: metrics/M/gate.json, metrics/M/summary.json
Fails when: the rules themselves are wrong (a waiver for no rule, a stratum that nothing requires), or a metrics file is
not of its form. A failed rule is a verdict, not a failure: `vouch gate M --enforce` turns it into an exit code.
"""

from collections.abc import Mapping
from typing import Any

from vouch import io, paths
from vouch.errors import ParamsError, Problem, refuse_any
from vouch.evaluation.gates.judging import judge, summary
from vouch.evaluation.gates.metrics_files import metrics_of
from vouch.evaluation.gates.params import Gate
from vouch.evaluation.gates.plan import gate_of, power
from vouch.evaluation.gates.power import World
from vouch.evaluation.gates.rules import Rule
from vouch.params import load, read_value
from vouch.release.verdict import judged_now
from vouch.stages import main

SOURCES = ("data", "export", "test", "comparison")  # the metrics files that dvc.yaml gives this stage of every model
FURTHER = "by_group"  # and of those whose evidence this is


class Params(Gate):
    """models.M.gate."""

    SOURCES = (*SOURCES, FURTHER)


def run(name: str, dataset: str, further: str, names: str) -> None:
    """Judge the rules on the metrics files; `further` is by_group, or test where there is no further evidence.

    `names` is the file that says which answers there are: labels.json, or gallery.safetensors.
    """
    params = load(Params, "models", name, "gate")
    evidence = gathered(name, dataset, further, params.rules)
    verdict = judge(params.rules, evidence, required=params.required, waivers=params.waivers)
    gate = gate_of(
        params.rules,
        evidence,
        required=params.required,
        verdicts=verdict["rules"],
        groups=io.read_columns(paths.plots(name, "test/groups.parquet")),
    )
    sure = {"power": power(gate, verdict["rules"], world(name))}
    io.write_json(paths.metrics(name, "gate"), verdict | sure | {"judged": judged_now(name, names)})
    io.write_json(paths.metrics(name, "summary"), summary(verdict, evidence["test"], params.summary))


def gathered(name: str, dataset: str, further: str, rules: Mapping[str, Rule]) -> dict[str, dict[str, Any]]:
    """Return what the metrics files hold, by source; a rule on further evidence that there is not is refused."""
    expected, got = f"a model on pipeline.by_group, with evidence: {FURTHER}", f"one with evidence: {further}"
    asking = [rule for rule, asked in rules.items() if asked.source == FURTHER != further]
    places = [f"models.{name}.gate.rules.{rule}.source" for rule in asking]
    refuse_any(ParamsError, [Problem(where, expected, got, "write both, or `null` for the rule") for where in places])
    remedy = f"run `dvc repro gate@{name}`"
    owners = {source: dataset if source == "data" else name for source in (*SOURCES, further)}
    return {source: metrics_of(source, paths.metrics(owner, source), remedy=remedy) for source, owner in owners.items()}


def world(name: str) -> World:
    """Return what the intervals of test.json have in common: its level, and the correlation that decide estimated."""
    level, seed = (read_value("models", name, "evaluate", key) for key in ("level", "seed"))
    return World(level, io.read_json(paths.model(name, "policy.json"))["intraclass_correlation"], seed)


if __name__ == "__main__":
    main(run)
