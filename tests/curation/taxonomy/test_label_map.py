"""Which class an item is: stated, by a word, by its parent; near words are proposed, two equal ones refused."""

import json

import pytest

from curation.packs import taxonomy
from vouch.curation.taxonomy.label_map import lacking, map_labels, near_classes, read_label_map, read_stated, unused
from vouch.curation.taxonomy.taxonomy import Near
from vouch.errors import DataError

TOWN = taxonomy(
    [
        {"name": "bottle", "stream": None},
        {"name": "glass bottle", "parent": "bottle", "stream": "glass"},
        {"name": "vial", "parent": "glass bottle", "stream": "glass"},
        {"name": "food can", "formerly": ["tin can"], "synonyms": ["preserve"]},
        {"name": "lid"},
    ],
    [{"name": "toy", "synonyms": ["doll"]}],
)
CLASSES = ("Bottle", "tin-can", "doll", "lids", "sofa")


def mapped(classes=CLASSES, stated=None):
    found = map_labels(TOWN, classes, stated or {}, "labels.json")
    return {name: (one.label, one.by) for name, one in found.items.items()}


def test_a_class_comes_from_a_word_or_from_above_and_never_from_a_near_word():
    assert mapped() == {
        "bottle": ("Bottle", "name"),
        "glass_bottle": ("Bottle", "parent"),
        "vial": ("Bottle", "parent"),
        "tin_can": ("tin-can", "former name"),
        "lid": (None, "nothing"),
    }


def test_what_a_person_states_counts_more_than_words_and_holds_for_what_is_below():
    found = mapped(stated={"glass bottle": None, "lid": "lids", "food can": "sofa"})
    assert found["glass_bottle"] == (None, "stated")
    assert found["vial"] == (None, "nothing")
    assert found["lid"] == ("lids", "stated")
    assert found["tin_can"] == ("sofa", "stated")


def test_coverage_of_labels_follows_and_near_classes_are_proposed():
    found = map_labels(TOWN, CLASSES, {}, "labels.json")
    assert found.supported == {"bottle", "glass_bottle", "vial", "tin_can"}
    assert [one.id for one in lacking(TOWN, found)] == ["lid"]
    assert unused(TOWN, found) == [("doll", "negative"), ("lids", "unknown"), ("sofa", "unknown")]
    (one,) = near_classes(TOWN, found, Near(percent=80.0, most=3))
    assert (one.word, one.other, one.percent) == ("lids", "lid", 85.7)  # 2 * 3 letters of 7


def test_two_classes_with_words_of_one_kind_are_refused_and_a_statement_decides():
    with pytest.raises(DataError, match=r"food.can|tin_can.*Preserve, preserve"):
        mapped(("Preserve", "preserve"))
    assert mapped(("Preserve", "preserve"), {"tin_can": "preserve"})["tin_can"] == ("preserve", "stated")
    assert mapped(("preserve", "tin can"))["tin_can"] == ("tin can", "former name")  # the better kind wins


def test_statements_about_what_there_is_not_are_told_together():
    with pytest.raises(DataError) as caught:
        mapped(stated={"jarr": None, "toy": "sofa", "lid": "soffa", "tin can": None, "food can": None})
    assert len(caught.value.problems) == 4
    told = str(caught.value)
    for words in ("an item of the taxonomy", "which no class may be", "perhaps `sofa` was meant", "each item once"):
        assert words in told


def test_files_are_read_back_and_those_of_another_taxonomy_refused():
    found = map_labels(TOWN, CLASSES, {}, "labels.json")
    text = json.dumps(found.model_dump(mode="json"))
    assert read_label_map(text, "map.json", TOWN) == found
    with pytest.raises(DataError, match="the items of the taxonomy, got tin_can"):
        read_label_map(text, "map.json", taxonomy([{"name": one} for one in ("bottle", "glass bottle", "vial", "lid")]))
    with pytest.raises(DataError, match="a class of `classes`"):
        read_label_map(text.replace('"tin-can", "by"', '"tin", "by"'), "map.json", TOWN)
    assert read_stated('{"lid": "lids", "bottle": null}', "s.json") == {"lid": "lids", "bottle": None}
    for text in ("[]", '{"lid": 3}', "{"):
        with pytest.raises(DataError):
            read_stated(text, "s.json")


@pytest.mark.parametrize("name", [" sofa", "+", "s" * 121])
def test_a_class_that_is_no_word_is_refused_by_name(name):
    with pytest.raises(DataError, match=r"labels\.json\.classes\.1"):
        mapped(("Bottle", name))
