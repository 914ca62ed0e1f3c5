"""`vouch gate MODEL`, or a system: read the verdict as a person does, and turn it into an exit code."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from vouch import io, paths
from vouch.commands.staleness import refuse_stale
from vouch.commands.wear import wear
from vouch.evaluation.gates.judging import objections, unresolved
from vouch.evaluation.gates.rules import ASKED
from vouch.policies.apply.policy import validate_policy
from vouch.policies.fit.usefulness import of_little_use
from vouch.release.verdict import (
    is_of_system,
    judged_counts,
    judged_files,
    judged_predictions,
    open_system_verdict,
    open_verdict,
    refuse_others,
)

TITLES = {"bound": "gate of {model}", "sanity check": "sanity checks of {model}"}
SANITY = (
    "a sanity check reads the value as it came out, luck included, and promises nothing for other photographs: a true "
    "3 % passes a limit of 2 % in about one of four val_tests with 200 photographs to count, in one of seven with 450"
)


def gate(
    model_or_system: Annotated[str, typer.Argument(help="Model or system to read the verdict of.")],
    enforce: Annotated[bool, typer.Option("--enforce", help="Exit 1 when anything stands against a release.")] = False,
) -> None:
    """Show every rule's verdict; with --enforce, exit 1 on a failed blocking rule or an expired waiver.

    Raises
    ------
    WorkspaceError
        When the gate of this model or system has not run, its file contradicts itself or is about other files than
        those that are here; with --enforce also when DVC would run anything again that the verdict or the bundle is
        made of.
    """
    name, is_system = model_or_system, is_of_system(model_or_system)
    stages = ("gate_system", "bundle_system") if is_system else ("gate", "bundle")
    verdict, judged = _of_system(name) if is_system else _of_model(name)
    here = {path: sha256 for path, sha256 in judged.items() if path.is_file()}
    refuse_others(here, remedy=f"run `dvc repro {stages[0]}@{name}`")
    if enforce:
        refuse_stale(name, stages)
    against = objections(verdict, today=datetime.now(UTC).date())
    console = Console()
    power = verdict["power"]["by_rule"]
    for kind, title in TITLES.items():
        if rules := {rule: one for rule, one in verdict["rules"].items() if one["kind"] == kind}:
            _show(console, rules, power, title=title.format(model=name))
            if kind == "sanity check":
                console.print(SANITY)
    if absent := sorted(str(path) for path in judged.keys() - here.keys()):
        console.print(f"not here, and so not compared with what was judged: {escape(', '.join(absent))}")
    for sentence in (_power(verdict["power"], "counts"),) if is_system else _of_evidence(name, verdict):
        console.print(escape(sentence))
    for line in against:
        console.print(f"[red]stands against a release:[/red] {escape(line)}")
    if not against:
        console.print("[green]nothing stands against a release[/green]")
    if enforce and against:
        raise typer.Exit(1)


def _of_model(name: str) -> tuple[dict[str, Any], dict[Path, str]]:
    """Return the verdict on a model, and the hash of each file that it is about."""
    verdict = open_verdict(name)
    return verdict, judged_files(verdict, paths.model(name)) | judged_predictions(verdict, name)


def _of_system(name: str) -> tuple[dict[str, Any], dict[Path, str]]:
    """Return the same of a system: the manifests of its bundle's parts, and both sides' counts."""
    verdict = open_system_verdict(name)
    return verdict, judged_files(verdict, paths.model(name)) | judged_counts(verdict, name)


def _of_evidence(model: str, verdict: dict[str, Any]) -> tuple[str, ...]:
    """Return what else is to be known of a model's verdict: its policy, what the gate can see, and wear."""
    return (*_of_policy(paths.model(model, "policy.json")), _power(verdict["power"], "test.json"), *wear(model))


def _of_policy(policy: Path) -> list[str]:
    """Say what the policy could not reach and why, the reason behind a coverage of nothing, and its little use."""
    if not policy.is_file():
        return []
    content = io.read_json(policy)
    validate_policy(content)
    reasons = (content["infeasible"] or {}).items()
    infeasible = [f"the policy is infeasible{'' if name == '*' else f' for {name}'}: {why}" for name, why in reasons]
    return [*infeasible, *(f"the policy is of little use: {weakness}" for weakness in of_little_use(content))]


def _power(power: dict[str, Any], judged_on: str) -> str:
    weak = "the gate is underpowered: " if power["underpowered"] else ""
    return (
        f"{weak}a model with every truth {power['beyond']:g} beyond its limit passes the rules on {judged_on} with "
        f"chance {power['compliant']:.2f}; fresh groups pass this one with chance {power['passes']:.2f}"
    )


def _show(console: Console, rules: dict[str, Any], power: dict[str, Any], *, title: str) -> None:
    """Print a table that fits a terminal of 80 columns, names whole, and what is to be said of a rule below it."""
    names = Column("rule", overflow="fold")
    table = Table(names, "verdict", "observed", "limit", "groups", "again", title=title, box=SIMPLE_HEAD, padding=0)
    ordered = sorted(rules.items(), key=lambda item: (item[1]["passed"], item[0]))
    for name, one in ordered:
        observed = "none" if one["observed"] is None else f"{one['observed']:.4f}"
        groups = "" if one["n_groups"] is None else str(one["n_groups"])
        again = power.get(name, {}).get("again")
        table.add_row(escape(name), _word(one), observed, _limit(one), groups, "" if again is None else f"{again:.2f}")
    console.print(table)
    for name, one in ordered:
        if why := _why(one):
            console.print(escape(f"{name}: {why}"), highlight=False)


def _word(one: dict[str, Any]) -> str:
    if one["passed"]:
        return "[green]passed[/green]"
    if one["waived_until"]:
        return "[yellow]waived[/yellow]"
    return "[red]FAILED[/red]" if one["severity"] == "block" else "[yellow]warning[/yellow]"


def _limit(one: dict[str, Any]) -> str:
    return ASKED[one["limit"]] if one["bound"] == "verdict" else f"{one['bound']} {one['op']} {one['limit']:g}"


def _why(one: dict[str, Any]) -> str:
    waiver = f"waived until {one['waived_until']}: {one['waiver_reason']}" if one["waived_until"] else ""
    return "; ".join(part for part in (one["reason"], unresolved(one), waiver, _chance(one)) if part)


def _chance(one: dict[str, Any]) -> str:
    """Say what the value of a calibration error would be by chance alone; nothing of other metrics."""
    expected = one["expected_by_chance"]
    return "" if expected is None else f"by chance alone a calibrated model's value is {expected:.4f}"
