"""The training loop of classifiers and embedders: a whole network on photographs, or heads on cached features."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vouch.training.optimization import averaging, checkpoint, optimizers
from vouch.training.optimization.checkpoint import Checkpoint, Progress
from vouch.training.optimization.logit_metrics import metrics
from vouch.training.optimization.params import Loop
from vouch.training.optimization.schedule import set_learning_rate

Memory = Mapping[str, object]  # what a loss remembers from step to step; a checkpoint keeps it


@dataclass(frozen=True)
class Minimised:
    """What a loop makes small.

    Attributes
    ----------
    loss : (outputs, class_ids, epochs behind, memory) -> the loss of a batch, and what is remembered after it
    blank : the memory before the first step
    shown : keys of the memory that the curve shows
    """

    loss: Callable[[Any, Tensor, float, Any], tuple[Tensor, Any]]
    blank: Memory
    shown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Feed:
    """What a loop sees: batches of train that shape weights, val_select that chooses the epoch.

    Attributes
    ----------
    batches : epoch -> (inputs, class_ids int64) of train, already on the device
    steps : batches per epoch
    val_select : -> inputs of val_select, in order
    val_class_ids : int64 (n,) of val_select
    """

    batches: Callable[[int], Iterator[tuple[Tensor, Tensor]]]
    steps: int
    val_select: Callable[[], Iterator[Tensor]]
    val_class_ids: NDArray[np.int64]


def fit(network: nn.Module, feed: Feed, wanted: Loop, minimised: Minimised, at: Checkpoint | None) -> Progress:
    """Train until the epochs or the patience end; the averaged weights of the epoch best on val_select are `best`.

    The same network, batches and parameters give the same bytes, interrupted or not: every random draw is seeded by
    its epoch or step.

    Raises
    ------
    DataError
        When the training diverges.
    WorkspaceError
        When the checkpoint cannot be read or is of another run.
    """
    optimizer, average = optimizers.optimizer(network, wanted), averaging.copied(network)
    parts = {"network": network, "average": average, "optimizer": optimizer}
    progress = checkpoint.started(at, parts, minimised.blank)
    while checkpoint.going(progress, epochs=wanted.epochs, patience_epochs=wanted.patience_epochs):
        done = _epoch(network, optimizer, average, feed, wanted, minimised, progress)
        number = progress.epoch + 1
        found = validated(average, feed, where=f"val_select after epoch {number}")
        row: dict[str, Any] = {"epoch": number, "train_loss": done.loss}
        row |= {f"val_select_{name}": value for name, value in found.items()}
        row |= {name: done.memory[name] for name in minimised.shown}
        row |= {"learning_rate": done.rate}
        better = not progress.best_epoch or _rank(row, wanted) < _rank(progress.curve[progress.best_epoch - 1], wanted)
        progress = checkpoint.recorded(progress, row, _copy(average) if better else None, done.memory)
        if at is not None:
            print(line(row, wanted.epochs), flush=True)
            checkpoint.save(at, progress, parts)
    return progress


def _rank(row: Mapping[str, Any], wanted: Loop) -> tuple[float, float]:
    return row[f"val_select_{wanted.choose_by}"], row["val_select_nll"]  # augrc is often 0 twice


def _copy(average: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in average.state_dict().items()}


@dataclass(frozen=True)
class _Epoch:
    loss: float  # the mean of its steps
    rate: float  # the last
    memory: Memory


def _epoch(
    network: nn.Module,
    optimizer: Any,
    average: nn.Module,
    feed: Feed,
    wanted: Loop,
    minimised: Minimised,
    progress: Progress,
) -> _Epoch:
    network.train()
    memory, values, rate = progress.memory, [], 0.0
    for number, (inputs, class_ids) in enumerate(feed.batches(progress.epoch)):
        seen: list[Memory] = []
        epochs = progress.epoch + number / feed.steps
        rate = set_learning_rate(optimizer, wanted, epochs)

        def loss(
            inputs: Tensor = inputs,
            class_ids: Tensor = class_ids,
            seen: list[Memory] = seen,
            epochs: float = epochs,
            memory: Memory = memory,
        ) -> Tensor:
            value, after = minimised.loss(network(inputs), class_ids, epochs, memory)
            seen.append(after)
            return value

        done = progress.epoch * feed.steps + number
        norm, seed = wanted.max_gradient_norm, wanted.seed
        values.append(optimizers.step(network, optimizer, loss, max_norm=norm, seed=seed, number=done))
        averaging.follow(average, network, averaging.warmed_up(wanted.ema_decay, done + 1))
        memory = seen[-1]  # both passes of Friendly SAM began with the same memory: a step is counted once
    return _Epoch(float(torch.stack(values).mean()), rate, memory)


def validated(network: nn.Module, feed: Feed, *, where: str) -> dict[str, float]:
    """Return the metrics of a network on val_select."""
    return metrics(logits(network, feed.val_select()), feed.val_class_ids, where=where)


def logits(network: nn.Module, inputs: Iterator[Tensor]) -> NDArray[np.float64]:
    """Return the class logits float64 (n, K) of a network in evaluation mode."""
    network.eval()
    with torch.no_grad():
        found = torch.cat([network(batch).logits for batch in inputs])
    table: NDArray[np.float64] = found.double().cpu().numpy()
    return table


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
