"""What Vouch refuses, and how it says so.

VouchError
├── DataError            photographs, labels or groups are not what they must be
│   ├── ManifestError    a source or manifest cannot be read as what it claims to be
│   └── LeakageError     a split is read for another purpose, or a group would straddle splits
├── ParamsError          params.yaml, a preset or a command line has an unknown key, a wrong type or an impossible value
├── BundleError          a bundle must not be loaded
└── WorkspaceError       the machine or the checkout stands in the way (lock held, disk full)

An error carries every problem that was found, not only the first, and each problem says what was expected,
what was got, where, and what to do.
"""

import errno
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

ROOM = "free disk space", "free some, run it again"
ALLOWED = "permission to read or write", "correct its owner or permissions, or name another place"
OPEN_FILES = "a free file descriptor", "raise `ulimit -n`, run it again"
MACHINE = {  # what a machine refuses, by errno: what was expected and what to do; any other OSError is a defect of ours
    errno.ENOSPC: ROOM,
    errno.EDQUOT: ROOM,
    errno.EFBIG: ("room for a file of this size", "raise the limit (`ulimit -f`), or name another place"),
    errno.EACCES: ALLOWED,
    errno.EPERM: ALLOWED,
    errno.EROFS: ("a file system that can be written", "name another place"),
    errno.EIO: ("a disk that works", "look after the disk"),
    errno.ENOENT: ("a file or folder", "correct its name, or bring it back (`dvc checkout`)"),
    errno.ENOTDIR: ("a folder", "correct its name"),
    errno.EISDIR: ("a file", "correct its name"),
    errno.ENAMETOOLONG: ("a shorter name", "shorten it"),
    errno.ELOOP: ("links that lead to a file", "remove the loop"),
    errno.EMFILE: OPEN_FILES,
    errno.ENFILE: OPEN_FILES,
}
CHECKPOINT = re.compile(r"PytorchStreamWriter failed writing|unexpected pos \d+ vs \d+")  # torch.save on a full disk
LONGEST = 800  # characters that are shown of each part of a problem: a path may have 4,096, an unread file any number
SHOWN = 50  # a broken import of a million files must not print a million lines; the rest are counted, kind by kind
NAMED = 5  # further places of one fault that are named; thirty lines that differ in one word hide the thirty-first
PLACE = 120  # characters of each of them


def plural(noun: str, count: float) -> str:
    """Return the noun as it stands behind a count.

    >>> [plural("group", 1), plural("group", 0), plural("box", 2), plural("miss", 2)]
    ['group', 'groups', 'boxes', 'misses']
    """
    return noun if count == 1 else noun + ("es" if noun.endswith(("s", "x")) else "s")


def so_many(count: int, noun: str) -> str:
    """Return a count and what is counted: 1 group, 2 groups."""
    return f"{count} {plural(noun, count)}"


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong: where it is, what was expected, what was got, and what to do."""

    where: str
    expected: str
    got: str
    remedy: str

    def __str__(self) -> str:
        where, expected, got, remedy = map(_line, (self.where, self.expected, self.got, self.remedy))
        return f"{where}: expected {expected}, got {got}; {remedy}"


def _line(text: str) -> str:
    """Return a text as one line of a terminal: what would end the line, move the cursor or turn the text is escaped."""
    text = shortened(text, LONGEST)
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)


def shortened(text: str, most: int) -> str:
    """Return a text, or the beginning and end of one of more than `most` characters."""
    return text if len(text) <= most else f"{text[: most // 2]} ... {text[-most // 3 :]}"


class VouchError(Exception):
    """A refusal that lists every problem, sorted, each once."""

    title: ClassVar[str] = "refused"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        count = len(self.problems)
        lines = [f"{self.title}: {count} problem{'' if count == 1 else 's'}"]
        super().__init__("\n".join([*lines, *_shown(self.problems)]))


def _shown(problems: tuple[Problem, ...]) -> list[str]:
    """Return a fault once, with where else it is; of very many faults, some of each kind and how many more there are.

    Problems that differ in their place alone are one fault; faults of one expectation are one kind.
    """
    faults: dict[tuple[str, str, str], list[Problem]] = {}
    for problem in problems:
        faults.setdefault((problem.expected, problem.got, problem.remedy), []).append(problem)
    kinds: dict[str, list[list[Problem]]] = {}
    for (expected, *_), alike in faults.items():
        kinds.setdefault(expected if len(faults) > SHOWN else "", []).append(alike)
    most = max(1, SHOWN // max(1, len(kinds)))
    lines = []
    for expected, found in kinds.items():
        lines += [line for alike in found[:most] for line in _folded(alike)]
        if rest := sum(map(len, found[most:])):
            lines.append(f"  ... and {rest} more where {_line(expected)} was expected")
    return lines


def _folded(alike: list[Problem]) -> list[str]:
    """Return the first of problems that differ in their place alone, and the places of the next."""
    if len(alike) == 1:
        return [f"  {alike[0]}"]
    places = [_line(shortened(problem.where, PLACE)) for problem in alike[1 : NAMED + 1]]
    rest = ", ..." if len(alike) > NAMED + 1 else ""
    return [f"  {alike[0]}", f"  ... and {len(alike) - 1} more like it: {', '.join(places)}{rest}"]


class DataError(VouchError):
    """The data cannot be used as they are."""

    title = "data refused"


class ManifestError(DataError):
    """A source or manifest cannot be read as what it claims to be."""

    title = "source refused"


class LeakageError(DataError):
    """A split would be read for a purpose that is not its own, or a group would straddle splits."""

    title = "leakage refused"


class ParamsError(VouchError):
    """params.yaml, a preset or a word of a command line does not say what it must."""

    title = "parameters refused"


class BundleError(VouchError):
    """A bundle fails its own manifest and must not be loaded."""

    title = "bundle refused"


class WorkspaceError(VouchError):
    """The machine or the checkout stands in the way, not the data."""

    title = "cannot run here"


def refuse_any(error: type[VouchError], problems: Iterable[Problem]) -> None:
    """Raise `error` with every problem, or return when there is none."""
    found = tuple(problems)
    if found:
        raise error(found)


def of_machine(error: OSError) -> WorkspaceError | None:
    """Return in our words what the machine refuses (`MACHINE`), or None for any other error."""
    if error.errno not in MACHINE:
        return None
    expected, remedy = MACHINE[error.errno]
    where = str(error.filename2 or error.filename or Path.cwd())  # pyarrow names no file
    return WorkspaceError([Problem(where, expected, os.strerror(error.errno), remedy)])


@contextmanager
def exiting() -> Iterator[None]:
    """End the process with 1 and the problems, where the block refuses or the machine does."""
    try:
        yield
    except VouchError as error:
        sys.exit(f"vouch: {error}")
    except OSError as error:
        named = of_machine(error)
        if named is None:
            raise
        sys.exit(f"vouch: {named}")
    except RuntimeError as error:
        if not CHECKPOINT.search(str(error)):
            raise
        sys.exit(f"vouch: {WorkspaceError([Problem('a checkpoint', ROOM[0], str(error), ROOM[1])])}")
