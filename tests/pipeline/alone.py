"""A stage in an empty folder, with nothing but what dvc.yaml declares.

Every file that it may read or is to write is there under a second name, as with `cache.type hardlink` in DVC's cache: a
stage that writes into one instead of replacing it spoils the cache, where it may write at all.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
from ruamel.yaml import YAML

from pipeline import workspace
from pipeline.imports import GROUND, SRC, is_empty

EMPTY = [path.relative_to(SRC.parent).as_posix() for path in SRC.rglob("__init__.py") if is_empty(path)]


BEFORE = b"what an earlier run left"
LOCKS = "splits"  # groups stay where they are: the one output that its own stage reads


def alone(source: Path, stage: dict, folder: Path) -> list[str]:
    """Run a stage of dvc.lock in a folder of its own; return what differs from the workspace."""
    cache = folder.with_name(f"{folder.name}.cache")
    deps = [dep["path"] for dep in stage["deps"]]
    read = {path for name in (*GROUND, *EMPTY, *deps) for path in files(source, name)} | photographs(source, deps)
    for path in read:
        lend((source / path).read_bytes(), cache / path, folder / path)
    paths = [out["path"] for out in stage["outs"]]
    left = {path for name in paths if Path(name).parts[0] != LOCKS for path in files(source, name)}
    for path in left:
        lend(BEFORE, cache / path, folder / path)
    declared = stage.get("params", {})
    write_params(folder / "params.yaml", source / "params.yaml", declared.get("params.yaml", {}))
    (folder / "presets").mkdir()
    for file in files(source, "presets"):
        YAML(typ="safe").dump(nested({}, declared.get(file, {})), folder / file)
    finished = workspace.run(folder, "sh", "-c", stage["cmd"])
    if finished.returncode:
        return [f"exit {finished.returncode}: {finished.stdout[-2000:]}"]
    differing = [path for path in paths if workspace.contents(folder / path) != workspace.contents(source / path)]
    lent = {path: BEFORE if path in left else (source / path).read_bytes() for path in files(cache, "")}
    return differing + [f"{path}: written in place" for path in lent if (cache / path).read_bytes() != lent[path]]


def files(root: Path, name: str) -> list[str]:
    """Return the file of this name, or those below the folder."""
    found = (root / name).rglob("*") if (root / name).is_dir() else [root / name]
    return [path.relative_to(root).as_posix() for path in found if path.is_file() and path.suffix != ".pyc"]


def lend(content: bytes, cached: Path, path: Path) -> None:
    """Write a file that nobody may write to, and link it where a stage finds it."""
    for place in (cached, path):
        place.parent.mkdir(parents=True, exist_ok=True)
    cached.write_bytes(content)
    cached.chmod(0o444)
    os.link(cached, path)


def photographs(source: Path, declared: list[str]) -> set[str]:
    """Return the photographs of each split that is declared: its list of samples pins them by their hash."""
    found: set[str] = set()
    for path in map(Path, declared):
        if path.parts[:2] == ("data", "splits") and path.suffix == ".csv":
            samples = pd.read_parquet(source / f"data/manifests/{path.parts[2]}/samples.parquet")
            members = pd.read_csv(source / path)["sample_id"]
            found |= set(samples.loc[samples["sample_id"].isin(members), "image"])
    return found


def write_params(path: Path, source: Path, declared: dict) -> None:
    """Write what is declared, and what dvc.yaml itself is made of and every stage checks: `pipeline`, and names."""
    whole = YAML(typ="safe", pure=True).load(source.read_text(encoding="utf-8"))
    names = {kind: {name: {} for name in whole[kind]} for kind in ("datasets", "models", "systems") if kind in whole}
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
