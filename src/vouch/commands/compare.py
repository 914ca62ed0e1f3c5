"""`vouch compare`: candidate against baseline, with significance, as a table."""

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from vouch import params, paths
from vouch.evaluation.metrics_files import Comparison, read

MISSING = dict.fromkeys(("delta", "low", "high", "candidate", "baseline", "p_holm"))  # of the overall verdict


def compare(model: Annotated[str, typer.Argument(help="Model of params.yaml, say driver.")]) -> None:
    """Show metrics/MODEL/comparison.json: what changed since the baseline, on the same val_test.

    Raises
    ------
    WorkspaceError
        When the comparison has not run, or its file is not of its form.
    """
    path = paths.metrics(model, "comparison")
    title = f"{model} against {params.read_value('pipeline', 'models', model, 'baseline')}"
    table = Table("metric", "stratum", "baseline", "candidate", "difference", "p (Holm)", "verdict", title=title)
    for metric, strata in sorted(read(path, Comparison, remedy=f"run `dvc repro compare@{model}`").items()):
        for stratum, found in strata.items():
            entry = MISSING | found
            spread = f"{_number(entry['delta'], '+')} [{_number(entry['low'], '+')}, {_number(entry['high'], '+')}]"
            sides = _number(entry["baseline"]), _number(entry["candidate"])
            table.add_row(escape(metric), escape(stratum), *sides, spread, _number(entry["p_holm"]), entry["verdict"])
    Console().print(table)


def _number(value: float | None, sign: str = "") -> str:
    return "none" if value is None else f"{value:{sign}.3f}"
