"""`vouch curate suggest`: photographs of a catalogue for the places of a benchmark that are still empty."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Column
from rich.table import Table as Grid

from vouch import paths
from vouch.commands.curate.params import DataSet, Table, limits
from vouch.commands.curate.reading import need, taxonomy_of, wanted_of
from vouch.commands.known import alike
from vouch.commands.unheeded import unheeded
from vouch.curation.benchmark.manifest import open_places
from vouch.curation.benchmark.rows import Rows, read_rows, write_rows
from vouch.curation.catalogue.catalogue import Candidate, Terms, of_folder, of_table
from vouch.curation.catalogue.suggestions import Cell, Suggested
from vouch.curation.catalogue.suggestions import suggest as suggested
from vouch.curation.retraining.answers import read_scores
from vouch.errors import DataError, Problem, refuse_any, so_many
from vouch.sources.options import labels_of

ITEMS, NEXT = "items", "next"  # where a page of --url has its list and the next one's address, unless it is said
SHOWN = 10  # suggestions that are printed, the first in rank


def suggest(
    rows: Table,
    catalogue: Annotated[
        Path | None, typer.Option(help="Folder of photographs (their folders are labels), or CSV of them.")
    ] = None,
    url: Annotated[str, typer.Option(help="Address of a JSON list of photographs instead.")] = "",
    name: Annotated[str, typer.Option(help="Name of the catalogue in `source`; its folder's or host's without.")] = "",
    license_: Annotated[
        str, typer.Option("--license", help="Licence of the photographs that state none themselves.")
    ] = "",
    negative: Annotated[
        bool, typer.Option("--negative", help="Nothing of its label is on a photograph that does not say so itself.")
    ] = False,
    label_map: Annotated[list[str] | None, typer.Option(help="FROM=TO renames a label, FROM= drops it.")] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Column of the CSV without a meaning; repeatable.")] = None,
    scores: Annotated[
        Path | None, typer.Option(help="CSV of `vouch predict --csv`: what the model is unsure of comes first.")
    ] = None,
    most: Annotated[
        int | None, typer.Option(min=1, help="Suggestions that may wait for a person, earlier ones included.")
    ] = None,
    taxonomy: Annotated[Path | None, typer.Option(help="Taxonomy of --wanted.")] = None,
    wanted: Annotated[
        Path | None, typer.Option(help="YAML of `vouch curate manifest`: no cell gets more rows than it asks for.")
    ] = None,
    items: Annotated[str, typer.Option(help="Of --url: keys, joined by dots, that lead to the list.")] = ITEMS,
    next_: Annotated[str, typer.Option("--next", help="Of --url: keys that lead to the next page's address.")] = NEXT,
    field: Annotated[
        list[str] | None, typer.Option(help="Of --url: NAME=PATH, say class=tags.0.name; repeatable.")
    ] = None,
    dataset: DataSet = None,
) -> None:
    """Fill the wanted rows of a benchmark from a catalogue, first where most is lacking; a person looks at each.

    A filled row has the status `suggested`, where the photograph came from, and its licence. Set it to `rejected` and
    the next call suggests another one, in a row of its own; with --wanted only where too few rows are left.

    Raises
    ------
    DataError
        When the table, the catalogue or an answer of the web is not what it must be; nothing is written then.
    """
    of_web = {"--items": items != ITEMS, "--next": next_ != NEXT, "--field": field}
    unread = _unread(catalogue, of_web, ignore)
    refuse_any(DataError, [*_place_problems(catalogue, url), *_alone(taxonomy, wanted), *unread])
    table = read_rows(rows)
    opened = _open(table, taxonomy, wanted)
    terms = Terms(name or _name(catalogue, url), license_, negative, labels_of(label_map or []))
    sure = {} if scores is None else read_scores(scores)
    if catalogue is not None:
        found = of_folder(catalogue, terms) if catalogue.is_dir() else of_table(catalogue, terms, ignore or [])
    else:
        found = _of_web(url, terms, (items, next_, field or []), dataset)
    result = suggested(table, found, sure, most=most, opened=opened)
    write_rows(rows, result.rows)
    _show(result, len(found))
    _say_foreign(sure, found)


def _place_problems(catalogue: Path | None, url: str) -> list[Problem]:
    if (catalogue is None) == (not url):
        got = "neither" if catalogue is None else "both"
        return [Problem("--catalogue, --url", "one of the two", got, "name the catalogue")]
    if catalogue is not None and not catalogue.exists():
        return [Problem(str(catalogue), "a folder or CSV", "no such file", alike(catalogue))]
    return []


def _unread(catalogue: Path | None, of_web: Mapping[str, object], ignore: list[str] | None) -> Iterator[Problem]:
    """Yield the options that only another kind of catalogue than the one that is named would heed."""
    if catalogue is not None:
        yield from unheeded(of_web, "--url", f"--catalogue {catalogue}")
    if catalogue is None or catalogue.is_dir():
        got = "--url" if catalogue is None else f"the folder {catalogue}"
        yield from unheeded({"--ignore": ignore}, "a CSV as --catalogue", got)


def _alone(taxonomy: Path | None, wanted: Path | None) -> list[Problem]:
    if (taxonomy is None) == (wanted is None):
        return []
    got = "--wanted alone" if taxonomy is None else "--taxonomy alone"
    return [
        Problem("--wanted, --taxonomy", "both, or neither", got, "give them together, as to `vouch curate manifest`")
    ]


def _open(rows: Rows, taxonomy: Path | None, wanted: Path | None) -> frozenset[int] | None:
    """Return the rows whose places may be filled; None for all, where nobody says how many there should be."""
    if taxonomy is None or wanted is None:
        return None
    need([taxonomy, wanted])
    items = taxonomy_of(taxonomy)
    return open_places(rows, items, wanted_of(wanted, items))


def _name(catalogue: Path | None, url: str) -> str:
    if catalogue is None:
        return urlsplit(url).hostname or ""
    return catalogue.resolve().name if catalogue.is_dir() else catalogue.stem


def _of_web(url: str, terms: Terms, form: tuple[str, str, list[str]], dataset: str | None) -> list[Candidate]:
    """Ask the web; its libraries take .2 s to import, and no other command needs them."""
    from vouch.curation.catalogue.fetching import fetching, json_kind
    from vouch.curation.catalogue.http_source import form_of, of_web

    asked = limits(dataset)
    with fetching(asked, paths.curation("json.sqlite")) as fetch:
        return of_web(url, form_of(*form), terms, fetch, json_kind(asked), most_pages=asked.pages)


def _show(result: Suggested, candidates: int) -> None:
    columns = (Column(name, justify="right") for name in ("suggested", "still lacking"))
    grid = Grid("class", "strata", *columns, box=SIMPLE_HEAD, title="places that were empty", title_justify="left")
    made: dict[Cell, int] = {}
    for one in result.made:
        made[one.cell] = made.get(one.cell, 0) + 1
    for cell in sorted({*made, *result.lacking}):
        grid.add_row(*_words(cell), str(made.get(cell, 0)), str(result.lacking.get(cell, 0)))
    if grid.row_count:
        Console().print(grid)
    for one in result.made[:SHOWN]:
        unsure = "" if one.entropy is None else f", unsure by {one.entropy:.2f} bits"
        typer.echo(f"{one.row_id}: {one.candidate.key} ({one.lacking} lacking{unsure})")
    if len(result.made) > SHOWN:
        typer.echo(f"... and {len(result.made) - SHOWN} more")
    typer.echo(f"{so_many(len(result.made), 'suggestion')} of {so_many(candidates, 'candidate')}")
    if result.beyond:
        typer.echo(f"left empty, for --wanted asks for no more rows: {so_many(result.beyond, 'place')}")
    _say_unasked(result.unasked)


def _words(cell: Cell) -> tuple[str, str]:
    name, negative, strata = cell
    said = ", ".join(f"{key.removeprefix('stratum_')}={value or 'any'}" for key, value in strata)
    return escape(f"{name} (negative)" if negative else name), escape(said)


def _say_unasked(unasked: Mapping[tuple[str, bool], int]) -> None:
    said = [f"{name}{' (negative)' if negative else ''} {count}" for (name, negative), count in sorted(unasked.items())]
    if said:
        typer.echo(f"labels that no row asks for, and their candidates: {', '.join(said)}")


def _say_foreign(scores: Mapping[str, float], found: Sequence[Candidate]) -> None:
    foreign = sorted(scores.keys() - {key for one in found for key in (one.photograph, one.url)})
    if foreign:
        typer.echo(f"scores of what is no candidate: {len(foreign)} of {len(scores)}, say {foreign[0]}")
