"""Values of a source that no reader of ours would survive are named problems, in bounded time."""

import json
import time

import pytest

from alarm import within
from vouch.errors import ManifestError
from vouch.sources.matching import Unfinished, groups, searched
from vouch.sources.options import rules_of

YOLO = {"images/a.jpg": "", "labels/a.txt": ""}


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("names: [2020-99-99]\n", "month must be in 1..12"),
        ("names: [" + "9" * 5000 + "]\n", "an integer of 5,000 characters"),
        ("names: " + "[" * 3000, "maximum depth"),
        ("names: [!!int x]\n", "invalid literal for int()"),
        ("names: [!!bool x]\n", "'x'"),
        ("names: !!set {a, b}\n", "a value of type set"),
        ('names: ["\\ud800"]\n', "surrogates not allowed"),
        ("names: &a [*a]\n", "nested too deeply"),
        ("names: [a]\nnames: [b]\n", "duplicate key"),
    ],
)
def test_class_names_that_are_no_plain_yaml_are_refused(read, text, got):
    with within(60), pytest.raises(ManifestError, match=r"data\.yaml") as caught:
        read({**YOLO, "data.yaml": text}, "yolo")
    assert got in str(caught.value)


BOX = {"id": 1, "image_id": 7, "category_id": 3, "area": 1, "iscrowd": 0}
IMAGE = {"id": 7, "file_name": "a.jpg", "width": 200, "height": 100}
VOC = """<annotation><filename>a.jpg</filename><size><width>9</width><height>9</height></size><object><name>can</name>
<bndbox><xmin>{}</xmin><ymin>1</ymin><xmax>{}</xmax><ymax>2</ymax></bndbox></object></annotation>"""


def coco(*bbox: float) -> dict[str, str]:
    lists = {"images": [IMAGE], "annotations": [{**BOX, "bbox": bbox}], "categories": [{"id": 3, "name": "can"}]}
    return {"labels.json": json.dumps(lists)}


def csv(x1: str, x2: str) -> dict[str, str]:
    return {"manifest.csv": f"file,width,height,class,x1,y1,x2,y2\na.jpg,9,9,can,{x1},1,{x2},2\n"}


def jsonl(x1: float, x2: float) -> dict[str, str]:
    box = {"class": "can", "x1": x1, "y1": 1, "x2": x2, "y2": 2}
    return {"manifest.jsonl": json.dumps({"image": "a.jpg", "width": 9, "height": 9, "boxes": [box]})}


@pytest.mark.parametrize(
    ("form", "files", "where"),
    [
        ("coco", coco(1e308, 1, 1e308, 1), "labels.json: image 7: box 1"),
        ("coco", coco(-1e308, 1, 5, 1), "labels.json: image 7: box 1"),
        ("coco", coco(1, 1, 1e300, 1), "labels.json: image 7: box 1"),
        ("voc", {"a.xml": VOC.format("1", "1e308")}, "a.xml: box 1"),
        ("voc", {"a.xml": VOC.format("-1e308", "1e308")}, "a.xml: box 1"),
        ("csv", csv("-1e308", "1e308"), "manifest.csv:2: box 1"),
        ("jsonl", jsonl(-1e308, 1e308), "manifest.jsonl:1: box 1"),
    ],
)
def test_corners_that_no_sum_would_leave_finite_are_refused(read, form, files, where):
    problems = read({"a.jpg": "", **files}, form).problems
    assert [(problem.where, problem.expected) for problem in problems] == [
        (where, "corners within 1e+15 sides of the photograph")
    ]


@pytest.mark.parametrize("side", ["width", "height"])
@pytest.mark.parametrize("value", [1e308, 1e16, 640.5])
def test_sides_that_no_photograph_has_are_refused(read, side, value):
    lists = {"images": [{**IMAGE, side: value}], "annotations": [], "categories": []}
    (problem,) = read({"a.jpg": "", "l.json": json.dumps(lists)}, "coco").problems
    assert problem.where.endswith(f": {side}")
    assert str(value) in problem.got
    line = json.dumps({"image": "a.jpg", "width": 9, "height": 9} | {side: value})
    (problem,) = read({"manifest.jsonl": line}, "jsonl").problems
    assert problem.where == f"manifest.jsonl:1: {side}"
    assert str(value) in problem.got


def test_whole_sides_may_be_written_as_decimals(read):
    lists = {"images": [{**IMAGE, "width": 640.0}], "annotations": [], "categories": []}
    reading = read({"a.jpg": "", "l.json": json.dumps(lists)}, "coco")
    assert reading.problems == ()
    assert reading.records[0].width == 640


@pytest.mark.parametrize(
    ("form", "files", "where", "got"),
    [
        ("coco", {"l.json": "[" * 3000 + "]" * 3000}, "l.json", "nested too deeply"),
        ("coco", {"l.json": '{"images": [' + "9" * 5000 + "]}"}, "l.json", "out of range"),
        ("coco", {"l.json": '{"images": ["\\ud800"]}'}, "l.json", "surrogates not allowed"),
        ("jsonl", {"manifest.jsonl": '{"image": "a\\u0000.jpg"}'}, "manifest.jsonl:1", "'a\\x00.jpg'"),
        ("jsonl", {"manifest.jsonl": '{"image": "a.jpg", "width": 1e400}'}, "manifest.jsonl:1", "out of range"),
        ("jsonl", {"manifest.jsonl": '{"a":' * 3000}, "manifest.jsonl:1", "nested too deeply"),
        ("csv", {"manifest.csv": "file,label\na\0.jpg,can\n"}, "manifest.csv:2", "'a\\x00.jpg'"),
        ("csv", {"manifest.csv": f"file,label\na.jpg,{'x' * 200_000}\n"}, "manifest.csv:2", "field limit"),
        ("csv", {"manifest.csv": 'file,label\na.jpg,"can\n'}, "manifest.csv:2", "unexpected end of data"),
        ("voc", {"a.xml": "<!DOCTYPE a [<!ENTITY b 'c'>]><annotation/>"}, "a.xml", "a document type"),
        ("voc", {"a.xml": "<annotation>&b;</annotation>"}, "a.xml", "undefined entity"),
        ("voc", {"a.xml": "<a>" * 100_000}, "a.xml", "no element found"),
        ("voc", {"a.xml": "<a>" * 100_000 + "</a>" * 100_000}, "a.xml", "<a>"),
    ],
)
def test_documents_out_of_bounds_are_one_problem(read, form, files, where, got):
    with within(60):
        (problem,) = read({"a.jpg": "", **files}, form, unlabelled="negative").problems[:1]
    assert problem.where == where
    assert got in problem.got


@pytest.mark.parametrize("digits", ["9" * 5000, "-" + "9" * 5000, "9999", "²", "", "-"])
def test_a_level_of_folders_has_few_digits(digits):
    with pytest.raises(ManifestError, match="KEY=folder:LEVEL"):
        rules_of([f"s=folder:{digits}"], default_key=None)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        (r"^(a+)+$", "a" * 60 + "b"),
        (r"^(a|a)*$", "a" * 60 + "b"),
        (r"(.*.*.*.*.*.*)x", "a" * 250),
        (r"((?:(?:(?:a?){1000}){1000}){1000})", "a"),  # memory ends before time
    ],
)
def test_a_pattern_that_does_not_come_to_an_end_is_refused_with_the_name(read, pattern, name):
    started = time.process_time()
    with within(120):
        files = {"data.yaml": "names: [a]\n", "images/a.jpg": "", f"images/{name}.jpg": ""}
        problems = read(files, "yolo", groups={"session": {"pattern": pattern.replace("$", r"\.jpg$")}}).problems
    assert time.process_time() - started < 5  # the search has a process of its own
    (problem,) = problems
    assert problem.where == "rule of `session`"
    assert "to come to an end" in problem.expected
    assert f"{name}.jpg" in problem.got


@pytest.mark.parametrize(
    ("pattern", "name", "value"),
    [
        (r"^(\w+?)_", "größe_1.jpg", "größe"),  # by RE2's rules `gr` is the only word here
        (r"(?<=cam)(\d+)", "cam٣_1.jpg", "٣"),
        (r"(?P<key>.)\w(?=.jpg)", "ab.jpg", "a"),
        (r"(x*)", "a.jpg", None),
        (r"(b)", "a.jpg", None),
        (r"([[b])", "a[.jpg", "["),
        (r"(.)\.jpg", "\udce9.jpg", "\udce9"),
    ],
)
def test_a_pattern_means_what_it_means_in_python(pattern, name, value):
    assert searched(pattern, [name, "other"])[name] == value


def test_many_names_are_searched_at_once():
    names = [f"s{number}_frame.jpg" for number in range(20_000)]
    found = searched(r"^(s\d+)_", names)
    assert not isinstance(found, Unfinished)
    assert found["s19999_frame.jpg"] == "s19999"


@pytest.mark.parametrize(
    "pattern", ["(a", "a", "(a)(b)", "(?:" * 5000 + "(a)" + ")" * 5000, "(a{99999999999999})", "*"]
)
def test_a_pattern_without_one_group_or_that_is_none_is_known_before_it_is_searched(pattern):
    assert groups(pattern) != 1
