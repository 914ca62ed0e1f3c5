"""The training loop of classifiers, be it a whole network on photographs or heads on cached features."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vouch import io
from vouch.errors import Problem, WorkspaceError
from vouch.training.classification import losses
from vouch.training.classification.losses import Memory, Task
from vouch.training.classification.metrics import metrics
from vouch.training.classification.params import ConformalRisk, Fitting
from vouch.training.optimization import optimizers

STEPS_A_SEED = 1_000_003  # a prime above any epoch's steps: no two steps of a run share a seed


@dataclass(frozen=True)
class Lesson:
    """What a loop may see: batches of train that shape weights, val_select that chooses the epoch.

    Attributes
    ----------
    batches : epoch -> (inputs, class_ids int64) of train, already on the device
    steps : batches an epoch
    val_select : -> inputs of val_select, in order
    val_class_ids : int64 (n,) of val_select
    """

    batches: Callable[[int], Iterator[tuple[Tensor, Tensor]]]
    steps: int
    val_select: Callable[[], Iterator[Tensor]]
    val_class_ids: NDArray[np.int64]


@dataclass(frozen=True)
class Checkpoint:
    """Where an interrupted run goes on from, and what says that it is the same run."""

    path: Path
    fingerprint: str
    resume: bool


@dataclass(frozen=True)
class Fitted:
    """The averaged weights of the epoch best on val_select, and the curve of all epochs."""

    tensors: dict[str, Tensor]
    curve: pd.DataFrame


def fit(network: nn.Module, lesson: Lesson, fitting: Fitting, task: Task, checkpoint: Checkpoint | None) -> Fitted:
    """Train until the epochs or the patience end.

    The same network, lesson and parameters give the same bytes, interrupted or not: every random draw is seeded by
    its epoch or step.

    Raises
    ------
    DataError
        When the training diverges.
    WorkspaceError
        When the checkpoint cannot be read or is of another run.
    """
    optimizer = optimizers.optimizer(network, fitting)
    average = optimizers.averaged(network, fitting)
    state: dict[str, Any] = {"epoch": 0, "best_epoch": 0, "best_value": None, "best": {}, "curve": []}
    state["memory"] = losses.blank()
    if checkpoint is not None and checkpoint.resume and checkpoint.path.is_file():
        state = _resumed(checkpoint, network, optimizer, average)
    while state["epoch"] < fitting.epochs and state["epoch"] - state["best_epoch"] < fitting.patience_epochs:
        loss, rate = _epoch(network, optimizer, average, lesson, fitting, task, state)
        state["epoch"] += 1
        found = judged(average.module, lesson, where=f"val_select after epoch {state['epoch']}")
        named = {f"val_select_{name}": value for name, value in found.items()}
        level = {"lam": state["memory"]["lam"]} if isinstance(task.loss, ConformalRisk) else {}
        state["curve"].append({"epoch": state["epoch"], "train_loss": loss, **named, **level, "learning_rate": rate})
        value = (found[fitting.choose_by], found["nll"])  # augrc is often 0 twice
        if state["best_value"] is None or value < tuple(state["best_value"]):
            best = {name: tensor.detach().cpu().clone() for name, tensor in average.module.state_dict().items()}
            state |= {"best_value": value, "best_epoch": state["epoch"], "best": best}
        if checkpoint is not None:
            print(line(state["curve"][-1], fitting.epochs), flush=True)
            _save(checkpoint, state, network, optimizer, average)
    return Fitted(state["best"], pd.DataFrame(state["curve"]))


def _epoch(
    network: nn.Module,
    optimizer: Any,
    average: Any,
    lesson: Lesson,
    fitting: Fitting,
    task: Task,
    state: dict[str, Any],
) -> tuple[float, float]:
    """Return the mean loss and the last learning rate."""
    network.train()
    epoch, values, rate = state["epoch"], [], 0.0
    for number, (inputs, class_ids) in enumerate(lesson.batches(epoch)):
        seen: list[Memory] = []
        epochs = epoch + number / lesson.steps
        rate = optimizers.set_learning_rate(optimizer, fitting, epochs)

        def loss(
            inputs: Tensor = inputs, class_ids: Tensor = class_ids, seen: list[Memory] = seen, epochs: float = epochs
        ) -> Tensor:
            value, after = losses.total(network(inputs), class_ids, task, epochs=epochs, memory=state["memory"])
            seen.append(after)
            return value

        done = epoch * lesson.steps + number
        seed = fitting.seed * STEPS_A_SEED + done
        values.append(optimizers.step(network, optimizer, loss, max_norm=fitting.max_gradient_norm, seed=seed))
        average.update(network, step=done + 1)
        state["memory"] = seen[-1]  # both passes of Friendly SAM began with the same memory: a step is counted once
    return float(torch.stack(values).mean()), rate


def judged(network: nn.Module, lesson: Lesson, *, where: str) -> dict[str, float]:
    """Return the metrics of a network on val_select."""
    return metrics(logits(network, lesson.val_select()), lesson.val_class_ids, where=where)


def logits(network: nn.Module, inputs: Iterator[Tensor]) -> NDArray[np.float64]:
    """Return the class logits float64 (n, K) of a network in evaluation mode."""
    network.eval()
    with torch.no_grad():
        found = torch.cat([network(batch).logits for batch in inputs])
    answers: NDArray[np.float64] = found.double().cpu().numpy()
    return answers


def line(row: Mapping[Any, Any], epochs: int) -> str:
    """Return what a person following the training reads of an epoch."""
    names = ("accuracy", "nll", "augrc")
    found = ", ".join(f"{name} {row[f'val_select_{name}']:.4f}" for name in names)
    return f"epoch {row['epoch']}/{epochs}: train loss {row['train_loss']:.4f}, val_select {found}{_level(row)}"


def _level(row: Mapping[Any, Any]) -> str:
    """Say where conformal risk training stood at the end of an epoch; nothing of another loss."""
    if "lam" not in row:
        return ""
    if pd.isna(row["lam"]):
        return ", plain cross-entropy: the set term waits for its epoch or for scores"
    return f", sets at lam {row['lam']:.4f}"


def _save(checkpoint: Checkpoint, state: dict[str, Any], network: nn.Module, optimizer: Any, average: Any) -> None:
    content = state | {
        "fingerprint": checkpoint.fingerprint,
        "network": network.state_dict(),
        "average": average.module.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    with io.replacing(checkpoint.path) as temporary:
        torch.save(content, temporary)


def _resumed(checkpoint: Checkpoint, network: nn.Module, optimizer: Any, average: Any) -> dict[str, Any]:
    where, remedy = str(checkpoint.path), "set resume to false"
    try:
        state: dict[str, Any] = torch.load(checkpoint.path, weights_only=True)
    except Exception as error:  # torch raises one of many types by where the file is cut, some of them plain Exceptions
        problem = Problem(where, "a whole checkpoint", str(error).splitlines()[0], remedy)
        raise WorkspaceError([problem]) from error
    if state.pop("fingerprint", None) != checkpoint.fingerprint:
        got = "other parameters, photographs or labels"
        raise WorkspaceError([Problem(where, "a checkpoint of this very training", got, remedy)])
    network.load_state_dict(state.pop("network"))
    average.module.load_state_dict(state.pop("average"))
    optimizer.load_state_dict(state.pop("optimizer"))
    return state
