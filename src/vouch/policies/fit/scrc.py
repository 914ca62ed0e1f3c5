"""The scrc policy: selective conformal risk control, and a certificate of its exits.

The recipe (`conformal_selection`) promises P(selected) >= xi and P(truth outside its set | selected) <= alpha, the
latter of all rows or of the positive class's: of sets, and on the average over calibrations. An exit is a set of one
class, another event, so the rule that says who exits is certified too. That rule has two parts, lam1 from scores alone
and lam2 from labels. So that the tests may be walked as if declared beforehand, they cover every pair of a step of xi
and a declared level of lam2, one walk for each level at delta over the number of levels: in all but the share delta of
draws of val_calib every certified pair keeps the risk, exactly where rows are independent and approximately, by
simulation, where those of a group are alike. So labels may choose among certified pairs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from vouch.calibration.apply.probabilities import labels
from vouch.errors import DataError, refuse_any
from vouch.policies.apply.kinds import in_set
from vouch.policies.apply.policy import Policy
from vouch.policies.apply.rows import class_names, evidence_problems, probabilities, row_problems
from vouch.policies.fit.conformal_selection import Selection, rank, select, set_level
from vouch.policies.fit.params import Exits, Share
from vouch.policies.fit.risk_test import (
    BoolArray,
    Cases,
    Finding,
    FloatArray,
    answer_correlation,
    cases_of,
    described,
    judge,
    shortfall,
    walk,
)
from vouch.policies.fit.threshold_sweep import objective, verdict

GUARANTEE_OF = {"rank": "marginal", "dkw": "pac", "clopper_pearson": "pac"}


def _rising(levels: tuple[float, ...]) -> tuple[float, ...]:
    if list(levels) != sorted(set(levels)):
        raise ValueError("levels rise, and none stands twice")
    return levels


class Scrc(Exits):
    """Selective conformal risk control."""

    kind: Literal["scrc"]
    score: Literal["confidence", "gate"]
    variant: Literal["rank", "dkw", "clopper_pearson"]
    guarantee: Literal["certified", "variant"]  # the exits must be certified, or the variant's own word is enough
    event: Literal["all", "positive"]  # whose sets are bounded: of every selected row, or of the positive class's
    xi: Share  # of rows to select
    levels: Annotated[tuple[Share, ...], Field(min_length=1), AfterValidator(_rising)]  # a certified lam2 is one
    jitter_seed: Annotated[int, Field(ge=0)]

    @property
    def delta_rule(self) -> float:
        """The level at which one rule of the exits is certified: levels of lam2 share delta."""
        return self.delta_each / len(self.levels)

    @field_validator("event")
    @classmethod
    def _has_a_class(cls, event: str, others: ValidationInfo) -> str:
        if event == "positive" and others.data.get("positive", "") is None:
            raise ValueError("all, or a class at `positive`")
        return event


@dataclass(frozen=True)
class Step:
    """The recipe at one step of xi."""

    xi: float
    selection: Selection | None
    lam2: float | None  # None: nothing can be promised
    why: str  # nothing can be; empty where something can


@dataclass(frozen=True)
class Choice:
    """The step that is taken, at this lam2, or why none is."""

    step: Step | None
    lam2: float | None
    why: str


def fit_scrc(rows: pd.DataFrame, asked: Scrc) -> Policy:
    """Return the scrc policy.

    Parameters
    ----------
    rows : table
        Calibrated: `sample_id`, `group`, `class_true` (null: not labelled, left out), `class_pred`,
        `probability_<class>` and the score asked for.
    asked : Scrc
        `alpha` bounds the truths outside their sets among the selected (of the event asked for), and the risk of the
        exits.

    Returns
    -------
    dict
        policy.json. With `guarantee: certified` its `xi` is the largest step, up to the one asked for, whose exits are
        certified, and lam2 is the recipe's there, raised to the next level; below the xi asked for the recipe's own
        promise is no more than a plan. Infeasible: it abstains on everything.

    Raises
    ------
    DataError
        Listing missing columns, bad probabilities, unknown classes, and rows of one class only.
    """
    refuse_any(DataError, row_problems(rows, asked.score) or evidence_problems(rows, asked.positive))
    labelled = rows[rows["class_true"].notna()]
    choice, delta = _chosen(labelled, asked)
    selection = None if choice.step is None else choice.step.selection
    guarantee = "certified" if asked.guarantee == "certified" else GUARANTEE_OF[asked.variant]
    return {
        "kind": asked.kind,
        **verdict({"*": choice.why} if choice.why else {}, guarantee),
        "alpha": asked.alpha,
        "delta": asked.delta,
        "objective": _asked_for(asked),
        "intraclass_correlation": answer_correlation(labelled, asked.intraclass_floor),
        "positive": asked.positive,
        "score": asked.score,
        "variant": asked.variant,
        "xi": None if choice.step is None else choice.step.xi,
        "lam1": None if selection is None else selection.lam1,
        "tie": None if selection is None else selection.tie,
        "lam2": choice.lam2,
        "jitter_seed": asked.jitter_seed,
        "evidence": _evidence(labelled, choice, asked, delta=delta),
    }


def _chosen(labelled: pd.DataFrame, asked: Scrc) -> tuple[Choice, float]:
    """Return the step that is taken, and the level at which its exits are judged."""
    steps = _steps(labelled, asked)
    if asked.guarantee != "certified":
        return _by_recipe(steps[-1]), asked.delta_each
    delta = asked.delta_rule
    cases = cases_of(labelled, asked.positive)
    return _certified(cases, probabilities(labelled), steps, asked, delta=delta), delta


def _asked_for(asked: Scrc) -> dict[str, Any]:
    found = {**objective(asked), "guarantee": asked.guarantee, "xi": asked.xi, "levels": list(asked.levels)}
    return found | ({"event": asked.event} if asked.event == "positive" else {})


def _evidence(labelled: pd.DataFrame, choice: Choice, asked: Scrc, *, delta: float) -> dict[str, Any]:
    selection = None if choice.step is None else choice.step.selection
    rule = _rule(choice, probabilities(labelled))
    finding = judge(cases_of(labelled, asked.positive), rule, asked, delta=delta)
    return {
        **described(finding, asked, n=len(labelled), exits=int(rule.sum())),
        "selected": 0 if selection is None else int(selection.chosen.sum()),
        "selected_low": None if selection is None else selection.low,
        "allowed": None if selection is None else selection.allowed,
        "lam2_recipe": None if choice.step is None else choice.step.lam2,
        **(_of_event(selection) if asked.event == "positive" else {}),
    }


def _of_event(selection: Selection | None) -> dict[str, Any]:
    """Return how many selected positives lam2 is fixed on, and what their share of fresh rows is at least."""
    if selection is None:
        return {"counted": 0, "event_low": None}
    return {"counted": int(selection.counted.sum()), "event_low": selection.event_low}


def _steps(labelled: pd.DataFrame, asked: Scrc) -> list[Step]:
    score, event = labelled[asked.score].to_numpy(dtype=np.float64), np.ones(len(labelled), dtype=bool)
    if asked.event == "positive":
        event = (labelled["class_true"] == asked.positive).to_numpy(dtype=bool)
    names, groups = labelled["sample_id"], labelled["group"]
    ranked = rank(score, names, groups, event, unit=asked.unit, seed=asked.jitter_seed)
    nonconformity = _nonconformity(labelled)
    steps = []
    first = 1 if asked.guarantee == "certified" else asked.steps  # a certificate may have to stop short of xi
    for share in asked.xi * np.arange(first, asked.steps + 1) / asked.steps:
        one = select(ranked, float(share), variant=asked.variant, alpha=asked.alpha, delta=asked.delta_each)
        lam2 = None if one is None else set_level(nonconformity[one.counted], one.allowed)
        of = f" of {asked.positive}" if asked.event == "positive" else ""
        steps.append(Step(float(share), one, lam2, "" if lam2 is not None else _too_few(share, one, event, of)))
    return steps


def _nonconformity(labelled: pd.DataFrame) -> FloatArray:
    """Return 1 - p of the true class, shape (n,)."""
    place = labels(labelled, class_names(labelled))
    own: FloatArray = 1 - probabilities(labelled)[np.arange(len(labelled)), place]
    return own


def _by_recipe(step: Step) -> Choice:
    if step.lam2 is None:
        return Choice(step=None, lam2=None, why=f"too few rows: {step.why}")
    return Choice(step=step, lam2=step.lam2, why="")


def _too_few(xi: float, selection: Selection | None, event: BoolArray, of: str) -> str:
    if selection is None:
        return f"no threshold is known to select {xi:.2f} of fresh ones"
    count = int((selection.chosen & event).sum())
    return f"{count} selected{of} promise nothing, were every truth in its set"


def _certified(cases: Cases, probability: FloatArray, steps: list[Step], asked: Scrc, *, delta: float) -> Choice:
    """Return the loosest step whose exits are certified at the first level of lam2 that the recipe allows there."""
    nobody = np.zeros(len(probability), dtype=bool)
    chosen = [nobody if step.selection is None else step.selection.chosen for step in steps]
    walks = {
        level: list(walk(cases, (one & _single(probability, level) for one in chosen), asked, delta=delta))
        for level in asked.levels
    }
    found = [finding for each in walks.values() for finding in each]
    if any(finding.cases for finding in found) and not any(finding.enough for finding in found):
        shared = f"; {len(asked.levels)} levels of lam2 share delta" if len(asked.levels) > 1 else ""
        # whatever else fails, more rows come first
        return Choice(step=None, lam2=None, why=shortfall(found, asked, delta=delta) + shared)
    for index, step in reversed(list(enumerate(steps))):
        level = _level_of(step, asked)
        if level is not None and index < len(walks[level]) and walks[level][index].certified:
            return Choice(step=step, lam2=level, why="")
    return Choice(step=None, lam2=None, why=_shortfall_of(steps[-1], walks, asked, delta=delta))


def _level_of(step: Step, asked: Scrc) -> float | None:
    """Return the first declared level of lam2 that the recipe allows at a step."""
    return None if step.lam2 is None else next((level for level in asked.levels if level >= step.lam2), None)


def _shortfall_of(step: Step, walks: Mapping[float, list[Finding]], asked: Scrc, *, delta: float) -> str:
    """Say why the exits of a step are not certified."""
    level = _level_of(step, asked)
    if step.lam2 is None:
        return step.why
    if level is None:
        return f"at xi {step.xi:.2f} sets need lam2 {step.lam2:.4f}, above every level"
    return f"with sets at {level}, {shortfall(walks[level], asked, delta=delta)}"


def _single(probability: FloatArray, lam2: float) -> BoolArray:
    single: BoolArray = in_set(probability, lam2).sum(axis=1) == 1
    return single


def _rule(choice: Choice, probability: FloatArray) -> npt.NDArray[np.bool_]:
    if choice.step is None or choice.step.selection is None or choice.lam2 is None:
        return np.zeros(len(probability), dtype=bool)
    return choice.step.selection.chosen & _single(probability, choice.lam2)
