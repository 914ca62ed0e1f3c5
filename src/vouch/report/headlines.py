"""The metrics of the whole set that stand first on a page, and on the index for each model."""

from collections.abc import Mapping
from typing import Any

from vouch.report.formatting import in_order, metric

Json = Mapping[str, Any]
HEADLINES = 8


def headlines(test: Json, comparison: Json) -> list[dict[str, Any]]:
    """Return the metrics of the whole set, at most eight, each with its change since the baseline if there is one."""
    names = [name for name in in_order(test) if "all" in test[name] and not name.endswith("_before")][:HEADLINES]
    return [
        {"metric": metric(name), "cell": test[name]["all"], "change": comparison.get(name, {}).get("all")}
        for name in names
    ]
