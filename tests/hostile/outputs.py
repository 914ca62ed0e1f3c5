"""Where a person may tell a command to write: what is there already, what cannot be, and what is fine."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hostile.values import pick

FRESH = (
    "out{}",
    "deep/er/out{}",
    "./out{}",
    "é{}",
    "a b{}",
    "a\nb{}",
    "-out{}",
    "$(touch PWN){}",
    "x\udcff{}",
    "[red]{}",
    "*{}",
)
PLACES = (
    *(
        "",
        ".",
        "..",
        "./",
        "new",
        "new/",
        "new/..",
        "data",
        "data/sources/driver/mine",
        "models/driver/bundle",
        "models",
    ),
    *("new/p0.jpg", "new/p1.png", "./new/../new/p0.jpg", "params.yaml", "data/sources/driver/mine/manifest.jsonl"),
    *(
        "models/driver/bundle/policy.json",
        "metrics/driver/gate.json",
        "params.yaml/out{}",
        "new/p0.jpg/out{}",
        "~/out{}",
    ),
    *("/proc/vouch/out{}", "x" * 250 + "{}", "x" * 300 + "{}", "d/" * 1000 + "out{}", " ", " out{} ", "out{}/"),
)
SUFFIXES = (
    ".csv",
    ".json",
    ".jsonl",
    ".png",
    ".jpg",
    ".zzz",
    ".hdf",
    "",
    ".parquet",
    ".gif",
    ".CSV",
    ".PNG",
    ".",
    ".tar.gz",
    ".pdf",
)


def output(rng: np.random.Generator, *suffixes: str) -> str:
    """Draw a path, and make what it needs in the present folder."""
    suffix = pick(rng, suffixes) if rng.random() < 0.7 else pick(rng, SUFFIXES)
    how = rng.random()
    if how < 0.3:
        path = pick(rng, FRESH).format(suffix)
    elif how < 0.75:
        path = pick(rng, PLACES).format(suffix)
    else:
        path = pick(rng, tuple(OBSTACLES))
        OBSTACLES[path](path)
    return str(Path(path).absolute()) if path and rng.random() < 0.1 else path


def _made(content: str) -> Callable[[str], object]:
    return lambda path: Path(path).write_text(content)


def _folder(path: str) -> None:
    Path(path).mkdir()
    Path(path, "a person's.txt").write_text("work of years")


OBSTACLES: dict[str, Callable[[str], object]] = {
    "there.csv": _made("a person's\n"),
    "there.png": _made("a person's\n"),
    "there.jsonl": _made(""),
    "folder.csv": _folder,
    "folder.png": _folder,
    "empty.csv": lambda path: Path(path).mkdir(),
    "link.csv": lambda path: Path(path).symlink_to("params.yaml"),
    "link.png": lambda path: Path(path).symlink_to("new/p1.png"),
    "folder_link": lambda path: Path(path).symlink_to("new"),
    "nowhere.csv": lambda path: Path(path).symlink_to("gone/x"),
    "itself.csv": lambda path: Path(path).symlink_to(path),
    "fifo.csv": os.mkfifo,
    "fifo.png": os.mkfifo,
}


def owned(path: str) -> tuple[str, ...]:
    """Return what an accepted command may add below the case's folder for this output."""
    here = Path.cwd()
    return (os.path.relpath(os.path.normpath(here / path), here.parent),)
