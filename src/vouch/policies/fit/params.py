"""The kinds of policy, as models.M.decide asks for them, and how each is fitted."""

from typing import Annotated, Literal

import pandas as pd
from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from vouch.params import Section
from vouch.policies.apply.policy import Policy
from vouch.policies.fit.operating_point import Objective, fit_operating_point
from vouch.policies.fit.risk_test import Risk
from vouch.policies.fit.scrc import Recipe, fit_scrc
from vouch.policies.fit.threshold_sweep import fit_sweep

Share = Annotated[float, Field(gt=0, lt=1)]
Likeness = Annotated[float, Field(ge=0, le=1)]
Walks = Annotated[int, Field(ge=1, le=1000)]  # of this val_calib, the ones before counted: they share delta


def _rising(levels: tuple[float, ...]) -> tuple[float, ...]:
    if list(levels) != sorted(set(levels)):
        raise ValueError("levels rise, and none stands twice")
    return levels


class RecallObjective(Section):
    """The highest thresholds that still reach a recall."""

    metric: Literal["recall"]
    level: Literal["class", "all"]
    target: Share
    bound: Literal["value", "low"]
    delta: Share
    walks: Walks


class PrecisionObjective(Section):
    """The lowest thresholds that still reach a precision: as much recall as it allows."""

    metric: Literal["precision"]
    level: Literal["class", "all"]
    target: Share
    delta: Share


class F1Objective(Section):
    """The thresholds with the largest F1."""

    metric: Literal["f1"]
    level: Literal["class", "all"]
    delta: Share


class OperatingPoint(Section):
    """One threshold for each class of a detector."""

    kind: Literal["operating_point"]
    objective: Annotated[RecallObjective | PrecisionObjective | F1Objective, Field(discriminator="metric")]
    strata: tuple[str, ...]
    min_truths: Annotated[int, Field(ge=1)]
    intraclass_floor: Likeness


class Exits(Section):
    """What every exit policy of a classifier promises: `risk_test.Risk`."""

    positive: Annotated[str, Field(min_length=1)] | None
    alpha: Share
    delta: Share
    walks: Walks
    unit: Literal["row", "group"]
    steps: Annotated[int, Field(ge=1, le=1000)]
    intraclass_floor: Likeness


class Threshold(Exits):
    """One threshold on the calibrated largest probability."""

    kind: Literal["threshold"]


class Gate(Exits):
    """One threshold on the calibrated gate."""

    kind: Literal["gate"]


class Scrc(Exits):
    """Selective conformal risk control: `scrc.Recipe`."""

    kind: Literal["scrc"]
    score: Literal["confidence", "gate"]
    variant: Literal["rank", "dkw", "clopper_pearson"]
    guarantee: Literal["certified", "variant"]
    event: Literal["all", "positive"]
    xi: Share
    levels: Annotated[tuple[Share, ...], Field(min_length=1), AfterValidator(_rising)]
    jitter_seed: Annotated[int, Field(ge=0)]

    @field_validator("event")
    @classmethod
    def _has_a_class(cls, event: str, others: ValidationInfo) -> str:
        if event == "positive" and others.data.get("positive", "") is None:
            raise ValueError("all, or a class at `positive`")
        return event


Kind = Annotated[OperatingPoint | Threshold | Gate | Scrc, Field(discriminator="kind")]


def fit_policy(rows: pd.DataFrame, asked: OperatingPoint | Threshold | Gate | Scrc) -> Policy:
    """Return the policy of the kind asked for, fitted on calibrated rows.

    Each of `walks` has an equal part of delta, so that all together keep it (Bonferroni); policy.json names delta and
    the number of walks.

    Raises
    ------
    DataError
        Listing what the rows lack for it.
    """
    if isinstance(asked, OperatingPoint):
        return _operating_point(rows, asked)
    each = asked.delta / asked.walks
    risk = Risk(asked.positive, asked.alpha, each, asked.unit, asked.steps, asked.intraclass_floor)
    if isinstance(asked, Scrc):
        how = (asked.score, asked.variant, asked.guarantee, asked.event, asked.xi, asked.levels, asked.jitter_seed)
        policy = fit_scrc(rows, risk, Recipe(*how))
    else:
        policy = fit_sweep(rows, risk, kind=asked.kind)
    return _shared(policy, delta=asked.delta, walks=asked.walks)


def _operating_point(rows: pd.DataFrame, asked: OperatingPoint) -> Policy:
    shared = asked.model_dump(include={"strata", "min_truths", "intraclass_floor"})
    walks = asked.objective.walks if isinstance(asked.objective, RecallObjective) else 1
    told = asked.objective.model_dump(exclude={"delta", "walks"})
    objective = Objective(**told, delta=asked.objective.delta / walks, **shared)
    policy = fit_operating_point(rows, rows["confidence"].to_numpy(float), objective)
    if policy["delta"] is None:  # only a recall is certified
        return policy
    return _shared(policy, delta=asked.objective.delta, walks=walks)


def _shared(policy: Policy, *, delta: float, walks: int) -> Policy:
    return {**policy, "delta": delta, "objective": {**policy["objective"], "walks": walks}}
