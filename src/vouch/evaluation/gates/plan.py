"""What a gate can see: the power of all its rules together, for gate.json and for `vouch plan`.

Rules are judged on the same photographs, so they pass together more often than their chances multiplied say. How much
more is read from the groups at hand: each rule's share is pushed by each group (its influence), and random weights of
the groups push all rules at once (a multiplier bootstrap). A metric that is no share of rows, and the comparison, are
taken as independent of the rest, which is the cautious side where rules fail together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from vouch.evaluation.gates.power import (
    DRAWS,
    SHARES,
    Curve,
    Subject,
    World,
    again,
    beyond,
    chance,
    compliant,
    curve,
    intended,
    least_factor,
    subject,
)
from vouch.evaluation.gates.rules import Rule, verdicts_of

FloatArray = npt.NDArray[np.float64]

BEYOND = 0.02  # a compliant model keeps every limit by so much
ENOUGH = 0.5  # a gate that a compliant model passes less often is underpowered
SHORT = 0.01  # a slightly violating model misses a limit by so much
STEPS = (0.0, 0.01, 0.02, 0.03, 0.05)
TARGETS = (0.8, 0.95)
TOGETHER = 4000  # draws of all rules at once: a chance errs by .008 at most, one standard error
SEARCH_STEP = 1.05  # numbers of groups that a search tells apart

LIMITED = ("test", "counts", "facings")  # sources whose rules a limit alone decides, of a model and of a system
FIXED = ("data", "export")  # sources whose metrics fresh groups would not change


@dataclass(frozen=True)
class Gate:
    """The rules of a gate that fresh groups could decide otherwise, and how they move together."""

    subjects: Mapping[str, Subject]  # by the verdict's full name
    pushes: Mapping[str, FloatArray]  # of a share whose groups differ: influence of each group, squares sum to 1
    counting: tuple[str, ...]  # those of `subjects` that block and are not waived
    limits: tuple[str, ...]  # those of them that a limit alone decides: a comparison depends on the baseline
    certain: bool  # whether every blocking rule that is no draw passes, or is waived


def gate_of(
    rules: Mapping[str, Rule],
    evidence: Mapping[str, Mapping[str, Any]],
    *,
    required: Mapping[str, Sequence[str]],
    verdicts: Mapping[str, Mapping[str, Any]],
    groups: Mapping[str, npt.NDArray[Any]],
) -> Gate:
    """Return the gate on the groups at hand.

    Parameters
    ----------
    evidence : map of source to metrics
        As `judging.judge` takes it.
    verdicts : map of str to verdict
        As `judging.judge` gives them.
    groups : map of str to array, shape (n,)
        plots/M/test/groups.parquet by columns: `metric`, `stratum`, `group`, `rows`, `hits`.
    """
    n_groups = int(groups["group"].max()) + 1 if len(groups["group"]) else 0
    subjects, pushes = {}, {}
    for name, (rule, stratum) in verdicts_of(rules, required).items():
        if rule.source in FIXED:
            continue
        part = _part(groups, rule.metric, stratum) if rule.source == "test" else None
        found = evidence.get(rule.source, {}).get(rule.metric, {}).get(stratum, {})
        subjects[name] = subject(rule, found, None if part is None else part["rows"])
        push = np.zeros(n_groups) if part is None else _influence(part, rule, n_groups)
        if push.any():
            pushes[name] = push / np.sqrt((push**2).sum())
    held = {
        name: one["passed"] or one["waived_until"] is not None
        for name, one in verdicts.items()
        if one["severity"] == "block"
    }
    counting = tuple(name for name in subjects if name in held and verdicts[name]["waived_until"] is None)
    certain = all(passed for name, passed in held.items() if name not in subjects)
    return Gate(subjects, pushes, counting, _limits(subjects, counting), certain)


def intended_gate(
    rules: Mapping[str, Rule], *, required: Mapping[str, Sequence[str]], groups: int, per_group: int
) -> tuple[Gate, list[str]]:
    """Return the gate before data exist, each share on so many groups, and the verdicts that only a model can tell."""
    every = verdicts_of(rules, required)
    subjects = {
        name: intended(rule, groups=groups, per_group=per_group)
        for name, (rule, _) in every.items()
        if rule.source == "test" and rule.metric in SHARES
    }
    counting = tuple(name for name, about in subjects.items() if about.rule.severity == "block")
    return Gate(subjects, {}, counting, counting, certain=True), [name for name in every if name not in subjects]


def _limits(subjects: Mapping[str, Subject], counting: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in counting if subjects[name].rule.source in LIMITED)


def _part(groups: Mapping[str, npt.NDArray[Any]], metric: str, stratum: str) -> dict[str, FloatArray] | None:
    """Return group, rows and hits of a share in a stratum; None where it was not counted."""
    own = (groups["metric"] == metric) & (groups["stratum"] == stratum)
    return {name: groups[name][own].astype(np.float64) for name in ("group", "rows", "hits")} if own.any() else None


def _influence(part: Mapping[str, FloatArray], rule: Rule, n_groups: int) -> FloatArray:
    rows, hits = part["rows"], part["hits"]
    push = np.zeros(n_groups)
    push[part["group"].astype(np.intp)] = hits - rows * hits.sum() / rows.sum()
    return push if rule.op == ">=" else -push


def together(chances: Mapping[str, float], pushes: Mapping[str, FloatArray], rng: np.random.Generator) -> float:
    """Return the chance that all rules pass, each with its own chance, pushed by the same groups."""
    passed = np.ones(TOGETHER, dtype=bool)
    n_groups = len(next(iter(pushes.values()), ()))
    weights = rng.standard_normal((TOGETHER, n_groups))
    for name, one in sorted(chances.items()):
        push = pushes.get(name)
        score = rng.standard_normal(TOGETHER) if push is None else weights @ push
        passed &= score <= ndtri(one)
    return float(passed.mean())


def power(gate: Gate, verdicts: Mapping[str, Mapping[str, Any]], world: World) -> dict[str, Any]:
    """Return what gate.json says of the gate's power.

    Returns
    -------
    dict
        {beyond, compliant, passes, underpowered, by_rule: {name: {truth, compliant, again}}}. `compliant`: the chance
        that a model with every `truth` passes the rules on test.json; `passes`: that fresh groups pass this one, were
        the truths what was observed; `again`: that they give the same verdict. A rule that is no draw has null for the
        truth and comes out the same.
    """
    rules: dict[str, dict[str, float | None]] = {
        name: {"truth": None, "compliant": None, "again": 1.0} for name in verdicts
    }
    passes = {}
    for name, about in gate.subjects.items():
        truth = compliant(about.rule, BEYOND)
        passes[name] = again(about, world)
        rules[name] = {
            "truth": truth,
            "compliant": chance(about, truth, world, factor=1, draws=DRAWS),
            "again": _same(passes[name], passed=verdicts[name]["passed"]),
        }
    all_compliant = _all(gate, gate.limits, {name: rules[name]["compliant"] for name in gate.subjects}, world)
    return {
        "beyond": BEYOND,
        "compliant": all_compliant,
        "passes": _all(gate, gate.counting, passes, world) if gate.certain else 0.0,
        "underpowered": all_compliant < ENOUGH,
        "by_rule": rules,
    }


def _same(passes: float | None, *, passed: bool) -> float | None:
    return None if passes is None else passes if passed else 1 - passes


def _all(gate: Gate, names: Sequence[str], chances: Mapping[str, float | None], world: World) -> float:
    """Return the chance of the named rules together; one whose chance nobody knows is left out, and shown as such."""
    known = {name: one for name in names if (one := chances[name]) is not None}
    return together(known, gate.pushes, np.random.default_rng(world.seed))


@dataclass(frozen=True)
class Outlook:
    """One line of a plan: chances for truths short of, at and beyond the limit, and the groups that are needed."""

    name: str
    limit: str
    n_groups: int
    observed: float | None
    short: float | None  # chance of a slightly violating model
    steps: tuple[float | None, ...]  # chances at `STEPS`; None past the metric's end, or where nothing is known
    passes: float | None  # chance were the truth what was observed; before data, that of a compliant model
    needed: tuple[int | None, ...]  # groups for `TARGETS`; None where no number tried is enough


def outlook(gate: Gate, world: World, *, n_groups: int) -> tuple[list[Outlook], Outlook]:
    """Return a line for each rule, and one for all that block.

    Parameters
    ----------
    n_groups : int
        Of the whole val_test, or of each rule where only numbers are intended.
    """
    lines = {name: _line(name, about, world) for name, about in gate.subjects.items()}
    curves = {name: found for name, about in gate.subjects.items() if (found := curve(about, _truth(about), world))}
    needed = {name: _needed(curves.get(name), about) for name, about in gate.subjects.items()}
    return (
        [Outlook(**{**vars(line), "needed": needed[name]}) for name, line in lines.items()],
        _whole(gate, world, lines, curves, n_groups),
    )


def _truth(about: Subject) -> float:
    return compliant(about.rule, BEYOND) if about.value is None else about.value


def _line(name: str, about: Subject, world: World) -> Outlook:
    rule = about.rule

    def at(truth: float | None) -> float | None:
        return None if truth is None else chance(about, truth, world, factor=1, draws=DRAWS)

    passes = at(compliant(rule, BEYOND)) if about.value is None else again(about, world)
    limit = f"{rule.metric} {rule.end} {rule.op} {rule.limit:g}"
    steps = tuple(at(rule.limit if step == 0 else beyond(rule, step)) for step in STEPS)
    return Outlook(name, limit, about.n_groups, about.value, at(beyond(rule, -SHORT)), steps, passes, ())


def _factors(tried: FloatArray) -> FloatArray:
    return np.asarray(tried[0] * SEARCH_STEP ** np.arange(int(np.log(tried[-1] / tried[0]) / np.log(SEARCH_STEP)) + 1))


def _needed(found: Curve | None, about: Subject) -> tuple[int | None, ...]:
    if found is None or about.n_groups == 0:
        return tuple(None for _ in TARGETS)
    least = [least_factor(found.at, target=target, factors=_factors(found.factors)) for target in TARGETS]
    fewest = max(about.rule.min_groups, 2)
    return tuple(None if one is None else max(int(np.ceil(one * about.n_groups)), fewest) for one in least)


def _whole(
    gate: Gate, world: World, lines: Mapping[str, Outlook], curves: Mapping[str, Curve], n_groups: int
) -> Outlook:
    """Return the line of all rules that count; at a step past a rule's end that rule stays where it last was.

    Steps and `short` are of the rules on test.json. A rule that no truth violates slightly is left out of `short`.
    """
    short = _all(gate, gate.limits, {name: line.short for name, line in lines.items()}, world)
    steps = tuple(
        _all(gate, gate.limits, {name: _at_step(line, gate, place, world) for name, line in lines.items()}, world)
        for place in range(len(STEPS))
    )
    passes = _all(gate, gate.counting, {name: line.passes for name, line in lines.items()}, world)

    def at(factor: float) -> float:
        chances = {name: curves[name].at(factor) if name in curves else None for name in gate.counting}
        return _all(gate, gate.counting, chances, world)

    tried = max((curves[name].factors for name in gate.counting if name in curves), key=len, default=None)
    least = [None if tried is None else least_factor(at, target=one, factors=_factors(tried)) for one in TARGETS]
    needed = tuple(None if factor is None else int(np.ceil(factor * n_groups)) for factor in least)
    return Outlook("all together", "", n_groups, None, short, steps, passes if gate.certain else 0.0, needed)


def _at_step(line: Outlook, gate: Gate, place: int, world: World) -> float | None:
    known = [one for one in line.steps[min(place, 1) : place + 1] if one is not None]
    if known:
        return known[-1]
    about = gate.subjects[line.name]
    return chance(about, compliant(about.rule, STEPS[place]), world, factor=1, draws=DRAWS)
