"""`vouch import` and `vouch manifest export`: a person's photographs in, a data set's manifest out."""

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, get_args

import pandas as pd
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from vouch import io, paths
from vouch.commands import importing
from vouch.commands.known import alike
from vouch.commands.outputs import Output, Overwrite, refuse_outputs
from vouch.commands.unheeded import unheeded, unheeded_by
from vouch.errors import DataError, ManifestError, Problem, refuse_any, so_many
from vouch.params import load, read_params, read_value
from vouch.sources.descriptor import OPTIONS, Format, check_descriptor
from vouch.sources.formats.export import Export, exported
from vouch.sources.options import labels_of, rules_of, split_of
from vouch.sources.summary import counted
from vouch.sources.tree import walk
from vouch.stages.ingest import Params
from vouch.tables import SPLIT_STATED
from vouch.vision.images.decoding import read_header

SUFFIXES = {"csv": (".csv",), "jsonl": (".jsonl",), "coco": (".json",)}  # the other formats are folders
NAME, UNLABELLED = "imported", "refuse"  # of a source, unless it is said
HEEDED: Mapping[str, tuple[Format, ...]] = {  # by which formats
    "--annotations": ("coco", "csv", "jsonl"),
    "--images": ("coco", "voc"),
    "--drop-crowds": ("coco",),
}
RULES = "KEY=column:NAME, KEY=name:REGEX (one group), KEY=folder:LEVEL (1 outermost, -1 innermost), KEY=value:TEXT"

Groups = Annotated[list[str] | None, typer.Option(help=f"Leakage key: {RULES}; or the column NAME of key `group`.")]
Strata = Annotated[list[str] | None, typer.Option(help=f"Stratum: {RULES}; or the column NAME of its own name.")]
Split = Annotated[str, typer.Option(help=f"The authors' split: {RULES.replace('KEY=', '')}; or the column NAME.")]


def import_(
    dataset: Annotated[str, typer.Argument(help="Data set of params.yaml that the photographs become.")],
    path: Annotated[Path | None, typer.Argument(help="Folder, or annotation file, to import.")] = None,
    form: Annotated[str, typer.Option("--format", help=" | ".join(get_args(Format)))] = "",
    name: Annotated[str, typer.Option(help="Name of this source in the data set.")] = NAME,
    group: Groups = None,
    strata: Strata = None,
    split: Split = "",
    label_map: Annotated[list[str] | None, typer.Option(help="FROM=TO renames a class, FROM= drops it.")] = None,
    unlabelled: Annotated[str, typer.Option(help="Photographs without a label are: negative | refuse.")] = UNLABELLED,
    manifest: Annotated[Path | None, typer.Option(help="CSV with group and strata columns beside the labels.")] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(help="Column of the manifest without a meaning, say group_split; repeatable.")
    ] = None,
    annotations: Annotated[list[Path] | None, typer.Option(help="COCO, CSV or JSONL file to read; repeatable.")] = None,
    images: Annotated[str | None, typer.Option(help="Folder that COCO or VOC file names start from.")] = None,
    drop_crowds: Annotated[bool, typer.Option("--drop-crowds", help="Leave COCO's crowd boxes out.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Forget the imported sources and render again.")] = False,
) -> None:
    """Check a folder of labelled photographs whole, then make it a source of DATASET, tracked by DVC.

    Raises
    ------
    VouchError
        Listing everything that stands against it; nothing is written then.
    """
    read = {"--annotations": annotations, "--images": images, "--drop-crowds": drop_crowds}
    if undo:
        named = {"PATH": path, "--name": name != NAME, "--group": group, "--strata": strata, "--manifest": manifest}
        labels = {"--split": split, "--label-map": label_map, "--unlabelled": unlabelled != UNLABELLED}
        _refuse_beside_undo({**named, "--format": form, **read, **labels, "--ignore": ignore})
    elif form in get_args(Format):  # that there is no such format is told below
        refuse_any(ManifestError, unheeded_by("--format", form, read, HEEDED))
    taxonomy = load(Params, "datasets", dataset, "ingest").taxonomy()
    if undo:
        importing.undo(dataset, typer.echo, drawn="render" in read_params()["datasets"][dataset])
        return
    root, files, outside = _places(path, form, annotations or [], manifest)
    content = {
        "name": name,
        "format": form,
        "unlabelled": unlabelled,
        "labels": labels_of(label_map or []),
        "groups": rules_of(group or [], default_key="group"),
        "strata": rules_of(strata or [], default_key=None),
        "split": split_of(split) if split else None,
        "manifest": None if manifest is None else "manifest.csv",
        "annotations": files,
        "images": images,
        "crowd": "drop" if drop_crowds else "refuse",
        "ignore": ignore or [],
    }
    descriptor = check_descriptor(content, OPTIONS)
    checked = importing.check(dataset, walk(root, outside), descriptor, taxonomy)
    importing.add(dataset, checked, typer.echo)
    _show(dataset, checked)


def _refuse_beside_undo(given: Mapping[str, object]) -> None:
    """Refuse what would change nothing: a name would look as if the source of that name alone were forgotten.

    Raises
    ------
    ManifestError
        Naming each option.
    """
    remedy = "leave it out; to forget one source alone, undo all and import the others again"
    refuse_any(ManifestError, unheeded(given, "--undo alone, which forgets every imported source", "both", remedy))


def _places(
    path: Path | None, form: str, annotations: list[Path], manifest: Path | None
) -> tuple[Path, list[str], dict[str, Path]]:
    """Return the source's folder, its annotation files by their name in it, and those that lie elsewhere."""
    if path is None or not path.exists():
        got, remedy = ("nothing", "name it after the data set") if path is None else (f"no {path}", alike(path))
        raise ManifestError([Problem("PATH", "a folder or annotation file", got, remedy)])
    root = path if path.is_dir() else path.parent
    files: list[str] = []
    lent: list[tuple[str, Path]] = [] if manifest is None else [("manifest.csv", manifest)]
    for file in annotations if path.is_dir() else [*annotations, path]:
        found = root / file if (root / file).is_file() else file
        if found.resolve().is_relative_to(root.resolve()):
            files.append(found.resolve().relative_to(root.resolve()).as_posix())
        else:
            files.append(file.name)
            lent.append((file.name, file))
    refuse_any(ManifestError, _shadowed(root, lent))
    return root, files, dict(lent)


def _shadowed(root: Path, lent: list[tuple[str, Path]]) -> Iterator[Problem]:
    """Say which file of the same name a file from elsewhere would hide from the import."""
    for place, (name, file) in enumerate(lent):
        others = [root / name, *(other for taken, other in lent[:place] if taken == name)]
        for other in others:
            if os.path.lexists(other) and other.resolve() != file.resolve():
                yield Problem(str(file), f"the only file called {name}", f"{other} too", "rename one of the two")


def _show(dataset: str, checked: importing.Checked) -> None:
    left_out = len(checked.tree.photographs) - len(checked.reading.records)
    table = Table("", "what", "count", title=f"{dataset} / {checked.descriptor.name}")
    for heading, what, count in counted(checked.manifest, left_out):
        table.add_row(heading, escape(what), str(count))
    Console().print(table)
    for note in [*checked.manifest.notes, *_stated_splits(dataset, checked.manifest.samples)]:
        typer.echo(f"note: {note}")
    lock = paths.split_lock(dataset)
    typer.echo(f"for git: params.yaml, {importing.tracked(dataset)} and, where it was retired, {lock}")
    if lock.exists():
        typer.echo(
            "new groups are placed by `dvc repro`, which says where each went and why; to decide it yourself, now:"
        )
        typer.echo(f"vouch split assign {dataset} --source {checked.descriptor.name} --to train")


def _stated_splits(dataset: str, samples: pd.DataFrame) -> Iterator[str]:
    """Say what becomes of the splits that photographs state: the words alone mean nothing."""
    if SPLIT_STATED not in samples:
        return
    words = sorted(set(samples[SPLIT_STATED].dropna()))
    meanings = dict(read_value("datasets", dataset, "split", "stated"))
    if not meanings:
        key = f"datasets.{dataset}.split.stated"
        yield f"photographs state a split ({', '.join(words)}), which means nothing until {key} says where each may go"
    elif lacking := [word for word in words if word not in meanings]:
        yield f"datasets.{dataset}.split.stated has no meaning for {', '.join(lacking)}: the stage split refuses them"


def manifest_export(
    dataset: Annotated[str, typer.Argument(help="Data set to export; its stage ingest has run.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="File, or folder for yolo, voc and imagefolder.")],
    form: Annotated[str, typer.Option("--format", help=" | ".join(get_args(Format)))] = "jsonl",
    overwrite: Overwrite = False,
) -> None:
    """Write the manifest of DATASET in another format; its import gives the same samples and boxes.

    Raises
    ------
    VouchError
        When the format cannot hold the data set, or OUTPUT may not be written.
    """
    classes = load(Params, "datasets", dataset, "ingest").classes
    if form not in get_args(Format):
        raise ManifestError([Problem("--format", f"one of {', '.join(get_args(Format))}", repr(form), "choose one")])
    read = [paths.source(dataset), *(paths.manifest(dataset, table) for table in ("samples", "boxes"))]
    refuse_outputs([Output("--output", output, SUFFIXES.get(form, ()))], read, overwrite=overwrite)
    samples, boxes = (_table(dataset, table) for table in ("samples", "boxes"))
    samples = samples if form in ("yolo", "imagefolder") else _measured(samples)
    export = exported(samples, boxes, form=form, classes=classes)
    _write(export, output, form)
    typer.echo(f"wrote {so_many(len(samples), 'photograph')} and {so_many(len(boxes), 'box')} to {output}")
    if form in SUFFIXES:
        typer.echo(f"its paths start in {paths.source(dataset)}/: import that folder with --annotations {output}")


def _table(dataset: str, name: str) -> pd.DataFrame:
    path = paths.manifest(dataset, name)
    if not path.is_file():
        raise DataError([Problem(str(path), "a manifest", "no file", f"run `dvc repro ingest@{dataset}`")])
    return io.read_table(path)


def _measured(samples: pd.DataFrame) -> pd.DataFrame:
    """Fill in the width and height that a source does not state, from the header of the photograph."""
    unknown = samples[["width", "height"]].isna().any(axis=1)
    images = [Path(image) for image in samples.loc[unknown, "image"]]
    headers = [read_header(image) for image in images]
    unmeasured = [(image, header) for image, header in zip(images, headers, strict=True) if header.width == 0]
    refuse_any(DataError, (problem for image, header in unmeasured for problem in header.refusals(str(image))))
    filled = samples.astype({"width": "Int64", "height": "Int64"})
    filled.loc[unknown, ["width", "height"]] = pd.DataFrame(
        [header.size for header in headers], columns=["width", "height"], index=filled.index[unknown], dtype="Int64"
    )
    return filled


def _write(export: Export, output: Path, form: str) -> None:
    absent = [image for image in export.photographs.values() if not Path(image).is_file()]
    refuse_any(DataError, [Problem(image, "a photograph", "no file", "`dvc checkout` it") for image in absent])
    if form in SUFFIXES:
        io.write_text(output, next(iter(export.texts.values())))
        return
    with io.new_folder(output) as folder:
        for name, text in export.texts.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        for name, image in export.photographs.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(image, folder / name)
