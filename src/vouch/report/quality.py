"""Data quality as a page says it: what there is, what was found by which check, and coverage of class × stratum."""

from collections.abc import Mapping
from typing import Any

from vouch.report.formatting import parts

Json = Mapping[str, Any]
SEVERITIES = ("block", "quarantine", "warn")  # the gravest first
OF_BOXES = ("boxes", "negatives")  # nobody counts them where photographs have classes
FACTS = {
    "samples": "usable photographs",
    "quarantined": "quarantined photographs",
    "boxes": "labelled boxes",
    "negatives": "photographs known to hold nothing",
    "components": "independent groups",
}


def quality(data: Json) -> dict[str, Any]:
    """Return data.json as facts, issues with findings (the gravest first), clean checks, and coverage by key."""
    issues = data["issues"]
    return {
        "facts": _facts(data),
        "issues": _found({name: issue for name, issue in issues.items() if issue["count"]}),
        "clean": [name.replace("_", " ") for name, issue in issues.items() if not issue["count"]],
        "coverage": _coverage(data["coverage"]),
    }


def _facts(data: Json) -> list[dict[str, Any]]:
    names = [name for name in FACTS if data["boxes"] or name not in OF_BOXES]
    facts = [{"name": FACTS[name], "value": data[name]} for name in names]
    facts += [{"name": f"group key {name}", "value": count} for name, count in data["groups"].items()]
    return facts + [
        {"name": f"duplicates: {name.replace('_', ' ')}", "value": count} for name, count in data["duplicates"].items()
    ]


def _found(issues: Json) -> list[dict[str, Any]]:
    found = [{"name": name.replace("_", " "), **issue} for name, issue in issues.items()]
    return sorted(found, key=lambda issue: (SEVERITIES.index(issue["severity"]), -issue["count"], issue["name"]))


def _coverage(cells: Json) -> list[dict[str, Any]]:
    """Turn {"class=phone,stream=cabin": {count, required}} into one table a key of the stratum."""
    tables: dict[str, dict[tuple[str, str], Json]] = {}
    for where, cell in cells.items():
        pair = dict(parts(where))
        if len(pair) == 2 and "class" in pair:
            name = pair.pop("class")
            ((key, value),) = pair.items()
            tables.setdefault(key, {})[name, value] = cell
    return [{"key": key, **_table(tables[key])} for key in sorted(tables)]


def _table(cells: Mapping[tuple[str, str], Json]) -> dict[str, Any]:
    nothing = {"count": 0, "required": 0}
    columns = sorted({column for _, column in cells})
    rows = sorted({row for row, _ in cells})
    return {
        "columns": columns,
        "rows": [{"name": row, "cells": [cells.get((row, column), nothing) for column in columns]} for row in rows],
    }
