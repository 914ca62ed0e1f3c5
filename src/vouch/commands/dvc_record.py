"""What DVC recorded of an imported data set (data/sources/D.dvc), and what stands there that DVC does not have."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vouch.commands.dvc_busy import refusal
from vouch.documents import DocumentError, parse_json, parse_yaml, read_text
from vouch.errors import Problem, WorkspaceError
from vouch.sources.tree import JUNK, below, md5

MOST_BYTES = 2**30  # of a listing: a million files have 150 MB
DIGEST = re.compile(r"[0-9a-f]{32}\.dir")
LEFT = JUNK | {".DS_Store"}  # what file managers leave, which no person misses


@dataclass(frozen=True)
class Recorded:
    """A folder as DVC has it."""

    digest: str  # of its listing, which lies in DVC's cache under this name
    count: int  # files in it


def recorded(record: Path) -> Recorded:
    """Read a .dvc file of one folder.

    Raises
    ------
    WorkspaceError
        When it is none.
    """
    try:
        content = parse_yaml(read_text(record, str(record), max_bytes=MOST_BYTES), str(record))
    except DocumentError as error:
        raise WorkspaceError(error.problems) from error
    outs = content.get("outs") if isinstance(content, dict) else None
    found: Mapping[str, Any] = outs[0] if isinstance(outs, list) and outs and isinstance(outs[0], dict) else {}
    digest, count = found.get("md5"), found.get("nfiles", 0)
    if not isinstance(digest, str) or not DIGEST.fullmatch(digest) or not isinstance(count, int):
        remedy = f"`git checkout {record}`, or let `dvc add` write it"
        raise WorkspaceError([Problem(str(record), "DVC's record of one folder, with its md5", "another form", remedy)])
    return Recorded(digest, count)


def unrecorded(root: Path, record: Path) -> Iterator[Problem]:
    """Files below a folder that DVC's cache does not hold as they are: added or changed since DVC recorded it.

    Raises
    ------
    WorkspaceError
        When there is no such record, or DVC's cache lacks the listing that it names.
    """
    known = _listing(recorded(record).digest, record)
    remedy = f"move it away, or let DVC keep it (`dvc add {root}`), then undo again"
    for path in sorted(path for path in below(root) if path.name not in LEFT):
        name = path.relative_to(root).as_posix()
        if name not in known:
            yield Problem(str(path), "a file that was imported", "one that was added since", remedy)
        elif not path.is_file() or md5(path) != known[name]:
            yield Problem(str(path), "the file as it was imported", "another content", remedy)


def _listing(digest: str, record: Path) -> Mapping[str, str]:
    """Return the md5 of every file of a folder, by its POSIX path in it."""
    done = subprocess.run([sys.executable, "-m", "dvc", "cache", "dir"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        got = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise WorkspaceError([refusal("dvc cache dir", got, "fix the cause, then undo again")])
    path = Path(done.stdout.strip(), "files/md5", digest[:2], digest[2:])
    try:
        content = parse_json(read_text(path, str(path), max_bytes=MOST_BYTES), str(path))
    except DocumentError as error:
        remedy = f"`dvc fetch {record}`, or remove the folder yourself"
        problems = (Problem(one.where, "the listing of what was imported", one.got, remedy) for one in error.problems)
        raise WorkspaceError(problems) from error
    return {one["relpath"]: one["md5"] for one in content}
