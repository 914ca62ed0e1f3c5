"""Where a person lets a command write: every output is checked, against every input, before anything is computed.

A command that writes calls `refuse_outputs` first. What it then writes goes through `io.replacing` (a file) or
`io.new_folder` (a folder), which check again: nothing that a person made is overwritten or deleted.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Annotated

import typer

from vouch import io
from vouch.errors import Problem, WorkspaceError, refuse_any
from vouch.paths import OWNED

DEEPEST = 200  # folders within each other: making them one by one runs out of Python's stack at some 900

Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a file that an output names; never an input.")]
Identity = tuple[int, int]  # device and inode: links, hard links and other spellings of one file share it


@dataclass(frozen=True)
class Output:
    """A place to write: the option that names it, and the suffixes that a file may have there, or none for a folder."""

    option: str
    path: Path
    suffixes: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """The option and the path, as a person wrote them."""
        return f"{self.option} {_printable(self.path)}"


def refuse_outputs(outputs: Sequence[Output], inputs: Iterable[Path], *, overwrite: bool) -> None:
    """Return when every output may be written and every input has a name that an answer can hold.

    Parameters
    ----------
    outputs
        All that the command writes where a person says.
    inputs
        All that it reads: files, and folders as a whole.
    overwrite
        Whether a person allows a file to be replaced; never an input, a link, or anything in a folder's place.

    Raises
    ------
    WorkspaceError
        Listing every problem: a form that is not written, something that stands in the place, a place of the
        repository's own, one that cannot be written, one in or at an input, two outputs in one place, names that are
        not UTF-8.
    """
    read = list(inputs)
    problems = [*_unspeakable((_printable(path), path) for path in read), *_shared(outputs)]
    problems += _unspeakable((output.where, output.path) for output in outputs)
    for output in outputs:
        if len(output.path.parts) > DEEPEST:
            got = f"one of {len(output.path.parts)} folders"
            problems.append(Problem("an output", f"a place at most {DEEPEST} folders deep", got, "name another"))
            continue
        try:
            problems += [*_form(output), *_standing(output, overwrite=overwrite), *_repository(output)]
            problems += [*_reach(output), *_inputs(output, read)]
        except OSError as error:
            got = error.strerror or type(error).__name__
            problems.append(Problem(output.where, "a place that can be written", got, "name another"))
    refuse_any(WorkspaceError, problems)


def _unspeakable(places: Iterable[tuple[str, Path]]) -> Iterator[Problem]:
    """Names that no table, JSON or page can hold."""
    for where, path in places:
        if _printable(path) != str(path):
            yield Problem(where, "a UTF-8 name", "bytes that are none", "rename it")


def _printable(path: Path) -> str:
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")


def _form(output: Output) -> Iterator[Problem]:
    if output.suffixes and not output.path.is_dir() and output.path.suffix.lower() not in output.suffixes:
        expected = f"a name that ends in {' or '.join(output.suffixes)}"
        yield Problem(output.where, expected, output.path.suffix or "no suffix", "name the form that you want")


def _standing(output: Output, *, overwrite: bool) -> Iterator[Problem]:
    """Say what stands in the place already."""
    path = output.path
    if not output.suffixes:
        if not io.is_free(path):
            yield Problem(output.where, "no folder, or an empty one", "something there", "name another, or remove it")
    elif path.is_symlink():
        yield Problem(output.where, "a file, or nothing", "a link", "name the file itself")
    elif path.is_dir():
        yield Problem(output.where, "a file, or nothing", "a folder", "name a file in it")
    elif path.exists() and not path.is_file():
        yield Problem(output.where, "a file, or nothing", "a device, pipe or socket", "name a file")
    elif path.exists() and not overwrite:
        yield Problem(output.where, "nothing yet", "a file", "name another, or give --overwrite to replace it")


def _real(path: Path) -> Path:
    """Follow links; unlike `Path.resolve` this bears links that lead in a circle."""
    return Path(os.path.realpath(path))


def _repository(output: Output) -> Iterator[Problem]:
    """Refuse what stages, DVC and git write: there an output would be taken for theirs, or be lost."""
    real = _real(output.path)
    root = next((place for place in (real, *real.parents) if (place / ".dvc").is_dir()), real)
    if real.relative_to(root).parts[:1] and real.relative_to(root).parts[0] in OWNED:
        got = f"one in {real.relative_to(root).parts[0]}/, which the repository writes itself"
        yield Problem(output.where, "a place of your own", got, "name another")


def _reach(output: Output) -> Iterator[Problem]:
    """Check that the nearest folder that is there can be written, and that the temporary name fits."""
    parent = output.path.absolute().parent
    while not os.path.lexists(parent):
        parent = parent.parent
    if not parent.is_dir():
        yield Problem(output.where, "a folder to write into", f"something else at {parent}", "name another")
    elif not os.access(parent, os.W_OK | os.X_OK):
        yield Problem(output.where, "permission to write", f"none in {parent}", "change it, or name another place")
    elif output.path.name:
        with suppress(FileNotFoundError):
            io.part(output.path).lstat()


def _inputs(output: Output, inputs: Sequence[Path]) -> Iterator[Problem]:
    real = _real(output.path)
    holders = {identity for place in real.parents if (identity := _identity(place)) is not None}
    itself = _identity(real)
    for path in inputs:
        found = _identity(path)
        if found is not None and (found == itself or found in holders):
            got = f"{'the input' if found == itself else 'a place in the input'} {_printable(path)}"
            yield Problem(output.where, "a place apart from what is read", got, "name another")


def _identity(path: Path) -> Identity | None:
    try:
        status = path.stat()
    except OSError:  # an output that is not there yet; an input that is not there is refused by who reads it
        return None
    return status.st_dev, status.st_ino


def _shared(outputs: Sequence[Output]) -> Iterator[Problem]:
    for one, other in combinations(outputs, 2):
        first, second = _real(one.path), _real(other.path)
        if first == second or first in second.parents or second in first.parents:
            yield Problem(one.where, "a place apart from the other outputs", other.where, "name another")
