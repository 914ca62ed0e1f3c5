"""An annotation bundle says the same in every form, and leads nobody to draw on a negative."""

import csv
import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from vouch.curation.annotation.bundle import Job, Page, page_names, texts
from vouch.curation.retraining.answers import Said

SAID = (
    Said("jar", 0.75, (-10.0, 20.0, 50.0, 60.0), True),
    Said("can", 0.9, (100.0, 10.0, 150.0, 30.0), True),
    Said("can", 0.1, (0.0, 0.0, 9.0, 9.0), False),
)
PAGE = Page(
    "images/00001_ab.png", "ab" * 32, "new/a.png", "r1", "jar", False, 200, 100, {"session": "s9"}, {"light": "day"},
    "ours", "MIT", SAID,
)  # fmt: skip
NEGATIVE = replace(PAGE, image="images/00002_cd.jpg", negative=True)
JOB = Job("m", "d", "detect", ("can", "jar"), False, (PAGE, NEGATIVE))


def test_yolo_coco_and_label_studio_hold_the_same_boxes():
    found = texts(JOB)
    assert (
        found["labels/00001_ab.txt"] == "1 0.125000 0.400000 0.250000 0.400000\n0 0.625000 0.200000 0.250000 0.200000\n"
    )
    assert found["data.yaml"] == 'names:\n  0: "can"\n  1: "jar"\n'
    coco = json.loads(found["annotations.json"])
    first, second = coco["annotations"]
    assert (first["bbox"], first["area"], first["category_id"], first["score"]) == ([0, 20, 50, 40], 2000, 2, 0.75)
    assert second["bbox"] == [100, 10, 50, 20]
    assert [one["file_name"] for one in coco["images"]] == [PAGE.image, NEGATIVE.image]
    task, _ = json.loads(found["tasks.json"])
    (prediction,) = task["predictions"]
    assert (prediction["model_version"], prediction["score"]) == ("m", 0.75)  # the least sure of its boxes
    box = prediction["result"][0]
    assert box["value"] == {
        "x": 0, "y": 20, "width": 25, "height": 40, "rotation": 0, "rectanglelabels": ["jar"],
    }  # fmt: skip
    assert (box["original_width"], box["original_height"], box["score"]) == (200, 100, 0.75)
    config = ElementTree.fromstring(found["config.xml"])
    assert [(one.get("value"), one.get("category")) for one in config.iter("Label")] == [("can", "0"), ("jar", "1")]
    assert box["from_name"] == config.find("RectangleLabels").get("name")
    assert box["to_name"] == config.find("Image").get("name")


def test_a_negative_has_no_boxes_in_any_form():
    found = texts(JOB)
    assert found["labels/00002_cd.txt"] == ""
    assert {one["image_id"] for one in json.loads(found["annotations.json"])["annotations"]} == {1}
    task = json.loads(found["tasks.json"])[1]
    assert task["predictions"] == []
    assert task["data"]["negative"] is True


def test_a_stratum_takes_the_place_of_nothing_that_a_review_is_known_by():
    strata = {"image": "screenshot", "negative": "no", "light": "dim"}
    data = json.loads(texts(replace(JOB, pages=(replace(PAGE, strata=strata),)))["tasks.json"])[0]["data"]
    assert (data["image"], data["negative"], data["light"]) == (f"/data/local-files/?d={PAGE.image}", False, "dim")


@pytest.mark.parametrize("task", ["classify", "identify"])
def test_one_class_for_each_photograph_is_a_choice_and_a_line(task):
    said = (Said('clear, "dry"', 0.8, None, True),)
    job = replace(JOB, task=task, classes=('clear, "dry"', "<b>"), pages=(replace(PAGE, said=said), NEGATIVE))
    found = texts(job)
    assert list(csv.reader(found["labels.csv"].splitlines())) == [
        ["image", "label", "said", "confidence"],
        [PAGE.image, 'clear, "dry"', 'clear, "dry"', "0.800000"],
        [NEGATIVE.image, "", "jar", "0.750000"],
    ]
    assert "a folder for each class, and in it the photographs" in found["instructions.md"]
    assert "YOLO" not in found["instructions.md"]
    result = json.loads(found["tasks.json"])[0]["predictions"][0]["result"][0]
    assert (result["type"], result["value"]) == ("choices", {"choices": ['clear, "dry"']})
    config = ElementTree.fromstring(found["config.xml"])
    assert [one.get("value") for one in config.iter("Choice")] == ['clear, "dry"', "<b>"]
    assert "annotations.json" not in found


def test_an_answer_that_the_model_does_not_accept_is_filled_in_nowhere_and_stands_beside():
    said = (Said("jar", 0.4, None, accepted=False),)
    found = texts(replace(JOB, task="classify", pages=(replace(PAGE, said=said), replace(NEGATIVE, said=()))))
    assert [one["predictions"] for one in json.loads(found["tasks.json"])] == [[], []]
    assert found["labels.csv"].splitlines()[1:] == [f"{PAGE.image},,jar,0.400000", f"{NEGATIVE.image},,,"]


def test_names_come_from_place_and_content_and_the_same_job_gives_the_same_bytes():
    assert page_names(["ab" * 32, "cd" * 32], [".png", ".jpg"]) == [
        "images/00001_abababababab.png",
        "images/00002_cdcdcdcdcdcd.jpg",
    ]
    assert texts(JOB) == texts(JOB)
    manifest = json.loads(texts(JOB)["manifest.json"])
    assert manifest["photographs"][0]["sha256"] == "ab" * 32
    assert manifest["photographs"][0]["groups"] == {"session": "s9"}
