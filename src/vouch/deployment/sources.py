"""The modules of ours that a file needs, read from syntax trees: nothing is run."""

import ast
from pathlib import Path

import vouch

ROOT = Path(vouch.__file__).parent


def needed(start: Path) -> dict[str, bytes]:
    """Return every file of Vouch that a file imports, and that those import, by its path from the source folder.

    The __init__ of each package on the way is among them.
    """
    found: dict[str, bytes] = {}
    ahead = _imported(start.read_bytes())
    while ahead:
        file = ahead.pop()
        path = file.relative_to(ROOT.parent).as_posix()
        if path not in found:
            found[path] = file.read_bytes()
            ahead |= _imported(found[path])
    return dict(sorted(found.items()))


def _imported(content: bytes) -> set[Path]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    parts = [name.split(".") for name in names if name.split(".")[0] == ROOT.name]
    modules = {tuple(one[:depth]) for one in parts for depth in range(1, len(one) + 1)}
    return {file for one in modules for file in _files(ROOT.parent.joinpath(*one))}


def _files(module: Path) -> list[Path]:
    return [file for file in (module.with_suffix(".py"), module / "__init__.py") if file.is_file()]
