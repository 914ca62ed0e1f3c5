"""Labelled photographs as a classifier sees them: decoded once onto canvases, changed at random, batched."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from vouch.errors import DataError, Problem, refuse_any
from vouch.training.images.augmentation import Strength, augmented
from vouch.vision.images import threads
from vouch.vision.images.source import Image, files, parts, required
from vouch.vision.preprocess import placed

T = TypeVar("T")
Canvases = Callable[[NDArray[np.intp]], NDArray[np.uint8]]
CACHE_BYTES = 2 * 1024**3  # 40,000 canvases of 128 pixels; more are decoded again in every epoch
READ_TOGETHER = 8  # photographs a thread puts on canvases before it hands them over
SHOWN = 10


@dataclass(frozen=True)
class Photographs:
    """Photographs with a label: class_ids int64 (n,), groups text, both in the order of `images`."""

    images: tuple[Image, ...]
    class_ids: NDArray[np.int64]
    groups: tuple[str, ...]


def labelled(samples: pd.DataFrame, classes: tuple[str, ...], *, where: str) -> Photographs:
    """Take the labelled of `samples` (columns sample_id, group, image, label), in their order.

    Raises
    ------
    DataError
        When a label is none of `classes`, or all are the same.
    """
    known = samples[samples["label"].notna()]
    ids = {name: index for index, name in enumerate(classes)}
    strange = known[~known["label"].isin(ids)]
    expected, remedy = f"one of {', '.join(classes)}", "correct the label, or the classes of ingest"
    problems = [
        Problem(sample, expected, str(label), remedy)
        for sample, label in strange[["sample_id", "label"]].head(SHOWN).itertuples(index=False)
    ]
    if len(strange) > SHOWN:
        problems.append(Problem(where, expected, f"{len(strange) - SHOWN} more that are none", remedy))
    if not problems and known["label"].nunique() < 2:
        got = ", ".join(known["label"].unique()) or "no labelled photograph"
        problems.append(Problem(where, "photographs of two classes at the least", got, "add photographs"))
    refuse_any(DataError, problems)
    class_ids = np.array([ids[label] for label in known["label"]], np.int64)
    return Photographs(files(known["image"]), class_ids, tuple(known["group"]))


def canvases(images: tuple[Image, ...], size_px: int, *, cache_bytes: int = CACHE_BYTES) -> Canvases:
    """Return a function from indices to uint8 canvases (n, size, size, 3) BGR, letterboxed as predict does.

    Photographs are decoded at once and kept where they fit in `cache_bytes`, else whenever they are asked for.

    Raises
    ------
    DataError
        For every photograph that cannot be used; where they are not kept, when they are asked for.
    """

    def lazily(indices: NDArray[np.intp]) -> NDArray[np.uint8]:
        return np.stack([one.canvas for one in required(placed([images[index] for index in indices], size_px))])

    if len(images) * size_px * size_px * 3 > cache_bytes:
        return lazily
    kept = np.empty((len(images), size_px, size_px, 3), np.uint8)
    with threads.one_per_core() as pool:
        read = threads.ahead(pool, lambda part: list(placed(part, size_px)), parts(images, READ_TOGETHER))
        for index, one in enumerate(required(chain.from_iterable(read))):
            kept[index] = one.canvas
    return lambda indices: kept[indices]


def pixels(found: NDArray[np.uint8], device: str) -> Tensor:
    """Turn canvases into the float32 (n, 3, size, size) that `to_input` makes, channels last in memory.

    On a CPU convolutions of small networks run 1.3 to 1.8 times as fast in that order; to a GPU travel bytes.
    """
    return _scaled(_ready(found, device), device)


def _ready(found: NDArray[Any], device: str) -> Tensor:
    """Return an array from where it travels best: a GPU goes on with its work only while pinned memory is copied."""
    ready = torch.from_numpy(np.ascontiguousarray(found))
    return ready if device == "cpu" else ready.pin_memory()


def _scaled(ready: Tensor, device: str) -> Tensor:
    planes = ready.to(device, non_blocking=True).flip(-1).permute(0, 3, 1, 2)  # BGR to RGB
    return planes.float() * float(np.float32(1 / 255))


def in_order(source: Canvases, count: int, batch: int, device: str) -> Iterator[Tensor]:
    """Yield all photographs in their order."""
    parts = [np.arange(start, min(start + batch, count)) for start in range(0, count, batch)]

    def ready(indices: NDArray[np.intp]) -> Tensor:
        return _ready(source(indices), device)

    return (_scaled(found, device) for found in ahead(ready, parts))


def changing(source: Canvases, *, strength: Strength, seed: int, epoch: int) -> Canvases:
    """Return `source` with random changes, seeded by (seed, epoch, photograph): neither threads nor batches matter."""

    def changed(indices: NDArray[np.intp]) -> NDArray[np.uint8]:
        generators = (np.random.default_rng([seed, epoch, int(index)]) for index in indices)
        found = [augmented(canvas, strength, rng) for canvas, rng in zip(source(indices), generators, strict=True)]
        return np.stack(found)

    return changed


def steps(count: int, batch: int) -> int:
    """Return how many batches an epoch has; they differ by one photograph at the most, so none is tiny."""
    return -(-count // batch)


def shuffled(count: int, batch: int, *, seed: int, epoch: int) -> list[NDArray[np.intp]]:
    """Return the indices of an epoch's batches."""
    order = np.random.default_rng([seed, epoch]).permutation(count)
    return np.array_split(order, steps(count, batch))


def batches(
    source: Canvases, class_ids: NDArray[np.int64], parts: list[NDArray[np.intp]], device: str
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the photographs of each part and their classes."""

    def ready(indices: NDArray[np.intp]) -> tuple[Tensor, Tensor]:
        return _ready(source(indices), device), _ready(class_ids[indices], device)

    for found, truths in ahead(ready, parts):
        yield _scaled(found, device), truths.to(device, non_blocking=True)


def ahead(source: Callable[[NDArray[np.intp]], T], parts: list[NDArray[np.intp]]) -> Iterator[T]:
    """Yield what `source` makes of each part, the next ones being prepared meanwhile by every core."""
    with threads.one_per_core() as pool:
        yield from threads.ahead(pool, source, parts)
