"""`vouch check MODEL`, or a system: what is known of its verdict before anything is trained."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import pandas as pd
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from vouch import io, params, paths
from vouch.calibration.fit.params import SECTIONS
from vouch.commands.known import refuse_unknown
from vouch.commands.rebuild import SECONDS, minutes
from vouch.errors import Problem, WorkspaceError, plural, refuse_any
from vouch.evaluation import foresight
from vouch.evaluation.foresight import SMALL_PX, Outlook
from vouch.evaluation.gates.power import World
from vouch.paths import SPLITS
from vouch.policies.fit.params import Exits
from vouch.roads import task_of
from vouch.splits.contract import read_split
from vouch.stages import decide, gate_system
from vouch.stages.gate import Params

TRAINING = ("extract_features", "pretrain", "train_cached", "train_classifier", "train_detector", "train_embedder")
TURNED = 5  # from this EXIF orientation on, width and height as stored change places


@dataclass(frozen=True)
class Known:
    """What the splits, the labels and the last build say."""

    splits: Mapping[str, tuple[int, int]]  # photographs and groups of each
    outlooks: tuple[Outlook, ...]
    small: pd.DataFrame | None  # boxes of each class under 8 pixels; None where nothing is trained on boxes
    size_px: int | None
    raw: str  # that scores stay raw, for val_select is too small for a calibrator; empty: they do not
    seconds: Mapping[str, float]  # what each training stage took here last time

    @property
    def out_of_reach(self) -> list[Outlook]:
        """What would stand against a release whatever is trained."""
        return [one for one in self.outlooks if one.why and one.blocks]


def check(
    model_or_system: Annotated[str, typer.Argument(help="Model or system of params.yaml, say driver.")],
    enforce: Annotated[bool, typer.Option("--enforce", help="Exit 1 when something can never pass.")] = False,
) -> None:
    """Say before any training what can never pass: groups against every rule, certificates, boxes too small to see.

    Of a system that is said of its detector, of its identifier, and of the rules on its counts.

    Raises
    ------
    ParamsError
        When there is no such model or system.
    WorkspaceError
        When its data set has not been split.
    """
    refuse_unknown({"model_or_system": model_or_system})
    found = {name: look(name) for name, look in _parts(model_or_system)}
    for name, part in found.items():
        show(name, part)
    if enforce and any(part.out_of_reach for part in found.values()):
        raise typer.Exit(1)


def _parts(name: str) -> list[tuple[str, Callable[[str], Known]]]:
    """Return what a verdict hangs on, and how each is looked at: a model alone, or a system's two and its counts."""
    system = params.read_value("pipeline").get("systems", {}).get(name)
    if system is None:
        return [(name, known)]
    return [(system["detector"], known), (system["identifier"], known), (name, known_of_system)]


def known_of_system(system: str) -> Known:
    """Return what is known of a system's counts before any training; no count is read.

    Raises
    ------
    ParamsError, WorkspaceError
        As `check` does.
    """
    dataset = params.read_value("pipeline", "systems", system, "dataset")
    refuse_any(WorkspaceError, unsplit(dataset))
    gate = params.load(gate_system.Params, "systems", system, "gate_system")
    members = _members(dataset)
    judged_on = members["val_test"].merge(io.read_table(paths.manifest(dataset, "samples")), on="sample_id")
    waived = frozenset(gate.waivers)
    outlooks = foresight.of_counts(gate.rules, judged_on, required=gate.required, waived=waived)
    return Known(_sizes(members), tuple(outlooks), small=None, size_px=None, raw="", seconds={})


def known(model: str) -> Known:
    """Return what is known of a model before any training; no prediction is read.

    Raises
    ------
    ParamsError, WorkspaceError
        As `check` does.
    """
    refuse_unknown({"model": model})
    models = params.read_value("pipeline", "models")
    dataset, task = models[model]["dataset"], task_of(model)
    refuse_any(WorkspaceError, unsplit(dataset))
    gate, decided, calibrator = (
        params.load(Params, "models", model, "gate"),
        params.load(decide.Params, "models", model, "decide").root,
        params.load(SECTIONS[task], "models", model, "calibrate"),
    )
    samples, boxes = (io.read_table(paths.manifest(dataset, table)) for table in ("samples", "boxes"))
    members = _members(dataset)
    rows = {name: foresight.labelled(members[name].merge(samples, on="sample_id"), boxes, task) for name in SPLITS}
    if task == "identify":
        rows = {name: foresight.unknown_left_out(one, rows["train"]) for name, one in rows.items()}
    level, seed = (params.read_value("models", model, "evaluate", key) for key in ("level", "seed"))
    outlooks = foresight.of_rules(
        gate.rules,
        rows["val_test"],
        required=gate.required,
        waived=frozenset(gate.waivers),
        task=task,
        positive=decided.positive if isinstance(decided, Exits) else None,
        world=World(level, decided.intraclass_floor, seed),
    )
    trained = models[model]["trained"]
    size_px = params.read_value("models", trained, "train_detector", "size_px") if task == "detect" else None
    return Known(
        _sizes(members),
        (*outlooks, *foresight.of_certificates(rows["val_calib"], decided)),
        small=None if size_px is None else foresight.small_boxes(boxes, _upright(samples, dataset), size_px),
        size_px=size_px,
        raw=foresight.of_calibrator(rows["val_select"], calibrator),
        seconds=_trained_in(trained),
    )


def _members(dataset: str) -> dict[str, pd.DataFrame]:
    return {name: read_split(dataset, name, purpose="describe") for name in SPLITS}


def _sizes(members: Mapping[str, pd.DataFrame]) -> dict[str, tuple[int, int]]:
    return {name: (len(one), one["group"].nunique()) for name, one in members.items()}


def unsplit(dataset: str) -> list[Problem]:
    """Return which splits of a data set are not there."""
    absent = [path for name in SPLITS if not (path := paths.split(dataset, name)).exists()]
    remedy = f"run `dvc repro split@{dataset}`"
    return [Problem(str(path), "what split writes", "no file", remedy) for path in absent]


def _upright(samples: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """Return `sample_id`, `width` and `height` as the photographs were decoded."""
    scanned = io.read_table(paths.quality(dataset, "scan"))[["sample_id", "width", "height", "orientation"]]
    turned = scanned["orientation"] >= TURNED
    sides = scanned.assign(
        width=scanned["width"].where(~turned, scanned["height"]),
        height=scanned["height"].where(~turned, scanned["width"]),
    )
    return sides[sides["sample_id"].isin(samples["sample_id"])]


def _trained_in(model: str) -> dict[str, float]:
    before: dict[str, float] = io.read_json(SECONDS) if SECONDS.exists() else {}
    return {name: before[name] for verb in TRAINING if (name := f"{verb}@{model}") in before}


def show(model: str, found: Known) -> None:
    """Print what is known in a few lines of 80 columns."""
    console = Console()
    console.print(f"known of {escape(model)} before any training:")
    for name, (photographs, groups) in found.splits.items():
        console.print(
            f"  {name:11}{photographs:>7} {plural('photograph', photographs):11}{groups:>7} {plural('group', groups)}",
            highlight=False,
        )
    table = Table(Column("on val_test, val_calib", overflow="fold"), "groups", "needed", "verdict", box=SIMPLE_HEAD)
    for one in _narrowest(found.outlooks):
        verdict = "[red]never[/red]" if one.why else "within reach"
        table.add_row(escape(one.name), str(one.groups), "" if one.needed is None else str(one.needed), verdict)
    console.print(table)
    for one in found.outlooks:
        if one.why:
            console.print(f"never: {escape(one.name)}: {escape(one.why)}", highlight=False)
    for sentence in _sentences(found):
        console.print(escape(sentence), highlight=False)


def _narrowest(outlooks: Sequence[Outlook]) -> list[Outlook]:
    """Return one line for each rule, that of the stratum with the fewest groups, and every one that is out of reach."""
    by_rule: dict[str, list[Outlook]] = {}
    for one in outlooks:
        by_rule.setdefault(one.name.partition("[")[0], []).append(one)
    fewest = [min(some, key=lambda one: one.groups) for some in by_rule.values()]
    return [one for one in outlooks if one.why or one in fewest]


def _sentences(found: Known) -> list[str]:
    said = []
    if found.small is not None:
        counts = found.small[["class_name", "boxes", "small"]].itertuples(index=False, name=None)
        of_class = [f"{name} {small} of {boxes}" for name, boxes, small in counts if small]
        of_all = f"{found.small['small'].sum()} of {found.small['boxes'].sum()}"
        said.append(
            f"boxes with a shorter side under {SMALL_PX} pixels on the canvas of {found.size_px}: "
            + ", ".join([of_all, *of_class])
        )
    if found.raw:
        said.append(found.raw)
    if found.seconds:
        spent = ", ".join(f"{name} {minutes(seconds)}" for name, seconds in found.seconds.items())
        said.append(f"training here took, last time: {spent}")
    never = len(found.out_of_reach)
    if never:
        said.append(f"{never} of these would stand against a release whatever is trained: more groups, or another rule")
    return said
