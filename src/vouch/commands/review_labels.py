"""`vouch review-labels`: photographs whose labels contradict each other, as a list to fill in, and the answers back."""

import csv
import io as text_io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from PIL import Image

from vouch import io, paths
from vouch.commands import importing
from vouch.commands.drawing import captioned, side_by_side
from vouch.commands.dvc_record import recorded
from vouch.commands.known import alike
from vouch.commands.outputs import Output, refuse_outputs
from vouch.documents import DocumentError, read_text
from vouch.errors import DataError, ManifestError, ParamsError, Problem, WorkspaceError, refuse_any
from vouch.names import closest
from vouch.params import load
from vouch.quality.duplicates import partner
from vouch.quality.labels import contents
from vouch.sources import corrections
from vouch.sources.tree import walk
from vouch.stages import ingest
from vouch.vision.draw import caption, draw_boxes
from vouch.vision.images.source import File, read_image

CHECKS = ("contradicting_exact", "contradicting_near")
COLUMNS = ("sample", "label_now", "other_sample", "other_label", "check", "picture", "label_new")
LIST, PICTURES = "review.csv", "pictures"
KEEP = "keep"
SIDE_PX = 640  # of a photograph in the list, its longer side
MOST_BYTES = 2**26  # of a list that comes back


def review_labels(
    dataset: Annotated[str, typer.Argument(help="Data set of params.yaml.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="New folder for the list and pictures.")] = None,
    apply: Annotated[Path | None, typer.Option("--apply", help="The list, its column label_new filled in.")] = None,
) -> None:
    """List photographs of DATASET whose labels contradict each other, with pictures; or take the filled list back.

    In `label_new` write a class, `drop` (leave the photograph out) or `keep`; empty is undecided. With boxes only
    `drop` and `keep` are possible. What is taken back stands in corrections.csv of each source, tracked by DVC.

    Raises
    ------
    VouchError
        Listing everything that is wrong with a list; then nothing of it is taken.
    """
    if (output is None) == (apply is None):
        got = "neither" if apply is None else "both"
        raise ParamsError([Problem("vouch review-labels", "-o FOLDER or --apply LIST", got, "give one of them")])
    if output is not None:
        _write(dataset, output)
    if apply is not None:
        _apply(dataset, apply)


def _write(dataset: str, output: Path) -> None:
    tables = {name: paths.manifest(dataset, name) for name in ("samples", "boxes")}
    tables["issues"] = paths.quality(dataset, "issues")
    refuse_outputs([Output("--output", output)], [paths.source(dataset), *tables.values()], overwrite=False)
    absent = [path for path in tables.values() if not path.is_file()]
    remedy = f"run `dvc repro validate@{dataset}`"
    refuse_any(DataError, (Problem(str(path), "what validate reads and writes", "no file", remedy) for path in absent))
    issues, samples, boxes = (io.read_table(tables[name]) for name in ("issues", "samples", "boxes"))
    rows = _listed(issues, _said(samples, boxes))
    if not rows:
        typer.echo(f"no labels of {dataset} contradict each other: nothing to review")
        return
    with io.new_folder(output) as folder:
        (folder / PICTURES).mkdir()
        for row in rows:
            _picture(row, samples, boxes).save(folder / row["picture"], quality=90)
        io.write_table(folder / LIST, pd.DataFrame(rows, columns=list(COLUMNS)))
    typer.echo(
        f"{output / LIST}: {len(rows)} photographs; fill in label_new (a class, {corrections.DROP} or {KEEP}), then"
    )
    typer.echo(f"vouch review-labels {dataset} --apply {output / LIST}")


def _said(samples: pd.DataFrame, boxes: pd.DataFrame) -> dict[str, str]:
    """Return what is said of each photograph: its class, or its objects counted."""
    objects = contents(samples, boxes)["objects"]
    labels = samples["label"].where(samples["label"].notna(), objects.to_numpy())
    return {name: said or "nothing" for name, said in zip(samples["sample_id"], labels, strict=True)}


def _listed(issues: pd.DataFrame, said: Mapping[str, str]) -> list[dict[str, str]]:
    rows = []
    found = issues[issues["check"].isin(CHECKS) & issues["sample_id"].isin(said.keys())]
    issues_found = zip(*(found[column].astype("str") for column in ("sample_id", "check", "detail")), strict=True)
    for number, (name, check, detail) in enumerate(issues_found, start=1):
        other = partner(detail, said.keys()) or ""
        values = (name, said[name], other, said.get(other, ""), check, f"{PICTURES}/{number:06d}.jpg", "")
        rows.append(dict(zip(COLUMNS, values, strict=True)))
    return rows


def _picture(row: Mapping[str, str], samples: pd.DataFrame, boxes: pd.DataFrame) -> Image.Image:
    places = samples.set_index("sample_id")["image"]
    both = [(row["sample"], row["label_now"]), (row["other_sample"], row["other_label"])]
    return side_by_side([_shown(name, places[name], said, boxes) for name, said in both if name])


def _shown(name: str, image: str, said: str, boxes: pd.DataFrame) -> Image.Image:
    whole = Image.fromarray(read_image(File(Path(image)))[..., ::-1])
    whole.thumbnail((SIDE_PX, SIDE_PX))
    held = boxes[boxes["sample_id"] == name]
    corners = held[["x1", "y1", "x2", "y2"]].to_numpy(float) * [*whole.size, *whole.size]
    names = [caption(one, None) for one in held["class_name"]]
    colours = np.searchsorted(np.unique(boxes["class_name"]), held["class_name"]).tolist()  # the same on both sides
    drawn = draw_boxes(whole, corners, captions=names, colours=colours)
    return captioned(drawn, [said, name])


def _apply(dataset: str, path: Path) -> None:
    record = importing.tracked(dataset)
    if not record.exists():
        expected, remedy = "an imported data set", "correct what draws it: rendered scenes come with their labels"
        raise WorkspaceError([Problem(str(record), expected, "none", remedy)])
    refuse_any(WorkspaceError, importing.lacking(dataset, recorded(record).count))
    rows = _rows(path)
    samples = ingest.read(dataset)
    said = _said(samples.samples, samples.boxes)
    classes = load(ingest.Params, "datasets", dataset, "ingest").classes
    labelled = set(samples.samples.loc[samples.samples["label"].notna(), "sample_id"])
    held = _held(dataset)
    refuse_any(ManifestError, _problems(rows, str(path), said, labelled, classes, held))
    wanted = {row["sample"]: row["label_new"] for _, row in rows if row["label_new"] not in ("", KEEP)}
    changed = {name: label for name, label in wanted.items() if said.get(name) != label and held.get(name) != label}
    merged = held | changed
    for source in sorted({name.partition("/")[0] for name in changed}):
        mine = {name.partition("/")[2]: label for name, label in merged.items() if name.startswith(f"{source}/")}
        table = pd.DataFrame(sorted(mine.items()), columns=corrections.HEADER)
        io.write_table(paths.source(dataset) / source / corrections.FILE, table)
    importing.track(dataset)  # also where nothing changed: an earlier run may have been ended before it
    undecided = sum(row["label_new"] == "" for _, row in rows)
    typer.echo(
        f"{len(changed)} corrections, {undecided} undecided; next: dvc repro, and git add {importing.tracked(dataset)}"
    )


def _held(dataset: str) -> dict[str, str]:
    """Return the corrections that the sources have by now, by sample."""
    found: dict[str, str] = {}
    for folder in sorted(path for path in paths.source(dataset).iterdir() if path.is_dir()):
        mine, _ = corrections.read(walk(folder))  # `ingest.read` has refused what is wrong in it
        found |= {f"{folder.name}/{image}": label for image, label in mine.items()}
    return found


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Return the lines of a list with their numbers.

    Raises
    ------
    ManifestError
        When it is no list of this command.
    """
    if not path.exists():
        raise ManifestError([Problem(str(path), "the filled list", "no such file", alike(path))])
    try:
        text = read_text(path, str(path), max_bytes=MOST_BYTES)
        lines = list(csv.reader(text_io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True))
    except DocumentError as error:
        raise ManifestError(error.problems) from error
    except csv.Error as error:
        raise ManifestError(
            [Problem(str(path), "well-formed CSV", str(error), "save it as CSV with commas")]
        ) from error
    if not lines or tuple(lines[0]) != COLUMNS:
        got = ",".join(lines[0]) if lines else "an empty file"
        remedy = "save it as CSV with commas, all columns as they were"
        raise ManifestError([Problem(f"{path}:1", f"the header {','.join(COLUMNS)}", got, remedy)])
    short = [number for number, line in enumerate(lines, start=1) if line and len(line) != len(COLUMNS)]
    expected = f"{len(COLUMNS)} columns"
    refuse_any(ManifestError, (Problem(f"{path}:{n}", expected, "others", "complete the line") for n in short))
    pairs = [(number, dict(zip(COLUMNS, line, strict=True))) for number, line in enumerate(lines, start=1) if line]
    return [(number, row | {"label_new": row["label_new"].strip()}) for number, row in pairs[1:]]


def _problems(
    rows: list[tuple[int, dict[str, str]]],
    path: str,
    said: Mapping[str, str],
    labelled: set[str],
    classes: tuple[str, ...],
    held: Mapping[str, str],
) -> Iterator[Problem]:
    first: dict[str, tuple[int, str]] = {}
    for number, row in rows:
        where, name, label = f"{path}:{number}", row["sample"], row["label_new"]
        if label == "" or held.get(name) == label:
            continue
        earlier, before = first.setdefault(name, (number, label))
        if before != label:
            yield Problem(where, f"{before!r} as in line {earlier}", repr(label), "write the same for one photograph")
        if name not in said:
            yield Problem(where, "a photograph of the data set", name, closest(name, said))
        elif label not in (said[name], KEEP) and row["label_now"] != said[name]:
            got, remedy = f"{said[name]!r} by now", "write the list anew: the label has changed since"
            yield Problem(where, f"the label {row['label_now']!r} of {name}", got, remedy)
        elif label not in (KEEP, corrections.DROP):
            yield from _class_problems(where, label, classes, has_class=name in labelled)


def _class_problems(where: str, label: str, classes: tuple[str, ...], *, has_class: bool) -> Iterator[Problem]:
    words = f"{corrections.DROP} or {KEEP}"
    if not has_class:
        remedy = "correct boxes in the label file, and import it again"
        yield Problem(where, f"{words} for a photograph without a class of its own", repr(label), remedy)
    elif label not in classes:
        yield Problem(where, f"a class, {words}", repr(label), closest(label, classes))
