"""Stages: `python -m vouch.stages.<verb> NAME ...`, one short file per stage of dvc.yaml.

What a stage does with its words is its own; that they are names and paths of this repository is checked here, and so
are the roads of params.yaml: a bare `dvc repro` hands on whatever stands there.
"""

import fcntl
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

if importlib.util.find_spec("pydantic") is None:
    sys.exit(f"vouch: {sys.executable} lacks the locked packages; run `make setup` and put .venv/bin first on PATH")

from vouch.errors import ParamsError, Problem, WorkspaceError, exiting, refuse_any
from vouch.names import wrong_names, wrong_paths
from vouch.paths import SCRATCH
from vouch.road_agreement import check_workspace

PATHS = {  # parameters of stages; all others are names
    *("baseline", "baseline_bundle", "start", "unlabelled", "names"),
    *("detector_baseline", "identifier_baseline"),
}


def main(run: Callable[..., None]) -> None:
    """Run one stage with the command line's words; a refusal prints its problems and exits 1."""
    with exiting():
        check_words(run, sys.argv[1:])
        check_workspace()
        with _alone("-".join([Path(sys.argv[0]).stem, *sys.argv[1:]])):
            run(*sys.argv[1:])


def check_words(run: Callable[..., None], words: list[str]) -> None:
    """Refuse a command line whose words are no names or paths, or too few or too many for a stage's `run`.

    Raises
    ------
    ParamsError
        Listing every word that is none.
    WorkspaceError
        When their number is wrong.
    """
    signature = inspect.signature(run)
    try:
        given = signature.bind(*words).arguments.items()
    except TypeError as error:
        expected = " ".join(name.upper() for name in signature.parameters)
        raise WorkspaceError([Problem(Path(sys.argv[0]).stem, expected, str(error), "see dvc.yaml")]) from error
    names = wrong_names((name.upper(), word) for name, word in given if name not in PATHS)
    refuse_any(ParamsError, names + wrong_paths((name.upper(), word) for name, word in given if name in PATHS))


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
