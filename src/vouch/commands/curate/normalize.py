"""`vouch curate normalize`: one spelling for each web address and, where asked, its photograph on disk."""

from typing import Annotated

import typer

from vouch import paths
from vouch.commands.curate.params import DataSet, Table, limits, max_megapixels
from vouch.curation.benchmark.rows import Rows, changed, read_rows, write_rows
from vouch.curation.catalogue.urls import normalized
from vouch.errors import so_many

PHOTOGRAPHS = "photographs"


def normalize(
    rows: Table,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch the photographs that have a url and no file yet.")
    ] = False,
    dataset: DataSet = None,
) -> None:
    """Bring each url of a benchmark into its normal form, and keep the photographs by the sha256 of their bytes.

    With --download each photograph is fetched once, to data/curation/photographs/; its row then names the file.

    Raises
    ------
    DataError
        When a url is none, or its photograph is refused; nothing is written then.
    """
    table = read_rows(rows)
    edits = normalized(table)
    table = changed(table, edits)
    fetched = 0
    if download:
        table, fetched = _downloaded(table, dataset)
    write_rows(rows, table)
    typer.echo(
        f"{so_many(len(edits), 'url')} changed" + (f", {so_many(fetched, 'photograph')} fetched" if download else "")
    )


def _downloaded(table: Rows, dataset: str | None) -> tuple[Rows, int]:
    """Fetch what is missing; the libraries of the web take .2 s to import, and are not needed otherwise."""
    from vouch.curation.catalogue.fetching import fetching, photograph_kind
    from vouch.curation.catalogue.photograph_cache import fill

    asked = limits(dataset)
    with fetching(asked, None) as fetch:
        filled = fill(
            table,
            paths.curation(PHOTOGRAPHS),
            fetch,
            photograph_kind(asked),
            max_megapixels=max_megapixels(dataset),
        )
    return changed(table, filled.edits), filled.fetched
