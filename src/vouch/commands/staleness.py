"""What DVC would run again before a verdict holds: hashes say what was judged, DVC whether the rest followed from it.

`dvc repro -s gate@M` writes new hashes beside numbers of an earlier evaluation; only dvc.lock shows that.
"""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from vouch.commands.dvc_busy import refusal
from vouch.errors import Problem, WorkspaceError, refuse_any


def refuse_stale(name: str, stages: Sequence[str] = ("gate", "bundle")) -> None:
    """Return when everything that the gate and the bundle of a model or system are made of is as dvc.lock records it.

    `stages` make them. Data that are not here are taken as dvc.lock has them, as a clone without data has none.

    Raises
    ------
    WorkspaceError
        Naming each stage whose code, parameters, inputs or outputs are others, or what kept DVC from saying so.
    """
    from dvc.exceptions import DvcException  # half a second that the other commands need not wait
    from dvc.repo import Repo
    from dvc.repo.reproduce import collect_stages, get_active_graph, plan_repro

    targets = [f"{stage}@{name}" for stage in stages]
    command = f"dvc repro {' '.join(targets)}"
    try:
        with _quiet(), Repo() as repo, repo.lock:
            graph = get_active_graph(repo.index.graph)
            upstream = plan_repro(graph, collect_stages(repo, targets))
            # not reproduce(dry=True): past the first stage that changed, it wants the data themselves
            stale = [one.addressing for one in upstream if one.changed(True, list(graph.successors(one)))]
    except (DvcException, OSError) as error:
        got = " ".join(f"{error}: {error.__cause__ or ''}".split()).rstrip(": ")
        raise WorkspaceError([refusal(f"{command} --dry", got, "fix it first")]) from error
    expected = "code, parameters, inputs and outputs as dvc.lock records them"
    refuse_any(WorkspaceError, (Problem(one, expected, "others", f"run `{command}`") for one in stale))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep DVC from printing every stage that did not change, and what its own packages deprecate."""
    log = logging.getLogger("dvc")
    level = log.level
    try:
        log.setLevel(logging.CRITICAL)
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        log.setLevel(level)
