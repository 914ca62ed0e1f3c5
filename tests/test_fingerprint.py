"""A fingerprint changes with what it is of, and with nothing else; two of them say what lies between."""

import copy

import pandas as pd
import pytest

from vouch import io
from vouch.errors import DataError
from vouch.fingerprint import Difference, checked, compared, described, fingerprint

SAMPLES = pd.DataFrame(
    {
        "sample_id": ["a/1", "a/2", "a/3"],
        "annotation": ["labelled", "labelled", "negative"],
        "label": [None, "can", None],
        "width": [10, 10, 10],
        "group_shelf": ["s1", "s2", "s2"],
        "stratum_light": ["day", "dusk", "day"],
    }
).astype({"label": "str"})
BOXES = pd.DataFrame(
    {
        "sample_id": ["a/1", "a/1"],
        "class_name": ["can", "jar"],
        **{corner: [at, at + 0.25] for corner, at in zip(("x1", "y1", "x2", "y2"), (0.0, 0.1, 0.5, 0.6), strict=True)},
        "product": ["Cola", None],
        "row": [1.0, float("nan")],
        "position": [2.0, float("nan")],
    }
).astype({"product": "str"})
SCAN = pd.DataFrame({"sample_id": ["a/1", "a/2", "a/3"], "sha256": ["x", "y", "z"], "sharpness": [1.0, 2.0, 3.0]})


def made(samples=SAMPLES, boxes=BOXES, scan=SCAN):
    return fingerprint("d", samples, boxes, scan)


def difference(**fields):
    empty = dict.fromkeys(("added", "removed", "changed", "relabelled", "regrouped"), ())
    return Difference(**empty | fields)


def test_it_counts_classes_products_and_strata():
    found = made()
    assert {name: found[name] for name in ("photographs", "boxes", "classes", "products", "strata")} == {
        "photographs": 3,
        "boxes": 2,
        "classes": {"can": 2, "jar": 1},  # a box and a label; a box
        "products": {"Cola": 1},
        "strata": {"light": {"day": 2, "dusk": 1}},
    }
    assert found["samples"]["a/1"]["photograph"] == "x"


def test_orders_types_and_what_is_not_its_content_change_nothing():
    whole = BOXES.astype({"row": "Int64", "position": "Int64"})
    other = made(SAMPLES[::-1].assign(width=[9, 9, 9]), whole[::-1], SCAN[::-1].assign(sharpness=0.0))
    assert io.dumps(other) == io.dumps(made())


@pytest.mark.parametrize("column", ["class_name", "x1", "y2", "product", "row", "position"])
def test_each_word_of_a_box_relabels_its_photograph(column):
    value = {"class_name": "can", "product": "Fanta"}.get(column, 0.75)
    value = 3.0 if column in ("row", "position") else value
    boxes = BOXES.assign(**{column: [BOXES[column][0], value]})
    assert compared(made(), made(boxes=boxes)) == difference(relabelled=("a/1",))


def test_a_box_more_and_the_same_box_twice_are_told_apart():
    twice = pd.concat([BOXES, BOXES[:1]])
    assert compared(made(), made(boxes=twice)) == difference(relabelled=("a/1",))
    assert compared(made(boxes=twice), made(boxes=pd.concat([BOXES, BOXES[1:]]))) == difference(relabelled=("a/1",))


def test_labels_annotations_groups_strata_splits_and_photographs_have_their_own_kind():
    label = SAMPLES.assign(label=pd.Series([None, "jar", None], dtype="str"))
    assert compared(made(), made(label)) == difference(relabelled=("a/2",))
    missing = SAMPLES.assign(annotation=["labelled", "labelled", "missing"])
    assert compared(made(), made(missing)) == difference(relabelled=("a/3",))
    assert compared(made(), made(SAMPLES.assign(group_shelf=["s1", "s2", "s3"]))) == difference(regrouped=("a/3",))
    assert compared(made(), made(SAMPLES.assign(stratum_light="day"))) == difference(regrouped=("a/2",))
    stated = SAMPLES.assign(split_stated=["train", "test", "test"])
    assert len(compared(made(), made(stated)).regrouped) == 3
    assert compared(made(), made(scan=SCAN.assign(sha256=["x", "y", "other"]))) == difference(changed=("a/3",))


def test_columns_that_a_new_source_alone_fills_change_no_photograph_of_the_others():
    boxes = BOXES.drop(columns=["product", "row", "position"])
    samples = SAMPLES.drop(columns="stratum_light")
    source = SAMPLES[:1].assign(sample_id="b/1", split_stated="train", group_visit="v1")
    placed = BOXES[:1].assign(sample_id="b/1")
    more = pd.concat([samples, source]), pd.concat([boxes, placed]), pd.concat([SCAN, SCAN[:1].assign(sample_id="b/1")])
    assert compared(made(samples, boxes), made(*more)) == difference(added=("b/1",))


def test_samples_that_came_and_went_are_named():
    fewer = (SAMPLES[1:], BOXES[:0], SCAN[1:])
    assert compared(made(), made(*fewer)) == difference(removed=("a/1",))
    assert compared(made(*fewer), made()) == difference(added=("a/1",))
    assert made()["sha256"] != made(*fewer)["sha256"]


def test_a_scan_of_other_photographs_is_refused():
    with pytest.raises(DataError, match="1 photograph in one of the two alone, the first a/3"):
        made(scan=SCAN[:2])
    with pytest.raises(DataError, match="the first b"):
        made(scan=pd.concat([SCAN, SCAN[:1].assign(sample_id="b")]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda one: [], "another content"),
        (lambda one: {}, "another content"),
        (lambda one: one | {"form": 1}, "form 1"),
        (lambda one: one | {"samples": []}, "samples with photograph"),
        (lambda one: one | {"samples": {"a": {"photograph": "x"}}}, "samples with photograph"),
        (lambda one: one | {"samples": {"a": {"photograph": 1, "labels": "", "provenance": ""}}}, "samples with"),
        (lambda one: one | {"samples": {}}, "samples that were edited"),
        (lambda one: one | {"sha256": "0"}, "samples that were edited"),
    ],
)
def test_a_file_that_is_no_fingerprint_is_refused(change, said):
    with pytest.raises(DataError, match=said):
        checked(change(copy.deepcopy(made())), "old.json")
    assert checked(made(), "old.json") == made()


def test_of_many_samples_the_first_are_named():
    found = difference(added=tuple("abc"), changed=("d",))
    assert described(found, shown=2)[:3] == ["added 3: a, b, ...", "removed 0", "changed 1: d"]
