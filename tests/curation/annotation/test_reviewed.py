"""What reviewers export is read whole, each person by themselves, or refused by name; nothing of it is passed over."""

import json
from dataclasses import replace
from hashlib import sha256

import pytest

from vouch.curation.annotation.bundle import Job, Page, texts
from vouch.curation.annotation.bundle_check import label_findings
from vouch.curation.annotation.records import Kept, Labels, Manifest
from vouch.curation.annotation.reviewed import read_reviews
from vouch.curation.retraining.answers import Said

IMAGES = ("images/00001_ab.png", "images/00002_cd.png")
PICTURE = b"a picture"
WHOLE = ("classify", "identify")  # tasks of one class for each photograph


def manifest(task="detect", **first):
    stated = {"photograph": "p.png", "row_id": "", "name": "", "negative": False, "width": 200, "height": 100}
    kept = stated | {"groups": {}, "strata": {}, "source": "", "license": "", "sha256": sha256(PICTURE).hexdigest()}
    pages = tuple(Kept(image=image, **kept | more) for image, more in zip(IMAGES, (first, {}), strict=True))
    known = {"format": 1, "model": "m", "dataset": "d", "linked": False, "classes": ("can", "jar")}
    return Manifest(task=task, photographs=pages, **known)


@pytest.fixture
def read(tmp_path):
    """Write reviews by the name of their file, and read them."""

    def reading(files, task="detect", **first):
        for name, content in files.items():
            path = tmp_path / "reviews" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_reviews(tmp_path, manifest(task, **first))

    return reading


def rectangle(rotation=0, name="can"):
    corners = {"x": 12.5, "y": 25, "width": 50, "height": 50}
    return {"type": "rectanglelabels", "value": corners | {"rotation": rotation, "rectanglelabels": [name]}}


def task(*annotations, image=IMAGES[0]):
    return {"data": {"image": f"/data/local-files/?d={image}"}, "annotations": list(annotations)}


def test_a_task_of_label_studio_is_what_each_person_says_who_did_not_skip_it(read):
    skipped = {"was_cancelled": True, "result": [rectangle(name="jar")]}
    answers = [skipped, {"result": [rectangle()]}, {"result": []}]
    found, problems = read({"ann.json": json.dumps([task(*answers), task(skipped, image=IMAGES[1])])})
    assert problems == []
    assert found == {
        "ann": {IMAGES[0]: Labels((("can", 25.0, 25.0, 125.0, 75.0),))},
        "ann (2)": {IMAGES[0]: Labels()},
    }
    (unlabelled,) = [one for one in _unfinished(found) if one.where == IMAGES[1]]
    assert unlabelled.got == "nobody's"
    (differ,) = [one for one in _unfinished(found) if one.where != IMAGES[1]]
    assert (differ.where, differ.got) == (f"{IMAGES[0]} (ann, ann (2))", "1 box of one alone")


PLAIN = ("can", "- dented", "-1", "+", "a=b", 'the "big" one', "one, two", "two\nlines", " ", "ü")


def test_whatever_a_bundle_fills_in_comes_back_as_the_same_class(read):
    page = Page(IMAGES[0], "", "p.png", "", "", False, 200, 100, {}, {}, "", "", ())
    for task in WHOLE:
        for name in PLAIN:
            pages = (replace(page, said=(Said(name, 0.75, None, True),)), replace(page, image=IMAGES[1]))
            text = texts(Job("m", "d", task, PLAIN, False, pages))["labels.csv"]
            assert read({"ann.csv": text}, task) == ({"ann": {IMAGES[0]: Labels(label=name)}}, [])


def _unfinished(reviews):
    return label_findings(manifest(), reviews, min_side_px=4, agree_iou=0.6).unfinished


def coco(*images):
    numbered = [{"id": place, "file_name": name} for place, name in enumerate(images)]
    box = {"image_id": 0, "category_id": 1, "bbox": [0, 0, 20, 20]}
    return json.dumps({"images": numbered, "annotations": [box], "categories": [{"id": 1, "name": "can"}]})


def of_size(wide, high):
    content = json.loads(coco(*IMAGES))
    content["images"][0] |= {"width": wide, "height": high}
    content["images"][1] |= {"width": 7, "height": 7}  # without a box nothing is in a wrong place
    return json.dumps(content)


def choice(*names):
    return {"type": "choices", "value": {"choices": list(names)}}


def two_labels():
    return rectangle() | {"value": rectangle()["value"] | {"rectanglelabels": ["can", "jar"]}}


def sized(wide, high):
    stated = {"original_width": wide, "original_height": high}
    return json.dumps([task({"result": [rectangle() | stated, choice("can") | {"original_width": 7}]})])


CSV = "image,label\nimages/00001_ab.png,can\n"
REFUSED = {
    "turned": ("detect", "a.json", json.dumps([task({"result": [rectangle(30)]})]), "turned by 30 degrees"),
    "a turned picture": (
        "detect", "a.json", json.dumps([task({"result": [rectangle() | {"image_rotation": 90}]})]), "a picture turned",
    ),
    "a picture of another size": ("detect", "a.json", sized(100, 50), "expected 200 x 100 px, got 100 x 50 px"),
    "a picture that a tool turned": ("detect", "a.json", sized(100, 200), "got 100 x 200 px"),
    "a picture of one side": ("detect", "a.json", sized(None, 50), "got 200 x 50 px"),
    "two classes of one box": (
        "detect", "a.json", json.dumps([task({"result": [two_labels()]})]), "one class, got can, jar",
    ),
    "one photograph twice": ("detect", "a.json", coco(IMAGES[0], IMAGES[0]), "it again, labelled otherwise"),
    "at another size": (
        "detect", "a.json", of_size(100, 50), f"a.json: {IMAGES[0]}: expected 200 x 100 px, got 100 x 50 px",
    ),
    "turned by the tool": ("detect", "a.json", of_size(100, 200), "got 100 x 200 px"),
    "of one side": ("detect", "a.json", of_size(None, 50), "expected 200 x 100 px, got 200 x 50 px"),
    "classes for boxes": ("detect", "a.csv", CSV, "expected boxes, got a CSV of one class"),
    "no column label": ("classify", "a.csv", "image,klass\nx,can\n", "a column label, got image, klass"),
    "no column image": ("classify", "a.csv", "label\ncan\n", "a column image"),
    "a formula": ("classify", "a.csv", CSV.replace("can", "=cmd"), "no spreadsheet calculates"),
    "two encodings": ("classify", "a.csv", CSV.encode() + b"\xe9,can\n", "UTF-8"),
    "10 MB in a cell": ("classify", "a.csv", CSV + "x" * 10**7 + ",can\n", "a.csv"),
    "two labels": ("classify", "a.csv", CSV + CSV.splitlines()[1].replace("can", "jar") + "\n", "labelled otherwise"),
    "beyond the bundle": ("classify", "a.csv", CSV.replace("images", "../images"), "one that leaves it"),
    "another's photograph": ("classify", "a.csv", CSV.replace("_ab", "_ef"), "a photograph of the bundle"),
    "no number": ("detect", "a/00001_ab.txt", "0 x .5 .5 .5\n", "five numbers"),
    "two classes": (
        "classify", "a.json", json.dumps([task({"result": [choice("can", "jar")]})]), "one class, got can, jar",
    ),
    "two choices": (
        "classify", "a.json", json.dumps([task({"result": [choice("can"), choice("jar")]})]), "one class, got can, jar",
    ),
    "the short form": ("classify", "a.json", json.dumps([{"image": IMAGES[0], "label": "can"}]), "annotations"),
    "in no folder": ("classify", "a/00001_ab.png", PICTURE, "a photograph in a folder named after its class"),
    "no photograph": ("classify", "a/can/00001_ab.txt", "", "a photograph in a folder named after its class"),
    "swapped": ("classify", "a/can/00001_ab.png", b"another", "another photograph of this name"),
    "strange": ("classify", "a/can/00009_ef.png", PICTURE, "a photograph of the bundle"),
    "YOLO for classes": ("classify", "a/00001_ab.txt", "0 .5 .5 .2 .2\n", "in a folder named after its class"),
    "folders for boxes": ("detect", "a/can/00001_ab.png", PICTURE, "expected YOLO's .txt files, got none"),
    "no names in data.yaml": ("detect", "a/data.yaml", "names: can\n", "a/data.yaml: names: expected a name for each"),
    "no data.yaml": ("detect", "a/data.yaml", "names: [\n", "a/data.yaml"),
    "CVAT's own XML": ("detect", "a.xml", "<annotations/>", "one of the known forms, got XML; export COCO or YOLO"),
    "no JSON": ("detect", "a.json", "{", "a.json"),
    "no review": ("detect", "a.json", "{}", "one of the known forms"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "content", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_review_is_a_problem_with_a_name(read, kind, name, content, said):
    _, problems = read({name: content}, kind)
    assert said in " ".join(map(str, problems))
    assert all(len(str(problem)) < 2_000 for problem in problems)


@pytest.mark.parametrize("content", [of_size(200, 100), of_size(None, None), of_size(0, 0), coco(*IMAGES)])
def test_boxes_of_a_photograph_of_its_own_size_or_of_none_that_is_stated_are_read(read, content):
    found, problems = read({"a.json": content})
    assert (found["a"][IMAGES[0]], problems) == (Labels((("can", 0.0, 0.0, 20.0, 20.0),)), [])


@pytest.mark.parametrize(("wide", "high"), [(200, 100), (200.0, None), (0, 0)])
def test_boxes_of_label_studio_are_read_in_a_picture_of_its_own_size_or_of_none_that_is_stated(read, wide, high):
    found, problems = read({"a.json": sized(wide, high)})
    assert (found["a"][IMAGES[0]], problems) == (Labels((("can", 25.0, 25.0, 125.0, 75.0),), "can"), [])


def test_every_task_of_another_size_is_told_at_once(read):
    resized = {"result": [rectangle() | {"original_width": 100, "original_height": 50}]}
    _, problems = read({"a.json": json.dumps([task(resized, image=image) for image in IMAGES])})
    assert [one.where.partition("?d=")[2] for one in problems] == list(IMAGES)


def test_what_is_wrong_in_one_file_hides_nothing_of_another(read):
    files = {"a.json": "{", "b.csv": CSV, "c/00009_zz.txt": "0 .5 .5 .2 .2\n", "d/00001_ab.txt": "1 .5 .5 .2 .2\n"}
    found, problems = read(files)
    assert len(problems) == 3
    assert found["d"] == {IMAGES[0]: Labels((("jar", 80.0, 40.0, 120.0, 60.0),))}


def test_a_csv_may_come_from_windows(read):
    content = b"\xef\xbb\xbf" + CSV.replace("\n", "\r\n").encode()
    assert read({"ANN.CSV": content}, "classify") == ({"ANN": {IMAGES[0]: Labels(label="can")}}, [])


def test_the_same_label_twice_is_one(read):
    found, problems = read({"a.csv": CSV + CSV.splitlines()[1] + "\n"}, "classify")
    assert (found["a"], problems) == ({IMAGES[0]: Labels(label="can")}, [])


@pytest.mark.parametrize("kind", WHOLE)
def test_a_class_is_a_cell_a_choice_or_a_folder_and_the_reviewers_are_compared(read, kind):
    files = {
        "ann.csv": CSV,
        "bo.json": json.dumps([task({"result": [choice("can")]}), task({"result": [choice("jar")]}, image=IMAGES[1])]),
        "cy/jar/00001_ab.png": PICTURE,
        "cy/no_label/00002_cd.png": PICTURE,
    }
    found, problems = read(files, kind)
    assert problems == []
    can, jar = Labels(label="can"), Labels(label="jar")
    assert found == {"ann": {IMAGES[0]: can}, "bo": {IMAGES[0]: can, IMAGES[1]: jar}, "cy": {IMAGES[0]: jar}}
    unfinished = label_findings(manifest(kind), found, min_side_px=4, agree_iou=0.6).unfinished
    assert [(one.where, one.got) for one in unfinished] == [
        (f"{IMAGES[0]} (ann, cy)", "can and jar"),
        (f"{IMAGES[0]} (bo, cy)", "can and jar"),
    ]


def test_links_beside_what_is_sorted_into_folders_are_never_opened(read, tmp_path):
    for place, target in enumerate(("/dev/zero", "gone", "..")):
        link = tmp_path / f"reviews/a/can/0000{place}_zz.png"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)
    _, problems = read({"a/can/00001_ab.png": PICTURE}, "classify")
    assert [one.got for one in problems] == ["a link that leads to none"] * 3


def test_no_class_is_an_answer_on_a_negative_alone(read):
    silent = "image,label\nimages/00001_ab.png,\nimages/00002_cd.png,\n"
    found, problems = read({"a.csv": silent, "b.json": json.dumps([task({"result": []})])}, "classify", negative=True)
    assert (found, problems) == ({"a": {IMAGES[0]: Labels()}, "b": {IMAGES[0]: Labels()}}, [])
    of_negative = manifest("classify", negative=True, name="can")
    checked = label_findings(of_negative, found, min_side_px=4, agree_iou=0.6)
    assert checked.problems == ()
    assert [(one.where, one.got) for one in checked.unfinished] == [(IMAGES[1], "nobody's")]


@pytest.mark.parametrize("kind", WHOLE)
def test_what_is_no_class_of_the_data_set_or_of_a_negative_is_told_by_photograph(kind):
    said = {"a": {IMAGES[0]: Labels(label="can"), IMAGES[1]: Labels((("can", 0, 0, 50, 50),))}}
    said["b"] = {IMAGES[0]: Labels(), IMAGES[1]: Labels(label="lid")}
    found = label_findings(manifest(kind, negative=True, name="can"), said, min_side_px=4, agree_iou=0.6)
    assert [(one.where, one.expected, one.got) for one in found.problems] == [
        (f"{IMAGES[0]} (a)", "a negative: not can", "can"),
        (f"{IMAGES[1]} (a)", "a class of the whole photograph", "1 box"),
        (f"{IMAGES[1]} (b)", "a class of the data set", "lid"),
    ]
    assert [one.got for one in found.unfinished] == ["can and no class", "no class and lid"]


def test_a_class_of_the_whole_is_no_box(read):
    found, _ = read({"b.json": json.dumps([task({"result": [choice("can")]})])})
    (problem,) = label_findings(manifest(), {"b": found["b"]}, min_side_px=4, agree_iou=0.6).problems
    assert problem.got == "a class of the whole photograph: can"


def test_yolo_as_label_studio_exports_it_numbers_classes_by_its_own_list(read):
    files = {"a/labels/00001_ab.txt": "0 .5 .5 .2 .2\n", "a/classes.txt": "jar\ncan\n", "a/notes.json": "{}"}
    found, problems = read(files)
    assert (found["a"], problems) == ({IMAGES[0]: Labels((("jar", 80.0, 40.0, 120.0, 60.0),))}, [])


@pytest.mark.parametrize("names", ["[jar, can]", "{0: jar, 1: can}", "{1: can, 0: jar}"])
def test_yolo_numbers_classes_as_its_own_data_yaml_does(read, names):
    found, problems = read({"a/00001_ab.txt": "0 .5 .5 .2 .2\n", "a/data.yaml": f"path: .\nnames: {names}\n"})
    assert (found["a"], problems) == ({IMAGES[0]: Labels((("jar", 80.0, 40.0, 120.0, 60.0),))}, [])


def test_two_lists_of_classes_agree_or_are_refused(read):
    files = {"a/labels/00001_ab.txt": "0 .5 .5 .2 .2\n", "a/classes.txt": "jar\ncan\n"}
    found, problems = read(files | {"a/data.yaml": "names: [jar, can]\n"})
    assert (found["a"], problems) == ({IMAGES[0]: Labels((("jar", 80.0, 40.0, 120.0, 60.0),))}, [])
    _, (problem,) = read(files | {"a/data.yaml": "names: [can, jar]\n"})
    assert problem.where.endswith("reviews/a/data.yaml: names")
    assert (problem.expected, problem.got) == ("those of classes.txt: jar, can", "can, jar")


def test_a_dot_in_the_name_of_a_folder_is_part_of_the_reviewer_s(read):
    files = {f"anna.{number}/00001_ab.txt": f"{number} .5 .5 .2 .2\n" for number in (0, 1)}
    found, problems = read(files | {"anna.0.json": json.dumps([task({"result": []}, image=IMAGES[1])])})
    assert problems == []
    assert {who: review.keys() for who, review in found.items()} == {"anna.0": {*IMAGES}, "anna.1": {IMAGES[0]}}
