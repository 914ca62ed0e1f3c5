"""The roads of `pipeline` in params.yaml, typed: which data set and model takes which.

dvc.yaml makes stages, shell commands and paths of what stands here; `road_agreement` checks that it fits together.
"""

from pathlib import Path
from typing import Literal

from pydantic import RootModel

from vouch.names import Name, RepositoryPath
from vouch.params import PARAMS, Section, load
from vouch.paths import GALLERY
from vouch.road_of_systems import System
from vouch.tasks import ByTask, Task

TRAINERS = ByTask(
    detect=("detectors",), classify=("fine_tuned", "frozen"), identify=("embedders",)
)  # lists whose stages train for a task
CURVES = tuple(road for roads in TRAINERS for road in roads)  # these write weights and plots/M/train.csv
TRAINING = (*CURVES, "quantized")  # each model is on exactly one
OF_MODELS = ("trained", *TRAINING, "pretrained", "galleries", "unpromoted", "by_group")
Names = Literal["labels.json", "gallery.safetensors"]
NAMES: ByTask[Names] = ByTask(  # the file that says what a model can answer
    detect="labels.json", classify="labels.json", identify=GALLERY
)
FROM_START = {  # lists whose models cross_validate can train again, from photographs, and what it has to know of each
    "detectors": {"task": "detect", "trainer": "train_detector"},
    "fine_tuned": {"task": "classify", "trainer": "train_classifier", "framework": "classifier"},
}


class OnDataset(Section):
    """An entry that says no more than its data set."""

    dataset: Name


class Model(OnDataset):
    """pipeline.models.M."""

    task: Task
    names: Names  # what says which answers there are: the latter of an embedder
    trained: Name  # the model whose curve of training the page shows
    judged_as: Name  # itself, or the model of which it is a variant: whose sections hold where its own say nothing
    baseline: RepositoryPath  # the bundle that it is compared with
    evidence: Literal["test", "by_group"]  # by_group: further evidence, of a model on pipeline.by_group


class Trained(OnDataset):
    """pipeline.trained.M."""

    task: Task


class Started(OnDataset):
    """pipeline.fine_tuned.M, frozen.M and embedders.M."""

    start: RepositoryPath


class Detector(Started):
    """pipeline.detectors.M."""

    framework: Literal["torchvision", "ultralytics"]


class CrossValidated(Started):
    """pipeline.by_group.M."""

    task: Task
    trainer: Literal["train_detector", "train_classifier"]  # the section that says how
    framework: Literal["torchvision", "ultralytics", "classifier"]


class Pretrained(Started):
    """pipeline.pretrained.M."""

    unlabelled: RepositoryPath


class WithGallery(OnDataset):
    """pipeline.galleries.M."""

    judged_as: Name  # as pipeline.models.M has it


class Quantized(OnDataset):
    """pipeline.quantized.M."""

    source: Name
    names: Names  # as pipeline.models.M has it


class Pipeline(Section):
    """pipeline: a list of names, or a mapping of models, for each road of dvc.yaml."""

    datasets: tuple[Name, ...]
    rendered: tuple[Name, ...]
    models: dict[Name, Model]
    detectors: dict[Name, Detector]
    fine_tuned: dict[Name, Started]
    embedders: dict[Name, Started]
    galleries: dict[Name, WithGallery]
    pretrained: dict[Name, Pretrained]
    frozen: dict[Name, Started]
    trained: dict[Name, Trained]
    quantized: dict[Name, Quantized]
    unpromoted: dict[Name, OnDataset]
    by_group: dict[Name, CrossValidated]
    systems: dict[Name, System]


class _Word(RootModel[Task]):
    """pipeline.models.M.task."""


def task_of(model: str, path: Path = PARAMS) -> Task:
    """Return the task of a model, which no other place of params.yaml says.

    Raises
    ------
    ParamsError
        When there is no such model, or its task is none.
    """
    return load(_Word, "pipeline", "models", model, "task", path=path).root
