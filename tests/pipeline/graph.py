"""The graph that dvc.yaml spells, resolved by DVC itself; nothing is run.

Its parameters are params.yaml and every example merged into it, over presets: then each road has a model on it.
"""

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dvc.parsing import DataResolver
from dvc.repo import Repo
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
STAGES = {path.stem for path in (ROOT / "src/vouch/stages").glob("[!_]*.py")}


def merged(first: Any, more: Any) -> Any:
    """Add the entries of one parameter tree to another; lists grow."""
    if isinstance(first, list):
        return [*first, *(item for item in more if item not in first)]
    if not isinstance(first, dict):
        return more
    for key, value in more.items():
        first[key] = merged(first[key], value) if key in first else value
    return first


def with_examples(names: Iterable[str], path: Path = ROOT / "params.yaml") -> Any:
    """Return a parameter file's content, comments kept, with the sections of examples/NAME.params.yaml in it."""
    content = YAML().load(path)
    for name in names:
        content = merged(content, YAML(typ="safe", pure=True).load(ROOT / f"examples/{name}.params.yaml"))
    return content


def resolved(folder: Path) -> dict[str, dict[str, Any]]:
    """Return every stage by its full name, as dvc.yaml would spell it without foreach."""
    definition = YAML(typ="safe", pure=True).load(ROOT / "dvc.yaml")
    YAML().dump(with_examples(EXAMPLES), folder / "params.yaml")
    shutil.copytree(ROOT / "presets", folder / "presets")
    with Repo.init(str(folder), no_scm=True) as repo:
        stages: dict[str, dict[str, Any]] = DataResolver(repo, str(folder), definition).resolve()["stages"]
    return stages


EXAMPLES = sorted(path.name.split(".")[0] for path in (ROOT / "examples").glob("*.params.yaml"))
FOLDER = tempfile.TemporaryDirectory()  # goes with the process
PARAMS_FILE = Path(FOLDER.name, "params.yaml")
GRAPH = resolved(PARAMS_FILE.parent)


def verb(command: str) -> str:
    """Return the stage module that a command of dvc.yaml runs."""
    return command.split("vouch.stages.")[1].split()[0]


def outputs(stage: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return every output of a stage with its flags: outs, metrics and plots alike."""
    listed = [item for kind in ("outs", "metrics", "plots") for item in stage.get(kind, [])]
    pairs = [next(iter(item.items())) if isinstance(item, dict) else (item, {}) for item in listed]
    return {path: flags or {} for path, flags in pairs}
