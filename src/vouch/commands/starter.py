"""Train a model's starting weights again: `make starter MODEL=driver`.

models/starter/M.recipe.yaml lists steps, each naming what differs from params.yaml: other seeds of the render, so that
no picture, group or look of a default data set is ever learned from, other sizes and a longer training. The graph
itself does the work, in a copy of the workspace; a later step starts from the weights of the one before.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from vouch.params import read_params
from vouch.training.checkpoints import DESCRIPTION, WEIGHTS

STARTER = Path("models/starter")
COPIED = ("src", "dvc.yaml", "params.yaml", ".dvcignore", ".dvc/plots", "models/architectures", "models/starter")


def remake(model: str) -> None:
    """Run the recipe of a model and put its weights under models/starter."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _copy(folder)
        subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "--quiet"], cwd=folder, check=True)
        trained, start = folder / "models" / model, folder / STARTER / model
        for step in read_params(STARTER / f"{model}.recipe.yaml")["steps"]:
            _override(folder / "params.yaml", step)
            (folder / "splits" / f"{model}.lock.csv").unlink(missing_ok=True)  # another render, other groups
            _train(folder, model)
            _copy_weights(trained, start)
        _copy_weights(start, STARTER / model)


def _copy(folder: Path) -> None:
    for item in COPIED:
        source, target = Path(item), folder / item
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)


def _train(folder: Path, model: str) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, "-m", "dvc", "repro", f"train_detector@{model}"]
    subprocess.run(command, cwd=folder, check=True, env=os.environ | {"PATH": path})


def _copy_weights(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for file in (WEIGHTS, DESCRIPTION):
        shutil.copy(source / file, target / file)


def _override(path: Path, step: dict[str, Any]) -> None:
    """Write what the step names, "models.driver.train_detector.epochs: 14", into params.yaml."""
    yaml = YAML()
    content = yaml.load(path.read_text(encoding="utf-8"))
    for dotted, value in step.items():
        *parents, leaf = dotted.split(".")
        section = content
        for parent in parents:
            section = section[parent]
        if leaf not in section:
            raise KeyError(dotted)
        section[leaf] = value
    with path.open("w", encoding="utf-8") as stream:
        yaml.dump(content, stream)


if __name__ == "__main__":
    remake(*sys.argv[1:])
