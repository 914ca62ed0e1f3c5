"""`vouch curate holdout`: the part of a benchmark that a model can be judged on, apart from all that made it."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from vouch import io, params, paths
from vouch.commands.curate.reading import (
    OfRows,
    OfTaxonomy,
    OutputTable,
    label_map_for,
    need,
    taxonomy_of,
)
from vouch.commands.outputs import Output, Overwrite, refuse_outputs
from vouch.curation.benchmark.csv_text import encoded
from vouch.curation.benchmark.holdout import Candidate, left_out_by_training, left_out_first
from vouch.curation.benchmark.resolve import SHA256
from vouch.curation.benchmark.row_labels import items_of
from vouch.curation.benchmark.rows import Rows, read_rows
from vouch.curation.taxonomy.taxonomy import Taxonomy
from vouch.errors import DataError, Problem, WorkspaceError, refuse_any, so_many
from vouch.quality import images
from vouch.splits.contract import read_split
from vouch.tables import group_columns

MADE_OF = ("train", "val_select", "val_calib")  # splits that shaped the weights, the scores or the decisions


def holdout(
    rows: OfRows,
    taxonomy: OfTaxonomy,
    model: Annotated[str, typer.Option(help="Model to be judged; its data set has been split.")],
    output: OutputTable,
    label_map: Annotated[
        Path | None, typer.Option(help="Label map of --map-output; without it, words that agree.")
    ] = None,
    left_out: Annotated[Path | None, typer.Option(help="New table (.csv) of rows left out, with why.")] = None,
    overwrite: Overwrite = False,
) -> None:
    """Keep the labelled rows whose class MODEL has, without any that its train, val_select or val_calib gives away.

    A row goes by the pixels of its photograph, by likeness, and by `group_*` columns: those of the data set must be
    there, and are empty where a photograph shares nothing with any other.

    Raises
    ------
    VouchError
        Listing everything that is wrong with the files; then nothing is written.
    """
    places = (("--output", output), ("--left-out", left_out))
    outputs = [Output(option, path, (".csv",)) for option, path in places if path is not None]
    read = [path for path in (rows, taxonomy, label_map) if path is not None]
    refuse_outputs(outputs, [*read, paths.model(model)], overwrite=overwrite)
    need(read)
    items = taxonomy_of(taxonomy)
    said = label_map_for(items, model, label_map)
    table = read_rows(rows)
    dataset = str(params.read_value("pipeline", "models", model, "dataset"))
    trained, scan = _trained(dataset)
    candidates = _candidates(table, items, group_columns(trained))
    gone = left_out_first(candidates, said.supported, {name for name in table.column("photograph") if _is_file(name)})
    left = [one for one in candidates if one.row_id not in gone]
    refuse_any(DataError, _swapped(table, left))
    gone |= _by_training(left, dataset, trained, scan)
    records = [each for each, one in zip(table.table.records, candidates, strict=True) if one.row_id not in gone]
    io.write_bytes(output, encoded(replace(table.table, records=tuple(records))))
    if left_out is not None:
        io.write_table(left_out, pd.DataFrame(list(gone.items()), columns=["row_id", "reason"]))
    typer.echo(f"{output}: {len(records)} of {so_many(len(table), 'row')}")
    for why, count in sorted(Counter(reason.partition(":")[0] for reason in gone.values()).items()):
        typer.echo(f"left out, {why}: {count}")


def _is_file(name: str) -> bool:
    return name != "" and Path(name).is_file()


def _trained(dataset: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the samples that made the model, and what was scanned of them."""
    tables = [paths.manifest(dataset, "samples"), paths.quality(dataset, "scan")]
    needed = [*tables, *(paths.split(dataset, name) for name in MADE_OF)]
    remedy = f"run `dvc repro split@{dataset}`"
    missing = (Problem(str(path), "what the model was made of", "no file", remedy) for path in needed)
    refuse_any(WorkspaceError, [one for one, path in zip(missing, needed, strict=True) if not path.is_file()])
    samples, scan = (io.read_table(path) for path in tables)
    members = pd.concat([read_split(dataset, name, purpose="hold_out") for name in MADE_OF])["sample_id"]
    trained, seen = (each[each["sample_id"].isin(members)].reset_index(drop=True) for each in (samples, scan))
    return trained, seen


def _candidates(rows: Rows, items: Taxonomy, keys: Sequence[str]) -> list[Candidate]:
    remedy = "add it; leave cells empty where a photograph shares nothing"
    lacking = [key for key in keys if key not in rows.table.columns]
    found = items_of(rows, items)
    where = f"{rows.table.where}:1"
    refuse_any(DataError, (Problem(where, f"the column {key}", "none of this name", remedy) for key in lacking))
    columns = (rows.column(name) for name in ("row_id", "negative", "status", "photograph"))
    return [
        Candidate(row_id, item.id, negative == "true", status, photograph, groups)
        for item, row_id, negative, status, photograph, groups in zip(
            found, *columns, rows.stated(rows.groups), strict=True
        )
    ]


def _swapped(rows: Rows, left: Sequence[Candidate]) -> list[Problem]:
    """Photographs with another content than the one that was labelled."""
    pinned = dict(zip(rows.column("row_id"), rows.column(SHA256), strict=True))
    remedy = "bring the photograph back, or label the row again"
    return [
        Problem(
            f"{rows.table.where}: {one.row_id}", f"sha256 {pinned[one.row_id]}", f"other in {one.photograph}", remedy
        )
        for one in left
        if pinned[one.row_id] and io.sha256(Path(one.photograph)) != pinned[one.row_id]
    ]


def _by_training(left: Sequence[Candidate], dataset: str, trained: pd.DataFrame, scan: pd.DataFrame) -> dict[str, str]:
    most = float(params.read_value("datasets", dataset, "scan", "max_megapixels"))
    limits = params.read_value("datasets", dataset, "validate", "thresholds")
    workers = len(os.sched_getaffinity(0))
    records = images.scan([Path(one.photograph) for one in left], max_megapixels=most, workers=workers)
    found = images.tabulate([one.row_id for one in left], list(records))
    near = {"radius_bits": limits["near_radius_bits"], "min_correlation": limits["near_correlation"]}
    return left_out_by_training(left, found, trained, scan, **near)
