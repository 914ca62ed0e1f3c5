"""Gates: rules over metrics files, and a verdict for each. Missing evidence fails by name (promise 6)."""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import product
from typing import Annotated, Any, Literal

from pydantic import Field

from vouch.evaluation.strata import ALL
from vouch.params import Section

Source = Literal["data", "export", "test", "comparison"]
Metrics = Mapping[str, Any]  # {metric: {stratum: {value, low, high, n_rows, n_groups}}}

VALUE = {"comparison": "delta"}  # what `bound: value` reads, where it is not called value


class Rule(Section):
    """One limit that a release has to keep."""

    source: Source
    metric: str
    op: Literal[">=", "<="]
    limit: float
    bound: Literal["value", "low", "high"]
    each: str  # all, or names of required strata joined by commas: one verdict for every combination
    min_groups: Annotated[int, Field(ge=0)]  # fewer groups than this are no evidence
    severity: Literal["block", "warn"]


class Waiver(Section):
    """A person's leave to fail one rule until a day, that day included."""

    reason: Annotated[str, Field(min_length=10)]
    expires: date


def strata_of(each: str, required: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the strata that a rule is judged on, from what is required, never from what happens to be measured.

    >>> strata_of("stream,scenario", {"stream": ["cabin", "rear"], "scenario": ["night"]})
    ['stream=cabin,scenario=night', 'stream=rear,scenario=night']
    """
    if each == ALL:
        return [ALL]
    names = each.split(",")
    return [
        ",".join(f"{name}={value}" for name, value in zip(names, values, strict=True))
        for values in product(*(required[name] for name in names))
    ]


def rule_faults(
    rules: Mapping[str, Rule], *, required: Mapping[str, Sequence[str]], waivers: Mapping[str, Waiver]
) -> list[str]:
    """List what is wrong with the rules themselves, sorted: a rule that could never fail is worse than none."""
    judged = {name: {part for part in rule.each.split(",") if part != ALL} for name, rule in rules.items()}
    faults = [
        f"rule {name}: each {rule.each} needs the values of {part} under `required`"
        for name, rule in rules.items()
        for part in judged[name]
        if not required.get(part)
    ]
    idle = set(required).difference(*judged.values())
    faults += [f"required {name}: no rule judges each {name}" for name in idle]
    faults += [f"waiver {name}: no rule has this name" for name in waivers if name.partition("[")[0] not in rules]
    return sorted(faults)


def judge(
    rules: Mapping[str, Rule],
    evidence: Mapping[str, Metrics],
    *,
    required: Mapping[str, Sequence[str]],
    waivers: Mapping[str, Waiver],
) -> dict[str, Any]:
    """Return {passed, rules: {name: verdict}}: `passed` when every blocking rule passed or is waived.

    The verdict is a function of its inputs: whether a waiver has expired depends on the day, so `objections` says that
    to whoever enforces.

    Parameters
    ----------
    evidence : map of source to metrics
        What data.json, export.json, test.json and comparison.json hold.
    required : map of str to sequence of str
        Values of each stratum that must be supported. "class" is a stratum here.
    waivers : map of str to Waiver
        By rule name, or by verdict name (`recall[stream=cabin]`) for one stratum of it.
    """
    verdicts = {}
    for name, rule in rules.items():
        for stratum in strata_of(rule.each, required):
            full = name if stratum == ALL else f"{name}[{stratum}]"
            waiver = waivers.get(full, waivers.get(name))
            verdicts[full] = {
                **_verdict(rule, stratum, evidence.get(rule.source, {})),
                "waived_until": waiver.expires.isoformat() if waiver else None,
                "waiver_reason": waiver.reason if waiver else None,
            }
    return {
        "passed": not any(blocks(one) and one["waived_until"] is None for one in verdicts.values()),
        "rules": verdicts,
    }


def _verdict(rule: Rule, stratum: str, metrics: Metrics) -> dict[str, Any]:
    strata = metrics.get(rule.metric)
    found = strata.get(stratum) if isinstance(strata, Mapping) else None
    found = found if isinstance(found, Mapping) else None
    key = VALUE.get(rule.source, "value") if rule.bound == "value" else rule.bound
    observed = _number((found or {}).get(key))
    n_groups = (found or {}).get("n_groups")
    reason = _missing(rule, stratum, found, observed, n_groups) or _beyond(rule, observed)
    return {
        "passed": reason == "",
        "metric": rule.metric,
        "source": rule.source,
        "stratum": stratum,
        "bound": rule.bound,
        "op": rule.op,
        "limit": rule.limit,
        "observed": observed,
        "n_groups": n_groups,
        "severity": rule.severity,
        "reason": reason,
    }


def _missing(rule: Rule, stratum: str, found: Metrics | None, observed: float | None, n_groups: object) -> str:
    """Say which evidence is missing, or nothing."""
    if found is None:
        return f"no evidence: {rule.source} has no {rule.metric} for {stratum}"
    groups = n_groups if isinstance(n_groups, int) else 0
    if groups < rule.min_groups:
        return f"too little evidence: {groups} groups support {rule.metric} for {stratum}, {rule.min_groups} are needed"
    if observed is None:
        return f"no evidence: {rule.metric} for {stratum} has no {rule.bound}"
    return ""


def _beyond(rule: Rule, observed: float | None) -> str:
    """Say that the limit is not kept, or nothing; what is not a number keeps no limit."""
    kept = observed is not None and (observed >= rule.limit if rule.op == ">=" else observed <= rule.limit)
    return "" if kept else f"{rule.metric} {rule.bound} is {observed}, must be {rule.op} {rule.limit}"


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
    found = []
    for name, one in sorted(verdict["rules"].items()):
        until = one["waived_until"]
        if until is not None and date.fromisoformat(until) < today:
            found.append(f"{name}: its waiver ended on {until}; mend the model or ask for a new waiver")
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
    return _number(test.get(metric, {}).get(stratum or ALL, {}).get("value"))
