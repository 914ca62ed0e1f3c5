"""`vouch curate taxonomy`: a municipal pack becomes a taxonomy with stable ids, and a map to a model's classes."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from vouch import io, params
from vouch.commands.curate.reading import labels_of, need, taxonomy_of, text_of
from vouch.commands.known import classes_of
from vouch.commands.outputs import Output, Overwrite, refuse_outputs
from vouch.curation.taxonomy import label_map as maps
from vouch.curation.taxonomy.label_map import LabelMap
from vouch.curation.taxonomy.pack import read_pack
from vouch.curation.taxonomy.taxonomy import (
    Near,
    Proposal,
    Taxonomy,
    build,
    differences,
    leaves,
    near_items,
    near_renames,
)
from vouch.errors import ParamsError, Problem, plural, so_many
from vouch.presets import DATASET


def taxonomy(
    pack: Annotated[Path, typer.Option(help="Municipal pack (JSON, src/vouch/curation/taxonomy/pack.schema.json).")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="New taxonomy (.json).")] = None,
    previous: Annotated[Path | None, typer.Option(help="Taxonomy before: its ids are kept, differences told.")] = None,
    model: Annotated[str | None, typer.Option(help="Model whose classes the items are mapped to.")] = None,
    labels: Annotated[Path | None, typer.Option(help='Instead of a model: a file {"classes": [...]}.')] = None,
    stated: Annotated[Path | None, typer.Option(help="JSON of items to classes (or null) that you decided.")] = None,
    map_output: Annotated[Path | None, typer.Option(help="New label map (.json), of --model or --labels.")] = None,
    overwrite: Overwrite = False,
) -> None:
    """Turn a municipal pack into a taxonomy whose ids outlive names, and say which items a model has classes for.

    Words that are only near each other are shown, and change nothing until you write them into the pack or --stated.

    Raises
    ------
    VouchError
        Listing everything that is wrong with the pack; then nothing is written.
    """
    if (model is not None and labels is not None) or ((map_output or stated) and not (model or labels)):
        expected = "--model or --labels, one of them where a label map is asked for"
        raise ParamsError([Problem("vouch curate taxonomy", expected, "both or none", "give one")])
    source = labels if model is None else labels_of(model)
    outputs = (("--output", output), ("--map-output", map_output))
    read = [path for path in (pack, previous, source, stated) if path is not None]
    wanted = [Output(option, path, (".json",)) for option, path in outputs if path is not None]
    refuse_outputs(wanted, read, overwrite=overwrite)
    need([pack, previous, labels, stated])
    near = params.load(Near, "curate", "near_words", path=params.preset_file(DATASET))
    before = None if previous is None else taxonomy_of(previous)
    found = build(read_pack(text_of(pack), str(pack)), before, str(pack))
    said = None if source is None else _mapped(found, source, stated)
    for path, content in ((output, found), (map_output, said)):
        if path is not None and content is not None:
            io.write_json(path, content.model_dump(mode="json"))
    _print(found, before, said, near)


def _mapped(found: Taxonomy, source: Path, stated: Path | None) -> LabelMap:
    said = {} if stated is None else maps.read_stated(text_of(stated), str(stated))
    return maps.map_labels(found, classes_of(source), said, str(source if stated is None else stated))


def _print(found: Taxonomy, before: Taxonomy | None, said: LabelMap | None, near: Near) -> None:
    items, negatives = (leaves(found, negative=negative) for negative in (False, True))
    counts = f"{so_many(len(items), 'item')} in {so_many(len(found.streams), 'stream')}"
    typer.echo(f"{found.municipality} {found.version}: {counts}, {so_many(len(negatives), 'negative')}")
    if before is not None:
        changes = differences(before, found)
        typer.echo("no difference from the taxonomy before" if not changes else "differences from the taxonomy before:")
        _show(("kind", "id", "before", "after"), ((one.kind, one.id, one.before, one.after) for one in changes))
        _propose(
            "new under a word that is near one that went; the same? then `formerly`", near_renames(before, found, near)
        )
    _propose("words of different items that are near", near_items(found, near))
    if said is not None:
        _print_map(found, said, near)


def _print_map(found: Taxonomy, said: LabelMap, near: Near) -> None:
    items = leaves(found, negative=False)
    lacking = maps.lacking(found, said)
    typer.echo(f"label coverage: {len(items) - len(lacking)} of {so_many(len(items), 'item')} have a class")
    rows = ((one.id, one.stream or "none", said.items[one.id].label or "-", said.items[one.id].by) for one in items)
    _show(("item", "stream", "class", "by"), rows)
    for name, why in maps.unused(found, said):
        told = "a negative of the taxonomy" if why == "negative" else "no item of the taxonomy"
        typer.echo(f"class {name}: {told}")
    _propose("classes that are near items; the same? then a synonym, or --stated", maps.near_classes(found, said, near))


def _propose(title: str, found: Sequence[Proposal]) -> None:
    if found:
        typer.echo(f"{title} ({len(found)} {plural('proposal', len(found))}, nothing taken):")
        rows = ((one.word, one.of, one.other, one.other_of, f"{one.percent:.0f} %") for one in found)
        _show(("word", "of", "near", "of", "alike"), rows)


def _show(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = Table(*columns, box=SIMPLE_HEAD)
    for row in rows:
        table.add_row(*map(escape, row))
    if table.row_count:
        Console().print(table)
