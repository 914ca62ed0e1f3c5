"""Rows joined with photographs that are at hand: by the sha256 of the file, else by its name. Nothing is downloaded."""

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from vouch.curation.benchmark.csv_text import Record, edited, quoted
from vouch.curation.benchmark.rows import Rows, changed
from vouch.errors import DataError, Problem, refuse_any
from vouch.names import shown

SHA256 = "sha256"  # column: of the photograph's file; it pins what a person labelled
NEXT = {"wanted": "resolved", "suggested": "resolved"}  # status of a row once its photograph is at hand
TOLD = 4  # files of one name that a message lists


@dataclass(frozen=True)
class Resolved:
    """The rows with what was found, and the ids of those of which nothing was."""

    rows: Rows
    found: int  # rows whose photograph is at hand
    absent: tuple[str, ...]  # rows that name a photograph which is not
    silent: tuple[str, ...]  # labelled rows that name none


def resolve(rows: Rows, names: Iterable[str], sha256_of: Callable[[str], str]) -> Resolved:
    """Return the rows with path, hash and status of each photograph that is among `names`; all else stays.

    A row with a `sha256` is joined with a file of that content: the one whose path is its `photograph`, else the first.
    Any other row is joined with the file of that path, or the only one whose name or last folders it says. `./a.jpg` is
    `a.jpg`, and a hash may be in capitals. Rejected rows stay as they are.

    Parameters
    ----------
    rows : Rows
    names : iterable of str
        Paths of the photographs at hand, POSIX.
    sha256_of : callable
        The hash of a path's file, hexadecimal; asked once at most for each.

    Raises
    ------
    DataError
        Listing each row whose name several files have, and each whose name a file of another content bears.
    """
    held, hashed = sorted(names), cache(sha256_of)
    told = [
        (row_id, posixpath.normpath(name) if name else "", digest.lower(), status)
        for row_id, name, digest, status in zip(
            *(rows.column(name) for name in ("row_id", "photograph", SHA256, "status")), strict=True
        )
    ]
    by_name = _by_name(held, {name for _, name, _, _ in told})
    by_content = {hashed(name).lower(): name for name in reversed(held)} if any(row[2] for row in told) else {}
    refuse_any(DataError, _problems(rows, told, by_name, by_content))
    edits, hashes, absent, silent = {}, {}, [], []
    for index, (row_id, name, digest, status) in enumerate(told):
        if status == "rejected":
            continue
        found = _found(name, digest, by_name, by_content, hashed)
        if found is not None:
            edits[index] = {"photograph": found, "status": NEXT.get(status, status)}
            hashes[index] = hashed(found)
        elif name or digest:
            absent.append(row_id)
        elif status == "labelled":
            silent.append(row_id)
    return Resolved(_pinned(changed(rows, edits), hashes), len(edits), tuple(absent), tuple(silent))


def _found(
    name: str,
    digest: str,
    by_name: Mapping[str, Sequence[str]],
    by_content: Mapping[str, str],
    hashed: Callable[[str], str],
) -> str | None:
    named = next(iter(by_name.get(name, ())), None)
    if not digest or (named is not None and hashed(named).lower() == digest):
        return named
    return by_content.get(digest)


def _by_name(paths: Iterable[str], wanted: set[str]) -> dict[str, tuple[str, ...]]:
    """Return the files that each wanted name may mean: itself where it is one, else those whose path ends in it."""
    found: dict[str, tuple[str, ...]] = {}
    whole = list(paths)
    for path in whole:
        parts = path.split("/")
        for place in range(1, len(parts)):
            if (name := "/".join(parts[place:])) in wanted and len(found.get(name, ())) < TOLD:
                found[name] = (*found.get(name, ()), path)
    return found | {path: (path,) for path in whole}


def _problems(
    rows: Rows,
    told: Iterable[tuple[str, ...]],
    by_name: Mapping[str, Sequence[str]],
    by_content: Mapping[str, str],
) -> Iterator[Problem]:
    for index, (_, name, digest, status) in enumerate(told):
        files = by_name.get(name, ())
        if status == "rejected":
            continue
        if digest and digest not in by_content and files:
            where, pinned = f"{rows.where(index)}: photograph", shown(rows.cell(index, SHA256))
            got, remedy = f"other bytes in {shown(files[0])}", "bring the photograph back, or label the row again"
            yield Problem(where, f"the file whose sha256 is {pinned}", got, remedy)
        elif not digest and len(files) > 1:
            where, expected = f"{rows.where(index)}: photograph", "one file of this name"
            yield Problem(where, expected, ", ".join(map(shown, files)), "write its path")


def _pinned(rows: Rows, hashes: Mapping[int, str]) -> Rows:
    """Return the rows with these hashes in the column `sha256`, which comes last where it is new."""
    table = rows.table
    if SHA256 in table.columns:
        place = rows.places[SHA256]
        records = [
            edited(record, {place: hashes[index]}) if index in hashes else record
            for index, record in enumerate(table.records)
        ]
        return replace(rows, table=replace(table, records=tuple(records)))
    if not hashes:
        return rows
    records = [_longer(record, hashes.get(index, "")) for index, record in enumerate(table.records)]
    return replace(rows, table=replace(table, header=_longer(table.header, SHA256), records=tuple(records)))


def _longer(record: Record, cell: str) -> Record:
    return replace(record, raw=f"{record.raw},{quoted(cell)}", cells=(*record.cells, cell))
