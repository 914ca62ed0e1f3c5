"""Stages: `python -m vouch.stages.<verb> NAME ...`, one short file per stage of dvc.yaml."""

import fcntl
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

if importlib.util.find_spec("pydantic") is None:
    sys.exit(f"vouch: {sys.executable} lacks the locked packages; run `make setup` and put .venv/bin first on PATH")

from vouch.errors import Problem, WorkspaceError, exiting
from vouch.paths import SCRATCH


def main(run: Callable[..., None]) -> None:
    """Run one stage with the command line's words; a refusal prints its problems and exits 1."""
    with exiting(), _alone("-".join([Path(sys.argv[0]).stem, *sys.argv[1:]])):
        run(*sys.argv[1:])


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
