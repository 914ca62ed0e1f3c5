"""`vouch split show D` and `vouch split check D`: what the lock holds, and whether it fits the data set."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from vouch import io, paths
from vouch.commands.splitting import clusters_of
from vouch.errors import DataError, LeakageError, Problem, refuse_any, so_many
from vouch.paths import SPLITS
from vouch.splits import lock
from vouch.splits.assignment import quarantined
from vouch.splits.bridges import SEALED
from vouch.splits.members import Lists, counted, misfits, repeated


def split_show(dataset: Annotated[str, typer.Argument(help="Data set; its stage split has run.")]) -> None:
    """Count what each split of DATASET holds: photographs, groups, labels, strata, products.

    Raises
    ------
    DataError
        When its manifest, lock or a list of a split is absent.
    LeakageError
        Naming each photograph that the lists of several splits hold.
    """
    samples, boxes = (_table(paths.manifest(dataset, name), dataset, "ingest") for name in ("samples", "boxes"))
    locked, lists = _locked(dataset), _lists(dataset)
    refuse_any(DataError, _absent(lists, dataset))
    refuse_any(LeakageError, repeated(lists, dataset))
    parts = {sample: name for name, samples_of in lists.items() for sample in samples_of}
    columns = [Column(name, justify="right") for name in SPLITS]
    table = Table("", "what", *columns, box=SIMPLE_HEAD, title=f"splits of {dataset}", title_justify="left")
    for heading, what, counts in counted(samples, boxes, pd.Series(parts, dtype="str")):
        table.add_row(heading, escape(what), *map(str, counts))
    Console().print(table)
    typer.echo(f"locked: {so_many(len(locked), 'group')} in {paths.split_lock(dataset)}; none of them ever moves")
    typer.echo(f"sealed: {SPLITS[SEALED]}; nothing leaves it, and only a verdict reads it")


def split_check(dataset: Annotated[str, typer.Argument(help="Data set; its stage ingest has run.")]) -> None:
    """Hold the lock of DATASET against its photographs: every group in it once, none missing, none in two splits.

    Raises
    ------
    LeakageError
        Naming each group that the lock lacks or holds without photographs, each photograph between two splits, each
        list of a split that is absent, and what the others have otherwise.
    """
    samples = _table(paths.manifest(dataset, "samples"), dataset, "ingest")
    locked, aside, lists = _locked(dataset), _aside(dataset), _lists(dataset)
    kept = samples[~samples["sample_id"].isin(aside)].reset_index(drop=True)
    wrong = misfits(kept, clusters_of(dataset), locked, lists, dataset)
    refuse_any(LeakageError, [*_absent(lists, dataset), *wrong])
    said = f"{so_many(len(kept), 'photograph')} in {so_many(len(locked), 'group')}, each in one split"
    typer.echo(f"{paths.split_lock(dataset)}: {said}" + (f"; {len(aside)} set aside" if aside else ""))


def _table(path: Path, dataset: str, stage: str) -> pd.DataFrame:
    if not path.is_file():
        raise DataError([Problem(str(path), "a table", "no file", f"run `dvc repro {stage}@{dataset}`")])
    return io.read_table(path)


def _locked(dataset: str) -> dict[str, str]:
    path = paths.split_lock(dataset)
    if not path.is_file():
        raise DataError([Problem(str(path), "the lock of its groups", "no file", f"run `dvc repro split@{dataset}`")])
    return lock.parse(path.read_bytes(), str(path))


def _lists(dataset: str) -> dict[str, list[str]]:
    """Return the samples of each split whose list is there."""
    found = {name: path for name in SPLITS if (path := paths.split(dataset, name)).is_file()}
    return {name: io.read_table(path)["sample_id"].astype(str).tolist() for name, path in found.items()}


def _absent(lists: Lists, dataset: str) -> Iterator[Problem]:
    for path in (paths.split(dataset, name) for name in SPLITS if name not in lists):
        yield Problem(str(path), "the list of a split", "no file", f"run `dvc repro split@{dataset}`")


def _aside(dataset: str) -> set[str]:
    """Return the samples that are in no split: those that the split set aside, else those that validate quarantined."""
    path, issues = paths.split(dataset, "aside"), paths.quality(dataset, "issues")
    if path.is_file():
        return set(io.read_table(path)["sample_id"])
    return set(quarantined(io.read_table(issues))["sample_id"]) if issues.is_file() else set()
