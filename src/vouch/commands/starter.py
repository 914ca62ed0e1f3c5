"""Train a model's starting weights again: `make starter MODEL=driver`.

models/starter/M.recipe.yaml lists steps, each naming what differs from params.yaml: other seeds of the render, so that
no picture, group or look of a default data set is ever learned from, other sizes and a longer training. The graph
itself does the work, in a copy of the workspace; a later step starts from the weights of the one before, and `widen:
true` makes that start twice as wide first: what a small network learnt in an hour, a larger one need not learn again.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from vouch.commands.check_params import check_params
from vouch.errors import ParamsError, Problem, exiting, refuse_any
from vouch.names import shown, wrong_names
from vouch.params import read_params, read_value
from vouch.training import weights

STARTER = Path("models/starter")
WIDEN = "widen"  # of a step that is about a detector of Ultralytics
COPIED = (
    "src",
    "dvc.yaml",
    "params.yaml",
    "presets",
    ".dvcignore",
    ".dvc/plots",
    "models/architectures",
    "models/starter",
)


def remake(model: str, first: str = "1") -> None:
    """Run the recipe of a model, from step `first` on, and put its weights under models/starter.

    Raises
    ------
    ParamsError
        When the model is none of params.yaml or has no recipe, or `first` is no number of a step.
    """
    _refuse_words(model, first)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _dvc(folder, "init", "--no-scm", "--quiet")
        _dvc(folder, "config", "core.analytics", "false")
        _copy(folder)
        trained, start = folder / "models" / model, folder / STARTER / model
        for number, step in enumerate(read_params(STARTER / f"{model}.recipe.yaml")["steps"], start=1):
            wide = step.pop(WIDEN, False)
            _override(folder / "params.yaml", step)  # a step keeps what the one before said
            if number >= int(first):
                if wide:
                    _widen(start)
                dataset = read_value("pipeline", "models", model, "dataset")
                (folder / "splits" / f"{dataset}.lock.csv").unlink(missing_ok=True)  # another render, other groups
                _dvc(folder, "repro", _stage(model))
                _write_halves(start, *weights.read(trained))
        _write_halves(STARTER / model, *weights.read(start))


def _refuse_words(model: str, first: str) -> None:
    problems = wrong_names([("MODEL", model)])
    if re.fullmatch("[1-9][0-9]?", first) is None:
        problems.append(Problem("FIRST", "the number of a step, 1 the first", shown(first), "see the recipe"))
    refuse_any(ParamsError, problems)
    check_params(model)


def _copy(folder: Path) -> None:
    for item in COPIED:
        source, target = Path(item), folder / item
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)


def _dvc(folder: Path, *arguments: str) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run([sys.executable, "-m", "dvc", *arguments], cwd=folder, check=True, env=os.environ | {"PATH": path})


def _stage(model: str) -> str:
    """Name the stage that trains the model."""
    lists = {"detectors": "train_detector", "fine_tuned": "train_classifier", "embedders": "train_embedder"}
    return next(f"{stage}@{model}" for road, stage in lists.items() if model in read_value("pipeline", road))


def _write_halves(folder: Path, tensors: dict[str, Any], description: dict[str, Any]) -> None:
    """Write in half precision: a start needs no more, and git holds it."""
    halves = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
    weights.write(folder, halves, description)


def _widen(start: Path) -> None:
    from vouch.training.detection.ultralytics_yolo import widened  # heavy, and few recipes ask for it

    _write_halves(start, *widened(*weights.read_start(start, "ultralytics")))


def _override(path: Path, step: dict[str, Any]) -> None:
    """Write what the step names, "models.driver.train_detector.epochs: 14", into params.yaml."""
    yaml = YAML()
    content = yaml.load(path.read_text(encoding="utf-8"))
    for dotted, value in step.items():
        *parents, leaf = dotted.split(".")
        section = content
        read_value(*parents, leaf, path=path)  # which it or a preset has
        for parent in parents:
            section = section.setdefault(parent, {})
        section[leaf] = value
    with path.open("w", encoding="utf-8") as stream:
        yaml.dump(content, stream)


if __name__ == "__main__":
    with exiting():
        remake(*sys.argv[1:])
