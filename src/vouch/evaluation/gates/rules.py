"""Gates: rules over metrics files, and a verdict for each. Missing evidence fails by name (promise 6)."""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import product
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from vouch.errors import so_many
from vouch.evaluation.gates.margins import ENOUGH, equal_passes, least_margin
from vouch.evaluation.metrics.definitions import HIGHER, LOWER, METRICS, NEITHER, Direction
from vouch.evaluation.metrics.strata import ALL
from vouch.names import closest
from vouch.params import Section

Source = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]  # a file of metrics/, without .json
Operator = Literal[">=", "<="]
Bound = Literal["value", "worst", "verdict"]  # worst: the end of the interval that hurts
End = Literal["value", "low", "high", "verdict"]  # what is read of the evidence
Kind = Literal["bound", "sanity check"]
Severity = Literal["block", "warn"]
Metrics = Mapping[str, Any]  # {metric: {stratum: {value, low, high, n_rows, n_groups}}}

# What a rule can say: an end of an interval, or a verdict that rests on one, speaks of photographs like these; a value
# of these alone, luck included. A true 3 % passes a limit of 2 % in .24 of val_tests with 200 rows to count, in .15
# with 450 (docs/intervals.md).
KINDS: dict[End, Kind] = {"low": "bound", "high": "bound", "verdict": "bound", "value": "sanity check"}
VALUE = {"comparison": "delta"}  # what `bound: value` reads, where it is not called value
VERDICTS = {"worse": -1.0, "unknown": 0.0, "not_worse": 0.0, "better": 1.0}  # as `bound: verdict` reads a comparison's
ASKED = {0.0: "not worse", 1.0: "better"}  # by the limit of such a rule


OPERATORS: dict[Direction, Operator] = {HIGHER: ">=", LOWER: "<="}
HURTS: dict[Operator, End] = {">=": "low", "<=": "high"}
COUNTED = ("test", "by_group", "comparison", "counts", "facings")  # their figures rest on groups


def _known(name: str) -> str:
    if name not in METRICS:
        raise ValueError(f"a metric: {closest(name, METRICS)}")
    if METRICS[name].direction == NEITHER:
        raise ValueError(f"a metric of which more or less is better, unlike {name}")
    return name


class Rule(Section):
    """One limit that a release has to keep: at least, or at most, as the metric's better direction has it."""

    source: Source
    metric: Annotated[str, AfterValidator(_known)]
    limit: float
    bound: Bound
    each: str = ALL  # or names of required strata joined by commas: one verdict for every combination
    min_groups: Annotated[int, Field(ge=0)] = 0  # fewer groups than this are no evidence; needed where groups count
    severity: Severity = "block"

    @property
    def op(self) -> Operator:
        """How what is observed has to stand to the limit."""
        return ">=" if self.bound == "verdict" else OPERATORS[METRICS[self.metric].direction]

    @property
    def end(self) -> End:
        """What the rule reads of the evidence."""
        return HURTS[self.op] if self.bound == "worst" else self.bound

    @model_validator(mode="after")
    def _says_what_evidence_is(self) -> Self:
        if self.source in COUNTED and "min_groups" not in self.model_fields_set:
            raise ValueError(f"a rule of {self.source} says `min_groups`: fewer groups than this are no evidence")
        return self


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
    judged = {name: set() if rule.each == ALL else set(rule.each.split(",")) for name, rule in rules.items()}
    faults = [
        f"rule {name}: each {rule.each} needs the values of {part} under `required`"
        for name, rule in rules.items()
        for part in judged[name]
        if not required.get(part)
    ]
    idle = set(required).difference(*judged.values())
    faults += [f"required {name}: no rule judges each {name}" for name in idle]
    sound = {name: rule for name, rule in rules.items() if all(required.get(part) for part in judged[name])}
    names = [full for name, rule in sound.items() for full in _verdict_names(name, rule, required)]
    faults += [
        f"rule {name}: bound verdict goes with source comparison and limit 0 (not worse) or 1 (better)"
        for name, rule in rules.items()
        if rule.bound == "verdict" and (rule.source, rule.limit in ASKED) != ("comparison", True)
    ]
    faults += [f"rule {name}: two verdicts have this name" for name in set(names) if names.count(name) > 1]
    unknown = waivers.keys() - set(names) - rules.keys()
    unclear = rules.keys() - sound.keys()  # which strata these have is not known before they are right
    faults += [f"waiver {name}: no rule has this name" for name in unknown if name.partition("[")[0] not in unclear]
    return sorted(faults)


def _verdict_names(name: str, rule: Rule, required: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return a rule's verdicts by their full names, each with its stratum; required values stand there once."""
    return {name if where == ALL else f"{name}[{where}]": where for where in strata_of(rule.each, required)}


def verdicts_of(rules: Mapping[str, Rule], required: Mapping[str, Sequence[str]]) -> dict[str, tuple[Rule, str]]:
    """Return the rule and the stratum of each verdict by its full name, in the order of `judge`."""
    return {
        full: (rule, stratum)
        for name, rule in rules.items()
        for full, stratum in _verdict_names(name, rule, required).items()
    }


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
        for full, stratum in _verdict_names(name, rule, required).items():
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
