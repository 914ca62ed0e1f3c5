"""Stages: `python -m vouch.stages.<verb> NAME ...`, one short file per stage of dvc.yaml."""

import errno
import fcntl
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

if importlib.util.find_spec("pydantic") is None:
    sys.exit(f"vouch: {sys.executable} lacks the locked packages; run `make setup` and put .venv/bin first on PATH")

from vouch.errors import Problem, VouchError, WorkspaceError
from vouch.paths import SCRATCH


def main(run: Callable[..., None]) -> None:
    """Run one stage with the command line's words; a refusal prints its problems and exits 1."""
    try:
        with _alone("-".join([run.__module__ if run.__module__ != "__main__" else sys.argv[0], *sys.argv[1:]])):
            run(*sys.argv[1:])
    except VouchError as error:
        sys.exit(f"vouch: {error}")
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        problem = Problem(str(error.filename), "free disk space", error.strerror or "none", "free some, run it again")
        sys.exit(f"vouch: {WorkspaceError([problem])}")


@contextmanager
def _alone(words: str) -> Iterator[None]:
    """Hold a lock per (stage, name): a killed dvc leaves its stage running, and two writers would mix outputs."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    path = SCRATCH / f"{words.replace('/', '_')}.lock"
    with path.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            problem = Problem(str(path), "no other run of this stage", "one that still runs", "wait for it or end it")
            raise WorkspaceError([problem]) from error
        yield
