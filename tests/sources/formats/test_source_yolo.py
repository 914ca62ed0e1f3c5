import pytest

from vouch.errors import ManifestError
from vouch.sources.formats.yolo import label_path, parse_label

NAMES = ("phone", "belt")
YAML = "names: [phone, belt]\n"


def test_a_line_becomes_corners_as_fractions():
    boxes, problems = parse_label("1 0.5 0.4 0.2 0.4\n\n", "a.txt", NAMES)
    assert problems == []
    assert boxes[0][0] == "belt"
    assert boxes[0][1:] == pytest.approx((0.4, 0.2, 0.6, 0.6))


def test_a_box_may_leave_the_picture_because_validation_judges_that():
    boxes, problems = parse_label("0 0.99 0.5 0.1 0.1\r\n", "a.txt", NAMES)
    assert problems == []
    assert boxes[0][3] == pytest.approx(1.04)


@pytest.mark.parametrize(
    ("line", "expected", "got"),
    [
        ("0 nan 0.5 0.1 0.1", "cx in [0, 1]", "nan"),
        ("0 0.5 inf 0.1 0.1", "cy in [0, 1]", "inf"),
        ("0 0.5 0.5 -0.1 0.1", "width in [0, 1]", "-0.1"),
        ("0 0.5 0.5 0.1 1.1", "height in [0, 1]", "1.1"),
        ("0 0.5 0.5 0.1 wide", "height in [0, 1]", "wide"),
        ("0 0.5 0.5 0.1 1_0", "height in [0, 1]", "1_0"),
        ("0 0.5 0.5 0.1", "5 columns", "too few"),
        ("0 0.5 0.5 0.1 0.1 0.9", "5 columns", "confidence"),
        ("0 0.1 0.1 0.2 0.1 0.2 0.2", "5 columns", "polygon"),
        ("2 0.5 0.5 0.1 0.1", "a class id from 0 to 1", "2"),
        ("-1 0.5 0.5 0.1 0.1", "a class id from 0 to 1", "-1"),
        ("0.0 0.5 0.5 0.1 0.1", "a class id from 0 to 1", "0.0"),
        ("phone 0.5 0.5 0.1 0.1", "a class id from 0 to 1", "phone"),
        ("² 0.5 0.5 0.1 0.1", "a class id from 0 to 1", "xb2"),
    ],
)
def test_a_bad_line_is_refused_with_its_place(line: str, expected: str, got: str):
    boxes, problems = parse_label(f"0 0.5 0.5 0.1 0.1\n{line}\n", "a.txt", NAMES)
    assert len(boxes) == 1
    assert [problem.where for problem in problems] == ["a.txt:2"]
    assert expected in problems[0].expected
    assert got in problems[0].got
    assert problems[0].remedy


def test_numbers_may_miss_the_range_by_the_rounding_of_six_decimals():
    assert parse_label("0 1.0000005 -0.0000005 0.1 0.1", "a.txt", NAMES)[1] == []
    assert len(parse_label("0 1.00001 -0.00001 0.1 0.1", "a.txt", NAMES)[1]) == 2


def test_labels_lie_beside_or_in_the_twin_folder():
    assert label_path("train/images/x.y.jpg") == "train/labels/x.y.txt"
    assert label_path("images/images/a.jpg") == "images/labels/a.txt"
    assert label_path("flat/a.jpeg") == "flat/a.txt"


def test_empty_file_is_negative_and_no_file_is_missing_unless_the_source_says_so(read):
    files = {"data.yaml": YAML, "images/a.jpg": "", "images/b.jpg": "", "labels/a.txt": ""}
    assert [record.annotation for record in read(files, "yolo").records] == ["negative", "missing"]
    reading = read(files, "yolo", unlabelled="negative")
    assert [record.annotation for record in reading.records] == ["negative", "negative"]
    assert reading.problems == ()


@pytest.mark.parametrize(
    ("files", "where", "got"),
    [
        ({"images/a.jpg": "", "images/a.png": "", "labels/a.txt": ""}, "labels/a.txt", "2: images/a.jpg, images/a.png"),
        ({"images/a.jpg": "", "labels/a.txt": "", "labels/b.txt": ""}, "labels/b.txt", "none"),
        ({"a.jpg": "", "a.txt": "", "b.txt": ""}, "b.txt", "none"),
        ({"images/a.jpg": "", "labels/a.txt": b"0 \xff"}, "labels/a.txt:1", "byte 0xff at 2"),
        ({"images/a.jpg": "", "images/b.heic": "", "labels/a.txt": ""}, "images/b.heic", ".heic"),
        ({"images/1/a.jpg": "", "images/2/b.heic": "", "labels/1/a.txt": ""}, "images/2/b.heic", ".heic"),
        ({"a.jpg": "", "b.CR2": "", "a.txt": ""}, "b.CR2", ".CR2"),
        ({"1/a.jpg": "", "2/b.avif": "", "1/a.txt": ""}, "2/b.avif", ".avif"),
    ],
)
def test_a_folder_that_does_not_add_up_is_refused(read, files, where, got):
    problems = read({"data.yaml": YAML, **files}, "yolo").problems
    assert [(problem.where, problem.got) for problem in problems] == [(where, got)]


def test_a_picture_beside_the_folders_that_count_is_as_little_a_photograph_as_any_other(read):
    files = {"data.yaml": YAML, "images/a.jpg": "", "labels/a.txt": "", "logo.heic": "", "logo.jpg": ""}
    assert read(files, "yolo").problems == ()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("names: [a, b]\n", ("a", "b")),
        ("names:\n  0: a\n  1: b\n", ("a", "b")),
        ("names: {'1': b, '0': a}\n", ("a", "b")),
        ("names: [no, 1]\n", ("no", "1")),
    ],
)
def test_class_names_come_as_list_or_mapping(read, text, names):
    assert read({"data.yaml": text, "images/a.jpg": ""}, "yolo").classes == set(names)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"data.yaml": "nc: 2\n"},
        {"data.yaml": "names: [a, a]\n"},
        {"data.yaml": "names: {0: a, 2: b}\n"},
        {"data.yaml": "names: []\n"},
        {"data.yaml": "names: [a\n"},
        {"data.yaml": b"names: [\xff]\n"},
        {"data.yaml": "names: [a]\n", "classes.txt": ""},
    ],
)
def test_class_names_that_are_absent_or_ambiguous_are_refused(read, files):
    with pytest.raises(ManifestError):
        read({"images/a.jpg": "", **files}, "yolo")


@pytest.mark.parametrize("other", ["classes.txt", "labels/classes.txt"])
def test_two_files_that_name_the_same_classes_in_the_same_order_are_one(read, other):
    files = {"data.yaml": "names: [b, a]\n", other: "b\r\na\r\n", "images/x.jpg": "", "labels/x.txt": "1 .5 .5 .1 .1"}
    reading = read(files, "yolo")
    assert (reading.problems, reading.classes, reading.records[0].boxes[0][0]) == ((), {"a", "b"}, "a")


@pytest.mark.parametrize("names", ["[b, a]", "[a]", "[a, b, c]", "[a, B]"])
def test_two_files_that_number_the_classes_otherwise_are_both_named(read, names):
    with pytest.raises(ManifestError) as refused:
        read({"data.yaml": f"names: {names}\n", "classes.txt": "a\nb\n", "images/x.jpg": ""}, "yolo")
    (problem,) = refused.value.problems
    assert problem.where == "data.yaml: names"
    assert problem.expected == "the classes of classes.txt, in the same order: a, b"
    assert problem.got == names.strip("[]")


def test_classes_txt_lists_a_name_a_line(read):
    reading = read({"classes.txt": "a\r\nb\r\n\r\n", "x.jpg": "", "x.txt": "1 .5 .5 .1 .1"}, "yolo")
    assert reading.problems == ()
    assert reading.records[0].boxes[0][0] == "b"
