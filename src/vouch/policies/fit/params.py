"""The kinds of policy, as models.M.decide asks for them."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from vouch.params import Section

Share = Annotated[float, Field(gt=0, lt=1)]
Correlation = Annotated[float, Field(ge=0, le=1)]  # rows of a group are taken to be at least so alike
Walks = Annotated[int, Field(ge=1, le=1000)]  # of this val_calib, the ones before counted: they share delta


def _rising(levels: tuple[float, ...]) -> tuple[float, ...]:
    if list(levels) != sorted(set(levels)):
        raise ValueError("levels rise, and none stands twice")
    return levels


class Objective(Section):
    """What the thresholds of an operating point are for."""

    level: Literal["class", "all"]  # a threshold for each class, or one for all classes together
    delta: Share  # probability that a lower bound lies above the truth, each class on its own

    @property
    def delta_each(self) -> float:
        """The part of delta that one walk has."""
        return self.delta


class RecallObjective(Objective):
    """The highest thresholds that still reach a recall."""

    metric: Literal["recall"]
    target: Share
    bound: Literal["value", "low"]  # what reaches the target: the recall, or its lower bound
    walks: Walks

    @property
    def delta_each(self) -> float:
        """The part of delta that one walk has."""
        return self.delta / self.walks


class PrecisionObjective(Objective):
    """The lowest thresholds that still reach a precision: as much recall as it allows."""

    metric: Literal["precision"]
    target: Share


class F1Objective(Objective):
    """The thresholds with the largest F1."""

    metric: Literal["f1"]


class OperatingPoint(Section):
    """One threshold for each class of a detector."""

    kind: Literal["operating_point"]
    objective: Annotated[RecallObjective | PrecisionObjective | F1Objective, Field(discriminator="metric")]
    strata: tuple[str, ...]  # the target must also hold in each value of these, without their prefix
    min_truths: Annotated[int, Field(ge=1)]  # a stratum with fewer truths of a class says nothing about it
    intraclass_floor: Correlation


class Exits(Section):
    """What every exit policy of a classifier promises, and what counts as one observation."""

    positive: Annotated[str, Field(min_length=1)] | None  # its misses among the exits count; null: every wrong exit
    alpha: Share  # the largest risk
    delta: Share  # probability of certifying a rule whose risk is larger, all walks together
    walks: Walks
    unit: Literal["row", "group"]  # rows are independent, or count for as many as their groups are worth
    steps: Annotated[int, Field(ge=1, le=1000)]  # rules of a walk
    intraclass_floor: Correlation

    @property
    def delta_each(self) -> float:
        """The part of delta that one walk has, so that all together keep it (Bonferroni)."""
        return self.delta / self.walks

    @property
    def delta_rule(self) -> float:
        """The level at which one rule of the exits is certified."""
        return self.delta_each


class Threshold(Exits):
    """One threshold on the calibrated largest probability."""

    kind: Literal["threshold"]


class Gate(Exits):
    """One threshold on the calibrated gate."""

    kind: Literal["gate"]


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


Kind = Annotated[OperatingPoint | Threshold | Gate | Scrc, Field(discriminator="kind")]
