"""What params.yaml says of a backbone: its name, what it looks at, and what learns beside its weights."""

from typing import Annotated, Literal

from pydantic import Field

from vouch.params import Section
from vouch.training.optimization.params import Count

Precision = Literal["float32", "bfloat16", "float16"]


class Backbone(Section):
    """A network of timm's list, without its classes."""

    name: Annotated[str, Field(min_length=1)]  # of timm, with the tag of its weights where `start` is hub
    options: dict[str, bool | int | float | str | tuple[int, ...]]  # timm's own arguments, say depth
    attention: Literal["sdpa", "fa3"]  # fa3 runs where flash_attn_3 is installed; the log says what ran


class Views(Section):
    """What the backbone looks at: the whole canvas, and tiles of it where small things matter."""

    tiles_per_side: Annotated[int, Field(ge=0, le=4)]  # 0: the whole canvas alone; 3: it and nine tiles
    overlap: Annotated[float, Field(ge=0, lt=1)]  # of neighbouring tiles, as a fraction of a tile's side
    side_px: Annotated[int, Field(ge=16, le=2048)]  # every view is resized to it; size_px where there are no tiles
    aggregator: Literal["mean", "top_k", "attention"]
    top_k: Count  # views that top_k averages: those with the highest logit of the positive class


class NoAdapters(Section):
    """All weights of the backbone learn."""

    kind: Literal["none"]


class _Beside(Section):
    rank: Count
    alpha: Annotated[float, Field(gt=0)]  # the product of the two small matrices counts alpha / rank
    dropout: Annotated[float, Field(ge=0, lt=1)]  # of what enters them
    blocks: Count  # the last so many that hold a target
    targets: Annotated[tuple[str, ...], Field(min_length=1)]  # names inside a block: qkv, proj, fc1, conv1


class Lora(_Beside):
    """LoRA (arXiv:2106.09685): W0 + s BA."""

    kind: Literal["lora"]


class Dora(_Beside):
    """DoRA (arXiv:2402.09353): m V / ||V|| by rows, V = W0 + s BA."""

    kind: Literal["dora"]


class Doran(_Beside):
    """DoRAN (arXiv:2510.04331): m V / (||V|| + tau), for q and v of a fused qkv; DoRA for the other targets."""

    kind: Literal["doran"]
    hidden: Count  # width of the networks that A and B come from, shared by q and v; equal to rank: as many as DoRA's
    tau: Annotated[float, Field(gt=0)]  # that the denominator's learnable part starts from


Adapters = Annotated[NoAdapters | Lora | Dora | Doran, Field(discriminator="kind")]
