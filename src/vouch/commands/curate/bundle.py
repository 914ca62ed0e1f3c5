"""`vouch curate bundle`: the chosen photographs as a folder that annotation tools read."""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from vouch import io, params, paths
from vouch.commands.curate.reading import need
from vouch.commands.curate.whole import refuse_crops
from vouch.commands.outputs import Output, refuse_outputs
from vouch.curation.annotation.bundle import Job, Page, page_names, texts
from vouch.curation.benchmark import csv_text
from vouch.curation.benchmark.csv_text import Table
from vouch.curation.retraining.answers import Answers, read_answers
from vouch.curation.retraining.chosen import read_choice, stated_in
from vouch.errors import DataError, Problem, refuse_any, so_many
from vouch.params import load
from vouch.roads import task_of
from vouch.stages.ingest import Params
from vouch.tables import GROUP, STRATUM
from vouch.tasks import ByTask, Task
from vouch.vision.images.decoding import Header, read_header
from vouch.vision.images.formats import SUFFIXES

ONE_ANSWER = ByTask(detect=False, classify=True, identify=True)  # for each photograph


def bundle(
    chosen: Annotated[Path, typer.Argument(help="Table of `vouch curate retrain`; a person may take rows out.")],
    model: Annotated[str, typer.Option(help="Model whose answers are filled in; its data set names the classes.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="New folder.")],
    scores: Annotated[
        Path | None, typer.Option(help="What the model says: CSV of `vouch predict M ... --csv`.")
    ] = None,
    links: Annotated[bool, typer.Option("--links", help="Link the photographs instead of copying them.")] = False,
) -> None:
    """Write photographs, the forms that annotation tools read with what the model says, and instructions.

    Every photograph is known by the sha256 of its file from here on.

    Raises
    ------
    VouchError
        Listing every photograph that is not there, not the one that was chosen, or cannot be read, and every
        answer of a class that the data set lacks; every class that no CSV of reviews could bring back; or when the
        model is an embedder that learns from boxes.
    """
    read = [path for path in (chosen, scores) if path is not None]
    refuse_outputs([Output("--output", output)], [*read, paths.model(model)], overwrite=False)
    need(read)
    dataset, task = str(params.read_value("pipeline", "models", model, "dataset")), task_of(model)
    refuse_crops(model, dataset)
    classes = load(Params, "datasets", dataset, "ingest").classes
    refuse_any(DataError, _unreadable(classes, dataset, task))  # before answers, whose CSV would be blamed for them
    pages = _pages(read_choice(chosen), {} if scores is None else read_answers(scores))
    refuse_any(DataError, [*_strange(pages, classes, dataset), *_repeated(pages, task)])
    job = Job(model, dataset, task, classes, links, tuple(pages))
    with io.new_folder(output) as folder:
        for name, text in texts(job).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        (folder / "images").mkdir()
        for page in pages:
            if links:
                real = Path(os.path.relpath(Path(page.photograph).resolve(), (output.resolve() / page.image).parent))
                (folder / page.image).symlink_to(real)
            else:
                shutil.copyfile(page.photograph, folder / page.image)
    negatives = sum(page.negative for page in pages)
    typer.echo(f"{output}: {so_many(len(pages), 'photograph')}, {so_many(negatives, 'negative')}")
    typer.echo(f"how to label them: {output / 'instructions.md'}")


def _pages(table: Table, answers: Answers) -> list[Page]:
    names = table.column("photograph")
    remedy = "choose photographs again, with `vouch curate retrain`"
    refuse_any(DataError, [] if names else [Problem(table.where, "a photograph to be labelled", "no row", remedy)])
    refuse_any(DataError, (problem for index in range(len(names)) for problem in _absent(table, index)))
    headers = [read_header(Path(name)) for name in names]
    refused = (problem for name, header in zip(names, headers, strict=True) for problem in header.refusals(name))
    refuse_any(DataError, refused)
    suffixes = {form: suffix for suffix, form in reversed(SUFFIXES.items())}
    hashes = table.column("sha256")
    images = page_names(hashes, [suffixes[header.format] for header in headers])
    return [
        _page(table, index, image, header, answers)
        for index, (image, header) in enumerate(zip(images, headers, strict=True))
    ]


def _unreadable(classes: tuple[str, ...], dataset: str, task: Task) -> Iterator[Problem]:
    """Yield what keeps the name of a class out of labels.csv: what is written there is refused when it is read back."""
    named = {str(place): name for place, name in enumerate(classes) if ONE_ANSWER[task]}
    where = f"datasets.{dataset}.ingest.classes"
    remedy = "call the class otherwise, there and in the labels (`labels` of source.json renames it), and train again"
    for problem in csv_text.cell_problems(named, where):
        yield replace(problem, remedy=remedy)


def _strange(pages: Sequence[Page], classes: tuple[str, ...], dataset: str) -> Iterator[Problem]:
    """Yield a problem for each class that answers have and the data set lacks: no tool could show it."""
    for name in sorted({said.name for page in pages for said in page.said if said.name} - {*classes}):
        remedy = f"let the model that it trained answer, or add it to datasets.{dataset}.ingest.classes"
        yield Problem(f"--scores: {name}", f"a class of {dataset}", "none of them", remedy)


def _repeated(pages: Sequence[Page], task: Task) -> Iterator[Problem]:
    """Yield a problem for each photograph with several answers of a model that gives each photograph one."""
    for page in pages:
        if len(page.said) > 1 and ONE_ANSWER[task]:
            got, remedy = so_many(len(page.said), "answer"), "keep the row that holds"
            yield Problem(f"--scores: {page.photograph}", "one answer", got, remedy)


def _absent(table: Table, index: int) -> list[Problem]:
    cells = dict(zip(table.columns, table.records[index].cells, strict=True))
    where, path = f"{table.place(index)}: {cells['photograph']}", Path(cells["photograph"])
    if not path.is_file():
        return [Problem(where, "a photograph", "no file", "bring it back, or take the row out")]
    if io.sha256(path) != cells["sha256"]:
        return [Problem(where, f"sha256 {cells['sha256']}", "another photograph", "bring it back, or choose again")]
    return []


def _page(table: Table, index: int, image: str, header: Header, answers: Answers) -> Page:
    cells = dict(zip(table.columns, table.records[index].cells, strict=True))
    width, height = header.size
    return Page(
        image=image,
        sha256=cells["sha256"],
        photograph=cells["photograph"],
        row_id=cells["row_id"],
        name=cells["class"],
        negative=cells["negative"] == "true",
        width=width,
        height=height,
        groups=stated_in(table, GROUP, index),
        strata=stated_in(table, STRATUM, index),
        source=cells["source"],
        license=cells["license"],
        said=tuple(answers.get(os.path.normpath(cells["photograph"]), ())),
    )
