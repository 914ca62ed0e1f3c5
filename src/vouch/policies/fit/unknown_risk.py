"""The risk of naming what is unknown: the share of unknown crops that are accepted, and thresholds that keep it low.

Thresholds are declared without looking at any crop: the multiples of `step`, walked from strict to loose up to the
first whose risk may be above the limit, so a walk has level delta (fixed-sequence testing; Angelopoulos et al.
arXiv:2110.01052). Each margin has a walk of its own at an equal part of delta (Bonferroni). Crops of a group are alike:
the bound of the risk is that of `shares.lower_bound`, with a correlation estimated once, where just the limit is
accepted.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, Field

from vouch.errors import so_many
from vouch.evaluation.metrics.shares import effective_rows, lower_bound, reaches
from vouch.params import Section
from vouch.policies.fit.candidate_thresholds import NOISE
from vouch.policies.fit.params import Correlation, Share, Walks

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


def _rising(margins: tuple[float, ...]) -> tuple[float, ...]:
    if margins != tuple(sorted(set(margins))):
        raise ValueError("rising, and no margin twice")
    return margins


class OpenSet(Section):
    """A name, or unknown, for each crop."""

    kind: Literal["open_set"]
    rule: Literal["thresholds", "p_value"]
    max_unknown_accept: Share  # of unknown crops, the largest share that bears a name
    bound: Literal["value", "high"]  # what keeps below it: the share on val_calib, or its upper bound
    delta: Share  # probability of certifying a rule whose share is larger, all walks together
    walks: Walks
    step: Annotated[float, Field(gt=0, le=0.1)]  # of similarity, or of p: thresholds are its multiples
    margins: Annotated[tuple[Annotated[float, Field(ge=0, lt=2)], ...], Field(min_length=1), AfterValidator(_rising)]
    intraclass_floor: Correlation

    @property
    def margins_tried(self) -> tuple[float, ...]:
        """The margins of the rule: p-values have none."""
        return self.margins if self.rule == "thresholds" else (0.0,)

    @property
    def delta_each(self) -> float:
        """The part of delta that the walk of one margin has."""
        return self.delta / self.walks / len(self.margins_tried)


@dataclass(frozen=True)
class Crops:
    """Crops by what decides on them."""

    score: FloatArray  # similarity, or p-value, shape (n,)
    margin: FloatArray  # shape (n,)
    correct: BoolArray  # a known crop under its own name, shape (n,)
    unknown: BoolArray  # shape (n,)
    group: npt.NDArray[np.intp]  # of the unknown ones alone, shape (unknown,), from 0
    correlation: float  # of being accepted, of two unknown crops of a group

    @property
    def sizes(self) -> FloatArray:
        """Unknown crops of each group, float64 of shape (g,)."""
        return np.bincount(self.group).astype(np.float64)

    def accepted(self, level: float, margin: float) -> BoolArray:
        """Return who reaches both, shape (n,)."""
        reached: BoolArray = (self.score >= level) & (self.margin >= margin)
        return reached

    def counts(self, accepted: BoolArray) -> FloatArray:
        """Return accepted unknown crops of each group, float64 of shape (g,)."""
        return np.bincount(self.group, weights=accepted[self.unknown], minlength=len(self.sizes)).astype(np.float64)


@dataclass(frozen=True)
class Pair:
    """Thresholds that keep the risk."""

    level: float
    margin: float
    correct: int  # known crops that bear their own name
    unknown: int  # accepted unknown ones


def levels(asked: OpenSet) -> FloatArray:
    """Return the thresholds of a walk, strict to loose: of similarity from 1 to -1, of p from 1 to one step."""
    lowest = -1.0 if asked.rule == "thresholds" else asked.step
    count = int(np.floor((1 - lowest) / asked.step + NOISE))
    declared: FloatArray = np.maximum(1 - asked.step * np.arange(count + 1), lowest)
    return declared


def loosest(crops: Crops, margin: float, asked: OpenSet) -> Pair | None:
    """Return the loosest threshold of a walk that keeps the risk, or None."""
    declared = levels(asked)
    counts = np.stack([crops.counts(crops.accepted(level, margin)) for level in declared])
    sizes = crops.sizes
    if asked.bound == "value":
        kept = counts.sum(axis=1) <= asked.max_unknown_accept * sizes.sum() + NOISE
    else:
        limit = {"limit": 1 - asked.max_unknown_accept, "correlation": crops.correlation, "tail": asked.delta_each}
        kept = reaches(sizes - counts, np.broadcast_to(sizes, counts.shape), **limit)
    passed = int(np.argmin(np.append(kept, False)))  # up to the first that fails
    if not passed:
        return None
    chosen = crops.accepted(declared[passed - 1], margin)
    level = _raised(declared[passed - 1], crops.score[chosen])
    raised = _raised(margin, crops.margin[chosen]) if margin else margin  # 0 asks for none
    return Pair(level, raised, int((chosen & crops.correct).sum()), int((chosen & crops.unknown).sum()))


def _raised(threshold: float, accepted: FloatArray) -> float:
    """Return the middle between a threshold and the least that reaches it, so that the last bit never decides.

    It is stricter than what was tested and accepts the same crops, so what was shown of one holds for the other.
    """
    return float(threshold if not len(accepted) else (threshold + accepted.min()) / 2)


def upper_bound(crops: Crops, accepted: BoolArray, delta: float) -> float:
    """Return the bound below which the share of accepted unknown crops lies with a probability of delta."""
    sizes = crops.sizes
    return 1 - lower_bound(sizes - crops.counts(accepted), sizes, correlation=crops.correlation, tail=delta)


def shortfall(crops: Crops, asked: OpenSet) -> str:
    """Say why not even the strictest threshold keeps the risk."""
    sizes, alpha, delta = crops.sizes, asked.max_unknown_accept, asked.delta_each
    worth = effective_rows(sizes, crops.correlation)
    there = f"{so_many(int(sizes.sum()), 'unknown crop')} in {so_many(len(sizes), 'group')}"
    if (1 - alpha) ** worth > delta and asked.bound == "high":
        needed = int(np.ceil(np.log(delta) / np.log1p(-alpha) - NOISE))
        return (
            f"too few: at most {alpha:g} of unknown crops, at level {delta:.4g}, asks for {needed} independent ones "
            f"even if none is accepted; there are {there}, worth {worth:.1f}"
        )
    taken = crops.accepted(1.0, max(asked.margins_tried))
    high = upper_bound(crops, taken, delta)
    return (
        f"{int((taken & crops.unknown).sum())} of {there} look exactly like a product: their share may be {high:.4f}, "
        f"more than {alpha:g}"
    )
