"""CSV that people wrote comes back byte for byte, and what is no sound CSV is named."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vouch.curation.benchmark import csv_text
from vouch.errors import DataError

WRITTEN = {
    "plain": "a,b\n1,2\n",
    "byte order mark": "\ufeffa,b\n1,2\n",
    "carriage returns": 'a,b\r\n1,"x\r\ny"\r\n',
    "needless quotes": 'a,"b"\n"1",2\n',
    "quotes within": 'a,b\n"say ""x""",y"z\n',
    "empty lines": "a,b\n\n1,2\n\n\n3,4\n\n",
    "empty lines before": "\n\r\na,b\n1,2\n",
    "no end": "a,b\n1,2",
    "header alone": "a,b\n",
    "other writing": "a,b\n\u00dcn\u00efc\u00f6de \u4e2d,\u2028 x\n",
    "notes": "a,b\n-0.5,- broken lid\n",
    "old ends": "a,b\r1,2\r",
}


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "rows.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_what_was_read_is_written_byte_for_byte_and_says_what_csv_says(file, text):
    path = file(text)
    table = csv_text.read(path)
    assert csv_text.encoded(table) == path.read_bytes()
    read = [row for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True) if row]
    assert [list(table.columns), *(list(record.cells) for record in table.records)] == read


def test_an_edit_changes_its_own_cell_and_no_other_byte(file):
    table = csv_text.read(file('a,"b",c\r\n"1","say ""x"", y",3\r\n"4",5,6\r\n'))
    record = csv_text.edited(table.records[0], {2: "new, and quoted"})
    assert record.raw == '"1","say ""x"", y","new, and quoted"'
    assert record.cells == ("1", 'say "x", y', "new, and quoted")
    assert csv_text.edited(record, {0: "1"}) is record


@settings(max_examples=100, deadline=None, database=None)
@given(
    cells=st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8), min_size=3, max_size=3),
    place=st.integers(0, 2),
    quote=st.lists(st.booleans(), min_size=3, max_size=3),
    new=st.text('ab,"\n', max_size=6),
)
def test_any_edit_is_what_csv_reads(cells, place, quote, new):
    raw = ",".join(
        f'"{one.replace(chr(34), chr(34) * 2)}"' if q else csv_text.quoted(one)
        for one, q in zip(cells, quote, strict=True)
    )
    record = csv_text.edited(csv_text.Record(1, tuple(cells), raw, "\n"), {place: new})
    (read,) = csv.reader(io.StringIO(record.raw + "\n", newline=""), strict=True)
    assert read == [new if other == place else cell for other, cell in enumerate(cells)]
    assert tuple(read) == record.cells


def test_added_rows_end_as_the_header_ends_and_complete_the_last_line(file):
    table = csv_text.with_rows(csv_text.read(file("a,b\r\n1,2")), [["3", "x,y"]])
    assert csv_text.encoded(table) == b'a,b\r\n1,2\r\n3,"x,y"\r\n'
    assert csv_text.encoded(csv_text.with_rows(csv_text.read(file("a,b")), [["3", "4"]])) == b"a,b\n3,4\n"


REFUSED = {
    "empty": (b"", "a header"),
    "latin-1 in one line": (b"a,b\n1,2\n\xe9t\xe9,4\n", r"rows\.csv:3: expected UTF-8 text, got byte 0xe9"),
    "utf-16": ("a,b\n1,2\n".encode("utf-16"), "expected UTF-8 text"),
    "nothing but zeros": (b"a,b\n1,\x00\n", "text without control characters"),
    "too few cells": (b"a,b\n1\n", "2 cells, as in the header, got 1"),
    "too many cells": (b"a,b\n1,2,3\n", "2 cells, as in the header, got 3"),
    "open quotes": (b'a,b\n"1,2\n', "well-formed CSV"),
    "text after quotes": (b'a,b\n"1"x,2\n', "well-formed CSV"),
    "a column twice": (b"a,a\n1,2\n", "each column once, got a again"),
    "semicolons, as many a spreadsheet saves": (b"a;b\r\n1;2\r\n", "columns with commas between them, got semicolons"),
    "a column without a name": (b"a,\n1,2\n", "a name for each column"),
    "a formula": (b"a,b\n1,=cmd|' /C calc'!A0\n", r"rows\.csv:2: b: expected text that no spreadsheet calculates"),
    "a quoted formula": (b'a,b\n1,"=1+1"\n', "no spreadsheet calculates"),
    "a call with a sign": (b"a,b\n1,+SUM(A1)\n", "no spreadsheet calculates"),
    "a mention": (b"a,b\n@A1,2\n", "no spreadsheet calculates"),
    "a tab before it": (b"a,b\n1,\t=x\n", "no spreadsheet calculates"),
    "of full width": ("a,b\n1,\uff1d1\n".encode(), "no spreadsheet calculates"),
    "a formula as a column": (b"a,=b\n1,2\n", "no spreadsheet calculates"),
    "a cell of 10 MB": (b"a,b\n1," + b"x" * 10**7 + b"\n", "well-formed CSV"),
    "a cell of 10 MB in quotes": (b'a,b\n1,"' + b"x" * 10**7 + b'"\n', "well-formed CSV"),
    "a cell of 40,000 characters": (
        b"a,b\n1," + b"x" * 40_000 + b"\n",
        "at most 32,767 characters in a cell, got 40,000",
    ),
}


@pytest.mark.parametrize(("content", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_sound_csv_is_refused_by_name(file, content, said):
    with pytest.raises(DataError, match=said) as caught:
        csv_text.read(file(content))
    assert len(str(caught.value)) < 2_000


def test_everything_that_is_wrong_is_named_at_once(file):
    with pytest.raises(DataError) as caught:
        csv_text.read(file(b"a,b\n=1,2\n1\n3,@x\n"))
    assert len(caught.value.problems) == 3


def test_no_file_a_folder_and_too_large_a_file_are_refused(tmp_path, monkeypatch, file):
    for path in (tmp_path / "absent.csv", tmp_path):
        with pytest.raises(DataError):
            csv_text.read(path)
    monkeypatch.setattr(csv_text, "MAX_BYTES", 5)
    with pytest.raises(DataError, match="at most 5 bytes"):
        csv_text.read(file(b"a,b\n1,2\n"))
