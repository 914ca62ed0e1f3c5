"""`vouch curate dedupe`: one row for each photograph of a benchmark."""

import os
from collections import Counter
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from vouch import io
from vouch.commands.curate.params import DataSet, Table, max_megapixels, near
from vouch.commands.outputs import Output, Overwrite, refuse_outputs
from vouch.curation.benchmark import duplicates
from vouch.curation.benchmark.duplicates import EXACT, NEAR, URL, Finding
from vouch.curation.benchmark.rows import Rows, read_rows, write_rows
from vouch.errors import so_many
from vouch.quality import images

WORDS = {URL: "with the url of an earlier one", EXACT: "with the same pixels", NEAR: "nearly the same"}
SHOWN = 10  # contradictions that are printed


def dedupe(
    rows: Table,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write every duplicate, with the earlier row, as CSV.")
    ] = None,
    overwrite: Overwrite = False,
    dataset: DataSet = None,
) -> None:
    """Reject suggestions that show what another row shows: by url, by their pixels, or nearly.

    Rows that a person resolved or labelled are never changed. What is called differently is told: of suggestions with
    the same pixels all go, near ones stay.

    Raises
    ------
    DataError
        When the table is not what it must be, or a photograph cannot be used; nothing is written then.
    """
    outputs = [] if output is None else [Output("--output", output, (".csv",))]
    refuse_outputs(outputs, [rows], overwrite=overwrite)
    table = read_rows(rows)
    bits, correlation = near(dataset)
    result = duplicates.dedupe(table, _scan(table, dataset), radius_bits=bits, min_correlation=correlation)
    write_rows(rows, result.rows)
    if output is not None:
        io.write_table(output, _tabulated(result.findings))
    for kind, words in WORDS.items():
        found = Counter(one.contradicts for one in result.findings if one.kind == kind)
        differ = f", {found[True]} of them called differently" if found[True] else ""
        typer.echo(f"{so_many(found.total(), 'row')} {words}{differ}")
    for one in [one for one in result.findings if one.contradicts][:SHOWN]:
        typer.echo(f"  {one.row_id} and {one.other} show one photograph ({one.kind}) and are called differently")
    typer.echo(f"{so_many(len(result.rejected), 'suggestion')} rejected")


def _scan(table: Rows, dataset: str | None) -> pd.DataFrame:
    """Decode every photograph of the table once."""
    names, files = duplicates.scanned_rows(table)
    workers = len(os.sched_getaffinity(0))
    records = images.scan([Path(file) for file in files], max_megapixels=max_megapixels(dataset), workers=workers)
    return images.tabulate(names, list(records))


def _tabulated(findings: tuple[Finding, ...]) -> pd.DataFrame:
    columns = ["row_id", "other", "kind", "contradicts"]
    cells = [(one.row_id, one.other, one.kind, str(one.contradicts).lower()) for one in findings]
    return pd.DataFrame(cells, columns=columns, dtype="str")
