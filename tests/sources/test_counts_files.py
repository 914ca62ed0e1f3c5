"""Files of counts: what is one, and every way in which one is not."""

import json

import pytest
from jsonschema import Draft202012Validator

from vouch.sources.counts import SCHEMA, Photograph, read_counts
from vouch.sources.schema import compiled, read_schema


def photograph(**more):
    return {"sample_id": "a.jpg", **(more or {"counts": {"cola": 2}})}


def read(content, *, is_truth=False, min_confidence=None):
    text = content if isinstance(content, str) else json.dumps(content)
    return read_counts(text, "p.json", is_truth=is_truth, min_confidence=min_confidence)


def box(product="cola", **more):
    return {"product": product, **more}


def test_counts_are_read_from_an_object_or_a_plain_list():
    expected = (Photograph("a.jpg", {"cola": 2}, {"store": "1"}, {"light": "dim"}),)
    item = photograph(counts={"cola": 2}, groups={"store": "1"}, strata={"light": "dim"})
    assert read([item]).photographs == read({"photographs": [item]}).photographs == expected
    assert read([item]).products is None
    assert read({"photographs": [item], "products": ["cola", "water"]}).products == {"cola", "water"}


def test_objects_are_counted_one_by_one_and_an_unnamed_one_is_unknown():
    boxes = [box(), box(confidence=0.2), box("water", x1=1, y1=2, x2=3.5, y2=4), box(None), box("unknown")]
    assert read([photograph(boxes=boxes)]).photographs[0].counts == {"cola": 2, "water": 1, "unknown": 2}
    assert read([photograph(boxes=[])]).photographs[0].counts == {}


def test_objects_count_from_the_confidence_on_that_is_asked_for():
    boxes = [box(confidence=0.5), box(confidence=0.49), box("water", confidence=0.9)]
    found = read([photograph(boxes=boxes)], min_confidence=0.5)
    assert found.photographs[0].counts == {"cola": 1, "water": 1}
    truth = read([photograph(boxes=[box()])], is_truth=True, min_confidence=0.5)
    assert truth.photographs[0].counts == {"cola": 1}  # the truth is sure


def test_whole_numbers_may_be_written_with_a_point():
    assert read([photograph(counts={"cola": 2.0})]).photographs[0].counts == {"cola": 2}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "well-formed JSON"),
        ('[{"sample_id": "a", "counts": {"cola": NaN}}]', "NaN is not a number"),
        ('[{"sample_id": "a", "counts": {"cola": 1e999}}]', "out of range"),
        ('[{"sample_id": "a", "counts": {"cola": 1, "cola": 2}}]', "'cola' appears twice"),
        ("3", "a value of type object"),
        ({"photos": []}, "the fields ['photographs']"),
        ([{"counts": {}}], "the fields ['sample_id']"),
        ([photograph(counts={"cola": -1})], "photographs[0].counts.cola: expected at least 0"),
        ([photograph(counts={"cola": 1.5})], "a value of type integer"),
        ([photograph(counts={"cola": True})], "a value of type integer"),
        ([photograph(counts={"cola": "2"})], "a value of type integer"),
        ([photograph(counts={"": 2})], "names without outer spaces"),
        ([photograph(counts={"cola ": 2})], "names without outer spaces"),
        ([photograph(counts={"cola": 2}, boxes=[])], "expected either counts or boxes, got both"),
        ([{"sample_id": "a"}], "expected either counts or boxes, got neither"),
        ([photograph(), photograph()], "sample_id a.jpg: expected every name once, got it 2 times"),
        ({"photographs": [photograph()], "products": ["cola", "cola"]}, "products cola: expected every name once"),
        ({"photographs": [photograph()], "products": ["water"]}, "a product of the file's `products`, got cola"),
        ([photograph(boxes=[box(confidence=1.01)])], "boxes[0].confidence: expected at most 1"),
        ([photograph(boxes=[box(confidence=-0.1)])], "boxes[0].confidence: expected at least 0"),
        ([photograph(boxes=[box(confidence=None)])], "a value of type number"),
        ([photograph(boxes=[box("")])], "text of at least 1 character"),
        ([photograph(boxes=[{"confidence": 0.5}])], "the fields ['product']"),
        ([photograph(groups={"store": 3})], "a value of type string"),
        ([photograph(size=3)], "only the fields of the schema"),
        (
            [photograph(counts={"Unknown": 1, "unknown": 2})],
            "differ by more than case, got Unknown, unknown; write 'unknown'",
        ),
        ([photograph(boxes=[box("UNKNOWN")])], "differ by more than case, got UNKNOWN, unknown"),
        ({"photographs": [], "products": ["unKnown"]}, "differ by more than case, got unKnown, unknown"),
        (
            [photograph(counts={"Cola": 1}), photograph(sample_id="b.jpg", counts={"cola": 2})],
            "got Cola, cola; write one product",
        ),
    ],
)
def test_a_file_that_is_none_is_refused_by_name_and_gives_no_counts(content, said):
    found = read(content)
    assert said in "\n".join(map(str, found.problems))
    assert found.photographs == ()


@pytest.mark.parametrize(
    ("content", "truth", "said"),
    [
        ([photograph(boxes=[box(None)])], True, "a product in the ground truth, got null"),
        ([photograph(boxes=[box(confidence=0.9)])], True, "are the two files exchanged?"),
        ([photograph(boxes=[box()])], False, "boxes[0]: expected a confidence, got none"),
        ([photograph()], False, "boxes with a confidence, got counts"),
    ],
)
def test_what_one_side_must_not_say_is_refused(content, truth, said):
    assert said in "\n".join(map(str, read(content, is_truth=truth, min_confidence=0.5).problems))


def test_the_quick_reading_of_the_schema_and_jsonschema_agree():
    schema = read_schema(SCHEMA)
    quick, slow = compiled(schema), Draft202012Validator(schema)
    changes = [{"confidence": 1.5}, {"confidence": 1}, {"product": None}, {"product": 3}, {"product": ""}, {"z": 1}, {}]
    for change in changes:
        content = {"photographs": [photograph(boxes=[box(x1=0) | change])]}
        assert quick(content) == slow.is_valid(content), change
