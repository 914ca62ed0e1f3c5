"""Photographs of the web on disk, each under the sha256 of its bytes: another one under the same name is noticed.

    data/curation/photographs/<sha256>.jpg

A row names its file there, so a second run asks nothing again; where the file is gone, as in a fresh clone, it is
fetched again and must have the same bytes.
"""

import hashlib
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from vouch import io
from vouch.curation.benchmark.rows import Rows
from vouch.curation.catalogue.fetching import Fetch, Kind
from vouch.errors import DataError, Problem, refuse_any
from vouch.vision.images.decoding import decode
from vouch.vision.images.formats import REFUSALS, SUFFIXES

NAME = re.compile(r"([0-9a-f]{64})\.[a-z]{3,4}")
ASKED = frozenset({"suggested", "resolved", "labelled"})  # rows whose photograph somebody is to look at
SUFFIX = {form: suffix for suffix, form in reversed(SUFFIXES.items())}  # the first of each: .jpg, .tif


@dataclass(frozen=True)
class Filled:
    """The edits that name the files, and how many were fetched now."""

    edits: dict[int, dict[str, str]]
    fetched: int


def fill(rows: Rows, folder: Path, fetch: Fetch, kind: Kind, *, max_megapixels: float) -> Filled:
    """Fetch the photograph of each row that has a url and no file, each url once; nothing is kept if one is refused.

    Rows that are wanted or rejected are left alone, and so are files elsewhere.

    Raises
    ------
    DataError
        Listing every url whose answer is refused (`fetching`) or is no photograph that can be used, and every file that
        is not, or whose url no longer gives, what its name says.
    """
    wanted, problems = _wanted(rows, folder)
    names: dict[str, str] = {}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".photographs.") as temporary:
        for url, asking in wanted.items():
            one = _fetched(url, fetch, kind, max_megapixels)
            if isinstance(one, DataError):
                problems += one.problems
                continue
            name, content = one
            problems += [_swapped(where, url) for where, expected in asking if expected not in ("", name)]
            Path(temporary, name).write_bytes(content)
            names[url] = name
        refuse_any(DataError, problems)
        for name in sorted(set(names.values())):
            with io.replacing(folder / name) as part:
                Path(temporary, name).rename(part)
    edits = {
        index: {"photograph": (folder / names[url]).as_posix()}
        for index, (url, held) in enumerate(zip(rows.column("url"), rows.column("photograph"), strict=True))
        if url in names and not held and rows.cell(index, "status") in ASKED
    }
    return Filled(edits, len(names))


def _wanted(rows: Rows, folder: Path) -> tuple[dict[str, list[tuple[str, str]]], list[Problem]]:
    """Return each url to ask for, with its rows and the file's name that each says it gives; and files that changed."""
    wanted: dict[str, list[tuple[str, str]]] = {}
    problems = []
    cells = zip(*(rows.column(name) for name in ("url", "photograph", "status")), strict=True)
    for index, (url, photograph, status) in enumerate(cells):
        path = Path(photograph)
        ours = path.parent == folder and NAME.fullmatch(path.name) is not None
        if ours and path.is_file() and io.sha256(path) != path.stem:
            expected, remedy = "the photograph that its name is the sha256 of", "remove the file, run this again"
            problems.append(Problem(f"{rows.where(index)}: {photograph}", expected, "other bytes", remedy))
        elif url and status in ASKED and (not photograph or (ours and not path.is_file())):
            wanted.setdefault(url, []).append((rows.where(index), path.name))
    return wanted, problems


def _fetched(url: str, fetch: Fetch, kind: Kind, max_megapixels: float) -> tuple[str, bytes] | DataError:
    """Return the name and bytes of a photograph, or why it cannot be used."""
    try:
        content = fetch(url, kind).content
    except DataError as refusal:
        return refusal
    header, pixels = decode(BytesIO(content), max_megapixels=max_megapixels)
    if pixels is None:
        return DataError(_unusable(url, header.problems))
    return f"{hashlib.sha256(content).hexdigest()}{SUFFIX[header.format]}", content


def _unusable(url: str, names: tuple[str, ...]) -> Iterator[Problem]:
    for name in names:
        expected, _ = REFUSALS[name]
        yield Problem(url, expected, name.replace("_", " "), "set the row's status to rejected, or correct its url")


def _swapped(where: str, url: str) -> Problem:
    expected = "the photograph that its row names"
    return Problem(where, expected, f"another one at {url}", "reject the row, or empty its `photograph` and look again")
