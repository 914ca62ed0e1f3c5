"""The verdict of a gate, opened: consistent with itself, and about the files at hand, or refused.

gate.json         {passed, rules: {name: verdict}, power, judged}
power             what the rules can see: `plan.power`
judged.files      {file of models/M and of its bundle: sha256}
judged.predictions {candidate, baseline}: sha256 of each side's table on val_test

A system's judges {bundle/PART/manifest.json: sha256}, each of which names every file of its part, and each side's table
of counts.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from vouch import io, paths
from vouch.errors import Problem, VouchError, WorkspaceError, refuse_any
from vouch.evaluation.gates import metrics_files
from vouch.evaluation.gates.judging import kept, passes
from vouch.evaluation.gates.rules import KINDS, End, Kind, Operator, Severity, Source
from vouch.params import Section

FILES = ("calibrator.json", "labels.json", "model.onnx", "policy.json", "preprocess.json")

Chance = Annotated[float, Field(ge=0.0, le=1.0)]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class RuleVerdict(Section):
    """One rule's verdict, as `judging.judge` gives it."""

    passed: bool
    metric: str
    source: Source
    stratum: str
    kind: Kind
    bound: End
    op: Operator
    limit: float
    observed: float | None
    expected_by_chance: float | None
    n_groups: Annotated[int, Field(ge=0)] | None
    severity: Severity
    reason: str
    equal_passes: Annotated[float, Field(ge=0, le=1)] | None
    resolved_margin: Annotated[float, Field(ge=0)] | None
    waived_until: date | None
    waiver_reason: str | None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.kind != KINDS[self.bound]:
            raise ValueError(f"a rule that reads {self.bound} is a {KINDS[self.bound]}")
        if self.passed and not kept(self.observed, self.op, self.limit):
            raise ValueError(f"passed, and yet {self.observed} is not {self.op} {self.limit}")
        if self.passed != (self.reason == ""):
            raise ValueError("a rule that failed has a reason, and no other has one")
        if (self.waived_until is None) != (self.waiver_reason is None):
            raise ValueError("a waiver has a day and a reason")
        return self


class Predictions(Section):
    """Hashes of what either side said of val_test."""

    candidate: Hash
    baseline: Hash


class Judged(Section):
    """What the verdict is about."""

    files: dict[str, Hash]
    predictions: Predictions

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.files.keys() not in (set(FILES), {*FILES, paths.GALLERY}):
            raise ValueError(f"files are {', '.join(FILES)}, and of an embedder {paths.GALLERY}")
        return self


class RulePower(Section):
    """What one rule can see, as `plan.power` gives it; null where nothing shows how the metric varies."""

    truth: float | None
    compliant: Chance | None
    again: Chance | None


class Power(Section):
    """What the gate can see."""

    beyond: float
    compliant: Chance
    passes: Chance
    underpowered: bool
    by_rule: dict[str, RulePower]


class Consistent(Section):
    """A verdict that says of itself what its rules say."""

    passed: bool
    rules: dict[str, RuleVerdict]
    power: Power

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.passed != passes({name: one.model_dump() for name, one in self.rules.items()}):
            raise ValueError(f"passed is {str(self.passed).lower()}, and yet the rules say otherwise")
        if self.power.by_rule.keys() != self.rules.keys():
            raise ValueError("power is of other rules than those that were judged")
        return self


class Verdict(Consistent):
    """metrics/M/gate.json."""

    judged: Judged


class JudgedSystem(Section):
    """What the verdict on a system is about."""

    files: dict[Literal["bundle/detector/manifest.json", "bundle/identifier/manifest.json"], Hash]
    counts: Predictions


class SystemVerdict(Consistent):
    """metrics/S/gate.json of a system."""

    judged: JudgedSystem


def judged_parts(system: str, models: Mapping[str, str]) -> dict[str, Any]:
    """Return the hashes of what a system's gate judges: the manifests of its models' bundles, and both counts."""
    manifests = {part: paths.model(model, "bundle/manifest.json") for part, model in models.items()}
    files = {f"bundle/{part}/manifest.json": io.sha256(path) for part, path in manifests.items()}
    counted = {side: io.sha256(path) for side, path in _counts(system).items()}
    return {"files": files, "counts": counted}


def judged_counts(verdict: Mapping[str, Any], system: str) -> dict[Path, str]:
    """Return the hash of each table of counts that the verdict on a system judged."""
    sides: Mapping[str, str] = verdict["judged"]["counts"]
    return {path: sides[side] for side, path in _counts(system).items()}


def _counts(system: str) -> dict[str, Path]:
    return {"candidate": paths.counts(system), "baseline": paths.baseline_counts(system)}


def open_system_verdict(system: str) -> dict[str, Any]:
    """Return what metrics/S/gate.json of a system holds.

    Raises
    ------
    WorkspaceError
        As `open_verdict` does.
    """
    remedy = f"run `dvc repro gate_system@{system}`"
    return metrics_files.read(paths.metrics(system, "gate"), SystemVerdict, remedy=remedy)


def is_of_system(name: str) -> bool:
    """Whether a verdict is on a system: what has counts of its own is one."""
    return paths.metrics(name, "counts").exists()


def any_verdict(name: str) -> dict[str, Any]:
    """Return the verdict on a model or a system.

    Raises
    ------
    WorkspaceError
        As `open_verdict` does.
    """
    return open_system_verdict(name) if is_of_system(name) else open_verdict(name)


def judged_now(model: str, names: str) -> dict[str, Any]:
    """Return the hashes of what a gate judges, for its verdict to name; `names` is the file of the possible answers."""
    return {
        "files": {name: io.sha256(paths.model(model, name)) for name in sorted({*FILES, names})},
        "predictions": {side: io.sha256(paths.predictions(model, side, "val_test")) for side in paths.SIDES},
    }


def open_verdict(model: str) -> dict[str, Any]:
    """Return what metrics/M/gate.json holds.

    Raises
    ------
    WorkspaceError
        Listing what is wrong with it: not there, not of its form, or contradicting itself.
    """
    remedy = f"run `dvc repro gate@{model}`"
    return metrics_files.read(paths.metrics(model, "gate"), Verdict, remedy=remedy)


def judged_files(verdict: Mapping[str, Any], folder: Path) -> dict[Path, str]:
    """Return the hash of each file of models/M or of a bundle that the verdict judged."""
    files: Mapping[str, str] = verdict["judged"]["files"]
    return {folder / name: sha256 for name, sha256 in files.items()}


def judged_predictions(verdict: Mapping[str, Any], model: str) -> dict[Path, str]:
    """Return the hash of each prediction table that the verdict judged."""
    sides: Mapping[str, str] = verdict["judged"]["predictions"]
    return {paths.predictions(model, side, "val_test"): sha256 for side, sha256 in sides.items()}


def refuse_others(judged: Mapping[Path, str], *, remedy: str, error: type[VouchError] = WorkspaceError) -> None:
    """Return when every file is the one that was judged.

    Raises
    ------
    VouchError
        Of the type `error`, naming each file that is another one, or is not there.
    """
    found = {path: io.sha256(path) if path.is_file() else None for path in judged}
    refuse_any(
        error,
        (
            Problem(str(path), f"the file that the gate judged, sha256 {judged[path]}", str(sha256 or "none"), remedy)
            for path, sha256 in found.items()
            if sha256 != judged[path]
        ),
    )
