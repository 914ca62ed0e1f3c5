"""Progress on a terminal's error stream; silent elsewhere, so that logs and outputs stay the same."""

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import track

T = TypeVar("T")


def shown(items: Iterable[T], total: int, description: str) -> Iterator[T]:
    """Yield the items unchanged while a bar moves."""
    console = Console(file=sys.stderr)
    yield from track(items, description, total=total, console=console, disable=not console.is_terminal, transient=True)
