"""What a training sees: photographs, or crops of them, decoded once, changed at random in every epoch."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vouch.training.images import batches as image_batches
from vouch.training.images.augmentation import STRENGTHS
from vouch.training.images.batches import Canvases, Photographs
from vouch.training.images.params import Decoding
from vouch.training.optimization.loop import Feed


@dataclass(frozen=True)
class Album:
    """What a training may see: train shapes weights, val_select chooses the epoch."""

    classes: tuple[str, ...]
    train: Photographs
    val_select: Photographs


@dataclass(frozen=True)
class Parts:
    """The batches of an epoch as indices of train, by the epoch's number, and how many there are."""

    of_epoch: Callable[[int], list[NDArray[np.intp]]]
    steps: int


class Decoded:
    """The photographs of a training, decoded once."""

    def __init__(self, album: Album, wanted: Decoding) -> None:
        self.album, self.wanted = album, wanted
        self.train: Canvases = image_batches.canvases(album.train.images, wanted.size_px)
        self.val_select: Canvases = image_batches.canvases(album.val_select.images, wanted.size_px)

    def feed(self, parts: Parts) -> Feed:
        """Return what the loop of epochs sees."""
        album, device = self.album, self.wanted.device

        def batches(epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
            changing = self._changing(epoch)
            return image_batches.batches(changing, album.train.class_ids, parts.of_epoch(epoch), device)

        return Feed(batches, parts.steps, self.held_out, album.val_select.class_ids)

    def changed(self, epoch: int) -> Iterator[Tensor]:
        """Yield train in its order, changed as in this epoch."""
        return self._in_order(self._changing(epoch), self.album.train)

    def held_out(self) -> Iterator[Tensor]:
        """Yield val_select in its order, as it is."""
        return self._in_order(self.val_select, self.album.val_select)

    def _in_order(self, source: Canvases, photographs: Photographs) -> Iterator[Tensor]:
        return image_batches.in_order(source, len(photographs.images), self.wanted.batch, self.wanted.device)

    def _changing(self, epoch: int) -> Canvases:
        strength = STRENGTHS[self.wanted.augmentation]
        return image_batches.changing(self.train, strength=strength, seed=self.wanted.seed, epoch=epoch)
