"""A stage in an empty folder, with nothing but what dvc.yaml declares."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
from ruamel.yaml import YAML

from pipeline import workspace
from pipeline.imports import GROUND, SRC, is_empty

EMPTY = [path.relative_to(SRC.parent).as_posix() for path in SRC.rglob("__init__.py") if is_empty(path)]


def alone(source: Path, stage: dict, folder: Path) -> list[str]:
    """Run a stage of dvc.lock in a folder of its own; return what differs from the workspace."""
    for name in (*GROUND, *EMPTY, *(dep["path"] for dep in stage["deps"])):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        here = source / name
        shutil.copytree(here, folder / name, dirs_exist_ok=True) if here.is_dir() else shutil.copy(here, folder / name)
    copy_photographs(source, folder, [dep["path"] for dep in stage["deps"]])
    declared = stage.get("params", {})
    write_params(folder / "params.yaml", source / "params.yaml", declared.get("params.yaml", {}))
    YAML(typ="safe").dump(nested({}, declared.get("defaults.yaml", {})), folder / "defaults.yaml")
    finished = workspace.run(folder, "sh", "-c", stage["cmd"])
    if finished.returncode:
        return [f"exit {finished.returncode}: {finished.stdout[-2000:]}"]
    paths = [out["path"] for out in stage["outs"]]
    return [path for path in paths if workspace.contents(folder / path) != workspace.contents(source / path)]


def copy_photographs(source: Path, folder: Path, declared: list[str]) -> None:
    """Copy the photographs of each split that is declared: its list of samples pins them by their hash."""
    for path in map(Path, declared):
        if path.parts[:2] != ("data", "splits") or path.suffix != ".csv":
            continue
        samples = pd.read_parquet(source / f"data/manifests/{path.parts[2]}/samples.parquet")
        members = pd.read_csv(source / path)["sample_id"]
        for image in samples.loc[samples["sample_id"].isin(members), "image"]:
            (folder / image).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / image, folder / image)


def write_params(path: Path, source: Path, declared: dict) -> None:
    """Write what is declared, and what dvc.yaml itself is made of and every stage checks: `pipeline`, and names."""
    whole = YAML(typ="safe", pure=True).load(source.read_text(encoding="utf-8"))
    names = {kind: {name: {} for name in whole[kind]} for kind in ("datasets", "models")}
    YAML(typ="safe").dump(nested({"pipeline": whole["pipeline"], **names}, declared), path)


def nested(content: dict, declared: dict) -> dict:
    """Put the values of dotted keys, as dvc.lock has them, into a tree."""
    for dotted, value in declared.items():
        *parents, leaf = dotted.split(".")
        section = content
        for parent in parents:
            section = section.setdefault(parent, {})
        section[leaf] = value
    return content


def differences(source: Path, stages: dict, folder: Path) -> dict[str, list[str]]:
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda name: alone(source, stages[name], folder / name.replace("@", "-")), stages)
        return {name: faults for name, faults in zip(stages, found, strict=True) if faults}
