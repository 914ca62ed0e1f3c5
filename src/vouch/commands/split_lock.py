"""`vouch split show D` and `vouch split check D`: what the lock holds, and whether it fits the data set."""

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
from vouch.splits.members import counted, misfits


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
    locked, parts = _locked(dataset), _parts(dataset)
    if not parts:
        remedy = f"run `dvc repro split@{dataset}`"
        absent = [path for name in SPLITS if not (path := paths.split(dataset, name)).is_file()]
        raise DataError([Problem(str(path), "the lists of the splits", "no file", remedy) for path in absent])
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
        Naming each group that the lock lacks or holds without photographs, and each photograph between two splits.
    """
    samples = _table(paths.manifest(dataset, "samples"), dataset, "ingest")
    locked, aside = _locked(dataset), _aside(dataset)
    kept = samples[~samples["sample_id"].isin(aside)].reset_index(drop=True)
    refuse_any(LeakageError, misfits(kept, clusters_of(dataset), locked, _parts(dataset), dataset))
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


def _parts(dataset: str) -> dict[str, str]:
    """Return the split of each sample as the lists have it; nothing where they were not written.

    Raises
    ------
    LeakageError
        Naming each sample that is in the lists of several splits.
    """
    lists = {name: paths.split(dataset, name) for name in SPLITS}
    if not all(path.is_file() for path in lists.values()):
        return {}
    listed: dict[str, list[str]] = {}
    for name, path in lists.items():
        for sample in io.read_table(path)["sample_id"]:
            listed.setdefault(str(sample), []).append(name)
    remedy = f"run `dvc repro split@{dataset}`"
    several = {sample: names for sample, names in listed.items() if len(names) > 1}
    refuse_any(LeakageError, [Problem(one, "one split", " and ".join(names), remedy) for one, names in several.items()])
    return {sample: name for sample, (name, *_) in listed.items()}


def _aside(dataset: str) -> set[str]:
    """Return the samples that are in no split: those that the split set aside, else those that validate quarantined."""
    path, issues = paths.split(dataset, "aside"), paths.quality(dataset, "issues")
    if path.is_file():
        return set(io.read_table(path)["sample_id"])
    return set(quarantined(io.read_table(issues))["sample_id"]) if issues.is_file() else set()
