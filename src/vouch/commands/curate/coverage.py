"""`vouch curate coverage`: what a benchmark still lacks."""

from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table
from ruamel.yaml import YAML

from vouch import io
from vouch.commands.curate.reading import (
    OfRows,
    OfTaxonomy,
    OfWanted,
    label_map_of,
    need,
    taxonomy_of,
    wanted_of,
)
from vouch.commands.outputs import Output, Overwrite, refuse_outputs
from vouch.curation.benchmark.coverage import Coverage, by_item, by_stratum, measure, required
from vouch.curation.benchmark.manifest import cells
from vouch.curation.benchmark.rows import read_rows
from vouch.errors import so_many

COME = ("suggested", "resolved", "labelled")  # statuses of rows that are more than a wish


def coverage(
    rows: OfRows,
    taxonomy: OfTaxonomy,
    wanted: OfWanted,
    json: Annotated[Path | None, typer.Option(help="Write every cell as JSON.")] = None,
    label_map: Annotated[
        Path | None, typer.Option(help="Say also what a data set of this model would need, for params.yaml.")
    ] = None,
    overwrite: Overwrite = False,
    enforce: Annotated[bool, typer.Option("--enforce", help="Exit 1 when a labelled row is missing.")] = False,
) -> None:
    """Say which items, in which strata, still lack labelled rows.

    Raises
    ------
    VouchError
        Listing every row whose class, negative or stratum is not of the taxonomy and parameters.
    """
    read = [path for path in (rows, taxonomy, wanted, label_map) if path is not None]
    refuse_outputs([] if json is None else [Output("--json", json, (".json",))], read, overwrite=overwrite)
    need(read)
    items = taxonomy_of(taxonomy)
    asked = wanted_of(wanted, items)
    said = None if label_map is None else label_map_of(label_map, items)
    found = measure(read_rows(rows), items, asked)
    if json is not None:
        io.write_json(json, _facts(found))
    _print(found)
    if said is not None:
        _print_section(required(cells(items, asked), asked.strata, said))
    if enforce and found.missing:
        raise typer.Exit(1)


def _facts(found: Coverage) -> dict[str, object]:
    return {
        "missing": found.missing,
        "outside": dict(found.outside),
        "cells": [
            {"item": one.item, "negative": one.negative, "strata": dict(one.strata), "wanted": one.wanted}
            | {"missing": one.missing, "rows": dict(one.rows)}
            for one in found.cells
        ],
    }


def _print(found: Coverage) -> None:
    items = [
        (f"{name} (negative)" if negative else name, wanted, *(counts[status] for status in COME), missing)
        for name, negative, wanted, counts, missing in by_item(found)
    ]
    _show(("item", "asked for", *COME, "missing"), items)
    _show(("stratum", "asked for", "labelled", "missing"), by_stratum(found))
    empty = [one for one in found.cells if one.missing and one.missing == one.wanted]
    asked = sum(one.wanted > 0 for one in found.cells)
    typer.echo(f"{so_many(found.missing, 'labelled row')} missing; nothing labelled in {len(empty)} of {asked} cells")
    if outside := sum(found.outside.values()):
        told = ", ".join(f"{count} {status}" for status, count in sorted(found.outside.items()))
        typer.echo(
            f"{so_many(outside, 'row')} in no cell (rejected, without a stratum, or a class told to be absent): {told}"
        )


def _show(columns: Sequence[str], rows: Iterable[tuple[object, ...]]) -> None:
    first, *numbers = columns
    table = Table(first, *(Column(name, justify="right") for name in numbers), box=SIMPLE_HEAD)
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    if table.row_count:
        Console().print(table)


def _print_section(asked: list[dict[str, object]]) -> None:
    typer.echo("a data set of this model covers as much with, in params.yaml:")
    stream = StringIO()
    YAML().dump({"validate": {"coverage": {"of_classes": asked}}}, stream)
    typer.echo(stream.getvalue().rstrip())
