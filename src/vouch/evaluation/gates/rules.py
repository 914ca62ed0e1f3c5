"""A gate's rules, as params.yaml has them: which limit is set on what, and for which strata."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import product
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from vouch.evaluation.metrics.definitions.metric import HIGHER, LOWER, NEITHER, Direction
from vouch.evaluation.metrics.definitions.table import METRICS
from vouch.evaluation.metrics.strata import ALL
from vouch.names import closest
from vouch.params import Section

Source = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]  # a file of metrics/, without .json
Operator = Literal[">=", "<="]
Bound = Literal["value", "worst", "verdict"]  # worst: the end of the interval that hurts
End = Literal["value", "low", "high", "verdict"]  # what is read of the evidence
Kind = Literal["bound", "sanity check"]
Severity = Literal["block", "warn"]

# What a rule can say: an end of an interval, or a verdict that rests on one, speaks of photographs like these; a value
# of these alone, luck included. A true 3 % passes a limit of 2 % in .24 of val_tests with 200 rows to count, in .15
# with 450 (docs/intervals.md).
KINDS: dict[End, Kind] = {"low": "bound", "high": "bound", "verdict": "bound", "value": "sanity check"}
ASKED = {0.0: "not worse", 1.0: "better"}  # by the limit of a rule that reads a verdict
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
    names = [full for name, rule in sound.items() for full in verdict_names(name, rule, required)]
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


def verdict_names(name: str, rule: Rule, required: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return a rule's verdicts by their full names, each with its stratum; required values stand there once."""
    return {name if where == ALL else f"{name}[{where}]": where for where in strata_of(rule.each, required)}


def verdicts_of(rules: Mapping[str, Rule], required: Mapping[str, Sequence[str]]) -> dict[str, tuple[Rule, str]]:
    """Return the rule and the stratum of each verdict by its full name, in the order of `judge`."""
    return {
        full: (rule, stratum)
        for name, rule in rules.items()
        for full, stratum in verdict_names(name, rule, required).items()
    }
