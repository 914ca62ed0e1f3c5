"""`vouch compare`: candidate against baseline, with significance, as a table."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from vouch import params, paths
from vouch.evaluation.gates.metrics_files import Comparison, at_least_p, family, read

# of the overall verdict
MISSING = dict.fromkeys(("delta", "low", "high", "candidate", "baseline", "p_holm", "least_p_holm"))
WORDS = {"few_groups": "too few groups"}


def compare(model_or_system: Annotated[str, typer.Argument(help="Model or system of params.yaml.")]) -> None:
    """Show metrics/NAME/comparison.json: what changed since the baseline, on the same val_test.

    Raises
    ------
    WorkspaceError
        When the comparison has not run, or its file is not of its form.
    """
    name, stage = model_or_system, "compare_counts" if _baselines(model_or_system)[1:] else "compare"
    comparison = read(paths.metrics(name, "comparison"), Comparison, remedy=f"run `dvc repro {stage}@{name}`")
    title = f"{name} against {' and '.join(_baselines(name))}"
    columns = ("metric", "stratum", "baseline", "candidate", "difference", "p (Holm)", "verdict")
    table = Table(*columns, title=title, box=SIMPLE_HEAD, padding=0)
    for metric, strata in sorted(comparison.items()):
        for stratum, found in strata.items():
            entry = MISSING | found
            sides = (_side(entry, name) for name in ("baseline", "candidate"))
            p = _number(entry["p_holm"]) + ("\n(least)" if at_least_p(entry) else "")
            verdict = WORDS.get(entry["verdict"], entry["verdict"])
            table.add_row(escape(metric), escape(stratum), *sides, _spread(entry), p, verdict)
    console = Console()
    console.print(table)
    console.print(f"p (Holm) is corrected over the {family(comparison)} differences of this table that have one.")
    console.print("chance: what a perfectly calibrated model with these confidences would show.", soft_wrap=True)
    console.print("least: with these groups and so many differences, p (Holm) cannot be lower.", soft_wrap=True)


def _baselines(name: str) -> list[str]:
    """Return the bundle that a model is compared with, of a system those of both its models."""
    systems = params.read_value("pipeline").get("systems", {})
    if name in systems:
        return [str(one) for one in systems[name]["baselines"].values()]
    return [str(params.read_value("pipeline", "models", name, "baseline"))]


def _side(entry: Mapping[str, Any], name: str) -> str:
    chance = entry.get(f"{name}_by_chance")
    return _number(entry[name]) + ("" if chance is None else f"\nchance {chance:.3f}")


def _spread(entry: Mapping[str, Any]) -> str:
    if entry["delta"] is None:
        return "none"
    return f"{entry['delta']:+.3f}\n[{_number(entry['low'], '+')}, {_number(entry['high'], '+')}]"


def _number(value: float | None, sign: str = "") -> str:
    return "none" if value is None else f"{value:{sign}.3f}"
