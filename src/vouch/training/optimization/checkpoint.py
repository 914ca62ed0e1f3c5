"""An interrupted run goes on: after each epoch its state is on disk, whole, and no other run takes it up."""

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from vouch import io
from vouch.errors import Problem, WorkspaceError
from vouch.vision.images.source import Image, stored_bytes

REMEDY = "set resume to false"


@dataclass(frozen=True)
class Checkpoint:
    """Where an interrupted run goes on from, and what says that it is the same run."""

    path: Path
    fingerprint: str
    resume: bool


@dataclass(frozen=True)
class Progress:
    """Where a run stands after an epoch: plain values and tensors, so that no pickle is needed to read it back.

    Attributes
    ----------
    epoch : how many are behind
    best_epoch : the number of the best, 0 before there is one
    best : its tensors
    curve : rows, one per epoch
    memory : what else the next epoch needs
    """

    epoch: int
    best_epoch: int
    best: dict[str, Tensor]
    curve: list[dict[str, Any]]
    memory: Mapping[str, object]


class Stateful(Protocol):
    """What has a state beside the progress: a network, its average, an optimizer."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state."""

    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any:
        """Take it over."""


def fingerprint(content: object) -> str:
    """Return a hash of all that a resumed run must share with the interrupted one."""
    return hashlib.sha256(io.dumps(content, digits=17).encode("utf-8")).hexdigest()


def stand_in(images: Iterable[Image]) -> list[tuple[str, int]]:
    """Return name and stored bytes of each image for a fingerprint; to hash all of a large set would take minutes."""
    return [(image.name, stored_bytes(image)) for image in images]


def started_from(start: Path) -> list[str]:
    """Return for a fingerprint what a run starts from: a word, or a file or folder by its content."""
    files = sorted(start.iterdir()) if start.is_dir() else [start]
    return [start.as_posix(), *(io.sha256(file) for file in files if file.is_file())]


def started(checkpoint: Checkpoint | None, parts: Mapping[str, Stateful], memory: Mapping[str, object]) -> Progress:
    """Return the beginning of a run with this memory, or where it was interrupted, its parts as they were.

    Raises
    ------
    WorkspaceError
        When the state on disk cannot be read or is of another run.
    """
    if checkpoint is None or not checkpoint.resume or not checkpoint.path.is_file():
        return Progress(epoch=0, best_epoch=0, best={}, curve=[], memory=memory)
    try:
        state: dict[str, Any] = torch.load(checkpoint.path, weights_only=True)
    except Exception as error:  # torch raises one of many types by where the file is cut, some of them plain Exceptions
        problem = Problem(str(checkpoint.path), "a whole checkpoint", str(error).splitlines()[0], REMEDY)
        raise WorkspaceError([problem]) from error
    refuse_other(checkpoint, state.get("fingerprint"))
    for name, part in parts.items():
        part.load_state_dict(state["parts"][name])
    return Progress(**state["progress"])


def refuse_other(checkpoint: Checkpoint, found: str | None) -> None:
    """Refuse the state of another run.

    Raises
    ------
    WorkspaceError
        When `found` is not the fingerprint of this one.
    """
    if found != checkpoint.fingerprint:
        got = "other parameters, photographs, labels or starting weights"
        raise WorkspaceError([Problem(str(checkpoint.path), "a checkpoint of this very training", got, REMEDY)])


def going(progress: Progress, *, epochs: int, patience_epochs: int) -> bool:
    """Say whether another epoch follows: the epochs are not at their end, nor is the patience since the best."""
    return progress.epoch < epochs and progress.epoch - progress.best_epoch < patience_epochs


def recorded(
    progress: Progress, row: dict[str, Any], best: dict[str, Tensor] | None, memory: Mapping[str, object]
) -> Progress:
    """Return the progress after another epoch: its row of the curve, and its tensors where it is the best so far."""
    after = Progress(progress.epoch + 1, progress.best_epoch, progress.best, [*progress.curve, row], memory)
    return after if best is None else dataclasses.replace(after, best_epoch=after.epoch, best=best)


def save(checkpoint: Checkpoint, progress: Progress, parts: Mapping[str, Stateful]) -> None:
    """Put a run's state on disk."""
    state = {name: part.state_dict() for name, part in parts.items()}
    content = {"fingerprint": checkpoint.fingerprint, "progress": vars(progress), "parts": state}
    with io.replacing(checkpoint.path) as temporary:
        torch.save(content, temporary)
