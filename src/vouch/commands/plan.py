"""`vouch plan MODEL`, or a system: what its gate can see, and how many groups it would need."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from vouch import io, params, paths
from vouch.commands.check import known, known_of_system, show, unsplit
from vouch.commands.wear import wear
from vouch.errors import ParamsError, Problem, WorkspaceError, refuse_any, so_many
from vouch.evaluation.gates.judging import judge
from vouch.evaluation.gates.margins import least_limit, least_margin
from vouch.evaluation.gates.params import Gate as GateParams
from vouch.evaluation.gates.plan import (
    BEYOND,
    ENOUGH,
    SHORT,
    STEPS,
    TARGETS,
    Gate,
    Outlook,
    gate_of,
    intended_gate,
    outlook,
)
from vouch.evaluation.gates.power import World
from vouch.evaluation.gates.rules import verdicts_of
from vouch.names import shown
from vouch.policies.fit.certificate_power import certificate_power, unknown_power
from vouch.policies.fit.params import Exits
from vouch.policies.fit.unknown_risk import OpenSet
from vouch.stages import decide, gate_system
from vouch.stages.gate import Params, gathered, world

COLUMNS = (
    *("rule", "limit", "groups", f"{SHORT} short", "at the limit"),
    *(f"{step} beyond" for step in STEPS[1:]),
    *("observed", "passes", *(f"groups for {target:.0%}" for target in TARGETS)),
)
WIDTH = 7  # of a number: eleven of them fit into a terminal of 80
NARROW = (  # the same columns in a terminal, below a line that names the rule
    *("groups", f"-{SHORT:g}".replace("0.", "."), "limit"),
    *(f"+{step:g}".replace("0.", ".") for step in STEPS[1:]),
    *("seen", "passes", *(f"n {target:.0%}" for target in TARGETS)),
)


def plan(
    model_or_system: Annotated[str, typer.Argument(help="Model or system of params.yaml, say driver.")],
    groups: Annotated[
        int | None, typer.Option(min=1, max=100_000, help="Groups that a rule will be judged on.")
    ] = None,
    per_group: Annotated[int | None, typer.Option(min=1, max=10_000, help="Rows that each of them will have.")] = None,
    icc: Annotated[float | None, typer.Option(min=0, max=1, help="Correlation of rows of a group, say .05.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table for a page of docs.")] = False,
) -> None:
    """Show how often each rule, and all together, pass for truths around their limits, on the groups at hand.

    With --groups, --per-group and --icc it needs params.yaml alone: what must a data collection bring?

    Raises
    ------
    ParamsError
        When some of the three numbers are given and others not, or both --json and --markdown; or no rule judges a
        share of rows, as of a system.
    WorkspaceError
        When evaluate has not run, or a metrics file is not of its form.
    """
    if as_json and markdown:
        raise ParamsError([Problem("--json, --markdown", "one of them", "both", "leave one out")])
    model, is_system = model_or_system, model_or_system in params.read_value("pipeline").get("systems", {})
    numbers = {"--groups": groups, "--per-group": per_group, "--icc": icc}
    if not (as_json or markdown or any(_given(numbers))):
        _show_known(model, is_system=is_system)  # first: it is known though nothing is built
    if is_system:
        _refuse_intended(model, numbers)
        found = _of_system(model)
    elif groups is not None and per_group is not None and icc is not None:
        found = _intended(model, groups, per_group, icc)
    elif lacking := [name for name, given in numbers.items() if given is None][: 3 * any(_given(numbers))]:
        raise ParamsError([Problem(" ".join(lacking), "all three numbers, or none", "some", "give them together")])
    else:
        found = _at_hand(model)
    if as_json:
        typer.echo(io.dumps(found), nl=False)
    elif markdown:
        typer.echo(_markdown(found))
    else:
        _show(model, found)


def _show_known(name: str, *, is_system: bool) -> None:
    """Print what `vouch check` does, or how to see it: metrics may be here, by git, where the splits are not."""
    if absent := unsplit(params.read_value("pipeline", "systems" if is_system else "models", name, "dataset")):
        Console().print(f"known before any training: {absent[0].remedy}, then `vouch check {escape(name)}`")
    else:
        show(name, known_of_system(name) if is_system else known(name))


def _refuse_intended(system: str, numbers: dict[str, Any]) -> None:
    expected, remedy = f"counts at hand, for the system {system}", "leave it out: how far counts err shows on counts"
    given = [name for name, number in numbers.items() if number is not None]
    refuse_any(ParamsError, [Problem(name, expected, "a number", remedy) for name in given])


def _given(numbers: dict[str, Any]) -> list[bool]:
    return [given is not None for given in numbers.values()]


def _intended(model: str, groups: int, per_group: int, icc: float) -> dict[str, Any]:
    asked = params.load(Params, "models", model, "gate")
    level, seed = (params.read_value("models", model, "evaluate", key) for key in ("level", "seed"))
    gate, later = intended_gate(asked.rules, required=asked.required, groups=groups, per_group=per_group)
    if not gate.subjects:
        problem = Problem(f"models.{model}.gate.rules", "a rule on a share of rows", "none", "judge a model first")
        raise ParamsError([problem])
    return _found(gate, World(level, icc, seed), n_groups=groups) | {"known_after_a_model": later, "margins": {}}


def _at_hand(model: str) -> dict[str, Any]:
    asked = params.load(Params, "models", model, "gate")
    dataset, further = (params.read_value("pipeline", "models", model, key) for key in ("dataset", "evidence"))
    evidence = gathered(model, dataset, further, asked.rules)
    verdict = judge(asked.rules, evidence, required=asked.required, waivers=asked.waivers)
    path = paths.plots(model, "test/groups.parquet")  # DVC's, where the metrics files are git's
    if not path.exists():
        remedy = f"run `make repro MODEL={model}`, or plan with --groups, --per-group and --icc"
        raise WorkspaceError([Problem(str(path), "what evaluate writes", "none", remedy)])
    policy = _policy(model)
    table = io.read_columns(path)
    gate = gate_of(asked.rules, evidence, required=asked.required, verdicts=verdict["rules"], groups=table)
    found = _found(gate, world(model), n_groups=len(set(table["group"].tolist())))
    return found | {
        "known_after_a_model": [],
        "margins": _margins(asked, evidence),
        "wear": wear(model),
        "certificate": _certificate(model, policy["evidence"]),
    }


def _margins(asked: GateParams, evidence: Mapping[str, Mapping[str, Any]]) -> dict[str, float | None]:
    return {
        name: least_margin(evidence["comparison"].get(rule.metric, {}).get(where, {}), op=rule.op, bound=rule.end)
        for name, (rule, where) in verdicts_of(asked.rules, asked.required).items()
        if rule.source == "comparison"
    }


def _of_system(system: str) -> dict[str, Any]:
    asked = params.load(gate_system.Params, "systems", system, "gate_system")
    evidence, shared = gate_system.gathered(system), gate_system.world(system)
    verdict = judge(asked.rules, evidence, required=asked.required, waivers=asked.waivers)
    gate = gate_system.judgeable(asked, evidence, verdict)
    limits = {
        name: least_limit(
            evidence[rule.source].get(rule.metric, {}).get(where, {}), op=rule.op, bound=rule.end, level=shared.level
        )
        for name, (rule, where) in verdicts_of(asked.rules, asked.required).items()
        if rule.source != "comparison"
    }
    n_groups = max((about.n_groups for about in gate.subjects.values()), default=0)
    found = _found(gate, shared, n_groups=n_groups)
    return found | {"known_after_a_model": [], "margins": _margins(asked, evidence), "limits": limits}


def _policy(model: str) -> dict[str, Any]:
    """Return the policy of a model, with the evidence by which its thresholds were chosen.

    Raises
    ------
    WorkspaceError
        When it does not say that.
    """
    path = paths.model(model, "policy.json")
    content = io.read_json(path)
    if not isinstance(content, dict) or not isinstance(content.get("evidence"), dict):
        remedy = f"run `dvc repro decide@{model}`"
        raise WorkspaceError([Problem(str(path), "a policy with `evidence`", shown(content), remedy)])
    return content


def _certificate(model: str, evidence: dict[str, Any]) -> dict[str, Any] | None:
    """Return how often a fresh val_calib would certify the policy; None where it asks for no such certificate."""
    asked = params.load(decide.Params, "models", model, "decide").root
    if not isinstance(asked, Exits | OpenSet):
        return None
    seed = params.read_value("models", model, "evaluate", "seed")
    if isinstance(asked, OpenSet):
        found, about = unknown_power(evidence, asked, seed=seed), "unknown crops"
    else:
        found, about = certificate_power(evidence, asked, seed=seed), "answered cases"
    return None if found is None else {"about": about, **asdict(found)}


def _found(gate: Gate, shared: World, *, n_groups: int) -> dict[str, Any]:
    lines, together = outlook(gate, shared, n_groups=n_groups)
    compliant = together.steps[STEPS.index(BEYOND)]
    return {
        "rules": [asdict(line) for line in lines],
        "together": asdict(together),
        "underpowered": compliant is not None and compliant < ENOUGH,
        "correlation": shared.correlation,
    }


def _show(model: str, found: dict[str, Any]) -> None:
    console = Console()
    console.print(f"what the gate of {escape(model)} can see: chances to pass")
    console.print("  " + "".join(name.rjust(WIDTH) for name in NARROW))
    for line in _lines(found):
        name, limit, *numbers = _cells(line)
        console.print(escape(f"{name}: {limit}" if limit else name), style="bold")
        console.print("  " + "".join(number.rjust(WIDTH) for number in numbers), highlight=False)
    for sentence in _sentences(found):
        console.print(escape(sentence))


def _markdown(found: dict[str, Any]) -> str:
    rows = [COLUMNS, ("---",) * len(COLUMNS), *(_cells(line) for line in _lines(found))]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _lines(found: dict[str, Any]) -> list[Outlook]:
    return [Outlook(**line) for line in (*found["rules"], found["together"])]


def _cells(line: Outlook) -> tuple[str, ...]:
    observed = "" if line.observed is None else f"{line.observed:.3f}"
    chances = (_chance(one) for one in (line.short, *line.steps))
    needed = ("never" if one is None else str(one) for one in line.needed)
    return (line.name, line.limit, str(line.n_groups), *chances, observed, _chance(line.passes), *needed)


def _chance(one: float | None) -> str:
    return "–" if one is None else "<.01" if one < 0.005 else ">.99" if one > 0.995 else f"{one:.2f}".lstrip("0")


def _sentences(found: dict[str, Any]) -> list[str]:
    compliant = _chance(found["together"]["steps"][STEPS.index(BEYOND)])
    judged_on = "counts" if "limits" in found else "test.json"
    said = [
        f"Rows of a group correlate by {found['correlation']:g}. `passes` and the groups needed (n): were the truth "
        "what was observed, or, before a model is judged, .02 beyond the limit. `never`: not with any number tried.",
        f"A compliant model, every truth .02 beyond its limit, passes all rules on {judged_on} with chance {compliant}"
        + (": the gate is underpowered." if found["underpowered"] else "."),
    ]
    said += [
        f"{name}: a model as good as the baseline passes with chance .80 from a margin of {margin:.3g} on"
        for name, margin in found["margins"].items()
        if margin is not None
    ]
    said += [
        f"{name}: the smallest limit that these groups can show is {limit:.3g}: it is kept with chance .80 on others, "
        "were the truth what was observed"
        for name, limit in found.get("limits", {}).items()
        if limit is not None
    ]
    if later := found["known_after_a_model"]:
        said.append(f"What these can see shows only once a model is judged: {', '.join(later)}")
        said.append("Without groups at hand the rules together are taken as independent: they pass at least so often.")
    return [*said, *_of_certificate(found.get("certificate")), *found.get("wear", [])]


def _of_certificate(found: dict[str, Any] | None) -> list[str]:
    if found is None:
        return []
    groups = ", ".join(
        f"{'never' if needed is None else needed} for {target:.0%}"
        for needed, target in zip(found["needed"], TARGETS, strict=True)
    )
    by_risk = ", ".join(f"{_chance(chance)} at {risk}" for risk, chance in found["by_risk"].items())
    certified = "the exits" if found["about"] == "answered cases" else "thresholds as loose as these"
    return [
        f"Another val_calib of {so_many(found['n_groups'], 'group')} with {found['about']} would certify {certified} "
        f"for {found['alpha']:g} with chance {_chance(found['passes'])}, were the true risk what was observed "
        f"({found['observed']:.4f}); {by_risk}. Groups needed: {groups}."
    ]
