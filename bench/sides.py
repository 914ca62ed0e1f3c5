"""Ours and a peer in turns, so that what else the machine does meets both."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any


def in_turns(sides: Mapping[str, Callable[[], Any]], runs: int) -> tuple[dict[str, Any], dict[str, float]]:
    """Return what each side gave last, and its median seconds."""
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    given = {}
    for _ in range(runs):
        for side, run in sides.items():
            start = time.perf_counter()
            given[side] = run()
            seconds[side].append(time.perf_counter() - start)
    return given, {side: statistics.median(each) for side, each in seconds.items()}
