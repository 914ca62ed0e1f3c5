"""Rows find their photographs by content or name; what cannot be told apart, or was swapped, is refused."""

import pytest

from curation.packs import rows
from vouch.curation.benchmark.csv_text import encoded
from vouch.curation.benchmark.resolve import resolve
from vouch.errors import DataError

FILES = {"p/a.jpg": "A", "p/b/b.jpg": "B", "p/b/c.jpg": "C", "p/d/c.jpg": "D", "p/copy.jpg": "A"}


def resolved(*cells):
    asked = []
    found = resolve(rows(*cells), FILES, lambda name: asked.append(name) or FILES[name])
    return found, asked


def cells(found, *names):
    return list(zip(*(found.rows.column(name) for name in names), strict=True))


def test_rows_are_joined_by_path_by_name_and_by_content():
    found, _ = resolved(
        {"photograph": "p/a.jpg"},
        {"photograph": "b.jpg"},
        {"photograph": "b/c.jpg"},
        {"sha256": "D", "photograph": "renamed.jpg"},
        {"sha256": "A", "photograph": "p/copy.jpg"},  # of two files of one content, the one that is named
    )
    assert cells(found, "photograph", "sha256") == [
        ("p/a.jpg", "A"),
        ("p/b/b.jpg", "B"),
        ("p/b/c.jpg", "C"),
        ("p/d/c.jpg", "D"),
        ("p/copy.jpg", "A"),
    ]
    assert (found.found, found.absent, found.silent) == (5, (), ())


def test_only_files_that_a_row_names_are_hashed_and_each_once():
    _, asked = resolved({"photograph": "p/a.jpg"}, {"photograph": "a.jpg"})
    assert asked == ["p/a.jpg"]


def test_a_status_advances_to_resolved_and_never_back():
    given = [{"photograph": "p/a.jpg", "status": status} for status in ("wanted", "suggested", "resolved", "labelled")]
    found, _ = resolved(*given, {"photograph": "p/a.jpg", "status": "rejected"})
    assert found.rows.column("status") == ["resolved", "resolved", "resolved", "labelled", "rejected"]
    assert found.rows.column("sha256")[4] == ""


def test_what_is_not_at_hand_is_named_and_stays_as_it_is():
    before = rows({"photograph": "z.jpg"}, {"sha256": "Z"}, {}, {"status": "wanted"})
    found = resolve(before, FILES, FILES.get)
    assert (found.absent, found.silent, found.found) == (("r0", "r1"), ("r2",), 0)
    assert encoded(found.rows.table) == encoded(before.table)


def test_names_of_several_files_and_swapped_photographs_are_refused_together():
    with pytest.raises(DataError) as caught:
        resolved({"photograph": "c.jpg"}, {"photograph": "p/a.jpg", "sha256": "Z"}, {"photograph": "b.jpg"})
    ambiguous, swapped = sorted(caught.value.problems, key=lambda one: one.where)
    assert ambiguous.got == "'p/b/c.jpg', 'p/d/c.jpg'"
    assert swapped.expected == "the file whose sha256 is 'Z'"
    assert swapped.got == "other bytes in 'p/a.jpg'"


def test_a_second_time_changes_nothing_and_other_cells_keep_their_bytes():
    found, _ = resolved({"photograph": "a.jpg", "note": 'said, "no"'})
    again = resolve(found.rows, FILES, FILES.get)
    assert encoded(again.rows.table) == encoded(found.rows.table)
    assert ',"said, ""no""",' in encoded(found.rows.table).decode()


def test_a_path_and_a_hash_are_found_however_they_are_spelled():
    found, _ = resolved(
        {"photograph": "./p/a.jpg"},
        {"photograph": "p//b/./b.jpg"},
        {"sha256": "d"},
        {"photograph": "p/b/c.jpg", "sha256": "c"},
    )
    assert found.absent == ()
    assert cells(found, "photograph", "sha256") == [
        ("p/a.jpg", "A"),
        ("p/b/b.jpg", "B"),
        ("p/d/c.jpg", "D"),
        ("p/b/c.jpg", "C"),
    ]
