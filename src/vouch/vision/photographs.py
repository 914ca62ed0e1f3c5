"""Photographs of a list: some as the network sees them, to measure on or to compare, or all that cannot be read."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vouch.errors import DataError, Problem
from vouch.vision.preprocess import letterbox, read_image, to_input


def evenly(images: Sequence[str], count: int) -> list[Path]:
    """Return `count` photographs evenly spaced over `images`, first and last included; all where there are fewer."""
    chosen = np.unique(np.linspace(0, len(images) - 1, count).astype(int))
    return [Path(images[place]) for place in chosen]


def as_input(image: Path, size_px: int) -> NDArray[np.float32]:
    """Return one photograph as float32 (1, 3, size, size), as `preprocess.to_input` makes it."""
    canvas, _ = letterbox(read_image(image), size_px)
    return to_input(canvas[None])


def unreadable(images: Sequence[Path]) -> list[Problem]:
    """Return everything that keeps any of the photographs from being read; each is decoded."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [problem for found in pool.map(_problems, images) for problem in found]


def _problems(image: Path) -> tuple[Problem, ...]:
    try:
        read_image(image)
    except DataError as error:
        return error.problems
    return ()
