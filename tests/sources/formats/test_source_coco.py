import json

import pytest

IMAGE = {"id": 7, "file_name": "a.jpg", "width": 200, "height": 100}
BOX = {"id": 1, "image_id": 7, "category_id": 3, "bbox": [20, 10, 40, 50], "area": 2000, "iscrowd": 0}
CLASS = {"id": 3, "name": "can", "supercategory": "none"}


def document(images=(IMAGE,), annotations=(BOX,), categories=(CLASS,)) -> str:
    return json.dumps({"images": images, "annotations": annotations, "categories": categories, "info": {}})


def test_boxes_become_fractions_and_listed_images_without_boxes_are_negatives(read):
    images = [IMAGE, {"id": 8, "file_name": "b.jpg", "width": 10, "height": 10}]
    reading = read({"a.jpg": "", "b.jpg": "", "labels.json": document(images)}, "coco")
    assert reading.problems == ()
    first, second = reading.records
    assert first.boxes[0][0] == "can"
    assert first.boxes[0][1:] == pytest.approx((0.1, 0.1, 0.3, 0.6))
    assert (first.width, first.height) == (200, 100)
    assert second.annotation == "negative"


@pytest.mark.parametrize("place", ["train/a.jpg", "a.jpg", "images/a.jpg"])
def test_photographs_lie_beside_the_file_or_in_the_root_or_in_images(read, place):
    reading = read({place: "", "train/_annotations.coco.json": document()}, "coco")
    assert reading.problems == ()
    assert reading.records[0].image == place


def test_a_stated_folder_is_where_file_names_start(read):
    reading = read({"train2017/a.jpg": "", "annotations/x.json": document()}, "coco", images="train2017")
    assert reading.records[0].image == "train2017/a.jpg"
    assert reading.problems == ()


@pytest.mark.parametrize(
    ("text", "got"),
    [
        (document(annotations=[{**BOX, "category_id": 9}]), "9"),
        (document(annotations=[{**BOX, "image_id": 9}]), "9"),
        (document(annotations=[{**BOX, "iscrowd": 1}]), "iscrowd: 1"),
        (document(annotations=[{**BOX, "score": 0.4}]), "a prediction with a score"),
        (document(annotations=[{**BOX, "bbox": [1, 2, 3]}]), "[1, 2, 3] is too short"),
        (document(annotations=[{**BOX, "bbox": [1, 2, 3, "4"]}]), "'4' is not of type 'number'"),
        (document(annotations=[BOX, BOX]), "2 times"),
        (document(annotations=[{"id": 1, "image_id": 7, "category_id": 3}]), "'bbox' is a required property"),
        (document(images=[IMAGE, {**IMAGE, "file_name": "b.jpg"}]), "2 times"),
        (document(images=[IMAGE, {**IMAGE, "id": 8}]), "a.jpg again"),
        (document(images=[{**IMAGE, "width": 0}], annotations=[]), "0 is less than the minimum of 1"),
        (document(images=[{**IMAGE, "file_name": "../a.jpg"}]), "'../a.jpg'"),
        (document(images=[{**IMAGE, "file_name": "/a.jpg"}]), "'/a.jpg'"),
        (document(images=[{**IMAGE, "file_name": "c.jpg"}]), "no c.jpg"),
        (document(categories=[CLASS, CLASS]), "2 times"),
        (document().replace("2000", "NaN"), "NaN is not a number"),
        (document().replace("2000", "1e999"), "1e999 is out of range"),
        (document()[:-1], "Expecting"),
        ('{"images": [], "images": []}', "key 'images' appears twice"),
        ("[" * 100_000, "nested too deeply"),
        ('{"images": []}', "another form"),
        (b"\xff\xfe", "byte 0xff at 0"),
    ],
)
def test_a_broken_file_is_refused_with_the_value_that_was_got(read, text, got):
    problems = read({"a.jpg": "", "b.jpg": "", "labels.json": text}, "coco").problems
    assert len(problems) == 1, problems
    assert got in problems[0].got
    assert "labels.json" in problems[0].where


def test_crowds_are_dropped_on_demand_counted_and_never_make_a_negative(read):
    crowd = {**BOX, "id": 2, "iscrowd": 1}
    reading = read({"a.jpg": "", "l.json": document(annotations=[crowd])}, "coco", crowd="drop")
    assert reading.problems == ()
    assert reading.dropped == {"boxes around crowds": 1}
    assert reading.records[0].annotation == "missing"
