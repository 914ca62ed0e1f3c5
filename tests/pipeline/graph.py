"""The graph that dvc.yaml and params.yaml spell, resolved by DVC itself; nothing is run."""

from pathlib import Path
from typing import Any

from dvc.parsing import DataResolver
from dvc.repo import Repo
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
STAGES = {path.stem for path in (ROOT / "src/vouch/stages").glob("[!_]*.py")}


def resolved() -> dict[str, dict[str, Any]]:
    """Return every stage by its full name, as dvc.yaml would spell it without foreach."""
    definition = YAML(typ="safe", pure=True).load(ROOT / "dvc.yaml")
    with Repo(str(ROOT)) as repo:
        stages: dict[str, dict[str, Any]] = DataResolver(repo, str(ROOT), definition).resolve()["stages"]
    return stages


GRAPH = resolved()


def verb(command: str) -> str:
    """Return the stage module that a command of dvc.yaml runs."""
    return command.split("vouch.stages.")[1].split()[0]


def outputs(stage: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return every output of a stage with its flags: outs, metrics and plots alike."""
    listed = [item for kind in ("outs", "metrics", "plots") for item in stage.get(kind, [])]
    pairs = [next(iter(item.items())) if isinstance(item, dict) else (item, {}) for item in listed]
    return {path: flags or {} for path, flags in pairs}
