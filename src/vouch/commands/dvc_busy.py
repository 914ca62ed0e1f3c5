"""Calls of DVC, and another one at work in this checkout: who it is, and what to do until it is done.

While a stage runs, DVC notes the paths that it reads and writes in .dvc/tmp/rwlock, each with the process; while it
plans, it holds .dvc/tmp/lock. Whatever else asks DVC for the same meets one of the two.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vouch.documents import DocumentError, parse_json, read_text
from vouch.errors import Problem, WorkspaceError

RWLOCK = Path(".dvc/tmp/rwlock")
MOST_BYTES = 2**26  # of it: a path and a process each
TEMP = "`dvc exp run --temp`"  # works in a copy
MET = re.compile(r"Unable to acquire lock|is busy, it is being blocked by")  # DVC's words


def dvc(*words: str, remedy: str) -> None:
    """Run a command of DVC to its end; nothing is sent anywhere.

    Raises
    ------
    WorkspaceError
        When DVC refuses, with what it said.
    """
    command = [sys.executable, "-m", "dvc", *words]  # --quiet would hide its errors too
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        said = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise WorkspaceError([refusal(f"dvc {' '.join(words)}", said, remedy)])


def refusal(where: str, said: str, remedy: str) -> Problem:
    """Return what a call of DVC that failed comes to: that another one is at work, or else what DVC said."""
    if MET.search(said) is None:
        return Problem(where, "success", said, remedy)
    if busy := at_work():
        wait = f"wait until it is done, then repeat; to try something meanwhile, use another clone (or {TEMP})"
        return Problem(where, "no other DVC at work in this checkout", " and ".join(busy), wait)
    left = f"repeat; where no `dvc` runs (`ps`), it was killed: remove {RWLOCK}, then repeat"
    return Problem(where, "no other DVC at work in this checkout", "one, or what a killed one left", left)


def at_work() -> tuple[str, ...]:
    """Return the DVC processes that now run stages in this checkout, as a person knows them; sorted."""
    if not RWLOCK.is_file():
        return ()
    try:
        content = parse_json(read_text(RWLOCK, str(RWLOCK), max_bytes=MOST_BYTES), str(RWLOCK))
    except DocumentError:  # DVC is writing it this moment, or left it half written: then it says so itself
        return ()
    return tuple(sorted({f"{command} (process {pid})" for pid, command in _holders(content) if _lives(pid)}))


def _holders(content: Any) -> Iterator[tuple[int, str]]:
    """Yield process and command of every entry: a path has one that writes it, or a list of those that read it."""
    paths = [entry for kind in ("write", "read") for entry in _mapping(_mapping(content).get(kind)).values()]
    for entry in paths:
        for one in entry if isinstance(entry, list) else [entry]:
            pid, command = _mapping(one).get("pid"), _mapping(one).get("cmd")
            if isinstance(pid, int) and isinstance(command, str):
                program, _, rest = command.partition(" ")
                yield pid, f"{Path(program).name} {rest}".strip()


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _lives(pid: int) -> bool:
    if pid <= 0 or pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OverflowError:
        return False
    except PermissionError:  # another person's
        return True
    return True
