"""What reviewers export is read whole, each person by themselves, or refused by name; nothing of it is passed over."""

import json

import pytest

from vouch.curation.annotation.bundle_check import label_findings
from vouch.curation.annotation.reviewed import Kept, Labels, Manifest, read_reviews

IMAGES = ("images/00001_ab.png", "images/00002_cd.png")


def manifest(task="detect"):
    stated = {"photograph": "p.png", "row_id": "", "name": "", "negative": False, "width": 200, "height": 100}
    kept = stated | {"groups": {}, "strata": {}, "source": "", "license": ""}
    pages = tuple(Kept(image=image, sha256="0" * 64, **kept) for image in IMAGES)
    known = {"format": 1, "model": "m", "dataset": "d", "linked": False, "classes": ("can", "jar")}
    return Manifest(task=task, photographs=pages, **known)


@pytest.fixture
def read(tmp_path):
    """Write reviews by the name of their file, and read them."""

    def reading(files, task="detect"):
        for name, content in files.items():
            path = tmp_path / "reviews" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_reviews(tmp_path, manifest(task))

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
    assert (differ.where, differ.got) == (f"{IMAGES[0]} (ann, ann (2))", "1 boxes of one alone")


def _unfinished(reviews):
    return label_findings(manifest(), reviews, min_side_px=4, agree_iou=0.6).unfinished


def coco(*images):
    numbered = [{"id": place, "file_name": name} for place, name in enumerate(images)]
    box = {"image_id": 0, "category_id": 1, "bbox": [0, 0, 20, 20]}
    return json.dumps({"images": numbered, "annotations": [box], "categories": [{"id": 1, "name": "can"}]})


CSV = "image,label\nimages/00001_ab.png,can\n"
REFUSED = {
    "turned": ("detect", "a.json", json.dumps([task({"result": [rectangle(30)]})]), "turned by 30 degrees"),
    "one photograph twice": ("detect", "a.json", coco(IMAGES[0], IMAGES[0]), "it again, labelled otherwise"),
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
    "no JSON": ("detect", "a.json", "{", "a.json"),
    "no review": ("detect", "a.json", "{}", "one of the known forms"),
}


@pytest.mark.parametrize(("kind", "name", "content", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_review_is_a_problem_with_a_name(read, kind, name, content, said):
    _, problems = read({name: content}, kind)
    assert said in " ".join(map(str, problems))
    assert all(len(str(problem)) < 2_000 for problem in problems)


def test_what_is_wrong_in_one_file_hides_nothing_of_another(read):
    files = {"a.json": "{", "b.csv": CSV, "c/00009_zz.txt": "0 .5 .5 .2 .2\n", "d/00001_ab.txt": "1 .5 .5 .2 .2\n"}
    found, problems = read(files)
    assert len(problems) == 3
    assert found["d"] == {IMAGES[0]: Labels((("jar", 80.0, 40.0, 120.0, 60.0),))}


def test_the_same_label_twice_is_one_and_a_class_of_the_whole_is_no_box(read):
    found, problems = read({"a.csv": CSV + CSV.splitlines()[1] + "\n"}, "classify")
    assert (found["a"], problems) == ({IMAGES[0]: Labels(label="can")}, [])
    choice = {"type": "choices", "value": {"choices": ["can"]}}
    found, _ = read({"b.json": json.dumps([task({"result": [choice]})])})
    (problem,) = label_findings(manifest(), {"b": found["b"]}, min_side_px=4, agree_iou=0.6).problems
    assert problem.got == "a class of the whole photograph: can"
