"""What params.yaml says of a pre-training without labels: what adapts, what it looks at, what it is judged by."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from vouch.params import Section
from vouch.training.backbones.params import Backbone, Lora, Precision
from vouch.training.optimization.params import Batches, Count, Rate, Schedule

Weight = Annotated[float, Field(ge=0)]
Temperature = Annotated[float, Field(gt=0, le=1)]
Share = tuple[Rate, Rate]  # smallest and largest


class Crops(Section):
    """What is shown of a photograph: two global crops, and local ones that only the student sees."""

    global_px: Annotated[int, Field(ge=16, le=2048)]  # side; that of the views of the classifier which starts from here
    global_area: Share  # of the canvas
    local_area: Share
    n_local: Annotated[int, Field(ge=0)]
    local_px: Annotated[int, Field(ge=16, le=2048)]  # side; another than global_px needs a backbone that takes both
    augmentation: Literal["moderate", "aggressive"]  # light, colour, blur and noise as the classifier's


class Head(Section):
    """The projection head, at random at first, dropped at the end."""

    hidden_width: Count
    bottleneck_width: Count
    prototypes: Annotated[int, Field(ge=2)]  # 65536 for 10^8 photographs; 4096 to 16384 for 10^4 to 10^5
    frozen_prototype_epochs: Annotated[int, Field(ge=0)]  # first epochs in which the prototypes stay as they are


class Objective(Section):
    """DINOv2's objective: crops of a photograph agree, hidden patches are guessed, photographs stay apart."""

    dino_weight: Weight
    ibot_weight: Weight
    koleo_weight: Weight
    student_temperature: Temperature
    teacher_temperature: Temperature  # at first
    final_teacher_temperature: Temperature  # reached on a line
    temperature_epochs: Annotated[int, Field(ge=0)]
    center_momentum: Annotated[float, Field(ge=0, lt=1)]
    masked_share: Annotated[float, Field(gt=0, le=1)]  # of the student's global crops, at least one per step
    mask_area: Share  # of a masked crop's patches


class Monitors(Section):
    """When an epoch may ship: judged on the labelled photographs of train, nothing else."""

    neighbours: Count  # that vote on a photograph's class, none of its own group
    margin: Rate  # accuracy of the vote that an adapted backbone may lose against the un-adapted one
    min_spread: Rate  # of normalised features, as a fraction of the un-adapted backbone's; less is a collapse


class Pretraining(Schedule, Batches):
    """How a backbone goes on learning from photographs without labels."""

    backbone: Backbone
    size_px: Annotated[int, Field(ge=16, le=2048)]  # side of the square canvas that crops are cut from
    unfrozen_blocks: Count  # last ones, trained whole
    lora: Lora  # on the other blocks
    epochs: Annotated[int, Field(ge=2)]
    head_epochs: Annotated[int, Field(ge=1)]  # first ones, for the head alone: at random it would wreck the blocks
    batch: Annotated[int, Field(ge=4)]  # KoLeo looks for neighbours within it
    weight_decay: Rate
    max_gradient_norm: Annotated[float, Field(gt=0)]
    ema_decay: Annotated[float, Field(ge=0, lt=1)]  # of the teacher, to 1 on a cosine
    crops: Crops
    head: Head
    objective: Objective
    monitors: Monitors
    precision: Precision  # of the backbone's pass; head and losses stay float32
    resume: bool  # continue an interrupted run from its last epoch, to the same bytes

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.head_epochs >= self.epochs:
            raise ValueError(f"head_epochs must be fewer than the {self.epochs} epochs, or nothing adapts")
        spans = {
            "crops.global_area": self.crops.global_area,
            "crops.local_area": self.crops.local_area,
            "objective.mask_area": self.objective.mask_area,
        }
        for name, (low, high) in spans.items():
            if not 0 < low <= high:
                raise ValueError(f"{name} must be two rising fractions above 0, got {low} and {high}")
        return self
