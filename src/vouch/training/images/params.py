"""What params.yaml says of how photographs become batches."""

from typing import Annotated, Literal

from pydantic import Field

from vouch.training.optimization.params import Batches


class Decoding(Batches):
    """How photographs become batches of train."""

    size_px: Annotated[int, Field(ge=32, le=2048)]  # side of the square canvas
    augmentation: Literal["upright", "moderate", "aggressive"]
