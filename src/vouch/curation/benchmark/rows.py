"""The table of a benchmark: one row a photograph that is wanted, found or labelled, in a CSV that people edit.

Columns, each once, in any order: `row_id` (unique), `class`, `negative` (true: nothing of the class is on the
photograph, though one might think so; false), any number of `stratum_<name>`, `photograph` (a file, from the
repository root), `url`, `source`, `license` and `status`:

    wanted      a place that is to be filled: no photograph, no url
    suggested   something fills it, and nobody looked yet
    resolved    its photograph is there
    labelled    a person labelled it
    rejected    a person, or `dedupe`, decided against it; it stays, so that it is not suggested again

`resolve` adds the column `sha256` where there is none, and writes into it what pins a photograph. All other columns are
people's. No command writes into them, nor into `row_id`, `class`, `negative` and the strata: what stands there keeps
its bytes, its quotes and its place.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from vouch import io
from vouch.curation.benchmark import csv_text
from vouch.curation.benchmark.csv_text import Table
from vouch.errors import DataError, Problem, WorkspaceError, refuse_any
from vouch.names import closest, shown
from vouch.sources.vocabulary import is_fit
from vouch.tables import GROUP, STRATUM

IDENTITY = ("row_id", "class", "negative")
WRITTEN = ("photograph", "url", "source", "license", "status")  # the columns that commands write
COLUMNS = (*IDENTITY, *WRITTEN)
STATUSES = ("wanted", "suggested", "resolved", "labelled", "rejected")
NEGATIVE = ("true", "false")


@dataclass(frozen=True)
class Rows:
    """The table, and the sha256 of the bytes that it was read from ('' for one that is new)."""

    table: Table
    read_from: str

    def __len__(self) -> int:
        return len(self.table.records)

    @property
    def strata(self) -> tuple[str, ...]:
        """Names of the stratum columns, in order."""
        return tuple(name for name in self.table.columns if name.startswith(STRATUM))

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the columns of leakage keys, in order."""
        return tuple(name for name in self.table.columns if name.startswith(GROUP))

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Each column to its place."""
        return {name: place for place, name in enumerate(self.table.columns)}

    def column(self, name: str) -> list[str]:
        """Return the cells of a column, in the order of the rows."""
        return self.table.column(name)

    def cell(self, index: int, name: str) -> str:
        """Return one cell."""
        return self.table.records[index].cells[self.places[name]]

    def stated(self, names: Sequence[str]) -> list[dict[str, str]]:
        """Return what each row states in these columns; an empty cell states nothing."""
        return [{name: cell for name in names if (cell := self.cell(index, name))} for index in range(len(self))]

    def where(self, index: int) -> str:
        """Return where a row stands, for a message."""
        return f"{self.table.place(index)} ({shown(self.cell(index, 'row_id'))})"


def read_rows(path: Path) -> Rows:
    """Return the table of a benchmark.

    Raises
    ------
    DataError
        Listing everything: what `csv_text.read` refuses, a column that is missing, a `row_id` that stands twice, a
        class that is no name, a word that `negative` or `status` does not have.
    """
    table = csv_text.read(path)
    missing = [name for name in COLUMNS if name not in table.columns]
    remedy = "add it; " + closest(missing[0], table.columns) if missing else ""
    refuse_any(DataError, (Problem(f"{path}:1", f"a column {name}", "none", remedy) for name in missing))
    rows = Rows(table, hashlib.sha256(csv_text.encoded(table)).hexdigest())
    refuse_any(DataError, _problems(rows))
    return rows


def new_rows(where: str, columns: Sequence[str], cells: Sequence[Mapping[str, str]]) -> Rows:
    """Return a table that is not written yet; a cell that a row does not name is empty."""
    return changed(Rows(csv_text.new(where, columns), ""), {}, cells)


def changed(rows: Rows, edits: Mapping[int, Mapping[str, str]], added: Sequence[Mapping[str, str]] = ()) -> Rows:
    """Return the table with other text in cells of `WRITTEN`, and with rows after its last.

    Raises
    ------
    ValueError
        When an edit names a column that is not a command's to write: negatives, classes and strata stay as they are.
    DataError
        When the result is not a table that `read_rows` takes.
    """
    if foreign := {name for edit in edits.values() for name in edit} - set(WRITTEN):
        raise ValueError(f"columns that no command writes: {', '.join(sorted(foreign))}")
    records = list(rows.table.records)
    for index, edit in edits.items():
        records[index] = csv_text.edited(records[index], {rows.places[name]: cell for name, cell in edit.items()})
    lines = [[row.get(name, "") for name in rows.table.columns] for row in added]
    result = replace(rows, table=csv_text.with_rows(replace(rows.table, records=tuple(records)), lines))
    named = (result.where(index) for index in edits)
    written = [*zip(named, edits.values(), strict=True), *((row.get("row_id", ""), row) for row in added)]
    refuse_any(DataError, (problem for where, row in written for problem in csv_text.cell_problems(row, where)))
    refuse_any(DataError, _problems(result))
    return result


def write_rows(path: Path, rows: Rows) -> bool:
    """Write the table whole or not at all; return whether a byte changed. A link stays a link.

    Raises
    ------
    WorkspaceError
        When the file is no longer what was read, or stands where a new table was to be written: somebody's work.
    """
    content, real = csv_text.encoded(rows.table), path.resolve()
    found = io.sha256(real) if real.is_file() else ""
    if found != rows.read_from:
        got, remedy = "other bytes" if rows.read_from else "a file", "give the command again, or name another"
        expected = "the bytes that were read" if rows.read_from else "nothing yet"
        raise WorkspaceError([Problem(str(path), expected, got, remedy)])
    if hashlib.sha256(content).hexdigest() == found:
        return False
    io.write_bytes(real, content)
    return True


def _problems(rows: Rows) -> Iterator[Problem]:
    columns = {name: rows.column(name) for name in (*IDENTITY, "status")}
    for index, (row_id, name, negative, status) in enumerate(zip(*columns.values(), strict=True)):
        if not is_fit(row_id):
            yield Problem(rows.where(index), "a row_id without outer spaces", repr(row_id), "give it one of its own")
        if not is_fit(name):
            yield Problem(rows.where(index), "a class without outer spaces", repr(name), "name the class")
        if negative not in NEGATIVE:
            yield Problem(rows.where(index), "negative: true or false", shown(negative), "write one of them")
        if status not in STATUSES:
            yield Problem(rows.where(index), f"status: {', '.join(STATUSES)}", shown(status), "write one of them")
    twice = {row_id for row_id, count in Counter(columns["row_id"]).items() if count > 1}
    for index, row_id in enumerate(columns["row_id"]):
        if row_id in twice:
            yield Problem(rows.where(index), "each row_id once", "it again", "give one of the rows another")
