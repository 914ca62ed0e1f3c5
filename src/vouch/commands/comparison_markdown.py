"""A comparison as Markdown for a pull request: the verdict, on how much it stands, and a table."""

from collections.abc import Iterable, Mapping
from typing import Any

from vouch.evaluation.metrics.definitions.metric import OVERALL
from vouch.evaluation.metrics.strata import ALL

COLUMNS = (
    *("metric", "where", "baseline", "candidate", "difference", "p (Holm)", "verdict"),
    *("least effect", "could show", "groups"),
)
NONE = "–"


def markdown(title: str, verdict: str, sentences: Iterable[str], differences: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a section: what holds for the whole in sight, classes and strata folded away below it."""
    rows = [
        (metric, stratum, one)
        for metric, strata in differences.items()
        for stratum, one in strata.items()
        if metric != OVERALL
    ]
    whole = [row for row in rows if row[1] == ALL]
    parts = [row for row in rows if row[1] != ALL]
    lines = [f"### {cell(title)}", "", f"**{cell(verdict)}**", "", *_table(whole)]
    if parts:
        said = f"<details><summary>by class and stratum ({len(parts)} differences)</summary>"
        lines += ["", said, "", *_table(parts), "", "</details>"]
    return "\n".join([*lines, "", *(f"- {cell(sentence)}" for sentence in sentences)])


def cell(text: str) -> str:
    """Return a text that ends no cell, no line and opens no tag: names of classes come from a person's files."""
    plain = " ".join(text.split())
    for mark in ("\\", "|", "`", "*", "[", "]", "@", "#"):
        plain = plain.replace(mark, f"\\{mark}")
    return plain.replace("<", "&lt;").replace(">", "&gt;")


def _table(rows: list[tuple[str, str, Mapping[str, Any]]]) -> list[str]:
    cells = [_cells(*row) for row in rows]
    return [f"| {' | '.join(row)} |" for row in (COLUMNS, ("---",) * len(COLUMNS), *cells)]


def _cells(metric: str, stratum: str, one: Mapping[str, Any]) -> tuple[str, ...]:
    spread = NONE
    if one["delta"] is not None:
        spread = f"{one['delta']:+.3f} ({_number(one['low'], '+')} to {_number(one['high'], '+')})"
    verdict = "too few groups" if one["verdict"] == "few_groups" else one["verdict"].replace("_", " ")
    return (
        *(cell(metric), cell(stratum), _number(one["baseline"]), _number(one["candidate"]), spread),
        *(_number(one["p_holm"]), f"**{verdict}**" if verdict == "worse" else verdict, f"{one['margin']:g}"),
        *(_number(one["detectable"]), str(one["n_groups"])),
    )


def _number(value: float | None, sign: str = "") -> str:
    return NONE if value is None else f"{value:{sign}.3f}"
