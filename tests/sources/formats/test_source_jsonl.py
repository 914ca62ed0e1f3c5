import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from vouch.sources.formats import jsonl
from vouch.sources.formats.jsonl import parse
from vouch.sources.schema import compiled, problems, read_schema

LINE = {"image": "images/a.jpg", "width": 200, "height": 100, "groups": {"driver": "d1"}, "strata": {"stream": "cabin"}}
BOX = {"class": "phone", "x1": 20, "y1": 10.5, "x2": 60, "y2": 60}
EXAMPLE = Path(__file__).parents[3] / "examples/manifest.jsonl"


def test_a_line_becomes_a_record_with_fractions():
    records, found = parse(json.dumps({**LINE, "boxes": [BOX]}) + "\n\n", "m.jsonl", "refuse")
    assert found == []
    assert records[0].boxes == (("phone", 0.1, 0.105, 0.3, 0.6),)
    assert (records[0].groups, records[0].strata) == ({"driver": "d1"}, {"stream": "cabin"})
    assert records[0].where == "m.jsonl:1"


def test_boxes_may_state_a_product_and_a_place_and_the_others_stay_as_they_were():
    boxes = [{**BOX, "product": "Cola 0.5 l", "row": 2, "position": 1}, BOX, {**BOX, "row": 3.0}]
    records, found = parse(json.dumps({**LINE, "boxes": boxes}), "m", "refuse")
    assert found == []
    assert records[0].places == (("Cola 0.5 l", 2, 1), (None, None, None), (None, 3, None))
    assert type(records[0].places[2].row) is int
    assert parse(json.dumps({**LINE, "boxes": [BOX]}), "m", "refuse")[0][0].places == ()


@pytest.mark.parametrize(
    ("fields", "where", "got"),
    [
        ({"product": ""}, "boxes[0].product", "'' should be non-empty"),
        ({"product": None}, "boxes[0].product", "None is not of type 'string'"),
        ({"row": 0}, "boxes[0].row", "0 is less than the minimum of 1"),
        ({"position": -1}, "boxes[0].position", "-1 is less than the minimum of 1"),
        ({"position": 1.5}, "boxes[0].position", "1.5 is not of type 'integer'"),
        ({"row": "2"}, "boxes[0].row", "'2' is not of type 'integer'"),
        ({"row": True}, "boxes[0].row", "True is not of type 'integer'"),
        ({"row": 1e300}, "boxes[0].row", "1e+300"),
    ],
)
def test_a_place_that_is_none_is_refused_where_it_stands(fields, where, got):
    records, found = parse(json.dumps({**LINE, "boxes": [{**BOX, **fields}]}), "m", "refuse")
    assert records == []
    assert [problem.where for problem in found] == [f"m:1: {where}"]
    assert got in found[0].got


def test_a_line_may_state_its_split_and_the_descriptor_may_ignore_it(read):
    files = {"a.jpg": "", "manifest.jsonl": json.dumps({"image": "a.jpg", "split": "val"})}
    assert [record.split for record in read(files, "jsonl").records] == ["val"]
    assert [record.split for record in read(files, "jsonl", ignore=["split_stated"]).records] == [None]
    assert len(parse(json.dumps({**LINE, "split": ""}), "m", "refuse")[1]) == 1
    assert len(parse(json.dumps({**LINE, "split": None}), "m", "refuse")[1]) == 1


@pytest.mark.parametrize(
    ("fields", "policy", "annotation"),
    [
        ({"boxes": [BOX]}, "refuse", "labelled"),
        ({"label": "roadwork"}, "refuse", "labelled"),
        ({"boxes": []}, "refuse", "negative"),
        ({"boxes": [], "annotation": "missing"}, "refuse", "missing"),
        ({}, "refuse", "missing"),
        ({}, "negative", "negative"),
        ({"annotation": "negative"}, "refuse", "negative"),
        ({"annotation": "missing"}, "negative", "missing"),
    ],
)
def test_what_nobody_looked_at_is_no_negative(fields, policy, annotation):
    records, found = parse(json.dumps({**LINE, **fields}), "m", policy)
    assert found == []
    assert records[0].annotation == annotation


@pytest.mark.parametrize(
    ("line", "got"),
    [
        ({**LINE, "boxes": [BOX], "annotation": "missing"}, "missing"),
        ({**LINE, "annotation": "labelled"}, "labelled"),
        ({**LINE, "annotation": "maybe"}, "'maybe' is not one of"),
        ({**LINE, "image": "/a.jpg"}, "'/a.jpg'"),
        ({**LINE, "image": "a/../../b.jpg"}, "'a/../../b.jpg'"),
        ({**LINE, "image": "C:/a.jpg"}, "'C:/a.jpg'"),
        ({**LINE, "image": "a\\b.jpg"}, "'a\\\\b.jpg'"),
        ({**LINE, "image": "a\nb.jpg"}, "'a\\nb.jpg'"),
        ({**LINE, "image": ""}, "'' should be non-empty"),
        ({**LINE, "image": 3}, "3 is not of type 'string'"),
        ({**LINE, "colour": "red"}, "'colour' was unexpected"),
        ({"width": 3}, "'image' is a required property"),
        ({**LINE, "width": 0, "boxes": [BOX]}, "0 is less than the minimum of 1"),
        ({**LINE, "width": "200"}, "'200' is not of type 'integer'"),
        ({**LINE, "width": True}, "True is not of type 'integer'"),
        ({**LINE, "groups": {"driver": ""}}, "'' should be non-empty"),
        ({**LINE, "groups": {"driver": 3}}, "3 is not of type 'string'"),
        ({**LINE, "boxes": [{**BOX, "x1": "a"}]}, "'a' is not of type 'number'"),
        ({**LINE, "boxes": [{**BOX, "score": 1}]}, "'score' was unexpected"),
        ({**LINE, "boxes": [{"class": "a", "x1": 1, "y1": 1, "x2": 2}]}, "'y2' is a required property"),
        ({"image": "a.jpg", "boxes": [BOX], "width": 3}, "'height' is a dependency of 'boxes'"),
        (["a"], "['a'] is not of type 'object'"),
    ],
)
def test_a_line_that_breaks_the_schema_is_refused_with_its_place(line, got):
    records, found = parse(json.dumps(LINE) + "\n" + json.dumps(line), "m.jsonl", "refuse")
    assert len(records) == 1
    assert len(found) == 1, found
    assert found[0].where.startswith("m.jsonl:2")
    assert got in found[0].got


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ('{"image": "a.jpg", "width": NaN}', "NaN is not a number"),
        ('{"image": "a.jpg", "width": -Infinity}', "-Infinity is not a number"),
        ('{"image": "a.jpg", "width": 1e999}', "1e999 is out of range"),
        ('{"image": "a.jpg", "width": 99999999999999999999}', "out of range"),
        ('{"image": "a.jpg", "image": "b.jpg"}', "key 'image' appears twice"),
        ('{"image": "\\ud800.jpg"}', "surrogates not allowed"),
        ('{"image": "a.jpg"', "Expecting"),
        ("image,width", "Expecting value"),
    ],
)
def test_a_line_that_is_no_json_is_refused(text, got):
    records, found = parse(text, "m", "refuse")
    assert records == []
    assert got in found[0].got


def test_a_photograph_named_twice_or_absent_is_refused(read):
    text = "\n".join(json.dumps({**LINE, "image": image}) for image in ("a.jpg", "./a.jpg", "b.jpg", "c.txt"))
    reading = read({"a.jpg": "", "c.txt": "", "manifest.jsonl": text}, "jsonl")
    assert [(problem.where, problem.got) for problem in sorted(reading.problems)] == [
        ("manifest.jsonl:2", "a.jpg again"),
        ("manifest.jsonl:3", "no b.jpg"),
        ("manifest.jsonl:4", "another kind of file: c.txt"),
    ]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.floats(-2, 2) | st.sampled_from(["", "a", "missing"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["image", "class", "x1", "boxes", "width", "zz"]), inner, max_size=3)
    ),
    max_leaves=4,
)


@settings(max_examples=300, deadline=None, database=None)
@given(st.sampled_from(sorted(read_schema(jsonl.SCHEMA)["properties"])), VALUES, st.booleans())
def test_the_quick_reading_of_the_schema_agrees_with_jsonschema(field, value, boxed):
    schema = read_schema(jsonl.SCHEMA)
    line = {**LINE, **({"boxes": [BOX]} if boxed else {}), field: value}
    slow = Draft202012Validator(schema).is_valid(line)
    assert compiled(schema)(line) <= slow
    assert (problems(line, "m", name=jsonl.SCHEMA) == []) == slow


def test_a_schema_keyword_without_a_check_is_refused():
    with pytest.raises(NotImplementedError, match="pattern"):
        compiled({"type": "string", "pattern": "a"})


def test_a_hundred_thousand_lines_take_seconds():
    text = "\n".join(json.dumps({**LINE, "image": f"images/{i}.jpg", "boxes": [BOX] * 3}) for i in range(20_000))
    start = time.process_time()
    records, found = parse(text, "m", "refuse")
    assert (len(records), found) == (20_000, [])
    assert time.process_time() - start < 4  # a fifth; 0.8 s of a busy core, where jsonschema alone takes 5 s


def test_the_sample_manifest_of_the_repository_is_good():
    records, found = parse(EXAMPLE.read_text(encoding="utf-8"), EXAMPLE.name, "refuse")
    assert found == []
    assert {record.annotation for record in records} == {"labelled", "negative", "missing"}
