"""Heads on features of a frozen backbone: an epoch takes milliseconds, for no photograph is looked at again."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vouch.training.classification import losses, network
from vouch.training.classification.heads import Top
from vouch.training.classification.losses import Objective
from vouch.training.classification.network import Architecture
from vouch.training.classification.params import Fitting, Loss
from vouch.training.images.batches import shuffled, steps
from vouch.training.optimization import loop
from vouch.training.optimization.checkpoint import Progress
from vouch.training.optimization.loop import Feed, Minimised
from vouch.training.optimization.params import Batches

PHOTOGRAPHS_AT_ONCE = 4096  # ten views of 768 features are 126 MB then


@dataclass(frozen=True)
class Cached:
    """Features float32 (n, views, width) of labelled photographs, class_ids int64 (n,), groups (n,)."""

    features: Tensor
    class_ids: NDArray[np.int64]
    groups: tuple[str, ...]

    def part(self, chosen: NDArray[np.intp]) -> "Cached":
        """Return the photographs at these indices."""
        groups = tuple(self.groups[index] for index in chosen)
        return Cached(self.features[torch.from_numpy(chosen)], self.class_ids[chosen], groups)


def fit_top(
    architecture: Architecture, classes: int, train: Cached, val_select: Cached, fitting: Fitting, *, shown: bool
) -> tuple[Top, Progress]:
    """Fit aggregation and heads from scratch; return them, in evaluation mode, and how it went."""
    torch.set_num_threads(fitting.threads)
    torch.manual_seed(fitting.seed)
    top = network.top(architecture, train.features.shape[-1], classes, fitting.dropout).to(fitting.device)
    minimised = objective(fitting.loss, train.class_ids, classes, architecture.positive, fitting.device)
    fitted = loop.fit(top, _feed(train, val_select, fitting), fitting, minimised, None)
    if shown:
        for row in fitted.curve:
            print(loop.line(row, fitting.epochs))
    top.load_state_dict(fitted.best)
    return top.eval(), fitted


def objective(loss: Loss, class_ids: NDArray[np.int64], classes: int, positive: int | None, device: str) -> Minimised:
    """Return what is minimised, class weights counted on train."""
    counts = torch.from_numpy(np.bincount(class_ids, minlength=classes)).float()
    return losses.minimised(Objective(loss, losses.class_weights(counts, loss.class_weights).to(device), positive))


def _feed(train: Cached, val_select: Cached, wanted: Batches) -> Feed:
    features, class_ids = train.features.to(wanted.device), torch.from_numpy(train.class_ids).to(wanted.device)
    count = steps(len(train.class_ids), wanted.batch)

    def batches(epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        for indices in shuffled(len(train.class_ids), wanted.batch, seed=wanted.seed, epoch=epoch):
            chosen = torch.from_numpy(indices).to(wanted.device, non_blocking=True)
            yield features[chosen], class_ids[chosen]

    def held_out() -> Iterator[Tensor]:
        return (part.to(wanted.device) for part in torch.split(val_select.features, PHOTOGRAPHS_AT_ONCE))

    return Feed(batches, count, held_out, val_select.class_ids)
