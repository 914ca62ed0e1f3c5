"""Training a detector: one protocol, two frameworks behind it, one canonical result.

A framework gets labelled photographs of train (weights) and val_select (checkpoint choice) and gives tensors and a
description. Nothing of the framework's own files (dates, paths, git state, pickles) reaches an output.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from vouch.params import Section
from vouch.training.optimization import checkpoint
from vouch.training.optimization.params import Count, Rate, Schedule, Seeded
from vouch.training.weights import Trained
from vouch.vision.images.source import Image, files


class Augmentation(Section):
    """Random changes to train photographs."""

    mosaic: Rate  # probability of four photographs in one
    close_mosaic_epochs: Annotated[int, Field(ge=0)]  # last epochs without mosaic
    flip_left_right: Rate  # probability
    scale: Rate  # gain 1 ± scale
    translate: Rate  # fraction of the canvas
    hue: Rate  # fraction of the colour wheel
    saturation: Rate  # gain 1 ± saturation
    value: Rate  # gain 1 ± value


class Training(Schedule, Seeded):
    """How a detector is trained."""

    size_px: Annotated[int, Field(ge=32, le=2048, multiple_of=32)]  # side of the square canvas
    patience_epochs: Count  # stop when val_select has not improved for so long
    batch: Count
    threads: Count  # of PyTorch on a CPU
    optimizer: Literal["SGD", "Adam", "AdamW", "MuSGD"]  # never "auto": it would ignore the learning rate
    momentum: Rate  # SGD's momentum or Adam's beta1
    weight_decay: Rate
    precision: Literal["float32", "bfloat16"]  # of the forward pass in training; weights and validation stay float32
    resume: bool  # continue an interrupted run from its last checkpoint; such weights need not be byte-equal
    augmentation: Augmentation


@dataclass(frozen=True)
class Labelled:
    """A photograph and its objects: boxes_xyxy float64 (n, 4) in [0, 1], class_ids int64 (n,)."""

    image: Image
    boxes_xyxy: NDArray[np.float64]
    class_ids: NDArray[np.int64]


@dataclass(frozen=True)
class Lesson:
    """What a framework may see: train shapes weights, val_select chooses the checkpoint."""

    classes: tuple[str, ...]
    train: tuple[Labelled, ...]
    val_select: tuple[Labelled, ...]


class Framework(Protocol):
    """What a detection framework must do for Vouch."""

    def train(self, lesson: Lesson, training: Training, start: Path, scratch: Path) -> Trained:
        """Train from `start` (an architecture .yaml, a weights folder or a .pt), working files under `scratch`."""

    def network(self, description: dict[str, Any], tensors: dict[str, Tensor]) -> nn.Module:
        """Rebuild the network for export: float32 (n, 3, size, size) -> (n, 4 + classes, candidates)."""


def fingerprint(lesson: Lesson, training: Training, start: Path) -> str:
    """Return what a resumed run must share with the interrupted one: parameters, photographs, labels, start."""
    splits = [
        [
            checkpoint.stand_in(example.image for example in part),
            [[example.class_ids.tolist(), example.boxes_xyxy.tolist()] for example in part],
        ]
        for part in (lesson.train, lesson.val_select)
    ]
    wanted = training.model_dump(mode="json", exclude={"resume"})
    return checkpoint.fingerprint([lesson.classes, wanted, splits, checkpoint.started_from(start)])


def labelled(samples: pd.DataFrame, boxes: pd.DataFrame, classes: tuple[str, ...]) -> tuple[Labelled, ...]:
    """Join photographs with their boxes, in the order of `samples` (columns sample_id, image)."""
    ids = {name: index for index, name in enumerate(classes)}
    parts = {key: part for key, part in boxes.groupby("sample_id", sort=False)}
    none = boxes.iloc[:0]
    result = []
    for sample_id, image in zip(samples["sample_id"], files(samples["image"]), strict=True):
        part = parts.get(sample_id, none)
        corners = np.clip(part[["x1", "y1", "x2", "y2"]].to_numpy(np.float64), 0.0, 1.0)
        result.append(Labelled(image, corners, np.array([ids[name] for name in part["class_name"]], np.int64)))
    return tuple(result)
