"""The verdict on each rule of a gate, from metrics files. Missing evidence fails by name (promise 6)."""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from vouch.errors import so_many
from vouch.evaluation.gates.margins import ENOUGH, equal_passes, least_margin
from vouch.evaluation.gates.rules import ASKED, KINDS, Operator, Rule, Waiver, verdict_names
from vouch.evaluation.metrics.strata import ALL

Metrics = Mapping[str, Any]  # {metric: {stratum: {value, low, high, n_rows, n_groups}}}
VALUE = {"comparison": "delta"}  # what `bound: value` reads, where it is not called value
VERDICTS = {"worse": -1.0, "unknown": 0.0, "not_worse": 0.0, "better": 1.0}  # as `bound: verdict` reads a comparison's


def judge(
    rules: Mapping[str, Rule],
    evidence: Mapping[str, Metrics],
    *,
    required: Mapping[str, Sequence[str]],
    waivers: Mapping[str, Waiver],
) -> dict[str, Any]:
    """Return {passed, rules: {name: verdict}}, `passed` as `passes` says it.

    The verdict is a function of its inputs: whether a waiver has expired depends on the day, so `objections` says that
    to whoever enforces.

    Parameters
    ----------
    evidence : map of source to metrics
        What data.json, export.json, test.json, comparison.json and, where there is one, by_group.json hold.
    required : map of str to sequence of str
        Values of each stratum that must be supported. "class" is a stratum here.
    waivers : map of str to Waiver
        By rule name, or by verdict name (`recall[stream=cabin]`) for one stratum of it.
    """
    verdicts = {}
    for name, rule in rules.items():
        for full, stratum in verdict_names(name, rule, required).items():
            waiver = waivers.get(full, waivers.get(name))
            verdicts[full] = {
                **_verdict(rule, stratum, evidence.get(rule.source, {})),
                "waived_until": waiver.expires.isoformat() if waiver else None,
                "waiver_reason": waiver.reason if waiver else None,
            }
    return {"passed": passes(verdicts), "rules": verdicts}


def passes(verdicts: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether every blocking rule passed or is waived, and there is one: what judges nothing lets nothing through."""
    blocking = [one for one in verdicts.values() if one["severity"] == "block"]
    return bool(blocking) and all(one["passed"] or one["waived_until"] is not None for one in blocking)


def _verdict(rule: Rule, stratum: str, metrics: Metrics) -> dict[str, Any]:
    found = _found(metrics, rule.metric, stratum)
    observed = _observed(rule, found)
    n_groups = found.get("n_groups")
    passing, resolved = _resolution(rule, found)
    missing, beyond = _missing(rule, stratum, found, observed, n_groups), _beyond(rule, observed)
    told = observed is not None and rule.bound != "verdict"  # few groups do not hide a figure that is bad as it stands
    reason = "; and ".join(filter(None, (missing, beyond))) if told else missing or beyond
    return {
        "passed": reason == "",
        "metric": rule.metric,
        "source": rule.source,
        "stratum": stratum,
        "kind": KINDS[rule.end],
        "bound": rule.end,
        "op": rule.op,
        "limit": rule.limit,
        "observed": observed,
        "expected_by_chance": _number(found.get("expected_by_chance")),
        "n_groups": n_groups,
        "severity": rule.severity,
        "reason": reason,
        "equal_passes": passing,
        "resolved_margin": resolved,
    }


def _observed(rule: Rule, found: Metrics) -> float | None:
    if rule.bound == "verdict":
        return VERDICTS.get(str(found.get("verdict"))) if _number(found.get("delta")) is not None else None
    return _number(found.get(VALUE.get(rule.source, "value") if rule.bound == "value" else rule.end))


def _resolution(rule: Rule, found: Metrics) -> tuple[float | None, float | None]:
    """Return the chance of an equal model to pass and the margin that would give it 80 %, of a limit on a loss."""
    passing = equal_passes(found, op=rule.op, limit=rule.limit, bound=rule.end)
    if rule.source != "comparison" or passing is None:
        return None, None
    return passing, least_margin(found, op=rule.op, bound=rule.end)


def unresolved(one: Mapping[str, Any]) -> str:
    """Say what groups that cannot resolve a rule's margin do to an equal model, and what they can; or nothing."""
    passing, resolved = one["equal_passes"], one["resolved_margin"]
    if passing is None or passing >= ENOUGH:
        return ""
    lost = (
        f"a model equal to the baseline passes with {passing:.0%}, and with {ENOUGH:.0%} at a margin of {resolved:.2g}"
    )
    return f"these groups cannot resolve this margin: {lost}"


def _found(metrics: Metrics, metric: str, stratum: str) -> Metrics:
    """Return what was measured of a stratum: nothing where the metric, the stratum or a mapping of them is absent."""
    strata = metrics.get(metric)
    found = strata.get(stratum) if isinstance(strata, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _missing(rule: Rule, stratum: str, found: Metrics, observed: float | None, n_groups: object) -> str:
    """Say which evidence is missing, or nothing."""
    if not found:
        return f"no evidence: {rule.source} has no {rule.metric} for {stratum}"
    groups = n_groups if isinstance(n_groups, int) else 0
    if groups < rule.min_groups:
        supported = f"{so_many(groups, 'group')} {'supports' if groups == 1 else 'support'}"
        return f"too little evidence: {supported} {rule.metric} for {stratum}, {rule.min_groups} are needed"
    if rule.bound == "verdict" and found.get("verdict") == "few_groups":
        least = _number(found.get("least_p_holm"))
        floor = "" if least is None else f": p (Holm) is {least:.2g} at least"
        few = so_many(groups, "group")
        return f"too little evidence, {few} cannot show {rule.metric} for {stratum} to be worse{floor}"
    if observed is None:
        return f"no evidence: {rule.metric} for {stratum} has no {rule.end}"
    return ""


def _beyond(rule: Rule, observed: float | None) -> str:
    """Say that the limit is not kept, or nothing."""
    if kept(observed, rule.op, rule.limit):
        return ""
    if rule.bound == "verdict":
        shown = "is worse than the baseline's" if observed == VERDICTS["worse"] else "is not shown to be better"
        return f"{rule.metric} {shown}, must be {ASKED[rule.limit]}"
    return f"{rule.metric} {rule.end} is {observed}, must be {rule.op} {rule.limit}"


def kept(observed: float | None, op: Operator, limit: float) -> bool:
    """Whether a limit is kept; what is not a number keeps none."""
    return observed is not None and (observed >= limit if op == ">=" else observed <= limit)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def blocks(verdict: Mapping[str, Any]) -> bool:
    """Whether a verdict stands against a release, unless waived."""
    return not verdict["passed"] and verdict["severity"] == "block"


def objections(verdict: Mapping[str, Any], *, today: date) -> list[str]:
    """Return why the model must not be released today, sorted by rule; empty when nothing stands against it.

    An expired waiver objects even when its rule passes: it would silently wait for the next failure.
    """
    if not any(one["severity"] == "block" for one in verdict["rules"].values()):
        return ["the gate has no rule that blocks, and what judges nothing lets nothing through: write one"]
    found = []
    for name, one in sorted(verdict["rules"].items()):
        until = one["waived_until"]
        if until is not None and date.fromisoformat(until) < today:
            found.append(f"{name}: its waiver ended on {until}; fix the model or ask for a new waiver")
        elif until is None and blocks(one):
            found.append(f"{name}: {one['reason']}")
    return found


def summary(verdict: Mapping[str, Any], test: Metrics, names: Sequence[str]) -> dict[str, Any]:
    """Return the flat summary that `dvc metrics` shows: passed, how many rules failed, and the named values.

    Parameters
    ----------
    names : sequence of str
        `metric`, or `metric[stratum]`; one without a value is null.
    """
    failed = sum(not one["passed"] for one in verdict["rules"].values())
    return {"passed": verdict["passed"], "failed_rules": failed, **{name: _headline(test, name) for name in names}}


def _headline(test: Metrics, name: str) -> float | None:
    metric, _, stratum = name.removesuffix("]").partition("[")
    return _number(_found(test, metric, stratum or ALL).get("value"))
