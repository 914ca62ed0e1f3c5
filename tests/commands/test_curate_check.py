"""`vouch curate check`: nothing wrong, foreign or judging becomes a label, and all of it is told at once."""

import json
import shutil
from pathlib import Path

import pytest

import labelling
from labelling import bundled, curate
from vouch.errors import DataError, WorkspaceError


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    labelling.build()
    bundled({20: "false,day,s20", 21: "true,day,s21"})


def refused(*words):
    with pytest.raises(DataError) as caught:
        curate("check", "out", *words)
    return str(caught.value)


def edited(change, path="out/reviews/ann.json"):
    content = json.loads(Path(path).read_text())
    change(content)
    Path(path).write_text(json.dumps(content))


def images():
    return sorted(path.as_posix().removeprefix("out/") for path in Path("out/images").iterdir())


def test_a_bundle_as_it_should_be_passes_in_every_form():
    assert "2 of 2 photographs labelled" in curate("check", "out", "--strict")
    shutil.copytree("out/labels", "out/reviews/bo")
    tasks = json.loads(Path("out/tasks.json").read_text())
    for task in tasks:
        task["annotations"] = [{"result": one["result"]} for one in task["predictions"]] or [{"result": []}]
    Path("out/reviews/cy.json").write_text(json.dumps(tasks))
    assert "2 of 2 photographs labelled" in curate("check", "out", "--strict")  # three who agree


def test_reviewers_who_disagree_and_what_nobody_labelled_fail_if_strict_alone():
    shutil.copytree("out/labels", "out/reviews/bo")
    first = Path("out/reviews/bo", Path(images()[0]).stem + ".txt")
    first.write_text("1 .5 .5 .2 .2\n")
    said = curate("check", "out")
    assert "(ann, bo): expected two reviewers who agree, got 2 boxes of one alone" in said
    assert "two reviewers who agree" in refused("--strict")
    shutil.rmtree("out/reviews/bo")
    edited(lambda content: content["images"].pop())
    assert "expected a label, got nobody's" in curate("check", "out")
    assert "expected a label, got nobody's" in refused("--strict")


def test_every_problem_is_told_at_once_and_no_byte_changes():
    _, second = images()
    labelling.picture(99).save(Path("out", second))
    labelling.picture(98).save("out/images/more.png")

    def spoil(content):
        box = {"id": 7, "image_id": 1, "category_id": 1, "bbox": [0, 0, 20, 20], "area": 400, "iscrowd": 0}
        content["categories"].append({"id": 9, "name": "lid"})
        content["annotations"] += [
            box | {"category_id": 9},
            box | {"bbox": [150, 100, 20, 40]},
            box | {"bbox": [5, 5, 1, 20]},
            box | {"bbox": [5, 5, -9, 20]},
            box | {"image_id": 2},
        ]
        content["images"] += [{"id": 3, "file_name": "../../secret.png"}, {"id": 4, "file_name": "images/other.png"}]

    edited(spoil)
    before = {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()}
    said = refused()
    for words in (
        f"{second}: expected sha256",
        "got another photograph of this name",
        "images/more.png: expected a photograph of manifest.json",
        "expected a class of the data set, got lid",
        "expected a box within 160 x 120 px, got 150.0, 100.0, 170.0, 140.0",
        "expected sides of at least 4 px, got 5.0, 5.0, 6.0, 25.0",
        "expected sides of at least 4 px, got 5.0, 5.0, -4.0, 25.0",
        f"{second} (ann): expected a negative without boxes, got 1 of can",
        "../../secret.png: expected a path within the bundle",
        "images/other.png: expected a photograph of the bundle",
    ):
        assert words in said, words
    assert {path: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()} == before


def test_nothing_that_judges_passes_by_its_pixels_or_its_group():
    bundled({7: "false,day,", 4: "false,day,", 0: "false,day,", 22: "false,day,s6", 23: "false,day,s0"})
    said = refused()
    seven, four, zero, grouped, free = images()
    assert f"{seven}: expected no photograph of a validation split, got the pixels of mine/s7.png" in said
    assert f"{four}: expected no photograph of a validation split, got the pixels of mine/s4.png" in said
    assert f"{grouped}: expected no group of a validation split, got group_session=s6 in val_calib" in said
    assert zero not in said  # of train
    assert free not in said


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda: shutil.rmtree("out/reviews"), "what reviewers exported"),
        (lambda: edited(lambda content: content.pop("classes"), "out/manifest.json"), "classes"),
        (lambda: edited(lambda content: content.pop("images")), "a review in one of the known forms"),
        (lambda: Path("out/reviews/ann.json").write_text("{"), "ann.json"),
        (
            lambda: edited(lambda content: content["photographs"][0].update(image="../p.png"), "out/manifest.json"),
            "expected a path within the bundle",
        ),
    ],
)
def test_what_is_no_reviewed_bundle_is_named(prepare, said):
    prepare()
    assert said in refused()


def test_a_link_in_the_place_of_a_photograph_is_refused_and_linked_bundles_are_not():
    path = Path("out", images()[0])
    path.unlink()
    path.symlink_to(Path("new/p20.png").absolute())
    assert "expected a file of the bundle, got a link" in refused()
    edited(lambda content: content.update(linked=True), "out/manifest.json")
    assert "2 of 2 photographs labelled" in curate("check", "out")


def test_without_splits_nobody_can_know():
    Path("data/splits/d/val_test.csv").unlink()
    with pytest.raises(WorkspaceError, match="dvc repro split@d"):
        curate("check", "out")
