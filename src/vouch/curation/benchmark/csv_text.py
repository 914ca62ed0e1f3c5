"""CSV that people wrote: read strictly, and written back byte for byte wherever nothing changed."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vouch.documents import DocumentError, decoded, read_bytes, separator_problems
from vouch.errors import DataError, Problem, refuse_any, shortened
from vouch.sources.vocabulary import is_formula

MAX_BYTES = 2**29  # of a file: 200,000 rows have some 60 MB
CELL_CHARACTERS = 32_767  # what a cell of a spreadsheet holds; csv's own limit is 131,072
MARK = b"\xef\xbb\xbf"  # which spreadsheets put before UTF-8
CELL = re.compile(r'"(?:[^"]|"")*"|[^,]*')
CONTROL = re.compile(  # all but tabs and ends of lines, and what stands for bytes that are not UTF-8
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]"
)
SUSPECT = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|(?:^|[,\"])[=@\t\r+\-＝＠＋－]"
)  # rows whose cells are looked at, one by one
SHOWN = 60  # characters of a cell in a message


@dataclass(frozen=True)
class Record:
    """One row as it stands in the file.

    Attributes
    ----------
    line : of the file, from 1, where it begins
    cells : as csv reads them
    raw : as it is written, without what ends its line; of a header with the empty lines before it
    end : what ends its line, and empty lines after it
    """

    line: int
    cells: tuple[str, ...]
    raw: str
    end: str


@dataclass(frozen=True)
class Table:
    """A CSV file: its header, its rows, and whether a byte order mark stands before it."""

    where: str
    marked: bool
    header: Record
    records: tuple[Record, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return self.header.cells

    def column(self, name: str) -> list[str]:
        """Return the cells of a column; '' for each row where there is no such column."""
        if name not in self.columns:
            return [""] * len(self.records)
        place = self.columns.index(name)
        return [record.cells[place] for record in self.records]

    def place(self, index: int) -> str:
        """Return where a row stands: the file and the line."""
        return f"{self.where}:{self.records[index].line}"


def read(path: Path) -> Table:
    """Return a CSV file with a header, whose rows have as many cells as the header has names, each name once.

    Raises
    ------
    DataError
        Listing everything: no file, too large, not UTF-8, control characters, malformed CSV, too few or too many cells,
        cells longer than a spreadsheet's, formulas, columns without a name or with another's.
    """
    where = str(path)
    try:
        content = read_bytes(path, where, max_bytes=MAX_BYTES)
        text = decoded(content, where)
    except DocumentError as error:
        raise DataError(error.problems) from error
    try:
        records = list(_records(text))
    except csv.Error as error:
        remedy = "close the quotes, or split the cell"
        raise DataError([Problem(where, "well-formed CSV", str(error), remedy)]) from error
    if not records:
        raise DataError([Problem(where, "a header", "an empty file", "name the columns in the first line")])
    refuse_any(DataError, [*_header_problems(records[0], where), *_problems(records, where)])
    return Table(where, content.startswith(MARK), records[0], tuple(records[1:]))


def encoded(table: Table) -> bytes:
    """Return the file's bytes: those that were read, wherever nothing was edited."""
    text = "".join(record.raw + record.end for record in (table.header, *table.records))
    return (MARK if table.marked else b"") + text.encode("utf-8")


def edited(record: Record, cells: Mapping[int, str]) -> Record:
    """Return a row with other text in some cells; the rest of it keeps its bytes, quotes included."""
    wanted = {place: cell for place, cell in cells.items() if record.cells[place] != cell}
    if not wanted:
        return record
    raw = _raw_cells(record)
    for place, cell in wanted.items():
        raw[place] = quoted(cell)
    values = tuple(wanted.get(place, cell) for place, cell in enumerate(record.cells))
    return replace(record, cells=values, raw=",".join(raw))


def with_rows(table: Table, rows: Sequence[Sequence[str]]) -> Table:
    """Return a table with rows after its last, which end as its header ends."""
    if not rows:
        return table
    end = re.match(r"\r\n|\n|\r|", table.header.end)[0] or "\n"  # type: ignore[index]  # it matches nothing, too
    header, *records = (record if record.end else replace(record, end=end) for record in (table.header, *table.records))
    added = (Record(0, tuple(cells), ",".join(map(quoted, cells)), end) for cells in rows)
    return replace(table, header=header, records=(*records, *added))


def new(where: str, columns: Sequence[str]) -> Table:
    """Return a table of no rows, in plain UTF-8 with line feeds."""
    return Table(where, False, Record(1, tuple(columns), ",".join(map(quoted, columns)), "\n"), ())


def quoted(cell: str) -> str:
    """Return a cell as it is written: in quotes where it needs them."""
    return f'"{cell.replace(chr(34), 2 * chr(34))}"' if re.search(r'[",\r\n]', cell) else cell


def cell_problems(cells: Mapping[str, str], where: str) -> Iterator[Problem]:
    """Yield what keeps named cells from standing in a table of ours: formulas, control characters, too much text."""
    for name, cell in cells.items():
        yield from _cell_problems(cell, f"{where}: {name}")


def _records(text: str) -> Iterator[Record]:
    """Yield the rows with the text that each was read from; the empty lines after one belong to its end."""
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            taken.append(line)
            yield line

    held: Record | None = None
    line, before = 1, ""
    for cells in csv.reader(lines(), strict=True):
        raw = "".join(taken)
        line, begin = line + len(taken), line
        taken.clear()
        if not cells and held is not None:
            held = replace(held, end=held.end + raw)
        elif not cells:
            before += raw
        else:
            if held is not None:
                yield held
            body = raw.rstrip("\r\n")
            held, before = Record(begin, tuple(cells), before + body, raw[len(body) :]), ""
    if held is not None:
        yield held


def _raw_cells(record: Record) -> list[str]:
    """Return the cells of a row with the quotes that they are written in."""
    found, place = [], 0
    for _ in record.cells:
        match = CELL.match(record.raw, place)
        assert match is not None  # it matches nothing, too
        found.append(match[0])
        place = match.end() + 1
    return found


def _header_problems(header: Record, where: str) -> Iterator[Problem]:
    names = header.cells
    yield from separator_problems(names, f"{where}:1")
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        yield Problem(f"{where}:1", "each column once", f"{', '.join(twice)} again", "rename or remove one")
    if any(name != name.strip() or not name for name in names):
        yield Problem(f"{where}:1", "a name for each column, without outer spaces", ", ".join(names), "correct it")


def _problems(records: Sequence[Record], where: str) -> Iterator[Problem]:
    header = records[0].cells
    for record in records:
        place = f"{where}:{record.line}"
        if len(record.cells) != len(header):
            expected, got = f"{len(header)} cells, as in the header", str(len(record.cells))
            yield Problem(place, expected, got, "complete the row, or quote its commas")
        elif len(record.raw) > CELL_CHARACTERS or SUSPECT.search(record.raw):
            for name, cell in zip(header, record.cells, strict=True):
                yield from _cell_problems(cell, f"{place}: {shortened(name, SHOWN)}")


def _cell_problems(cell: str, where: str) -> Iterator[Problem]:
    if len(cell) > CELL_CHARACTERS:
        expected = f"at most {CELL_CHARACTERS:,} characters in a cell"
        yield Problem(where, expected, f"{len(cell):,}", "shorten it, or keep the text elsewhere")
    elif CONTROL.search(cell):
        got = ascii(shortened(cell, SHOWN))
        yield Problem(where, "text without control characters", got, "save the file as UTF-8 text")
    elif is_formula(cell):
        yield Problem(where, "text that no spreadsheet calculates", shortened(cell, SHOWN), "remove the formula")
