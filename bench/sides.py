"""Ours and a peer in turns, so that what else the machine does meets both."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any


def in_turns(
    sides: Mapping[str, Callable[[], Any]], runs: int, *, clock: Callable[[], float] = time.perf_counter
) -> tuple[dict[str, Any], dict[str, float]]:
    """Return what each side gave last, and its median seconds of `clock`: by default the wall's."""
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    given = {}
    for _ in range(runs):
        for side, run in sides.items():
            start = clock()
            given[side] = run()
            seconds[side].append(clock() - start)
    return given, {side: statistics.median(each) for side, each in seconds.items()}
