"""A pack is sound or refused with everything that is wrong; its JSON Schema says what its reader takes."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from curation.packs import content, pack
from vouch.curation.taxonomy import pack as packs
from vouch.curation.taxonomy.words import folded, slug
from vouch.errors import DataError

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "src/vouch/curation/taxonomy" / packs.SCHEMA).read_text())
SAMPLE = (ROOT / "examples/curbside/pack.json").read_text()


def refused(items, negatives=(), **more):
    with pytest.raises(DataError) as caught:
        pack(items, negatives, **more)
    return caught.value.problems


def test_the_schema_in_the_repository_is_that_of_the_reader():
    assert packs.schema() == SCHEMA, "write src/vouch/curation/taxonomy/pack.schema.json anew from packs.schema()"
    Draft202012Validator.check_schema(SCHEMA)


def test_the_sample_is_of_the_schema_and_has_what_the_guide_says():
    assert list(Draft202012Validator(SCHEMA).iter_errors(json.loads(SAMPLE))) == []
    sample = packs.read_pack(SAMPLE, "sample")
    assert [stream.id for stream in sample.streams] == ["paper", "plastic", "metal", "glass", "organic", "residual"]
    assert sum(item.stream is not None for item in sample.items) == 12
    assert any(item.prohibited for item in sample.items)
    assert {"leaves", "toy", "tool"} <= {negative.name for negative in sample.negatives}


@pytest.mark.parametrize(
    "spoiled",
    [
        {"format": 2},
        {"streams": []},
        {"items": []},
        {"licence": None},
        {"colour": "red"},
        {"items": [{"name": "can"}]},
        {"items": [{"name": "", "stream": "metal"}]},
        {"items": [{"name": "x" * 121, "stream": "metal"}]},
        {"items": [{"name": "can", "stream": "Metal Bin"}]},
        {"items": [{"name": "can", "stream": "metal", "synonyms": "tin"}]},
    ],
)
def test_reader_and_schema_refuse_the_same(spoiled):
    one = {**content([{"name": "can"}]), **spoiled}
    assert list(Draft202012Validator(SCHEMA).iter_errors(one)) != []
    with pytest.raises(DataError):
        packs.read_pack(json.dumps(one), "pack.json")


def test_a_cycle_is_named_by_its_items_and_each_one_once():
    items = [
        {"name": "a", "parent": "b"},
        {"name": "b", "parent": "c"},
        {"name": "c", "parent": "a"},
        {"name": "d", "parent": "d"},
        {"name": "e", "parent": "a"},  # hangs on a cycle and is in none
    ]
    problems = refused(items)
    assert [problem.got for problem in problems] == ["a cycle: a below b below c below a", "a cycle: d below d"]


def test_a_word_that_two_items_have_is_refused_whatever_its_case_and_hyphens():
    items = [{"name": "can", "synonyms": ["Tin-Can"]}, {"name": "jar", "formerly": ["tin can"]}]
    (problem,) = refused(items, [{"name": "toy"}])
    assert "items[1] (jar)" in problem.where
    assert "'tin can', which items[0] (can) has too" in problem.got
    (problem,) = refused([{"name": "can"}], [{"name": "CAN"}])
    assert "negatives[0] (CAN)" in problem.where


def test_everything_that_is_wrong_is_told_at_once():
    items = [
        {"name": "can", "stream": "metl"},
        {"name": "jar", "stream": "glass", "prohibited": ["glass"], "synonyms": ["CAN"]},
        {"name": "lid", "parent": "jarr", "id": "x"},
        {"name": "cap", "id": "x"},
        {"name": "loop", "parent": "loop"},
        {"name": "void", "stream": None},
    ]
    told = " | ".join(map(str, refused(items)))
    for words in (
        "perhaps `metal` was meant",
        "a stream that does not prohibit it",
        "which items[0] (can) has too",
        "perhaps `jar` was meant",
        "x, 2 times",
        "a cycle: loop below loop",
        "a stream, or streams that prohibit it, got neither",
    ):
        assert words in told


def test_a_name_without_a_letter_or_with_control_characters_is_no_word():
    for name in ("---", "a\x07b", " can", "\u200b"):
        assert refused([{"name": name}])


def test_json_that_is_none_is_a_named_error():
    for text in ("{", "[]", '{"format": 1, "format": 1}', "null", "[" * 100):
        with pytest.raises(DataError):
            packs.read_pack(text, "pack.json")


def test_words_fold_as_people_spell_and_ids_are_ascii():
    assert folded("Ｔin_CAN  (large)") == "tin can large"
    assert folded("Mull") != folded("Müll")
    assert [slug("Getränkedose"), slug("Straße 7"), slug("罐")] == ["getrankedose", "strasse_7", ""]
    assert len(slug("a" * 119)) == 64
