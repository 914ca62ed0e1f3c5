"""`vouch curate import`: a reviewed bundle becomes one more source of its data set."""

import json
import os
import posixpath
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from vouch import io, paths
from vouch.commands import importing
from vouch.commands.curate.check import Folder, checked
from vouch.commands.curate.params import max_megapixels
from vouch.curation.annotation.records import Kept, Labels, Manifest, Review
from vouch.errors import DataError, Problem, WorkspaceError, refuse_any, so_many
from vouch.fingerprint import compared, described, fingerprint
from vouch.params import load
from vouch.quality import images
from vouch.sources.descriptor import OPTIONS, check_descriptor
from vouch.sources.options import rules_of
from vouch.sources.tree import walk
from vouch.stages import ingest

FILE = "reviewed.jsonl"
SHOWN = 8  # samples of each kind of difference that are printed


def import_(
    folder: Folder,
    dataset: Annotated[str, typer.Argument(help="Data set of the bundle; its photographs were imported.")],
    name: Annotated[str, typer.Option(help="Name of this source in the data set.")] = "reviewed",
    group: Annotated[
        list[str] | None, typer.Option(help="Leakage key that the bundle does not state, say session=value:round_1.")
    ] = None,
    strata: Annotated[list[str] | None, typer.Option(help="Likewise a stratum, say light=value:day.")] = None,
) -> None:
    """Make a bundle that passes `curate check --strict` a source of DATASET, and say what changed in it.

    Boxes and classes are those of the first reviewer in the order of names: the others agree with them.

    Raises
    ------
    VouchError
        Listing everything that stands against it; nothing is written then.
    """
    manifest, reviews, unfinished = checked(folder)
    refuse_any(DataError, [*unfinished, *_foreign(manifest, dataset)])
    refuse_any(WorkspaceError, _drawn(dataset))
    content = {
        "name": name,
        "format": "jsonl",
        "unlabelled": "refuse",
        "groups": rules_of(group or [], default_key="group"),
        "strata": rules_of(strata or [], default_key=None),
        "annotations": [FILE],
    }
    descriptor = check_descriptor(content, OPTIONS)
    taxonomy = load(ingest.Params, "datasets", dataset, "ingest").taxonomy()
    before = _state(dataset)
    with tempfile.TemporaryDirectory() as place:
        listed = Path(place, FILE)
        io.write_text(listed, _lines(manifest, reviews))
        source = importing.check(dataset, walk(folder, {FILE: listed}), descriptor, taxonomy)
        importing.add(dataset, source, typer.echo)
    after = _state(dataset, before)
    typer.echo(f"{paths.source(dataset) / name}: {so_many(len(manifest.photographs), 'photograph')}")
    typer.echo("\n".join(described(compared(_printed(dataset, before), _printed(dataset, after)), shown=SHOWN)))
    typer.echo(f"for git: {importing.tracked(dataset)}; to let no new group judge the model, before `dvc repro`:")
    typer.echo(f"vouch split assign {dataset} --source {name} --to train")


def _foreign(manifest: Manifest, dataset: str) -> list[Problem]:
    if manifest.dataset == dataset:
        return []
    return [Problem("DATASET", f"the bundle's: {manifest.dataset}", dataset, "name it; its classes were asked for")]


def _drawn(dataset: str) -> list[Problem]:
    """Refuse a rendered data set: an import would take the place of its scenes, and retire its splits."""
    record = importing.tracked(dataset)
    expected, remedy = "an imported data set", f"`vouch import {dataset} PATH` first: it takes the place of the scenes"
    return [] if record.exists() else [Problem(str(record), expected, "none", remedy)]


def _lines(manifest: Manifest, reviews: Mapping[str, Review]) -> str:
    rows = []
    for page in manifest.photographs:
        labels = next(reviews[who][page.image] for who in sorted(reviews) if page.image in reviews[who])
        rows.append(json.dumps(_line(page, labels), ensure_ascii=False, allow_nan=False, sort_keys=True) + "\n")
    return "".join(rows)


def _line(page: Kept, labels: Labels) -> dict[str, Any]:
    line: dict[str, Any] = {"image": page.image, "width": page.width, "height": page.height}
    line |= {"groups": dict(page.groups), "strata": dict(page.strata)}
    if labels.label is not None:
        return line | {"label": labels.label}
    names = ("class", "x1", "y1", "x2", "y2")
    return line | {"boxes": [dict(zip(names, _within(box, page), strict=True)) for box in labels.boxes]}


def _within(box: tuple[str, float, float, float, float], page: Kept) -> tuple[str, float, float, float, float]:
    """Return a box without the pixel by which a tool's rounding may leave the picture."""
    name, x1, y1, x2, y2 = box
    return name, max(x1, 0.0), max(y1, 0.0), min(x2, float(page.width)), min(y2, float(page.height))


State = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]  # samples, boxes, scan


def _state(dataset: str, known: State | None = None) -> State:
    """Return what the sources of a data set are now; photographs that the scan before has not seen are scanned."""
    found = ingest.read(dataset)
    scan = known[2] if known is not None else io.read_table(paths.quality(dataset, "scan"))
    samples = found.samples
    new = samples[~samples["sample_id"].isin(scan["sample_id"])]
    most, workers = max_megapixels(dataset), len(os.sched_getaffinity(0))
    records = images.scan([Path(posixpath.normpath(one)) for one in new["image"]], max_megapixels=most, workers=workers)
    both = pd.concat([scan, images.tabulate(list(new["sample_id"]), list(records))], ignore_index=True)
    return samples, found.boxes, both[both["sample_id"].isin(samples["sample_id"])].reset_index(drop=True)


def _printed(dataset: str, state: State) -> dict[str, Any]:
    samples, boxes, scan = state
    return fingerprint(dataset, samples, boxes, scan)
