"""What a module imports, read from its syntax tree: nothing is run."""

import ast
from pathlib import Path

SRC = Path(__file__).parents[2] / "src"
NAMES = (
    "__init__",
    "errors",
    "params",
    "paths",
    "tables",
    "io",
    "documents",
    "names",
    "presets",
    "roads",
    "road_agreement",
    "road_of_systems",
    "tasks",
    "stages/__init__",
)
GROUND = [f"src/vouch/{name}.py" for name in NAMES]  # what every stage may import without a word in dvc.yaml


def file_of(module: str) -> Path | None:
    path = SRC / module.replace(".", "/")
    found = [candidate for candidate in (path.with_suffix(".py"), path / "__init__.py") if candidate.is_file()]
    return found[0] if found else None


def imported(path: Path) -> set[str]:
    """Every name that a file imports anywhere in it, dotted; `from a import b` gives `a` and `a.b`."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module, f"{path}: a relative import"
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def files_of(names: set[str]) -> set[Path]:
    """Files of ours that importing these names runs, the __init__ of every package above them included."""
    ours = {name for name in names if name.split(".")[0] == "vouch"}
    parents = {".".join(name.split(".")[:depth]) for name in ours for depth in range(1, name.count(".") + 2)}
    return {path for name in parents if (path := file_of(name))}


def closure(*starts: Path) -> set[Path]:
    """These files and every file of ours that they reach."""
    seen: set[Path] = set()
    ahead = set(starts)
    while ahead:
        path = ahead.pop()
        seen.add(path)
        ahead |= files_of(imported(path)) - seen
    return seen


def is_empty(path: Path) -> bool:
    """Whether a file holds nothing but a docstring."""
    return all(isinstance(node, ast.Expr) for node in ast.parse(path.read_text(encoding="utf-8")).body)
