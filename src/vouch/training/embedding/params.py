"""What params.yaml says of an embedder: its backbone, its embedding, its margin, and how its batches are made."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from vouch.params import Section
from vouch.training.backbones.params import Backbone, Precision
from vouch.training.images.params import Decoding
from vouch.training.optimization.params import Count, Loop


class NoPairs(Section):
    """The margin alone."""

    kind: Literal["none"]


class MultiSimilarity(Section):
    """Pairs that a batch confuses, mined and weighed (Wang et al., arXiv:1904.06627)."""

    kind: Literal["multi_similarity"]
    weight: Annotated[float, Field(gt=0)]  # of this loss beside the margin's
    alpha: Annotated[float, Field(gt=0)]  # of pairs of one product
    beta: Annotated[float, Field(gt=0)]  # of pairs of two
    base: Annotated[float, Field(ge=-1, le=1)]  # the similarity that parts them
    epsilon: Annotated[float, Field(ge=0)]  # how much easier than the hardest opposite a mined pair may be


Pairs = Annotated[NoPairs | MultiSimilarity, Field(discriminator="kind")]


class EmbedderTraining(Loop, Decoding):
    """How an embedder is trained on crops."""

    backbone: Backbone
    embedding: Count  # values of an embedding
    margin_rad: Annotated[float, Field(ge=0, lt=1.5)]  # of ArcFace, added to the angle between crop and own product
    scale: Annotated[float, Field(gt=0)]  # of cosines, before the softmax
    ramp_epochs: Annotated[float, Field(ge=0)]  # in which the margin grows from 0
    box_deviation: Annotated[float, Field(ge=0, lt=0.25)]  # of a second copy's corners, as a share of the box's side
    per_product: Count  # crops of a product that a batch holds together
    pairs: Pairs
    precision: Precision  # of the backbone's pass in training; weights, margin and validation stay float32
    resume: bool  # continue an interrupted run from its last epoch, to the same bytes

    @model_validator(mode="after")
    def _whole_batches(self) -> Self:
        if self.batch % self.per_product or self.batch == self.per_product:
            raise ValueError(f"batch is a multiple of per_product, twice {self.per_product} or more")
        return self
