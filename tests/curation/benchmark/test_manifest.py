"""A manifest asks for every cell what it lacks, once, and leaves alone what is there."""

from collections import Counter
from itertools import product

import pytest

from curation.packs import SMALL, rows, taxonomy
from vouch.curation.benchmark.csv_text import encoded
from vouch.curation.benchmark.manifest import cells, columns, extended, open_places, read_wanted
from vouch.curation.benchmark.row_labels import items_of
from vouch.curation.benchmark.rows import new_rows
from vouch.curation.catalogue.catalogue import Candidate
from vouch.curation.catalogue.suggestions import suggest
from vouch.errors import DataError

CONTENT = {
    "strata": {"light": ["day", "night"], "rain": ["dry", "wet"]},
    "rows_per_class": 3,
    "rows_per_negative": 1,
    "rows_of": {"Tin": 2},
}


def wanted(found=SMALL, **change):
    return read_wanted({**CONTENT, **change}, "w.yaml", found)


def test_a_new_manifest_holds_exactly_the_product_of_items_and_strata():
    asked = wanted()
    found = extended(new_rows("rows.csv", columns(asked), []), SMALL, asked)
    counts = Counter(zip(*map(found.column, ("stratum_light", "stratum_rain", "class")), strict=True))
    per = {"tin_can": 2, "jar": 3, "toy": 1}
    assert counts == {
        (light, rain, name): per[name] for light, rain, name in product(("day", "night"), ("dry", "wet"), per)
    }
    assert len(set(found.column("row_id"))) == len(found) == 24
    assert set(found.column("status")) == {"wanted"}
    told = set(zip(found.column("class"), found.column("negative"), strict=True))
    assert told == {("jar", "false"), ("tin_can", "false"), ("toy", "true")}
    strata = ("stratum_light", "stratum_rain")
    assert found.table.columns == (
        "row_id",
        "class",
        "negative",
        *strata,
        "photograph",
        "url",
        "source",
        "license",
        "status",
    )


def test_a_second_time_adds_nothing_and_a_larger_wish_only_what_is_missing():
    asked = wanted()
    once = extended(new_rows("rows.csv", columns(asked), []), SMALL, asked)
    assert encoded(extended(once, SMALL, asked).table) == encoded(once.table)
    more = extended(once, SMALL, wanted(rows_per_class=5))
    assert encoded(more.table).startswith(encoded(once.table))
    assert Counter(more.column("class")) == {"tin_can": 8, "jar": 20, "toy": 4}
    assert len(set(more.column("row_id"))) == len(more)


def test_rows_that_are_there_count_unless_rejected_without_a_stratum_or_showing_an_absent_class():
    asked = wanted(strata={"light": ["day"]}, rows_of={})
    before = rows(
        {"class": "JAR"},  # a word of the item counts
        {"status": "rejected"},
        {"stratum_light": ""},
        {"negative": "true"},  # no jar is on it, though one might think so
        {"row_id": "jar-day-002"},  # has the next id already
    )
    added = extended(before, SMALL, asked)
    new = Counter(added.column("class")[len(before) :])
    assert new == {"jar": 1, "tin_can": 3, "toy": 1}
    tins = [f"tin_can-day-00{number}" for number in (1, 2, 3)]
    assert added.column("row_id")[len(before) :] == ["r1.2", *tins, "toy-day-001"]
    assert encoded(added.table).startswith(encoded(before.table))


def test_no_strata_are_one_cell_an_item():
    assert cells(SMALL, wanted(strata={}, rows_of={})) == {("jar", ()): 3, ("tin_can", ()): 3, ("toy", ()): 1}


def test_parameters_are_refused_with_everything_that_is_wrong():
    found = taxonomy([{"name": "bottle"}, {"name": "vial", "parent": "bottle"}, {"name": "lid", "synonyms": ["cap"]}])
    with pytest.raises(DataError) as caught:
        wanted(found, strata={"light": ["day", "day"]}, rows_of={"bottle": 1, "lidd": 1, "lid": 1, "cap": 2})
    told = str(caught.value)
    assert len(caught.value.problems) == 4
    for words in ("an item above no other", "perhaps `lid` was meant", "each item once", "each value once"):
        assert words in told
    strata = ({"a b": ["x"]}, {"a": []}, {"a": [""]}, [])
    for change in ({"rows_per_class": -1}, {"rows_per_class": 1.5}, {"more": 1}, *({"strata": one} for one in strata)):
        with pytest.raises(DataError):
            wanted(**change)
    with pytest.raises(DataError, match="at most 1,000,000 rows"):
        wanted(strata={name: [str(value) for value in range(100)] for name in "abcd"})


def test_labels_outside_the_taxonomy_and_negatives_that_are_none_are_told_together():
    before = rows({"class": "jarr"}, {"class": "toy"}, {"class": "toy", "negative": "true"}, {"class": "can"})
    with pytest.raises(DataError) as caught:
        items_of(before, SMALL)
    assert len(caught.value.problems) == 3
    assert "true, as toy is a negative, got false" in str(caught.value)
    assert "perhaps `jar` was meant" in str(caught.value)


def test_missing_columns_and_unknown_values_of_strata_are_named():
    with pytest.raises(DataError, match="the column stratum_rain"):
        extended(rows({}), SMALL, wanted())
    with pytest.raises(DataError, match=r"stratum_light: expected one of day, night, or nothing, got 'nihgt'; perhaps"):
        extended(rows({"stratum_light": "nihgt"}), SMALL, wanted(strata={"light": ["day", "night"]}))


def test_a_wish_that_is_met_opens_no_place_and_a_larger_one_wanted_rows_before_rejected_ones():
    had = {"photograph": "a.jpg", "status": "suggested"}
    gone, empty = {"photograph": "b.jpg", "status": "rejected"}, {"status": "wanted"}
    before = rows(gone, had, {"class": "JAR", **had}, empty, gone, {"stratum_light": "", **empty})
    asked = [wanted(strata={"light": ["day"]}, rows_per_class=number, rows_of={}) for number in range(7)]
    # two jars are filled: a third takes the wanted row, a fourth and fifth the rejected ones; r5 is in no cell
    expected = [{5}, {5}, {5}, {3, 5}, {0, 3, 5}, {0, 3, 4, 5}, {0, 3, 4, 5}]
    assert [open_places(before, SMALL, one) for one in asked] == expected


def test_a_row_without_a_photograph_that_is_no_wish_any_more_fills_its_cell():
    asked = wanted(strata={"light": ["day"]}, rows_per_class=1, rows_of={})
    assert open_places(rows({"status": "rejected"}, {"status": "labelled"}), SMALL, asked) == frozenset()


def test_a_wish_that_has_shrunk_below_what_is_filled_adds_no_row_whichever_command_is_given():
    asked = wanted(strata={"light": ["day"]}, rows_per_class=1, rows_per_negative=0, rows_of={"tin": 0})
    before = rows({"photograph": "a.jpg", "status": "rejected"}, {"photograph": "b.jpg", "status": "suggested"})
    found = [Candidate("jar", False, (), "c.jpg", "", "mine", "CC0-1.0")]
    result = suggest(before, found, {}, most=None, opened=open_places(before, SMALL, asked))
    assert encoded(result.rows.table) == encoded(before.table) == encoded(extended(before, SMALL, asked).table)
    assert result.beyond == 1
    assert result.lacking == {}


def test_the_place_of_a_rejected_row_is_filled_once_whichever_command_comes_first():
    asked = wanted(strata={"light": ["day"]}, rows_per_class=1, rows_per_negative=0, rows_of={"tin": 0})
    before = rows({"photograph": "a.jpg", "status": "rejected"})
    found = [Candidate("jar", False, (), f"{name}.jpg", "", "mine", "CC0-1.0") for name in "bcd"]
    first = suggest(extended(before, SMALL, asked), found, {}, most=None).rows
    other = extended(suggest(before, found, {}, most=None).rows, SMALL, asked)
    for result in (first, other):
        assert result.column("row_id") == ["r0", "r0.2"]
        assert result.column("status") == ["rejected", "suggested"]
