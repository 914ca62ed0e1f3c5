"""`vouch drift MODEL PATH`: do new photographs look like those that the model's decisions were fixed on."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from pydantic import Field
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from vouch import io, params, paths
from vouch.commands.known import alike, bundle_of
from vouch.commands.outputs import Output, Overwrite, refuse_outputs
from vouch.drift import inputs, wording
from vouch.drift.verdict import TESTS, Judgement, Plan, as_json, judge
from vouch.errors import DataError, Problem, refuse_any, so_many
from vouch.release.opening import open_bundle
from vouch.sources.tree import photographs_below


class Params(Plan):
    """models.M.drift."""

    examples: Annotated[int, Field(ge=0, le=50)]  # photographs on the page
    seed: Annotated[int, Field(ge=0)]


def drift(
    model: Annotated[str, typer.Argument(help="Model of params.yaml, say roadwork.")],
    path: Annotated[Path, typer.Argument(help="Folder of new photographs, or a prediction table (.parquet, .csv).")],
    groups: Annotated[
        Path | None, typer.Option(help="CSV of image and group, where sub-folders do not say it.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write everything measured as JSON.")] = None,
    page_folder: Annotated[
        Path | None, typer.Option("--page", help="Write an offline page into this new folder.")
    ] = None,
    overwrite: Overwrite = False,
    enforce: Annotated[bool, typer.Option("--enforce", help="Exit 1 on drift.")] = False,
) -> None:
    """Say whether new photographs look like val_calib, the split that the model's decisions were fixed on.

    Raises
    ------
    VouchError
        When the model is not built, an output may not be written, the photographs or the table cannot be
        read whole, or there are too few.
    """
    section = params.load(Params, "models", model, "drift")
    _refuse_places(model, path, groups, json, page_folder, overwrite=overwrite)
    read = {"a folder of photographs, or a prediction table": path, "a CSV of image and group": groups}
    missing = [(what, one) for what, one in read.items() if one is not None and not one.exists()]
    refuse_any(DataError, (Problem(str(one), what, "no such file", alike(one)) for what, one in missing))
    bundle = open_bundle(bundle_of(model, None))
    new = inputs.new(path, bundle, groups)
    dataset = params.read_value("pipeline", "models", model, "dataset")
    old = inputs.reference(model, dataset, bundle, photographs=new.photographs)
    found = judge(old.profile, new.profile, section, np.random.default_rng(section.seed))
    facts = {"model": model, "path": str(path), "groups_from": new.groups_from, "level": section.level}
    if json is not None:
        io.write_json(json, facts | as_json(found))
    if page_folder is not None:
        _write_page(page_folder, facts, found, section.examples if new.photographs else 0)
    _print(model, found, new.groups_from, section.level)
    if enforce and found.drifted:
        raise typer.Exit(1)


def _refuse_places(
    model: str, path: Path, groups: Path | None, json: Path | None, page_folder: Path | None, *, overwrite: bool
) -> None:
    outputs = [] if json is None else [Output("--json", json, (".json",))]
    outputs += [] if page_folder is None else [Output("--page", page_folder)]
    photographs = photographs_below(path) if path.is_dir() else []
    sources = [paths.model(model, "bundle"), path, *photographs, *([] if groups is None else [groups])]
    refuse_outputs(outputs, sources, overwrite=overwrite)


def _write_page(folder: Path, facts: dict[str, object], found: Judgement, examples: int) -> None:
    from vouch.report.drift import page, pictures  # draws with matplotlib, which takes half a second to import

    text = page(facts, found, pictures(found.examples(examples)))
    with io.new_folder(folder) as temporary:
        (temporary / "index.html").write_text(text, encoding="utf-8")


def _print(model: str, found: Judgement, groups_from: str, level: float) -> None:
    console = Console()
    console.print(_table(model, found))
    worst = found.worst()
    for sentence in (*(wording.unmet(one, level) for one in worst), *map(wording.limit_of_chance, worst)):
        if sentence:
            console.print(escape(sentence), highlight=False)
    for test, reason in found.untested.items():
        console.print(f"[yellow]not tested:[/yellow] {TESTS[test]}: {escape(reason)}")
    console.print(f"groups: {escape(groups_from)}")
    for sentence in wording.used(found):
        console.print(escape(sentence), highlight=False)
    sizes = " against ".join(
        f"{so_many(len(one.names), 'photograph')} in {so_many(len(one.groups), 'group')}"
        for one in (found.window, found.reference)
    )
    verdict = "[red]DRIFT[/red]" if found.drifted else "[green]no drift found[/green]"
    console.print(f"{verdict}: {sizes} of val_calib")


def _table(model: str, found: Judgement) -> Table:
    table = Table("test", "moved most", "effect", "limit", "p", "p of all", "verdict", title=f"drift of {model}")
    for one in found.worst():
        effect = f"{one.result.measure} {one.result.effect:.3f}"
        verdict = f"[{'red' if one.moved else 'green'}]{wording.verdict(one)}[/]"
        chances = f"{one.result.p:.3f}", f"{one.adjusted:.3f}"
        table.add_row(
            TESTS[one.test], escape(one.result.variable), effect, f"{one.result.limit:.3f}", *chances, verdict
        )
    return table
