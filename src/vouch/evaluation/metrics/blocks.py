"""Replicates in blocks that stay in the cache, on every core at hand."""

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from vouch.evaluation.metrics.intervals import FloatArray

BLOCK = 2**17  # weights or rows that a block of replicates may draw: 512 KiB, which stays in a core's L2 cache


def by_blocks(replicates: int, drawn: int, values: Callable[[slice], FloatArray]) -> FloatArray:
    """Return a value for each replicate, float64 of shape (replicates,), which no number of cores changes.

    Parameters
    ----------
    replicates : int
    drawn : int
        Rows or detections that one replicate draws.
    values : function
        The values of a block of replicates. NumPy lets go of Python's lock in its loops, so blocks run side by side.
    """
    size = max(1, BLOCK // max(1, drawn))
    found = np.full(replicates, np.nan)

    def fill(start: int) -> None:
        block = slice(start, min(start + size, replicates))
        found[block] = values(block)

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        deque(pool.map(fill, range(0, replicates, size)), maxlen=0)  # raises what a block raised
    return found
