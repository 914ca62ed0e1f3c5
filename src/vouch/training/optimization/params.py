"""What params.yaml says of fitting weights, whatever the task."""

from typing import Annotated, Literal

from pydantic import Field

from vouch.params import Section

Rate = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class Schedule(Section):
    """The learning rate over a training: a linear warm-up, then a cosine."""

    epochs: Count
    learning_rate: Annotated[float, Field(gt=0, le=1)]
    final_learning_rate: Rate  # as a fraction of learning_rate, reached on a cosine
    warmup_epochs: Annotated[float, Field(ge=0)]


class Optimization(Schedule):
    """An optimizer, its learning rate, and which weights decay or learn slower than others."""

    optimizer: Literal["AdamW", "FriendlySAM"]  # the latter costs two passes a step
    weight_decay: Rate
    layer_decay: Annotated[float, Field(gt=0, le=1)]  # each layer further from the heads learns so much slower


class Seeded(Section):
    """What every random draw of a run follows from."""

    seed: Annotated[int, Field(ge=0)]


class Loop(Optimization, Seeded):
    """How the loop of epochs runs, be it over a whole network or over heads on cached features."""

    patience_epochs: Count  # stop when val_select has not improved for so long
    choose_by: Literal["nll", "augrc"]  # on val_select; of the epochs' averaged weights the best ship
    max_gradient_norm: Annotated[float, Field(gt=0)]
    ema_decay: Annotated[float, Field(ge=0, lt=1)]  # of the averaged weights, which alone are judged and shipped


class Batches(Seeded):
    """How many samples are looked at together, and where."""

    batch: Count
    device: Literal["cpu", "cuda"]
    threads: Count  # of PyTorch on a CPU: another number adds in another order, and the last bits differ
