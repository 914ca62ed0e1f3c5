"""`vouch data fingerprint D`: what a data set is, and what changed since a file or a revision of git."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from vouch import io, paths
from vouch.commands.known import alike
from vouch.commands.outputs import Output, Overwrite, refuse_outputs
from vouch.commands.revision import as_table, contents
from vouch.errors import DataError, Problem
from vouch.fingerprint import checked, compared, described, fingerprint
from vouch.names import shown

SHOWN = 8  # samples of each kind of difference that are printed; --output has all
FILE = ".json"
BEGINS = ("/", "./", "../", "~")  # of a path; the name of no revision begins so
WHERE = "a file of an earlier fingerprint, a revision of git, or two as REV1..REV2"


def data_fingerprint(
    dataset: Annotated[str, typer.Argument(help="Data set, as its stage scan last read it.")],
    compare: Annotated[str, typer.Option(help=f"Say what changed since {WHERE}.")] = "",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="JSON file to write.")] = None,
    overwrite: Overwrite = False,
) -> None:
    """Write what DATASET is as JSON: hashes of every photograph and its labels, counts per class, stratum and product.

    Photographs and labels are those of the last scan: `dvc repro scan@DATASET` reads them again.

    With --compare: the samples that were added, removed, changed (another photograph), relabelled or regrouped.

    Raises
    ------
    VouchError
        When a table, file or revision cannot be read, or OUTPUT may not be written.
    """
    old_file = Path(compare) if compare and Path(compare).is_file() else None
    if output is not None:
        tables = [path for _, path in _tables(dataset)]
        read = [*tables, *([] if old_file is None else [old_file])]
        refuse_outputs([Output("--output", output, (FILE,))], read, overwrite=overwrite)
    if not compare:
        _write(fingerprint(dataset, **_here(dataset)), output)
        return
    old, new = _sides(dataset, compare, old_file)
    found = compared(old, new)
    if old.get("dataset") != dataset:
        typer.echo(f"note: {compare} is of the data set {shown(old.get('dataset'))}, not {dataset}")
    typer.echo("\n".join(described(found, shown=SHOWN)))
    if output is not None:
        content = {"dataset": dataset, "old": old["sha256"], "new": new["sha256"]}
        _write({**content, **dataclasses.asdict(found)}, output)


def _sides(dataset: str, compare: str, old_file: Path | None) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return both fingerprints that are compared, the older first."""
    if old_file is not None:
        return checked(io.read_json(old_file), str(old_file)), fingerprint(dataset, **_here(dataset))
    if compare.lower().endswith(FILE) or compare.startswith(BEGINS):
        raise DataError([_no_file(Path(compare))])
    first, dots, second = compare.partition("..")
    if not first or (dots and not second):
        raise DataError([Problem("--compare", WHERE, repr(compare), "name both revisions")])
    new = _at(dataset, second) if dots else _here(dataset)
    return fingerprint(dataset, **_at(dataset, first)), fingerprint(dataset, **new)


def _no_file(path: Path) -> Problem:
    """Say what stands where a file was named, and which files of JSON lie there instead."""
    where = f"--compare {path}"
    if path.exists():
        return Problem(where, "a file of an earlier fingerprint", "a folder, or something else", "name a file")
    found = sorted(one.name for one in path.parent.glob(f"*{FILE}")) if path.parent.is_dir() else []
    there = f"; in {path.parent} lie {', '.join(found[:SHOWN])}{', ...' if found[SHOWN:] else ''}" if found else ""
    remedy = f"{alike(path)}{there}; `vouch data fingerprint D -o FILE` writes one"
    return Problem(where, "a file of an earlier fingerprint", "no such file", remedy)


def _tables(dataset: str) -> list[tuple[str, Path]]:
    places = [(name, paths.manifest(dataset, name)) for name in ("samples", "boxes")]
    return [*places, ("scan", paths.quality(dataset, "scan"))]


def _here(dataset: str) -> dict[str, pd.DataFrame]:
    absent = [path for _, path in _tables(dataset) if not path.is_file()]
    if absent:
        remedy = f"run `dvc repro scan@{dataset}`"
        raise DataError([Problem(str(path), "a table", "no file", remedy) for path in absent])
    typer.echo(f"note: as of the last scan; after a change of data, run `dvc repro scan@{dataset}` first", err=True)
    return {name: io.read_table(path) for name, path in _tables(dataset)}


def _at(dataset: str, revision: str) -> dict[str, pd.DataFrame]:
    """Return the tables as a revision of git has them: git knows their hashes, DVC's cache or remote their content.

    Raises
    ------
    WorkspaceError
        When there is no such revision, it knows no such data set, or neither cache nor remote has a table.
    """
    remedy = f"`dvc fetch --all-commits` it, or run `dvc repro scan@{dataset}` in a checkout of that revision"
    places = dict(_tables(dataset))
    expected = "its content in DVC's cache or remote"
    found = contents(places.values(), revision, option="--compare", expected=expected, remedy=remedy)
    return {name: as_table(path, found[path]) for name, path in places.items()}


def _write(content: object, output: Path | None) -> None:
    if output is None:
        typer.echo(io.dumps(content), nl=False)
    else:
        io.write_json(output, content)
        typer.echo(f"wrote {output}")
