"""The table of a benchmark: commands write five columns, and everything else stays as people wrote it."""

import pytest

from vouch.curation.benchmark.rows import changed, new_rows, read_rows, write_rows
from vouch.errors import DataError, WorkspaceError

HEADER = "note,row_id,class,negative,stratum_light,photograph,url,source,license,status,my own\n"
TEXT = HEADER + (
    '"keep ""this""",r1,can,false,day,,,,,wanted, x \n'
    'plain,r2,leaf,true,"night",a.jpg,,mine,CC0-1.0,labelled,"quoted"\n'
)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "benchmark.csv"
    path.write_text(TEXT)
    return path


def test_reading_and_writing_changes_no_byte(path):
    assert write_rows(path, read_rows(path)) is False
    assert path.read_text() == TEXT


def test_what_rows_state_in_some_columns_leaves_empty_cells_out():
    fixed = {"class": "can", "negative": "false", "status": "wanted"}
    cells = [
        {"row_id": "a", "group_street": "s1", "group_day": "d1"} | fixed,
        {"row_id": "b", "group_day": "d2"} | fixed,
        {"row_id": "c"} | fixed,
    ]
    rows = new_rows("t.csv", [*TEXT.splitlines()[0].split(","), "group_street", "group_day"], cells)
    assert rows.groups == ("group_street", "group_day")
    assert rows.stated(rows.groups) == [{"group_street": "s1", "group_day": "d1"}, {"group_day": "d2"}, {}]
    assert rows.stated(()) == [{}, {}, {}]


def test_a_command_writes_its_columns_and_leaves_every_other_byte(path):
    rows = read_rows(path)
    assert (len(rows), rows.strata, rows.cell(1, "class")) == (2, ("stratum_light",), "leaf")
    assert write_rows(path, changed(rows, {0: {"status": "suggested", "url": "https://x.org/a,b"}})) is True
    assert path.read_text() == TEXT.replace(
        "r1,can,false,day,,,,,wanted,", 'r1,can,false,day,,"https://x.org/a,b",,,suggested,'
    )


@pytest.mark.parametrize("column", ["negative", "class", "row_id", "stratum_light", "note"])
def test_no_command_can_write_what_is_people_s(path, column):
    with pytest.raises(ValueError, match=column):
        changed(read_rows(path), {1: {column: "false"}})


def test_an_added_row_leaves_people_s_columns_empty(path):
    cells = {"row_id": "r3", "class": "can", "negative": "true", "status": "wanted"}
    write_rows(path, changed(read_rows(path), {}, [cells]))
    assert path.read_text() == TEXT + ",r3,can,true,,,,,,wanted,\n"


def test_what_somebody_saved_in_between_is_not_overwritten(path):
    rows = changed(read_rows(path), {0: {"status": "rejected"}})
    path.write_text(TEXT.replace("plain", "edited"))
    with pytest.raises(WorkspaceError, match="the bytes that were read"):
        write_rows(path, rows)
    assert "edited" in path.read_text()


def test_a_new_table_takes_no_file_s_place(path, tmp_path):
    columns = HEADER.strip().split(",")
    rows = new_rows("new.csv", columns, [{"row_id": "r1", "class": "can", "negative": "false", "status": "wanted"}])
    with pytest.raises(WorkspaceError, match="nothing yet"):
        write_rows(path, rows)
    assert path.read_text() == TEXT
    write_rows(tmp_path / "new.csv", rows)
    assert (tmp_path / "new.csv").read_text() == HEADER + ",r1,can,false,,,,,,wanted,\n"
    assert write_rows(tmp_path / "new.csv", read_rows(tmp_path / "new.csv")) is False


def test_a_link_stays_a_link(path, tmp_path):
    link = tmp_path / "link.csv"
    link.symlink_to(path)
    write_rows(link, changed(read_rows(link), {0: {"status": "rejected"}}))
    assert link.is_symlink()
    assert "rejected" in path.read_text()


REFUSED = {
    "a missing column": (TEXT.replace(",license", ",licence"), "a column license"),
    "a second r1": (TEXT.replace("r2", "r1"), "each row_id once"),
    "no row_id": (TEXT.replace("r2", ""), "a row_id without outer spaces"),
    "no class": (TEXT.replace("leaf", ""), "a class without outer spaces"),
    "another truth value": (TEXT.replace("true", "TRUE"), "negative: true or false"),
    "another status": (TEXT.replace("labelled", "done"), "status: wanted, suggested, resolved, labelled, rejected"),
}


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_table_of_a_benchmark_is_refused(path, text, said):
    path.write_text(text)
    with pytest.raises(DataError, match=said):
        read_rows(path)


def test_what_a_command_would_write_is_judged_like_what_a_person_wrote(path):
    rows = read_rows(path)
    for edit, said in (
        ({"source": "=cmd"}, "no spreadsheet calculates"),
        ({"source": "a\0"}, "control characters"),
        ({"source": "x" * 40_000}, "at most 32,767"),
        ({"status": "done"}, "status"),
    ):
        with pytest.raises(DataError, match=said):
            changed(rows, {0: edit})
    with pytest.raises(DataError, match="each row_id once"):
        changed(rows, {}, [{"row_id": "r1", "class": "can", "negative": "true", "status": "wanted"}])
