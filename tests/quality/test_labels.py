import numpy as np
import pandas as pd
import pytest

from quality.thresholds import THRESHOLDS
from vouch.quality import labels

CLASSES = ("can", "glass")


def sample(name="a", **columns):
    base = {"annotation": "labelled", "label": None, "width": 200.0, "height": 100.0}
    return {"sample_id": name, **base, "group_day": "d1", "stratum_light": "day", **columns}


def scanned(name="a", **columns):
    base = {"problem": "", "format": "JPEG", "mode": "RGB", "width": 200, "height": 100, "orientation": 1}
    return {"sample_id": name, **base, "mean": 100.0, "deviation": 50.0, "sharpness": 500.0, **columns}


def box(x1=0.1, y1=0.1, x2=0.5, y2=0.5, class_name="can", name="a"):
    return {"sample_id": name, "class_name": class_name, "x1": x1, "y1": y1, "x2": x2, "y2": y2}


def boxes_table(*rows):
    table = pd.DataFrame(rows, columns=["sample_id", "class_name", "x1", "y1", "x2", "y2"])
    return table.astype({"sample_id": "str", "class_name": "str"})


def names(findings):
    return sorted(pd.concat(findings)["check"])


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, []),
        ({"mean": 19.9}, ["dark"]),
        ({"mean": 235.1}, ["bright"]),
        ({"deviation": 3.9}, ["blank"]),
        ({"sharpness": 9.9}, ["blurred"]),
        ({"width": 401}, ["odd_aspect"]),
        ({"height": 801}, ["odd_aspect"]),
        ({"orientation": 6}, ["exif_rotated"]),
        ({"problem": "truncated", "mean": np.nan, "deviation": np.nan, "sharpness": np.nan}, ["truncated"]),
        ({"problem": "colour_mode,wrong_extension"}, ["colour_mode", "wrong_extension"]),
    ],
)
def test_photograph_is_judged(columns, expected):
    assert names(labels.image_findings(pd.DataFrame([scanned(**columns)]), THRESHOLDS)) == expected


@pytest.mark.parametrize(
    ("columns", "n_boxes", "expected"),
    [
        ({}, 1, []),
        ({}, 0, ["empty_label"]),
        ({"annotation": "negative"}, 0, []),
        ({"annotation": "negative"}, 1, ["label_conflict"]),
        ({"annotation": "missing"}, 0, ["missing_label"]),
        ({"label": "glass"}, 0, []),
        ({"label": "cup"}, 0, ["unknown_class"]),
        ({"width": 100.0, "height": 200.0}, 1, ["size_mismatch"]),
        ({"width": None, "height": None}, 1, []),
        ({"stratum_light": None}, 1, ["missing_stratum"]),
        ({"stratum_light": ""}, 1, ["missing_stratum"]),
        ({"group_day": None}, 1, ["ungrouped"]),
    ],
)
def test_annotation_is_judged(columns, n_boxes, expected):
    table = pd.DataFrame([sample(**columns), sample("b")])
    rows = boxes_table(*[box()] * n_boxes, box(name="b"))
    scan = pd.DataFrame([scanned(), scanned("b")])
    assert names(labels.annotation_findings(table, rows, scan, classes=CLASSES)) == expected


def test_size_of_a_turned_photograph_is_compared_as_seen():
    scan = pd.DataFrame([scanned(orientation=6)])
    as_seen = pd.DataFrame([sample(width=100.0, height=200.0)])
    as_stored = pd.DataFrame([sample()])
    found = [
        names(labels.annotation_findings(t, boxes_table(box()), scan, classes=CLASSES)) for t in (as_seen, as_stored)
    ]
    assert found == [[], ["size_mismatch"]]


def test_findings_follow_their_sample_whatever_the_index():
    ids = ["a", "b", "c", "d"]
    samples = pd.DataFrame([sample(name) for name in ids])
    samples.loc[2, ["width", "height"]] = (64.0, 48.0)  # c
    samples.loc[3, ["annotation", "stratum_light"]] = ("missing", "")  # d
    scan = pd.DataFrame([scanned(name) for name in ids])
    scan.loc[1, "problem"] = "truncated"  # b
    rows = boxes_table(*[box(name=name) for name in ids[:3]], box(name="a", x1=0.6, x2=0.605, y1=0.6))
    expected = {
        ("a", "box_degenerate", "box 2 can (0.6, 0.6, 0.605, 0.5)"),
        ("b", "truncated", "JPEG, mode RGB, 200 x 100"),
        ("c", "size_mismatch", "64 x 48 stated, 200 x 100 real"),
        ("d", "missing_label", "annotation: missing"),
        ("d", "missing_stratum", "no stratum_light"),
    }
    orders = ([0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1])
    for order, other in zip(orders, reversed(orders), strict=True):
        tables = (samples.iloc[order], rows.iloc[other], scan.iloc[other])
        for one, two, three in (tables, [table.reset_index(drop=True) for table in tables]):
            found = labels.image_findings(three, THRESHOLDS)
            found += labels.annotation_findings(one, two, three, classes=CLASSES)
            found += labels.box_findings(two, three, THRESHOLDS, classes=CLASSES)
            told = pd.concat(found)[["sample_id", "check", "detail"]].itertuples(index=False, name=None)
            numbered = {(name, check, detail.replace("box 1 ", "box 2 ")) for name, check, detail in told}
            assert numbered == expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"x2": 1.0}, []),
        ({"x2": 1.0009}, []),
        ({"x2": 1.002}, ["box_outside"]),
        ({"y1": -0.002}, ["box_outside"]),
        ({"x2": 0.1}, ["box_degenerate"]),
        ({"y2": 0.05}, ["box_degenerate"]),
        ({"x1": float("nan")}, ["box_degenerate"]),
        ({"x2": float("inf")}, ["box_degenerate", "box_outside"]),
        ({"x2": 0.121, "y2": 0.9}, []),
        ({"x2": 0.119, "y2": 0.9}, ["box_small"]),
        ({"x2": 0.9, "y2": 0.139}, ["box_small"]),
        ({"class_name": "cup"}, ["unknown_class"]),
    ],
)
def test_box_is_judged(changed, expected):
    found = labels.box_findings(boxes_table(box(**changed)), pd.DataFrame([scanned()]), THRESHOLDS, classes=CLASSES)
    assert names(found) == expected


def test_box_sides_follow_the_orientation():
    scan = pd.DataFrame([scanned(orientation=6)])  # seen as 100 x 200
    found = labels.box_findings(boxes_table(box(x2=0.13, y2=0.13)), scan, THRESHOLDS, classes=CLASSES)
    assert pd.concat(found)["detail"].tolist() == ["3.0 px, box 1 can (0.1, 0.1, 0.13, 0.13)"]


def test_only_later_boxes_of_one_class_and_photograph_are_duplicates():
    rows = [box(), box(x2=0.501), box(class_name="glass"), box(name="b"), box(0.3), box(x2=0.6), box(x2=0.502)]
    scan = pd.DataFrame([scanned(), scanned("b")])
    found = pd.concat(labels.box_findings(boxes_table(*rows), scan, THRESHOLDS, classes=CLASSES))
    assert found["detail"].str.slice(0, 9).tolist() == ["box 2 can", "box 6 can"]


def test_no_boxes_and_no_samples():
    numbers = dict.fromkeys(("x1", "y1", "x2", "y2"), "float64")  # as a data set of whole-photograph labels has them
    for boxes in (boxes_table(), boxes_table().astype(numbers)):
        found = labels.box_findings(boxes, pd.DataFrame([scanned()]), THRESHOLDS, classes=CLASSES)
        assert names(found) == []


def test_contents_tell_nothing_there_from_nobody_looked():
    table = pd.DataFrame(
        [sample(), sample("b", annotation="negative"), sample("c", annotation="missing"), sample("d", label="glass")]
    )
    said = labels.contents(table, boxes_table(box(class_name="glass"), box(), box()))
    assert said["objects"].tolist() == ["2 can, 1 glass", "", None, "1 glass"]
    assert said["classes"].tolist() == ["can, glass", "", None, "glass"]
