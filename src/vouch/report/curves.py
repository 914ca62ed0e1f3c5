"""Curves: precision over recall by class, reliability before and after, thresholds, unknown crops, and training."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from vouch.report import figures
from vouch.report.formatting import number

Json = Mapping[str, Any]
MOST_CLASSES = 12  # curves of more classes are not looked at; the weakest are shown
CURVE_LOOKS = 4  # lines that one training figure can hold apart


def precision_recall(table: pd.DataFrame, test: Json) -> dict[str, Any]:
    """Return a curve for each class, the weakest first, at most twelve, with its operating point where one is known."""
    classes = {str(name): part for name, part in table.groupby("class", sort=True)}
    weakest = sorted(classes, key=lambda name: (_area(test, name, classes[name]), name))[:MOST_CLASSES]
    curves = [
        {"name": name, "area": _value(test, "map50", name), "svg": _curve(test, name, classes[name], place)}
        for place, name in enumerate(weakest)
    ]
    operates = any(_operating(test, name) is not None for name in weakest)
    return {"curves": curves, "total": len(classes), "operates": operates}


def _curve(test: Json, name: str, table: pd.DataFrame, place: int) -> str:
    point = _operating(test, name)
    label = f"Precision over recall of class {name}"
    label += "" if point is None else f"; operating point: recall {number(point[0])}, precision {number(point[1])}"
    return figures.precision_recall(table, point, name=f"pr-{place}", label=label)


def _operating(test: Json, name: str) -> tuple[float, float] | None:
    """Return recall and precision under the policy; of a classifier neither is measured by class."""
    recall, precision = _value(test, "recall", name), _value(test, "precision", name)
    return None if recall is None or precision is None else (recall, precision)


def _area(test: Json, name: str, table: pd.DataFrame) -> float:
    area = _value(test, "map50", name)
    return float(table["precision"].mean()) if area is None else area


def _value(test: Json, metric: str, class_name: str) -> float | None:
    cell = test.get(metric, {}).get(f"class={class_name}")
    value: float | None = None if cell is None else cell["value"]
    return value


def reliability(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the reliability of the raw scores and of the calibrated confidences."""
    sides = {"before": "Before: raw scores", "after": "After: calibrated confidence"}
    return [
        {
            "title": title,
            "svg": figures.reliability(
                table[table["side"] == side],
                name=f"reliability-{side}",
                label=f"{title}, share that was right over confidence",
            ),
        }
        for side, title in sides.items()
    ]


def thresholds(table: pd.DataFrame, policy: Json) -> list[dict[str, Any]]:
    """Return recall and precision over confidence with the thresholds that the policy chose."""
    chosen = {name: level for name, level in policy.get("thresholds", {}).items() if level is not None}
    if "class" not in table:
        label = "Recall and precision over the confidence threshold, all classes together"
        levels = sorted(set(chosen.values()))
        return [{"name": "all classes", "svg": figures.thresholds(table, levels, name="threshold", label=label)}]
    return [
        {
            "name": str(name),
            "svg": figures.thresholds(
                part,
                [chosen[str(name)]] if str(name) in chosen else [],
                name=f"threshold-{place}",
                label=f"Recall and precision of class {name} over the confidence threshold",
            ),
        }
        for place, (name, part) in enumerate(list(table.groupby("class", sort=True))[:MOST_CLASSES])
    ]


def risk_coverage(table: pd.DataFrame, test: Json) -> dict[str, Any]:
    """Return the risk of the surest answers over their share, with the share that the policy answers."""
    policy: float | None = test.get("coverage", {}).get("all", {}).get("value")
    label = "Share of wrong answers over the share answered"
    label += "" if policy is None else f"; the policy answers {number(policy)}"
    return {"policy": policy, "svg": figures.risk_coverage(table, policy, name="risk-coverage", label=label)}


def oscr(table: pd.DataFrame, test: Json) -> dict[str, Any] | None:
    """Return the curve with the policy's point; nothing without a known or without an unknown crop."""
    if table.empty:
        return None
    policy = table[table["kind"] == "policy"].iloc[0]
    accepted, named = float(policy["unknown_accepted"]), float(policy["named_rightly"])
    ends = policy[["low", "high"]].to_dict()
    label = "Share of known crops named rightly over share of unknown ones accepted"
    label += f"; the policy names {number(named)} and accepts {number(accepted)}"
    svg = figures.oscr(table[table["kind"] == "threshold"], (accepted, named), name="oscr", label=label)
    return {
        "svg": svg,
        "area": test.get("oscr", {}).get("all", {}).get("value"),
        "accepted": accepted,
        "named": named,
        "ends": None if pd.isna(ends["low"]) else ends,
    }


def similarity(table: pd.DataFrame, policy: Json) -> dict[str, Any] | None:
    """Return how similarities lie, how many crops of each kind there are, and the threshold of a policy by one."""
    if table.empty:
        return None
    threshold: float | None = policy.get("similarity")  # null where it is infeasible; one by p-values has none
    label = "Share of known crops named rightly, of known ones named wrongly and of unknown ones over similarity"
    label += "" if threshold is None else f"; threshold {number(threshold)}"
    return {
        "svg": figures.similarity(table, threshold, name="similarity", label=label),
        "counts": {str(kind): int(part["n"].sum()) for kind, part in table.groupby("kind")},
        "threshold": threshold,
        "margin": policy.get("margin"),
    }


def training(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the losses on train and on val_select, and val_select's metrics, over the epochs; nothing without one."""
    losses = [name for name in table.columns if "loss" in name]
    parts = {
        "Losses on train": [name for name in losses if name.startswith("train")],
        "Losses on val_select": [name for name in losses if name.startswith("val_select")],
        "Metrics on val_select": [
            name for name in table.columns if name.startswith("val_select") and name not in losses
        ],
    }
    return [
        {
            "title": title,
            "svg": figures.training(
                table,
                columns[:CURVE_LOOKS],
                name=f"training-{place}",
                label=f"{title} over {len(table)} epochs: {', '.join(columns[:CURVE_LOOKS])}",
            ),
        }
        for place, (title, columns) in enumerate(parts.items())
        if columns and len(table)
    ]
