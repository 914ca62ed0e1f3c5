"""What DVC would run again before a verdict holds: hashes say what was judged, DVC whether the rest followed from it.

`dvc repro -s gate@M` writes new hashes beside numbers of an earlier evaluation; only dvc.lock shows that.
"""

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vouch.commands.dvc_busy import refusal
from vouch.errors import Problem, WorkspaceError, refuse_any

RECORDED = "code, parameters, inputs and outputs as dvc.lock records them"
NOTHING = "nothing"


@dataclass(frozen=True)
class Stale:
    """Stages that are not as dvc.lock records them, and tracked data that make them so or keep them from running."""

    stages: tuple[str, ...]
    lacking: Mapping[str, str]  # path: what there is of it, say "3 of 7 files", or NOTHING

    def is_part(self, path: str) -> bool:
        """Whether some of a folder's files are here and others are not, which makes it another folder."""
        return self.lacking[path] != NOTHING


def refuse_stale(name: str, stages: Sequence[str] = ("gate", "bundle")) -> None:
    """Return when everything that the gate and the bundle of a model or system are made of is as dvc.lock records it.

    `stages` make them. Data that are not here are taken as dvc.lock has them, as a clone without data has none.

    Raises
    ------
    WorkspaceError
        Naming each stage whose code, parameters, inputs or outputs are others, or what kept DVC from saying so.
    """
    targets = [f"{stage}@{name}" for stage in stages]
    command = f"dvc repro {' '.join(targets)}"
    found = stale(targets, command)
    refuse_any(WorkspaceError, (Problem(one, RECORDED, "others", f"run `{command}`") for one in found.stages))


def stale(targets: Sequence[str], command: str) -> Stale:
    """Return what is not as dvc.lock records it of these stages and all before them; of no targets, of the whole graph.

    Raises
    ------
    WorkspaceError
        With what kept DVC from saying so, as that of `command`.
    """
    from dvc.exceptions import DvcException  # half a second that the other commands need not wait
    from dvc.repo import Repo
    from dvc.repo.reproduce import collect_stages, get_active_graph, plan_repro

    try:
        with _quiet(), Repo() as repo, repo.lock:
            graph = get_active_graph(repo.index.graph)
            upstream = plan_repro(graph, collect_stages(repo, targets) if targets else None)
            # not reproduce(dry=True): past the first stage that changed, it wants the data themselves
            changed = [one for one in upstream if one.changed(True, list(graph.successors(one)))]
            return Stale(tuple(one.addressing for one in changed), _lacking(upstream, changed))
    except (DvcException, OSError) as error:
        got = " ".join(f"{error}: {error.__cause__ or ''}".split()).rstrip(": ")
        raise WorkspaceError([refusal(f"{command} --dry", got, "fix it first")]) from error


def _lacking(upstream: Sequence[Any], changed: Sequence[Any]) -> dict[str, str]:
    """Return what there is of folders that lack files, which makes them others, and of what changed stages read."""
    needed = {dep.fs_path for stage in changed for dep in stage.deps}
    tracked = {str(out): out for stage in upstream for out in stage.outs if out.use_cache}
    return {
        path: f"{present} of {out.meta.nfiles} files" if present else NOTHING
        for path, out in sorted(tracked.items())
        for present in [_files(Path(out.fs_path))]
        if (0 < present < (out.meta.nfiles or 0)) or (not present and out.fs_path in needed)
    }


def _files(path: Path) -> int:
    return sum(one.is_file() for one in path.rglob("*")) if path.is_dir() else int(path.is_file())


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
