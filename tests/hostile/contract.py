"""What every door promises, whatever comes: the one place that says it.

A case is refused by a named error that says where, expected, got and what to do, and then nothing at all has changed;
or it is answered rightly, and then only what the door owns has changed. There is no traceback, and time and memory
are bounded either way.
"""

import hashlib
import os
import re
import signal
import stat
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from vouch.errors import VouchError

CPU_S = 5.0  # of a case that takes milliseconds; what waits and computes nothing is ended by the pool
PEAK_MB = 600  # above what stood before the case; 81 megapixels, the most that is tried, take 510: decoded and copied
HASHED_BYTES = 1 << 20  # of a file, for the comparison before and after
NO_MEMORY = re.compile(r"bad.?alloc|insufficient memory|failed to allocate|unable to allocate|out of memory", re.I)
ENTRY = re.compile(r"expected (?s:.+), got (?s:.*); \S")
SCRATCH = "/.dvc/tmp"  # locks of stages: never an output
Entry = tuple[object, ...]


@dataclass(frozen=True)
class Attempt:
    """One case, planted and ready."""

    told: str  # in words, for the report
    enter: Callable[[], object]  # through the door
    right: Callable[[object], str]  # what is wrong with an answer, or ""
    new: tuple[str, ...] = ()  # below these paths of the case's folder an answered case may add
    rewritten: tuple[str, ...] = ()  # and below these it may change or remove
    sound: bool = False  # nothing is wrong with it, so that a refusal is


@dataclass(frozen=True)
class Verdict:
    """How a case ended; `finding` is "" where the contract holds."""

    outcome: str  # accepted or refused
    finding: str
    said: str  # the refusal


class Refused(Exception):  # noqa: N818 # a refusal is what is wanted, no error
    """What a command said before it exited with another code than 0."""


class Overdue(BaseException):
    """The case took too long."""


def judged(attempt: Attempt, folder: Path) -> Verdict:
    """Let a case through its door and hold what happened against the contract."""
    before = snapshot(folder)
    outcome, finding, said = "refused", "", ""
    try:
        with deadline():
            answer = attempt.enter()
            outcome = "accepted"
            finding = attempt.right(answer)
            said = "; ".join(map(str, _refusals(answer)))
    except (VouchError, Refused) as refusal:
        finding, said = refusal_fault(refusal), str(refusal)
    except Overdue:
        finding = f"waits for ever, or takes more than {CPU_S:.0f} s of the processor:\n{last_frames()}"
    except BaseException:  # a traceback is what this looks for
        finding = f"traceback:\n{last_frames()}"
    if attempt.sound and not finding and (outcome == "refused" or said):
        finding = f"refuses what is sound: {said[:600]}"
    with suppress_overdue():
        finding = finding or trespass(before, snapshot(folder), attempt, outcome)
    return Verdict("refused" if said else outcome, finding, said)


def _refusals(answer: object) -> list[Refused]:
    """Return what refused: the answer itself, or one of several doors that were asked about the same thing."""
    answers = answer.values() if isinstance(answer, dict) else [answer]
    return [one for one in answers if isinstance(one, Refused)]


def last_frames() -> str:
    """The end of the traceback that is being handled."""
    return "".join(traceback.format_exc().splitlines(keepends=True)[-9:])


def refusal_fault(refusal: Exception) -> str:
    """Say what is wrong with a refusal, or nothing."""
    said = str(refusal)
    cause: BaseException | None = refusal
    while cause is not None:
        if isinstance(cause, MemoryError) or NO_MEMORY.search(str(cause)):
            return f"refused only because memory ran out: {said[:400]}"
        cause = cause.__cause__ or cause.__context__
    if isinstance(refusal, Refused):
        return "" if said.strip() else "exits with an error without a word"
    assert isinstance(refusal, VouchError)
    if not refusal.problems:
        return "a refusal without a problem"
    for one in refusal.problems:
        if not all((one.where.strip(), one.expected.strip(), one.remedy.strip())) or re.search(r"\bnan$", one.where):
            return f"a problem that does not say where, what was expected and what to do: {one}"
    return ""


def trespass(before: dict[str, Entry], after: dict[str, Entry], attempt: Attempt, outcome: str) -> str:
    """Say which paths changed that the door does not own, or nothing."""
    new, rewritten = (attempt.new, attempt.rewritten) if outcome == "accepted" else ((), ())
    wrong = [
        f"{'changed' if path in after else 'removed'} {path!a}"
        for path, entry in before.items()
        if after.get(path) != entry and not _below(path, rewritten)
    ]
    wrong += [
        f"added {path!a}"
        for path in after.keys() - before.keys()
        if not _below(path, new + rewritten) and not any(_below(place, (path,)) for place in new + rewritten)
    ]
    wrong = [one for one in wrong if SCRATCH not in one]
    return f"{outcome}, and {', '.join(sorted(wrong)[:6])}" if wrong else ""


def _below(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def snapshot(folder: Path) -> dict[str, Entry]:
    """Describe everything below a folder: a file by time and content, a link by its target, a folder by its name."""
    return dict(_entries(str(folder)))


def _entries(root: str) -> Iterator[tuple[str, Entry]]:
    folders = [""]
    while folders:  # a stack: cases are a thousand folders deep
        prefix = folders.pop()
        for entry in _listed(f"{root}/{prefix}"):
            path = prefix + entry.name
            found = entry.stat(follow_symlinks=False)
            yield path, _entry(entry.path, found)
            if stat.S_ISDIR(found.st_mode):
                folders.append(f"{path}/")


def _listed(folder: str) -> list[os.DirEntry[str]]:
    """List a folder; nothing of another user's that is closed to this one, which can change nothing in it either."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except PermissionError:
        return []


def _entry(path: str, found: os.stat_result) -> Entry:
    if stat.S_ISDIR(found.st_mode):
        return ("folder",)
    if stat.S_ISLNK(found.st_mode):
        return ("link", os.readlink(path))  # noqa: PTH115 # a name that is no UTF-8 is a str here, as elsewhere
    if not stat.S_ISREG(found.st_mode):
        return ("special", found.st_mode, found.st_ino)
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 # the same
            content = hashlib.sha256(stream.read(HASHED_BYTES)).digest()
    except PermissionError:  # of another user: size and time tell
        content = b""
    return ("file", found.st_size, found.st_mtime_ns, content)


def remove(folder: Path) -> None:
    """Remove a folder of any depth."""
    entries = snapshot(folder)
    for path in sorted(entries, key=lambda path: path.count("/"), reverse=True):
        (os.rmdir if entries[path] == ("folder",) else os.unlink)(f"{folder}/{path}")
    folder.rmdir()


@contextmanager
def deadline() -> Iterator[None]:
    """Raise Overdue after CPU_S seconds of the processor's, or when the pool sends SIGALRM.

    A clock on the wall would find a loaded machine, not a fault.
    """
    for number in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, _overdue)
    signal.setitimer(signal.ITIMER_PROF, CPU_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGALRM, signal.SIG_IGN)


@contextmanager
def suppress_overdue() -> Iterator[None]:
    """Pass over a signal that was under way when the case ended."""
    with suppress(Overdue):
        yield


def _overdue(number: int, frame: object) -> None:
    raise Overdue
