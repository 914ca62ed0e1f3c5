"""Work that threads do ahead of who asks for it, in order and of bounded size."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

WORKERS = os.cpu_count() or 1  # OpenCV, ONNX Runtime and torch release the interpreter's lock
Part = TypeVar("Part")
Result = TypeVar("Result")


def one_per_core() -> ThreadPoolExecutor:
    """Return a pool of one thread per core; they start when they are needed and end with the pool."""
    return ThreadPoolExecutor(WORKERS)


def ahead(pool: ThreadPoolExecutor, work: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
    """Yield the result of each part in order; no more than one per core, and one to spare, is under way or waiting.

    Where nobody asks on, what has not begun is not begun: the pool may serve others.
    """
    under_way: deque[Future[Result]] = deque()
    try:
        for part in parts:
            under_way.append(pool.submit(work, part))
            if len(under_way) > WORKERS:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        for future in under_way:
            future.cancel()
