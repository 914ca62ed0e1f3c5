"""`vouch curate resolve`: rows joined with the photographs that are at hand."""

from pathlib import Path
from typing import Annotated

import typer

from vouch import io
from vouch.commands.curate.reading import OfPhotographs, OfRows, need
from vouch.curation.benchmark import resolve as joining
from vouch.curation.benchmark.rows import read_rows, write_rows
from vouch.errors import so_many
from vouch.sources.tree import walk

SHOWN = 12  # rows without a photograph that are named


def resolve(
    rows: OfRows,
    photographs: OfPhotographs,
    enforce: Annotated[bool, typer.Option("--enforce", help="Exit 1 when a row's photograph is absent.")] = False,
) -> None:
    """Join ROWS with photographs of a folder, by sha256 or by name, and write path, sha256 and status of each into it.

    Nothing is downloaded. All other cells stay byte for byte, and so do rows that are rejected.

    Raises
    ------
    VouchError
        Listing each row whose name several files have, or a file of another content; then nothing is written.
    """
    need([rows, photographs])
    here = Path.cwd()
    folder = photographs.absolute().relative_to(here) if photographs.absolute().is_relative_to(here) else photographs
    names = [(folder / name).as_posix() for name in walk(folder).files]
    found = joining.resolve(read_rows(rows), names, lambda name: io.sha256(Path(name)))
    write_rows(rows, found.rows)
    typer.echo(f"{rows}: {so_many(found.found, 'row')} with a photograph at hand")
    _name("photograph not at hand", found.absent)
    _name("labelled without naming a photograph", found.silent)
    if enforce and (found.absent or found.silent):
        raise typer.Exit(1)


def _name(what: str, ids: tuple[str, ...]) -> None:
    if ids:
        more = ", ..." if len(ids) > SHOWN else ""
        typer.echo(f"{what}: {so_many(len(ids), 'row')}: {', '.join(ids[:SHOWN])}{more}")
