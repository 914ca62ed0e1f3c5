"""The policy and the calibration in words: what is accepted, what that guarantees, and what calibration changed."""

from collections.abc import Mapping
from typing import Any

from vouch.report.words import in_order, number

Json = Mapping[str, Any]
BEFORE = "_before"  # suffix of a metric of the raw scores in calibration.json
TABLED = ("kind", "guarantee", "feasible", "thresholds", "evidence", "infeasible")  # what a page says elsewhere


def facts(policy: Json) -> list[tuple[str, str]]:
    """Return every other parameter of the policy with its value, nested ones under both names.

    The evidence by class stands in a table of its own; that of an exit policy, which has one rule, stands here.
    """
    elsewhere = TABLED if "thresholds" in policy else tuple(key for key in TABLED if key != "evidence")
    return [(name, text) for key in policy if key not in elsewhere for name, text in _flat(key, policy[key])]


def _flat(name: str, content: Any) -> list[tuple[str, str]]:
    if isinstance(content, Mapping):
        return [pair for key, inner in content.items() for pair in _flat(f"{name} {key}", inner)]
    if isinstance(content, list):
        return [(name, ", ".join(str(item) for item in content) or "none")]
    if content is None:
        return []
    return [(name, number(content) if isinstance(content, float) else str(content))]


def rows(policy: Json) -> list[dict[str, Any]]:
    """Return the threshold of each class with what val_calib says about it; none for a policy without thresholds."""
    nothing = {"recall": None, "low": None, "precision": None, "n_truths": 0, "n_groups": 0}
    return [
        {"name": name, "threshold": level, "reason": policy["infeasible"].get(name, "")}
        | nothing
        | {key: value for key, value in policy["evidence"].get(name, {}).items() if key in nothing}
        for name, level in policy.get("thresholds", {}).items()
    ]


def infeasible(policy: Json) -> str:
    """Return why the policy is infeasible, or for which classes; empty where nothing is."""
    reasons: Json = policy["infeasible"]
    return reasons["*"] if "*" in reasons else f"for {', '.join(sorted(reasons))}" if reasons else ""


def calibration(metrics: Json, calibrator: Json) -> dict[str, Any]:
    """Return each calibration metric of the whole set before and after, and the methods that were chosen."""
    names = [name for name in in_order(metrics) if not name.endswith(BEFORE) and name + BEFORE in metrics]
    return {
        "methods": _methods(calibrator),
        "rows": [
            {"name": name, "after": _value(metrics[name]), "before": _value(metrics[name + BEFORE])} for name in names
        ],
    }


def _value(strata: Json) -> float | None:
    value: float | None = strata.get("all", {}).get("value")
    return value


def _methods(calibrator: Json) -> str:
    if calibrator["kind"] == "multiclass":
        return f"{calibrator['map']['method']} for the probabilities of all classes together"
    overall = calibrator["global"]["method"]
    own: dict[str, list[str]] = {}
    for name, curve in calibrator.get("classes", {}).items():
        own.setdefault(curve["method"], []).append(name)
    parts = [f"{method} for {', '.join(sorted(names))}" for method, names in sorted(own.items())]
    return "; ".join([*parts, f"{overall} for every other class" if parts else f"{overall} for all"])
