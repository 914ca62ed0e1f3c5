"""`vouch curate manifest`: the rows that a benchmark should have, in a table to fill."""

from pathlib import Path
from typing import Annotated

import typer

from vouch.commands.curate.reading import OfTaxonomy, OfWanted, need, taxonomy_of, wanted_of
from vouch.commands.outputs import Output, refuse_outputs
from vouch.curation.benchmark.manifest import columns, extended
from vouch.curation.benchmark.rows import new_rows, read_rows, write_rows
from vouch.errors import so_many


def manifest(
    rows: Annotated[Path, typer.Argument(metavar="ROWS", help="Table of the benchmark (.csv), new or to be extended.")],
    taxonomy: OfTaxonomy,
    wanted: OfWanted,
) -> None:
    """Write ROWS, or add to it, a row of status `wanted` for everything that its cells lack.

    A cell is an item, or a negative, in one value of each stratum. Rows that are there count unless they are rejected,
    and stay byte for byte.

    Raises
    ------
    VouchError
        Listing everything that is wrong with the files; then nothing is written.
    """
    if not rows.exists():
        refuse_outputs([Output("ROWS", rows, (".csv",))], [taxonomy, wanted], overwrite=False)
    need([taxonomy, wanted])
    items = taxonomy_of(taxonomy)
    asked = wanted_of(wanted, items)
    before = read_rows(rows) if rows.exists() else new_rows(str(rows), columns(asked), [])
    found = extended(before, items, asked)
    write_rows(rows, found)
    added = found.column("negative")[len(before) :]
    new = f"{len(added)} new, {added.count('true')} of them negatives"
    typer.echo(f"{rows}: {so_many(len(found), 'row')}, {new}")
