"""The files of a source: one walk, names checked, nothing opened that was not named."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from posixpath import normpath

from vouch.errors import ManifestError, Problem
from vouch.sources.words import is_fit

PHOTOGRAPHS = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif")
JUNK = frozenset({"Thumbs.db", "desktop.ini"})  # left by file managers; hidden files are passed over too
DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True)
class Tree:
    """The visible files below a folder, as POSIX paths; `outside` lends label files that lie elsewhere."""

    root: Path
    files: frozenset[str]
    links: tuple[str, ...] = ()
    outside: Mapping[str, Path] = field(default_factory=dict)

    @cached_property
    def photographs(self) -> frozenset[str]:
        """Files that are photographs by their name."""
        return frozenset(path for path in self.files if path.lower().endswith(PHOTOGRAPHS))

    def path(self, name: str) -> Path:
        """Where a file of the source really lies."""
        return self.outside.get(name, self.root / name)

    def text(self, name: str) -> str | Problem:
        """Return a label file's text, or the problem that it is absent or not UTF-8."""
        try:
            return self.path(name).read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            got = f"byte 0x{error.object[error.start]:02x} at {error.start}"
            return Problem(f"{name}:{line}", "UTF-8 text", got, "save the file as UTF-8")
        except OSError as error:
            return Problem(
                name, "a readable file", error.strerror or type(error).__name__, "add it or correct its name"
            )


def walk(root: Path, outside: Mapping[str, Path] | None = None) -> Tree:
    """List the files below `root` once; hidden files and folders are passed over, links to folders not followed.

    Raises
    ------
    ManifestError
        When a folder cannot be opened.
    """
    files: list[str] = []
    links: list[str] = []
    try:
        _scan(str(root), "", files, links)
    except OSError as error:
        problem = Problem(str(error.filename), "a readable folder", error.strerror or "none", "correct its permissions")
        raise ManifestError([problem]) from error
    lent = dict(outside or {})
    return Tree(root, frozenset(files) | lent.keys(), tuple(sorted(links)), lent)


def _scan(folder: str, prefix: str, files: list[str], links: list[str]) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name in JUNK:
                continue
            path = prefix + entry.name
            if entry.is_symlink():
                links.append(path)
            if entry.is_dir(follow_symlinks=False):
                _scan(entry.path, f"{path}/", files, links)
            elif entry.is_file():
                files.append(path)


def name_problems(tree: Tree) -> list[Problem]:
    """Files whose names are not UTF-8, or hold control characters or a backslash."""
    remedy = "rename the file"
    expected = "a UTF-8 name without control characters, backslashes or outer spaces"
    return [
        Problem(ascii(path)[1:-1], expected, ascii(path.rsplit("/", 1)[-1]), remedy)
        for path in tree.files
        if not (path.isascii() and path.isprintable() and "\\" not in path) and not _nameable(path)
    ]


def _nameable(path: str) -> bool:
    return "\\" not in path and all(is_fit(part) for part in path.split("/"))


def link_problems(tree: Tree) -> list[Problem]:
    """Links that leave the source, lead to a folder, or lead nowhere."""
    root = tree.root.resolve()
    problems = []
    for link in tree.links:
        target = (tree.root / link).resolve()
        if not target.is_relative_to(root):
            problems.append(
                Problem(ascii(link)[1:-1], "a link that stays in the source", "one that leaves it", "copy the file")
            )
        elif not target.is_file():
            got = "a link to a folder" if target.is_dir() else "a link to nothing"
            problems.append(Problem(ascii(link)[1:-1], "a file, or a link to one", got, "copy it or remove the link"))
    return problems


def inside(path: str) -> str | None:
    """Return a path from a manifest in its normal form, or None where it is absolute, has `..`, or is no fit name.

    Examples
    --------
    >>> inside("images/./a.jpg"), inside("../a.jpg"), inside("/a.jpg")
    ('images/a.jpg', None, None)
    """
    if not is_fit(path) or "\\" in path or path.startswith("/") or DRIVE.match(path):
        return None
    return None if ".." in path.split("/") else normpath(path)


def outside_problem(path: str, where: str) -> Problem:
    """Say that a manifest names a path that the source cannot hold."""
    expected = "a relative POSIX path inside the source, without `..`"
    return Problem(where, expected, ascii(path), "write the path from the source's folder on")


def strays(tree: Tree, folders: Iterable[str]) -> list[Problem]:
    """Files in folders of photographs that are none by their name: they would be passed over in silence."""
    held = set(folders)
    expected = f"a photograph ({' '.join(PHOTOGRAPHS)})"
    return [
        Problem(path, expected, Path(path).suffix or "no suffix", "convert it, or move it elsewhere")
        for path in tree.files - tree.photographs
        if path.rpartition("/")[0] in held
    ]
