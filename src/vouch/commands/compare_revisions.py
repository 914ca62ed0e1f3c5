"""A model or system of one revision against itself at another: predictions of both from DVC's cache, compared anew.

This is the comparison that the stages `compare` and `compare_counts` make, on what two revisions share: it reads
val_test to judge, as they do, and writes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vouch import params, paths
from vouch.calibration.apply.calibrator import calibrated, fitted_from
from vouch.commands.known import classes_in
from vouch.commands.revision import as_table, contents
from vouch.documents import decoded, parse_json
from vouch.errors import Problem, WorkspaceError, refuse_any
from vouch.evaluation.comparison.differences import Comparing, compare, resampled
from vouch.evaluation.detectable import detectable
from vouch.evaluation.gates.metrics_files import family
from vouch.evaluation.metrics.counts import numbered_counts
from vouch.evaluation.metrics.definitions.metric import OVERALL
from vouch.evaluation.metrics.numbering import numbered
from vouch.evaluation.metrics.strata import every_stratum, strata_masks
from vouch.evaluation.metrics.table import applies
from vouch.evaluation.shared_ground import Ground, shared_counts, shared_rows
from vouch.policies.apply.policy import decided
from vouch.roads import task_of
from vouch.splits import contract
from vouch.stages import compare as of_models
from vouch.stages import compare_counts as of_systems
from vouch.tasks import ByTask, Task

ROOM = 2  # the least corrected p is alpha / ROOM: a difference that is beyond all patterns of signs can be shown
LABELS: ByTask[tuple[str, ...]] = ByTask(detect=("labels",), classify=("labels",), identify=())


@dataclass(frozen=True)
class Compared:
    """What `evaluation.comparison.differences.compare` found, each difference with `detectable`, and on what."""

    differences: dict[str, dict[str, dict[str, Any]]]
    ground: Ground
    margins: Mapping[str, float]
    level: float


@dataclass(frozen=True)
class Revision:
    """One side: a revision and the option that names it, or this checkout."""

    option: str
    name: str | None

    def read(self, places: Iterable[Path], *, remedy: str) -> dict[Path, bytes]:
        """Return the content of files, all or none.

        Raises
        ------
        WorkspaceError
            When there is no such revision; naming each file that is not there.
        """
        if self.name is not None:
            expected = "its content, in git or in DVC's cache or remote"
            return contents(places, self.name, option=self.option, expected=expected, remedy=remedy)
        absent = [path for path in places if not path.is_file()]
        remedy = "`dvc checkout` it, or run `make repro`"
        refuse_any(WorkspaceError, [Problem(str(path), "a file", "none", remedy) for path in absent])
        return {path: path.read_bytes() for path in places}

    def where(self, path: Path) -> str:
        """Return the name of a file for a message."""
        return str(path) if self.name is None else f"{path} at {self.name}"


@dataclass(frozen=True)
class Side:
    """What a model said on val_test, what it can say, and how that is decided."""

    rows: pd.DataFrame  # of the waist
    labels: frozenset[str]
    calibrator: dict[str, Any]
    policy: dict[str, Any]


def compared_models(name: str, candidate: Revision, baseline: Revision) -> Compared:
    """Compare a model of two revisions, each side by its own calibrator and policy.

    Raises
    ------
    VouchError
        When a revision, or the model in it, is not there or of another task, or its files are not; when they share no
        sample or label.
    """
    asked, task = params.load(of_models.Params, "models", name, "compare"), task_of(name)
    contract.allow("val_test", "judge")
    return compared_sides(_side(name, task, candidate), _side(name, task, baseline), task, asked)


def compared_sides(candidate: Side, baseline: Side, task: Task, asked: of_models.Params) -> Compared:
    """Compare two models of one task on the rows that both have; misses of both by the candidate's positive class.

    Raises
    ------
    DataError
        When they share no sample or label.
    """
    ground = shared_rows(candidate.rows, baseline.rows, task, (candidate.labels, baseline.labels))
    judged = [
        numbered(
            decided(side.policy, calibrated(side.calibrator, rows)),
            task=task,
            floor=fitted_from(side.calibrator),
            positive=candidate.policy.get("positive"),
        )
        for side, rows in ((candidate, ground.candidate), (baseline, ground.baseline))
    ]
    return _compared(judged, ground, asked, correlation=candidate.policy["intraclass_correlation"])


def compared_systems(name: str, candidate: Revision, baseline: Revision) -> Compared:
    """Compare the counts of a system of two revisions.

    Raises
    ------
    VouchError
        As `compared_models`.
    """
    asked = params.load(of_systems.Params, "systems", name, "compare_counts")
    contract.allow("val_test", "judge")
    tables = []
    for revision in (candidate, baseline):
        _entry("systems", name, revision)
        path = paths.counts(name)
        found = revision.read([path], remedy=_remedy(f"compose@{name}"))
        tables.append(numbered_counts(as_table(path, found[path])))
    ground = shared_counts(*tables)
    judged = [numbered_counts(side) for side in (ground.candidate, ground.baseline)]
    return _compared(judged, ground, asked, correlation=asked.intraclass_correlation)


def _compared(judged: list[pd.DataFrame], ground: Ground, asked: Comparing, *, correlation: float) -> Compared:
    """Compare the whole, every class and every stratum, with patterns of signs enough for so many differences."""
    strata = list(dict.fromkeys([*every_stratum(judged[0]), *asked.strata]))
    masks = strata_masks(pd.concat(judged, ignore_index=True), strata)
    size = sum(applies(metric, stratum) for metric in asked.margins for stratum in masks)
    patterns = max(asked.replicates, int(np.ceil(ROOM * size / (1 - asked.level))))
    resampling = resampled(asked, ground.n_groups, patterns=patterns, correlation=correlation)
    found = compare(*judged, margins=asked.margins, strata=strata, resampling=resampling)
    tested = max(1, family(found))
    for metric in asked.margins:
        for one in found[metric].values():
            one["detectable"] = detectable(one, name=metric, family=tested, level=asked.level)
    return Compared(found, ground, asked.margins, asked.level)


def against_candidate(found: Compared) -> list[str]:
    """Say what stands against the candidate: a loss anywhere, and a whole that is not shown to be no worse."""
    lost = [
        f"{metric} of {stratum} is worse"
        for metric, strata in found.differences.items()
        for stratum, one in strata.items()
        if metric != OVERALL and one["verdict"] == "worse"
    ]
    unclear = [
        f"{metric} of the whole: {one['verdict'].replace('_', ' ')}"
        for metric in found.margins
        if (one := found.differences[metric]["all"])["verdict"] in ("unknown", "few_groups")
    ]
    return [*lost, *unclear]


def _side(name: str, task: Task, revision: Revision) -> Side:
    said = _entry("models", name, revision).get("task")
    if said != task:
        where, remedy = f"{revision.option} {revision.name}", "name a revision in which it is the same"
        raise WorkspaceError([Problem(where, f"{name} as a model to {task}", f"one to {said}", remedy)])
    table = paths.predictions(name, "candidate", "val_test")
    files = {part: paths.model(name, f"{part}.json") for part in ("calibrator", "policy", *LABELS[task])}
    found = revision.read([table, *files.values()], remedy=_remedy(f"evaluate@{name}"))
    rows = as_table(table, found[table])
    parts = {part: _json(found[path], revision.where(path)) for part, path in files.items()}
    known: Iterable[str] = rows["class_true"].dropna()
    if "labels" in parts:
        known = classes_in(parts["labels"], revision.where(files["labels"]))
    return Side(rows, frozenset(map(str, known)), parts["calibrator"], parts["policy"])


def _entry(kind: str, name: str, revision: Revision) -> dict[str, Any]:
    """Return what params.yaml of a revision says of a model or system in `pipeline`."""
    content = revision.read([params.PARAMS], remedy="name a revision of this project")[params.PARAMS]
    where = revision.where(params.PARAMS)
    found: Any = params.parse_params(decoded(content, where), where)
    for key in ("pipeline", kind, name):
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        expected = f"an entry pipeline.{kind}.{name}"
        raise WorkspaceError([Problem(where, expected, "none", f"name a revision that has {name}")])
    return found


def _json(content: bytes, where: str) -> dict[str, Any]:
    found = parse_json(decoded(content, where), where)
    if not isinstance(found, dict):
        raise WorkspaceError([Problem(where, "a JSON object", type(found).__name__, "build that revision again")])
    return found


def _remedy(stage: str) -> str:
    return f"`dvc fetch --all-commits` it, or run `dvc repro {stage}` in a checkout of that revision, and push"
