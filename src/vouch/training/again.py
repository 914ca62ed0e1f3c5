"""A model's own training on other parts of its data, by task, and the network that comes of it as it would ship."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from vouch import params
from vouch.tasks import ByTask, Task
from vouch.training import frameworks, onnx_export
from vouch.training.backbones.frozen import start_of
from vouch.training.classification import training as classification
from vouch.training.classification.params import ClassifierTraining
from vouch.training.detection import framework as detection
from vouch.training.embedding import training as embedding
from vouch.training.embedding.params import EmbedderTraining
from vouch.training.images import batches
from vouch.training.images.decoded import Album
from vouch.training.weights import Trained
from vouch.vision import runtime
from vouch.vision.crops import crops
from vouch.vision.preprocess import Preprocess


@dataclass(frozen=True)
class Course:
    """What one training may see, photographs as rows of the manifest with their group, and how it goes."""

    model: str  # whose section of params.yaml says how
    framework: str
    start: str
    classes: tuple[str, ...]
    train: pd.DataFrame
    val_select: pd.DataFrame
    boxes: pd.DataFrame
    scratch: Path
    where: str  # for messages


def _detector(course: Course) -> Trained:
    training = params.load(detection.Training, "models", course.model, "train_detector")
    train, val_select = (
        detection.labelled(part, course.boxes, course.classes) for part in (course.train, course.val_select)
    )
    lesson = detection.Lesson(course.classes, train=train, val_select=val_select)
    return frameworks.framework("detect", course.framework).train(lesson, training, Path(course.start), course.scratch)


def _classifier(course: Course) -> Trained:
    training = params.load(ClassifierTraining, "models", course.model, "train_classifier")
    train, val_select = (
        batches.labelled(part, course.classes, where=f"{course.where}, {role}")
        for part, role in ((course.train, "train"), (course.val_select, "val_select"))
    )
    album = Album(course.classes, train=train, val_select=val_select)
    return classification.train(album, training, start_of(course.start), course.scratch)


def _embedder(course: Course) -> Trained:
    training = params.load(EmbedderTraining, "models", course.model, "train_embedder")
    seen = embedding.album(*(crops(part, course.boxes) for part in (course.train, course.val_select)))
    return embedding.train(seen, training, start_of(course.start), course.scratch)


TRAINED: ByTask[Callable[[Course], Trained]] = ByTask(detect=_detector, classify=_classifier, identify=_embedder)


def as_shipped(trained: Trained, task: Task, where: str) -> runtime.Runtime:
    """Return the network as an export would ship it, loaded."""
    description = trained.description
    network = frameworks.framework(task, description["framework"]).network(description, trained.tensors)
    preprocess = Preprocess(size_px=description["size_px"], stride_px=description["stride_px"], task=task)
    content = onnx_export.export_onnx(network, size_px=preprocess.size_px, metadata={})
    return runtime.load_bytes(content, preprocess, where)
