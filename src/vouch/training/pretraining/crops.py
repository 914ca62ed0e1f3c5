"""What student and teacher see of a photograph: crops of two sizes, and patches hidden from the student."""

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vouch.training.images.augmentation import STRENGTHS, Strength, cropped
from vouch.training.images.batches import Canvases
from vouch.training.pretraining.params import Crops

N_GLOBAL = 2  # DINO's: each of two is guessed from the other
Views = tuple[NDArray[np.uint8], NDArray[np.uint8] | None]
LONGEST = 1 / 0.3  # sides of a hidden rectangle, one to the other (BEiT's, which DINOv2 kept)


def seen(source: Canvases, crops: Crops, *, seed: int, epoch: int) -> Callable[[NDArray[np.intp]], Views]:
    """Return a function from indices to crops, the same for the same seed, epoch and photograph.

    It returns uint8 (2, n, side, side, 3) and (n_local, n, side, side, 3) BGR, the latter None where there are none.

    DINO's grey and solarised views are left out: road works are told by their orange.
    """
    wide, narrow = (_strength(crops, area) for area in (crops.global_area, crops.local_area))
    wanted = [(wide, crops.global_px)] * N_GLOBAL + [(narrow, crops.local_px)] * crops.n_local

    def crop(indices: NDArray[np.intp]) -> Views:
        canvases, found = source(indices), []
        for number, (strength, side_px) in enumerate(wanted):
            rngs = (np.random.default_rng([seed, epoch, number, int(index)]) for index in indices)
            pairs = zip(canvases, rngs, strict=True)
            found.append(np.stack([cropped(canvas, strength, rng, side_px=side_px) for canvas, rng in pairs]))
        return np.stack(found[:N_GLOBAL]), np.stack(found[N_GLOBAL:]) if crops.n_local else None

    return crop


def _strength(crops: Crops, area: tuple[float, float]) -> Strength:
    return dataclasses.replace(STRENGTHS[crops.augmentation], area=area, rotation_deg=0.0, erasing=0.0)


def masks(
    count: int, grid: tuple[int, int], *, share: float, area: tuple[float, float], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Return which patches are hidden, bool (count, rows, columns): in `share` of the crops, at least in one.

    The hidden crops' areas are spread evenly over `area`, in random order, and never none or all of the patches.
    """
    hidden = np.zeros((count, *grid), np.bool_)
    chosen = rng.permutation(count)[: max(1, round(share * count))]
    patches = grid[0] * grid[1]
    for index, part in zip(chosen, np.linspace(*area, len(chosen)), strict=True):
        hidden[index] = _mask(grid, min(max(1, round(part * patches)), patches - 1), rng)
    return hidden


def _mask(grid: tuple[int, int], wanted: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Hide exactly so many patches under random rectangles, the last of them cut short."""
    hidden = np.zeros(grid, np.bool_)
    while (missing := wanted - int(hidden.sum())) > 0:
        area, ratio = rng.uniform(1, missing + 1), LONGEST ** rng.uniform(-1, 1)
        lengths = np.sqrt([area * ratio, area / ratio]).round().astype(int).clip(1, grid)
        top, left = rng.integers(0, np.array(grid) - lengths + 1)
        rows, columns = lengths
        block = np.zeros(grid, np.bool_)
        block[top : top + rows, left : left + columns] = True
        new = np.flatnonzero(block & ~hidden)[:missing]
        hidden.flat[new] = True
    return hidden
