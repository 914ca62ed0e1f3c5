"""Every stage alone: an empty folder with nothing but what dvc.yaml declares gives the same bytes.

A dependency or parameter that a stage reads and does not declare would be absent there; an output that depends on the
clock, the folder, the order of files or an earlier run would differ.
"""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline import workspace
from pipeline.imports import SRC, is_empty

pytestmark = pytest.mark.slow
GROUND = [
    f"src/vouch/{name}.py" for name in ("__init__", "errors", "params", "paths", "tables", "io", "stages/__init__")
]
BLIND_TO_KIND = {"ingest", "scan", "validate", "split", "gate", "bundle"}  # the detector's line has shown these
EMPTY = [path.relative_to(SRC.parent).as_posix() for path in SRC.rglob("__init__.py") if is_empty(path)]


def alone(source: Path, stage: dict, folder: Path) -> list[str]:
    """Run a stage of dvc.lock in a folder of its own; return what differs from the workspace."""
    for name in (*GROUND, *EMPTY, *(dep["path"] for dep in stage["deps"])):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        here = source / name
        shutil.copytree(here, folder / name, dirs_exist_ok=True) if here.is_dir() else shutil.copy(here, folder / name)
    write_params(folder / "params.yaml", stage.get("params", {}).get("params.yaml", {}))
    finished = workspace.run(folder, "sh", "-c", stage["cmd"])
    if finished.returncode:
        return [f"exit {finished.returncode}: {finished.stdout[-2000:]}"]
    paths = [out["path"] for out in stage["outs"]]
    return [path for path in paths if workspace.contents(folder / path) != workspace.contents(source / path)]


def write_params(path: Path, declared: dict) -> None:
    content: dict = {}
    for dotted, value in declared.items():
        *parents, leaf = dotted.split(".")
        section = content
        for parent in parents:
            section = section.setdefault(parent, {})
        section[leaf] = value
    YAML(typ="safe").dump(content, path)


def differences(source: Path, stages: dict, folder: Path) -> dict[str, list[str]]:
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda name: alone(source, stages[name], folder / name.replace("@", "-")), stages)
        return {name: faults for name, faults in zip(stages, found, strict=True) if faults}


def test_every_stage_reads_what_it_declares_and_gives_the_same_bytes(tiny, tmp_path):
    assert differences(tiny, workspace.locked(tiny), tmp_path) == {}


def test_so_does_every_stage_that_knows_of_classifiers(tiny_classifier, tmp_path):
    stages = workspace.locked(tiny_classifier)
    first = {name.split("@")[0]: name for name in reversed(stages)}  # models share the code of a stage
    wanted = [name for verb, name in first.items() if verb not in BLIND_TO_KIND]
    assert {"train_classifier", "train_cached", "quantize", "predict_candidate", "decide"} <= first.keys()
    assert differences(tiny_classifier, {name: stages[name] for name in wanted}, tmp_path) == {}


def test_so_do_the_stages_of_the_other_framework(with_torchvision, tmp_path):
    names = ("train_detector@driver", "export@driver", "parity@driver")
    stages = workspace.locked(with_torchvision)
    assert differences(with_torchvision, {name: stages[name] for name in names}, tmp_path) == {}
