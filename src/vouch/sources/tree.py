"""The files of a source: one walk, names checked, nothing opened that was not named."""

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from posixpath import normpath

from vouch.documents import DocumentError, kind_of, read_text
from vouch.errors import ManifestError, Problem
from vouch.sources.vocabulary import is_fit
from vouch.vision.images.formats import LISTED as PHOTOGRAPHS

DESCRIPTIONS = (".txt", ".xml", ".json", ".jsonl", ".csv", ".yaml", ".yml")  # suffixes of what describes photographs
UNREAD = (  # suffixes of what a camera or a program writes as a picture, and nothing here reads
    *(".heic", ".heif", ".hif", ".avif", ".jfif", ".jp2", ".jxl", ".tga"),
    *(".dng", ".cr2", ".cr3", ".nef", ".nrw", ".arw", ".srw", ".raf", ".orf", ".rw2", ".pef"),
)
DEEPEST = 64  # folders within each other: 1,000 would overrun what Python's own copying and DVC can walk
MOST_BYTES = 2**30  # of a label file: COCO's largest has 450 MB
JUNK = frozenset({"Thumbs.db", "desktop.ini"})  # left by file managers; hidden files are passed over too
DRIVE = re.compile(r"[A-Za-z]:")
CACHED = re.compile(r"/files/md5/([0-9a-f]{2})/([0-9a-f]{30})$")  # where DVC's cache keeps a file
INVISIBLE = frozenset({"Cf", "Mn"})  # joiners, marks of direction, accents on nothing: no part of a suffix


@dataclass(frozen=True)
class Tree:
    """The visible files below a folder, as POSIX paths; `outside` lends label files that lie elsewhere.

    `odd` names what is no file and must not be passed over: pipes, sockets, devices, and folders named like a file.
    """

    root: Path
    files: frozenset[str]
    links: tuple[str, ...] = ()
    odd: Mapping[str, str] = field(default_factory=dict)  # path to what is there
    outside: Mapping[str, Path] = field(default_factory=dict)

    @cached_property
    def photographs(self) -> frozenset[str]:
        """Files that are photographs by their name."""
        return frozenset(path for path in self.files if path.lower().endswith(PHOTOGRAPHS))

    @cached_property
    def unread(self) -> frozenset[str]:
        """Files that are pictures by their name, in formats that are not read: never to be passed over in silence."""
        return frozenset(path for path in self.files if path.lower().endswith(UNREAD))

    def path(self, name: str) -> Path:
        """Where a file of the source really lies."""
        return self.outside.get(name, self.root / name)

    def text(self, name: str) -> str | Problem:
        """Return a label file's text, or the problem that it is absent, no regular file, too large or not UTF-8."""
        try:
            return read_text(self.path(name), name, max_bytes=MOST_BYTES)
        except DocumentError as error:
            return error.problems[0]


def walk(root: Path, outside: Mapping[str, Path] | None = None) -> Tree:
    """List the files below `root` once; hidden files and folders are passed over, links to folders not followed.

    Raises
    ------
    ManifestError
        When a folder cannot be opened, or folders lie more than 64 deep within each other.
    """
    files: list[str] = []
    links: list[str] = []
    odd: dict[str, str] = {}
    folders = [""]
    try:
        while folders:
            folders += _scan(root, folders.pop(), files, links, odd)
    except OSError as error:
        problem = Problem(str(error.filename), "a readable folder", error.strerror or "none", "correct its permissions")
        raise ManifestError([problem]) from error
    lent = dict(outside or {})
    return Tree(root, frozenset(files) | lent.keys(), tuple(sorted(links)), odd, lent)


def _scan(root: Path, prefix: str, files: list[str], links: list[str], odd: dict[str, str]) -> list[str]:
    """Sort the entries of one folder; return the folders in it that are still to be walked."""
    if prefix.count("/") > DEEPEST:
        shown = f"{ascii(prefix)[1:61]}..."
        expected, remedy = f"at most {DEEPEST} folders within each other", "move the photographs up"
        raise ManifestError([Problem(shown, expected, "more", remedy)])
    folders = []
    with os.scandir(root / prefix) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name in JUNK:
                continue
            path = prefix + entry.name
            if entry.is_symlink():
                links.append(path)
                if os.path.isfile(entry.path):  # noqa: PTH113  # a link in a circle is none; entry.is_file() would raise
                    files.append(path)
            elif entry.is_file(follow_symlinks=False):
                files.append(path)
            elif not entry.is_dir(follow_symlinks=False):
                odd[path] = kind_of(entry.stat(follow_symlinks=False).st_mode)
            elif entry.name.lower().endswith((*PHOTOGRAPHS, *DESCRIPTIONS)):
                odd[path] = "a folder"
            else:
                folders.append(f"{path}/")
    return folders


def below(folder: Path) -> Iterator[Path]:
    """Yield every file, link and device below a folder, hidden ones too; links to folders are not followed.

    The standard library's own walks call themselves for each folder: a thousand within each other end them.
    """
    folders = [str(folder)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    yield Path(entry.path)


def photographs_below(folder: Path) -> list[Path]:
    """Return what is a photograph by its name in a folder and below, in order of the paths."""
    return sorted(path for path in below(folder) if path.suffix.lower() in PHOTOGRAPHS and not path.is_dir())


def kind_problems(tree: Tree) -> list[Problem]:
    """Pipes, sockets, devices, and folders named like a photograph or label file: none is opened or passed over."""
    return [
        Problem(ascii(path)[1:-1], "a regular file", what, "put the file there, or rename or remove this")
        for path, what in tree.odd.items()
    ]


def name_problems(tree: Tree) -> list[Problem]:
    """Names not fit (`vocabulary.is_fit`) or with a backslash, and suffixes that only look like a known one."""
    expected = "a UTF-8 name without control characters, backslashes or outer spaces"
    unfit, problems = set[str](), []
    for path in tree.files:
        name = _name(path)
        if place := _unfit(path):
            unfit.add(place)
        elif (suffix := _imitated(name)) is not None:
            problems.append(Problem(ascii(path)[1:-1], f"a name that ends in {suffix}", ascii(name), "rename the file"))
    return [
        *(Problem(ascii(place)[1:-1], expected, ascii(_name(place)), "rename it") for place in sorted(unfit)),
        *problems,
    ]


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _unfit(path: str) -> str | None:
    """Return the outermost file or folder of a path whose own name is not fit."""
    parts = path.split("/")
    at = next((place for place, part in enumerate(parts, start=1) if "\\" in part or not is_fit(part)), None)
    return None if at is None else "/".join(parts[:at])


def _imitated(name: str) -> str | None:
    """Return the known suffix that a name seems to have and has not, as `a.txt.` or `a.txt` with a joiner behind it.

    Such a file would be passed over, and its photograph become a negative.
    """
    if name.isascii() and not name.endswith("."):
        return None
    shown = "".join(c for c in unicodedata.normalize("NFKD", name) if unicodedata.category(c) not in INVISIBLE)
    suffix = os.path.splitext(shown.rstrip(" ."))[1].lower()  # noqa: PTH122
    known = suffix in (*PHOTOGRAPHS, *DESCRIPTIONS) and not name.lower().endswith(suffix)
    return suffix if known else None


def link_problems(tree: Tree) -> list[Problem]:
    """Links that leave the source, lead to a folder, or lead nowhere; DVC's own into its cache may leave it."""
    root = os.path.realpath(tree.root)
    problems = []
    for link in tree.links:
        target = Path(os.path.realpath(tree.root / link))  # unlike resolve() it bears links that lead in a circle
        if not target.is_relative_to(root) and not _is_cached(target):
            expected = "a link that stays in the source, or one of DVC's into its cache (`cache.type symlink`)"
            problems.append(Problem(ascii(link)[1:-1], expected, "one that leaves it", "put a copy in its place"))
        elif not target.is_file():
            got = f"a link to {_kind_at(target)}"
            problems.append(Problem(ascii(link)[1:-1], "a file, or a link to one", got, "copy it or remove the link"))
    return problems


def _is_cached(path: Path) -> bool:
    """Whether a file is called after its own content, as in DVC's cache: nobody can lend another to that name."""
    found = CACHED.search(path.as_posix())
    return found is not None and path.is_file() and md5(path) == "".join(found.groups())


def md5(path: Path) -> str:
    """Return a file's md5, by which DVC knows it."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _kind_at(path: Path) -> str:
    try:
        return kind_of(path.lstat().st_mode)
    except OSError:
        return "nothing"


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
