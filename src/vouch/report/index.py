"""The index of all pages: one file, nothing fetched, no script; it draws nothing, and loads nothing that does."""

from collections.abc import Mapping, Sequence
from typing import Any

from vouch.report import verdict
from vouch.report.headlines import headlines
from vouch.report.templates import ENVIRONMENT


def index(models: Sequence[Mapping[str, Any]]) -> str:
    """Return the HTML of the index: for each model or system its name, gate.json, what was measured and its page.

    `test` is test.json of a model and counts.json of a system.
    """
    rows = [
        {
            "name": model["name"],
            "address": model["address"],
            "passed": model["gate"]["passed"],
            "sentence": verdict.sentence(model["gate"], model["test"]),
            "broken": [rule for rule in verdict.rules(model["gate"]) if rule.status in verdict.BLOCKING],
            "headlines": headlines(model["test"], {}),
        }
        for model in models
    ]
    return ENVIRONMENT.get_template("index.html.j2").render(models=rows)
