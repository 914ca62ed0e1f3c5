"""What the sections of several kinds of policy ask for alike."""

from typing import Annotated, Literal

from pydantic import Field

from vouch.params import Section

Share = Annotated[float, Field(gt=0, lt=1)]
Correlation = Annotated[float, Field(ge=0, le=1)]  # rows of a group are taken to be at least so alike
Walks = Annotated[int, Field(ge=1, le=1000)]  # of this val_calib, the ones before counted: they share delta


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
