import pytest

from vouch.sources.parsing import xml

OBJECT = (
    "<object><name>can</name><bndbox><xmin>{}</xmin><ymin>10</ymin><xmax>60</xmax><ymax>60</ymax></bndbox></object>"
)
SIZE = "<size><width>200</width><height>100</height><depth>3</depth></size>"


def document(objects: str = OBJECT.format(20), name: str = "a.jpg", size: str = SIZE) -> str:
    return f"<?xml version='1.0' encoding='utf-8'?><annotation><filename>{name}</filename>{size}{objects}</annotation>"


@pytest.mark.parametrize(("image", "file"), [("JPEGImages/a.jpg", "Annotations/a.xml"), ("t/a.jpg", "t/a.xml")])
def test_boxes_become_fractions(read, image, file):
    reading = read({image: "", file: document()}, "voc")
    assert reading.problems == ()
    record = reading.records[0]
    assert record.image == image
    assert record.boxes[0][1:] == pytest.approx((0.1, 0.1, 0.3, 0.6))


def test_a_photograph_beside_labelled_ones_without_a_file_is_missing(read):
    files = {"JPEGImages/a.jpg": "", "JPEGImages/b.jpg": "", "masks/c.png": "", "Annotations/a.xml": document("")}
    reading = read(files, "voc")
    assert [(record.image, record.annotation) for record in reading.records] == [
        ("JPEGImages/a.jpg", "negative"),
        ("JPEGImages/b.jpg", "missing"),
    ]


@pytest.mark.parametrize(
    ("text", "got"),
    [
        (document(OBJECT.format("nan")), "xmin 'nan'"),
        (document(OBJECT.format("")), "xmin ''"),
        (document(OBJECT.format("1e400")), "xmin '1e400'"),
        (document("<object><name>a</name><robndbox/></object>"), "xmin None"),
        (document(OBJECT.format(1).replace("can", " ")), "none"),
        (document(size=""), "None × None"),
        (document(size=SIZE.replace("200", "0")), "0 × 100"),
        (document(name="../a.jpg"), "'../a.jpg'"),
        (document(name="C:\\pictures\\a.jpg"), "C:"),
        (document(name=""), "''"),
        (document(name="b.jpg"), "no b.jpg"),
        ('<annotations><image name="a.jpg" width="200" height="100"/></annotations>', "<annotations>"),
        (document()[:-4], "unclosed token"),
        ("<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>" + document()[38:], "a document type"),
        (b"\xff\xfe<\x00", "byte 0xff at 0"),
    ],
)
def test_a_broken_file_is_refused_with_the_value_that_was_got(read, text, got):
    problems = read({"a.jpg": "", "a.xml": text}, "voc").problems
    assert len(problems) == 1, problems
    assert got in problems[0].got
    assert problems[0].where.startswith("a.xml")


@pytest.mark.parametrize("name", ["b.heic", "JPEGImages/2/b.NEF"])
def test_a_picture_that_is_not_read_where_a_photograph_would_count_is_named(read, name):
    problems = read({"a.jpg": "", "a.xml": document(), "masks/c.heic": "", name: ""}, "voc").problems
    assert [(problem.where, problem.remedy) for problem in problems] == [(name, "convert it, or move it elsewhere")]


def test_two_files_for_one_photograph_are_refused(read):
    problems = read({"a.jpg": "", "x.xml": document(), "y.xml": document()}, "voc").problems
    assert [(problem.where, problem.got) for problem in problems] == [("y.xml", "a.jpg again")]


def test_entities_are_never_expanded():
    bomb = "<!DOCTYPE b [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><annotation>&b;</annotation>"
    assert xml(bomb, "b.xml").got == "a document type"


def test_a_source_without_any_annotation_is_another_format_and_not_all_negatives(read):
    files = {"images/a.jpg": "", "labels/a.txt": "0 .5 .5 .1 .1\n"}
    problems = read(files, "voc", unlabelled="negative").problems
    assert [(problem.where, problem.got) for problem in problems] == [("the source's folder", "none")]
