"""What `dvc repro` costs with nothing changed, by photographs in a data set, beside bare DVC on as many empty stages.

The whole graph of dvc.yaml, its outputs stand-ins and its photographs small files: DVC hashes what is there and runs
nothing. The peer's stages read and write a file each; its photographs are tracked by `dvc add`.

Run: PYTHONPATH=src python bench/graph_size.py [PHOTOGRAPHS ...]
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from dvc.repo import Repo

from sides import in_turns

DATASET, RUNS = "driver", 3
SIZES = (10_000, 30_000, 100_000)
FOLDER_FILES = 1_000  # photographs in a folder
COPIED = ("dvc.yaml", "params.yaml", ".dvcignore", ".dvc/config", "src", "models/starter", "models/architectures")


def dvc(folder, *arguments):
    """Run DVC in a folder."""
    command = [sys.executable, "-m", "dvc", *arguments, "--quiet"]
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"bench: dvc {' '.join(arguments)} failed\n{done.stdout}{done.stderr}")


def photographs(folder, first, end):
    for number in range(first, end):
        path = folder / f"{number // FOLDER_FILES:04d}" / f"{number:07d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{number}\n", encoding="ascii")


def started(folder):
    """Make an empty repository with this one's settings."""
    folder.mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    dvc(folder, "init")
    shutil.copy(".dvc/config", folder / ".dvc/config")
    return folder


def ours(folder):
    """Lay out the repository's own graph with a stand-in for each output; return its number of stages."""
    started(folder)
    for name in COPIED:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(name, target, dirs_exist_ok=True) if Path(name).is_dir() else shutil.copy(name, target)
    with Repo(str(folder)) as repo:
        for out in repo.index.outs:
            path = Path(out.fs_path)
            if not path.exists() and path != folder / "data/sources" / DATASET:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f"{path.relative_to(folder)}\n", encoding="utf-8")
        return len(repo.index.stages)


def bare(folder, n_stages):
    """Lay out as many stages that read and write a file each."""
    started(folder)
    stages = {}
    for number in range(n_stages):
        for name in (f"{number}.in", f"{number}.out"):
            (folder / name).write_text(f"{name}\n", encoding="ascii")
        stages[f"empty{number}"] = {"cmd": "true", "deps": [f"{number}.in"], "outs": [f"{number}.out"]}
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}), encoding="utf-8")


def main():
    sizes = tuple(int(word) for word in sys.argv[1:]) or SIZES
    print("| what | ours | peer | ratio | goal |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(dir=Path(".dvc/tmp").absolute()) as name:
        graph, empty = Path(name, "graph"), Path(name, "empty")
        n_stages = ours(graph)
        bare(empty, n_stages)
        held = 0
        for size in sizes:
            for folder in (graph, empty):
                photographs(folder / "data/sources" / DATASET, held, size)
            held = size
            dvc(empty, "add", f"data/sources/{DATASET}")
            for folder in (graph, empty):
                dvc(folder, "commit", "--force")
            _, seconds = in_turns({"own": lambda: dvc(graph, "repro"), "bare": lambda: dvc(empty, "repro")}, RUNS)
            own, peer = seconds["own"], seconds["bare"]
            what = f"`dvc repro` with nothing changed, {n_stages} stages, {size:,} photographs, against bare DVC"
            print(
                f"| {what} on as many empty stages | {own:.1f} s | {peer:.1f} s | {own / peer:.2f} | none |", flush=True
            )


if __name__ == "__main__":
    main()
