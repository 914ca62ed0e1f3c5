"""Ids outlive names, differences are told, and near words are proposed and change nothing."""

import pytest

from curation.packs import SMALL, taxonomy
from vouch import io
from vouch.curation.taxonomy import taxonomy as taxonomies
from vouch.curation.taxonomy.taxonomy import Change, Near, differences, leaves, near_items, near_renames, read_taxonomy
from vouch.errors import DataError

JAR = SMALL.items[0].model_dump(mode="json")
NEAR = Near(percent=85.0, most=2)


def ids(found):
    return {one.name: one.id for one in found.items}


def test_an_item_keeps_its_id_through_every_kind_of_rename():
    before = taxonomy([{"name": "tin can", "synonyms": ["tin"]}, {"name": "jar"}, {"name": "lid"}, {"name": "cap"}])
    after = taxonomy(
        [
            {"name": "food can", "formerly": ["tin can"]},  # says what it was
            {"name": "glass jar", "synonyms": ["jar"]},  # its old name is a synonym now
            {"name": "LID"},  # another spelling
            {"name": "crown cap", "synonyms": ["beer cap"]},  # nothing ties it to `cap`
        ],
        previous=before,
    )
    assert ids(after) == {"food can": "tin_can", "glass jar": "jar", "LID": "lid", "crown cap": "crown_cap"}
    assert [one.id for one in after.retired] == ["cap"]


def test_a_chain_of_renames_keeps_the_first_id_also_without_the_taxonomies_between():
    first = taxonomy([{"name": "tin"}])
    second = taxonomy([{"name": "tin can", "formerly": ["tin"]}], previous=first)
    third = taxonomy([{"name": "food can", "formerly": ["tin", "tin can"]}], previous=second)
    alone = taxonomy([{"name": "food can", "formerly": ["tin", "tin can"]}])
    assert ids(second) == {"tin can": "tin"}
    assert ids(third) == ids(alone) == {"food can": "tin"}


def test_of_an_item_that_was_divided_the_part_that_kept_the_name_keeps_the_id():
    before = taxonomy([{"name": "bottle", "synonyms": ["flask", "glass bottle"]}])
    after = taxonomy([{"name": "flask"}, {"name": "glass bottle"}, {"name": "bottle"}], previous=before)
    assert ids(after) == {"bottle": "bottle", "flask": "flask", "glass bottle": "glass_bottle"}


def test_two_items_that_became_one_leave_one_id_and_retire_the_other():
    before = taxonomy([{"name": "tin"}, {"name": "can"}])
    after = taxonomy([{"name": "can", "synonyms": ["tin"]}], previous=before)
    assert ids(after) == {"can": "can"}
    assert [one.id for one in after.retired] == ["tin"]
    again = taxonomy([{"name": "can"}, {"name": "tin"}], previous=after)  # and it comes back under its own
    assert ids(again) == {"can": "can", "tin": "tin"}
    assert again.retired == ()


def test_a_retired_id_is_never_given_to_another_thing():
    before = taxonomy([{"name": "jar", "id": "x1"}])
    gone = taxonomy([{"name": "can"}], previous=before)
    with pytest.raises(DataError, match="x1, which was another item's"):
        taxonomy([{"name": "can"}, {"name": "lid", "id": "x1"}], previous=gone)
    with pytest.raises(DataError, match="an id that nothing else has or had"):
        taxonomy([{"name": "can"}, {"name": "x1"}], previous=gone)


def test_a_stated_id_may_not_rename_the_id_that_was():
    with pytest.raises(DataError, match="the id jar that it had"):
        taxonomy([{"name": "jar", "id": "glass_jar"}], previous=taxonomy([{"name": "jar"}]))


def test_names_that_give_no_id_or_the_same_one_are_told_together():
    with pytest.raises(DataError) as caught:
        taxonomy([{"name": "罐"}, {"name": "Mull"}, {"name": "Müll"}])
    assert [problem.where for problem in caught.value.problems] == ["pack.json: Müll", "pack.json: 罐"]
    assert ids(taxonomy([{"name": "罐", "id": "can"}])) == {"罐": "can"}


def test_what_was_written_is_read_back_the_same(tmp_path):
    found = taxonomy([{"name": "bottle", "stream": None}, {"name": "vial", "parent": "bottle"}], [{"name": "toy"}])
    io.write_json(tmp_path / "t.json", found.model_dump(mode="json"))
    assert read_taxonomy((tmp_path / "t.json").read_text(), "t.json") == found
    assert [one.id for one in leaves(found, negative=False)] == ["vial"]
    assert [one.id for one in leaves(found, negative=True)] == ["toy"]
    assert found.items[2].parent == "bottle"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"items": [{**JAR, "parent": "void"}]}, "a parent that is an item"),
        ({"items": [{**JAR, "parent": "jar"}]}, "a tree"),
        ({"items": [JAR, {**JAR, "id": "pot"}]}, "each id"),
        ({"format": 2}, "expected 1, got 2"),
    ],
)
def test_a_taxonomy_that_somebody_broke_is_refused(change, expected):
    with pytest.raises(DataError, match=expected):
        read_taxonomy(io.dumps({**SMALL.model_dump(mode="json"), **change}), "t.json")


def test_differences_name_what_came_went_was_renamed_or_moved():
    before = taxonomy([{"name": "tin can"}, {"name": "lid"}, {"name": "jar"}], [{"name": "toy"}])
    after = taxonomy(
        [{"name": "food can", "formerly": ["tin can"]}, {"name": "jar", "stream": "glass"}, {"name": "toy"}],
        [{"name": "tool"}],
        previous=before,
    )
    assert differences(before, after) == [
        Change("added", "tool", "", "tool"),
        Change("formerly", "tin_can", "", "tin can"),
        Change("negative", "toy", "True", "False"),
        Change("renamed", "tin_can", "tin can", "food can"),
        Change("retired", "lid", "lid", ""),
        Change("stream", "jar", "metal", "glass"),
        Change("stream", "toy", "None", "metal"),
    ]
    assert differences(after, after) == []


def lcs(one, other):
    """Length of the longest common subsequence, by the textbook's table."""
    row = [0] * (len(other) + 1)
    for letter in one:
        before = row[:]
        for place, match in enumerate(other, 1):
            row[place] = before[place - 1] + 1 if letter == match else max(before[place], row[place - 1])
    return row[-1]


def percent(one, other):
    one, other = (" ".join(sorted(word.split())) for word in (one, other))
    return 200 * lcs(one, other) / (len(one) + len(other))


def test_near_words_are_those_of_another_implementation_and_never_taken():
    names = ["plastic bottle", "bottle plastik", "glass bottle", "drink can", "drinks can", "jam jar"]
    found = taxonomy([{"name": name} for name in names])
    expected = {
        (one, other)
        for one in names
        for other in names
        if one.replace(" ", "_") < other.replace(" ", "_") and percent(one, other) >= 85
    }
    assert {(one.word, one.other) for one in near_items(found, NEAR)} == expected
    assert expected == {("bottle plastik", "plastic bottle"), ("drink can", "drinks can")}
    assert len(found.items) == len(names)


def test_a_new_item_near_one_that_went_is_proposed_as_a_rename_and_gets_a_new_id():
    before = taxonomy([{"name": "drink can"}, {"name": "jar"}])
    after = taxonomy([{"name": "drinks can"}, {"name": "jar"}], previous=before)
    assert ids(after)["drinks can"] == "drinks_can"
    (one,) = near_renames(before, after, NEAR)
    assert (one.word, one.other, one.other_of) == ("drinks can", "drink can", "drink_can")


def test_at_most_so_many_proposals_a_word_the_nearest_first():
    words = [("tin can", "a")]
    others = [(name, name) for name in ("tin cans", "tin can s", "tin canss", "jar")]
    found = taxonomies.proposals(words, others, NEAR)
    assert len(found) == 2
    assert found[0].other == "tin cans"
    assert taxonomies.proposals([], others, NEAR) == taxonomies.proposals(words, [], NEAR) == []


def test_an_id_is_no_word_of_another_item():
    items = [{"name": "glass bottle", "id": "bottle"}, {"name": "Bottle", "id": "bottle-2"}]
    with pytest.raises(DataError, match="glass bottle: expected an id that is no word of another item"):
        taxonomy(items)
    assert ids(taxonomy([{**items[0], "formerly": ["bottle"]}])) == {"glass bottle": "bottle"}


@pytest.mark.parametrize("parent", ["tin", "toy"])  # a word of an item, and a negative
def test_what_stands_above_an_item_is_an_item(parent):
    broken = SMALL.model_dump(mode="json")
    broken["items"][0]["parent"] = parent
    with pytest.raises(DataError, match=f"a parent that is an item, got '?{parent}"):
        read_taxonomy(io.dumps(broken), "taxonomy.json")


def test_a_pair_of_near_words_is_told_though_it_is_not_among_the_nearest_of_both():
    one = Near(percent=85.0, most=1)  # `bottles xx` is nearer to `bottles x` (94.7 %) than `bottles xyz` is (90 %)
    found = near_items(taxonomy([{"name": f"bottles {end}"} for end in ("x", "xx", "xyz")]), one)
    assert [(each.word, each.other) for each in found] == [("bottles x", "bottles xx"), ("bottles x", "bottles xyz")]
