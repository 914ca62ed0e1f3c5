"""Metrics of the whole set, by stratum and by crossed strata, beside the limits that the gate sets."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from vouch.evaluation.metrics.definitions.metric import Direction
from vouch.report.figures import Dot, dots
from vouch.report.formatting import BOUNDS, in_order, metric, number, parts, stratum
from vouch.report.verdict import on_test, status

Json = Mapping[str, Any]
Cell = Mapping[str, Any] | None
LEAST_SPAN = 0.05  # cells that differ by less than this are not shaded as if they differed


def beside(by_group: Json, test: Json) -> list[dict[str, Any]]:
    """Return each metric by group over the whole of train and val_select, with val_test's cell for another look."""
    return [
        {"metric": metric(name), "by_group": by_group[name]["all"], "test": test.get(name, {}).get("all")}
        for name in in_order(by_group)
    ]


def by_key(test: Json) -> dict[str, list[str]]:
    """Return the single strata by key: {"all": ["all"], "class": ["class=phone", ...], "stream": [...]}."""
    names = sorted({name for strata in test.values() for name in strata if len(parts(name)) == 1})
    keys: dict[str, list[str]] = {"all": ["all"]}
    for name in names:
        keys.setdefault(parts(name)[0][0], []).append(name)
    return keys


def table(test: Json, gate: Json) -> dict[str, Any]:
    """Return metrics by stratum as rows of cells; a cell that a rule judges carries that rule's status."""
    names = [name for name in in_order(test) if len(test[name]) > 1] or in_order(test)
    judged = {(rule["metric"], rule["stratum"]): status(rule) for rule in on_test(gate)}
    blocks = [
        {"key": key, "rows": [_row(test, names, judged, name) for name in strata]}
        for key, strata in by_key(test).items()
    ]
    return {"metrics": [metric(name) for name in names], "blocks": blocks}


def _row(test: Json, names: list[str], judged: Mapping[tuple[str, str], str], name: str) -> dict[str, Any]:
    cells = [
        {"cell": test[each].get(name), "status": judged.get((each, name)), "expected": name in test[each]}
        for each in names
    ]
    groups = [cell["cell"]["n_groups"] for cell in cells if cell["cell"] is not None]
    return {
        "name": parts(name)[0][1] if parts(name) else stratum(name),
        "cells": cells,
        "n_groups": max(groups, default=0),
    }


def gated(test: Json, gate: Json) -> list[str]:
    """Return the metrics that a rule judges, in the order of the page; the first metric where none is judged."""
    judged = {rule["metric"] for rule in on_test(gate)}
    return [name for name in in_order(test) if name in judged] or in_order(test)[:1]


def figures(test: Json, gate: Json) -> list[dict[str, Any]]:
    """Return a dot-and-whisker figure for each judged metric that has strata."""
    names = [name for name in gated(test, gate) if len(_singles(test[name])) > 1]
    return [_figure(test[name], gate, name) for name in names]


def _singles(strata: Json) -> list[str]:
    """Return "all" and the single strata of one metric, keys together."""
    return sorted((name for name in strata if len(parts(name)) < 2), key=lambda name: (name != "all", name))


def _figure(strata: Json, gate: Json, name: str) -> dict[str, Any]:
    rules = {rule["stratum"]: rule for rule in on_test(gate) if rule["metric"] == name}
    required = [
        where for where in rules if len(parts(where)) < 2 and where not in strata
    ]  # named by a rule, not measured
    rows = [_dot(where, strata.get(where), rules.get(where)) for where in [*_singles(strata), *sorted(required)]]
    label = f"{metric(name).title} by stratum: " + "; ".join(f"{row.label} {number(row.value)}" for row in rows)
    bounds = sorted({BOUNDS[rule["bound"]] for rule in rules.values()})
    svg = dots(rows, name=f"dots-{name}", label=label)
    return {"metric": metric(name), "svg": svg, "judged": " or ".join(bounds)}


def _dot(where: str, cell: Cell, rule: Json | None) -> Dot:
    cell = cell or {}
    good = rule is None or status(rule) == "passed"
    limit = None if rule is None else rule["limit"]
    key = parts(where)[0][0] if parts(where) else ""
    return Dot(key, stratum(where), cell.get("value"), cell.get("low"), cell.get("high"), limit, good)


def crossed(test: Json, gate: Json) -> list[dict[str, Any]]:
    """Return a heat table for each judged metric and each pair of keys that is crossed."""
    tables = []
    for name in gated(test, gate):
        pairs = {where: parts(where) for where in test[name] if len(parts(where)) == 2}
        for keys in sorted({(row[0], column[0]) for row, column in pairs.values()}):
            values = {
                (row[1], column[1]): test[name][where]
                for where, (row, column) in pairs.items()
                if (row[0], column[0]) == keys
            }
            tables.append({"metric": metric(name), "keys": keys} | _heat(values, metric(name).direction))
    return tables


def _heat(values: Mapping[tuple[str, str], Cell], direction: Direction) -> dict[str, Any]:
    known = [cell["value"] for cell in values.values() if cell is not None and cell["value"] is not None]
    best, worst = _ends(known, direction)
    span = max(abs(best - worst), LEAST_SPAN)
    columns = sorted({column for _, column in values})
    rows = [
        {"name": row, "cells": [_shaded(values.get((row, column)), best, span) for column in columns]}
        for row in sorted({row for row, _ in values})
    ]
    return {"columns": columns, "rows": rows}


def _ends(known: Iterable[float], direction: Direction) -> tuple[float, float]:
    ordered = sorted((value for value in known if math.isfinite(value)), reverse=direction > 0)
    return (ordered[0], ordered[-1]) if ordered else (0.0, 0.0)


def _shaded(cell: Cell, best: float, span: float) -> dict[str, Any]:
    if cell is None or cell["value"] is None:
        return {"cell": cell, "shade": None}
    return {"cell": cell, "shade": round(100 * abs(cell["value"] - best) / span)}
