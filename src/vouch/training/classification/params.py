"""What params.yaml says of a classifier: its backbone, its views, its loss, and how it is fitted."""

import math
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from vouch.params import Section
from vouch.training.backbones.params import Adapters, Backbone, Precision, Views
from vouch.training.images.params import Decoding
from vouch.training.optimization.params import Batches, Count, Loop, Rate

EDGE = 1e-9  # a product that misses a whole number by float noise alone is that number


class _Terms(Section):
    smoothing: Annotated[float, Field(ge=0, lt=1)]  # of labels; it blurs the ranking by confidence
    class_weights: Literal["none", "balanced"]  # balanced: N / (K N_c)
    aux_weight: Annotated[float, Field(ge=0)]  # of a second class head's cross-entropy; 0: no such head


class CrossEntropy(_Terms):
    """Cross-entropy; the gate learns afterwards from out-of-fold correctness."""

    kind: Literal["cross_entropy"]
    gate_folds: Annotated[int, Field(ge=0)]  # by group; 0: no gate


class Gatekeeper(_Terms):
    """Gatekeeper (arXiv:2502.19335): right predictions sharper, wrong ones towards uniform."""

    kind: Literal["gatekeeper"]
    gate_folds: Annotated[int, Field(ge=0)]
    alpha: Annotated[float, Field(gt=0, lt=1)]  # weight of the right ones; small: better deferral, lower accuracy
    after_epochs: Annotated[int, Field(ge=0)]  # of plain cross-entropy


class Selective(_Terms):
    """A gate trained with the classes: coverage as high as a bound on the error of exits allows."""

    kind: Literal["selective"]
    max_rate: Rate  # of misses among exited positives, or of errors among exits where there is no positive class
    coverage_weight: Annotated[float, Field(ge=0)]
    dual_step: Annotated[float, Field(gt=0)]  # of the multiplier, per optimizer step
    after_epochs: Annotated[int, Field(ge=0)]


class Gamblers(_Terms):
    """Deep Gamblers (arXiv:1907.00208): one more output that pays 1/payoff whatever the class."""

    kind: Literal["gamblers"]
    payoff: Annotated[float, Field(gt=1)]  # at most the number of classes; near 1 abstains often
    after_epochs: Annotated[int, Field(ge=0)]


class ConformalRisk(_Terms):
    """Conformal risk training (arXiv:2510.08748): cross-entropy and a price on wrong classes in conformal sets."""

    kind: Literal["conformal_risk"]
    gate_folds: Annotated[int, Field(ge=0)]
    alpha: Annotated[float, Field(gt=0, lt=1)]  # truths outside their sets, of the positive class where there is one
    weight: Annotated[float, Field(gt=0)]  # of the mean number of wrong classes in a set
    temperature: Annotated[float, Field(gt=0)]  # of the soft "in the set", in units of probability
    after_epochs: Annotated[int, Field(ge=0)]
    ramp_epochs: Annotated[float, Field(ge=0)]  # in which the weight grows from 0
    queue: Count  # recent scores, beside those of half a batch; only the latter carry a gradient of the level

    @field_validator("queue")
    @classmethod
    def _serves(cls, queue: int, others: ValidationInfo) -> int:
        alpha = others.data.get("alpha")  # absent where it was refused itself
        if alpha is not None and queue < (needed := math.ceil(1 / alpha - EDGE) - 1):
            raise ValueError(f"{needed} scores or more, for fewer never allow a set of less than all at alpha {alpha}")
        return queue


Loss = Annotated[CrossEntropy | Gatekeeper | Selective | Gamblers | ConformalRisk, Field(discriminator="kind")]


class HeadsAndLoss(Section):
    """What stands on a backbone, and what it minimises."""

    head_width: Count
    dropout: Annotated[float, Field(ge=0, lt=1)]
    positive: str | None  # the class that must not be missed; null where none is special
    loss: Loss


class Fitting(Loop, Batches, HeadsAndLoss):
    """How weights are fitted, be it a whole network or heads on cached features."""


class ClassifierTraining(Fitting, Decoding):
    """How a classifier is trained from photographs: all weights, or the heads and adapters in the backbone."""

    backbone: Backbone
    adapters: Adapters
    views: Views
    precision: Precision  # of the backbone's pass in training; weights, heads and validation stay float32
    resume: bool  # continue an interrupted run from its last epoch, to the same bytes


class Extraction(Batches):
    """How a frozen backbone turns photographs into features; the seed is of a backbone without weights."""

    backbone: Backbone
    size_px: Annotated[int, Field(ge=32, le=2048)]
    views: Views
    precision: Precision
    storage: Literal["float32", "bfloat16"]  # of the cache; bfloat16 halves it and keeps 8 bits of mantissa


class CachedTraining(Fitting):
    """How heads are trained on cached features."""
