"""Code cells of a notebook, run in this process one after the other: no kernel, and a test can look in between."""

import json
from pathlib import Path
from typing import Any


def cells(path: Path) -> list[dict[str, Any]]:
    """Return the cells of a notebook."""
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return found


def code_of(path: Path) -> list[str]:
    """Return the text of each code cell."""
    return ["".join(cell["source"]) for cell in cells(path) if cell["cell_type"] == "code"]


def execute(path: Path, place: int, space: dict[str, Any]) -> None:
    """Run one code cell in a namespace, as a kernel would after those before it."""
    exec(compile(code_of(path)[place], f"{path.name}, code cell {place}", "exec"), space)
