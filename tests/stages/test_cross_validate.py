"""cross_validate and evaluate_by_group on a dozen made photographs: who sees what, and what is said of it."""

import json
from contextlib import chdir
from dataclasses import dataclass

import pandas as pd
import pytest

from training import classifier_pictures, pictures
from vouch import io, paths
from vouch.errors import DataError
from vouch.stages import cross_validate, evaluate_by_group
from vouch.training.classification import training as classification
from vouch.training.detection import ultralytics_yolo

GROUPS = {"a": 4, "b": 2, "c": 4, "d": 2, "e": 2, "f": 2}  # a to d are train, e and f val_select
ASKED = {"folds": 3, "seed": 1}
JUDGED = {"replicates": 200, "seed": 1, "level": 0.95, "few_groups": 20, "intraclass_floor": 0.05}
WORDS = {
    "detect": ("m", "d", "detect", "ultralytics", str(pictures.STARTS["ultralytics"])),
    "classify": ("m", "d", "classify", "classifier", "models/architectures/none.yaml"),
}
TRAINERS = {"detect": ultralytics_yolo, "classify": classification}


class BegunError(Exception):
    """A training began."""


@dataclass
class Made:
    folder: object
    lessons: list  # (train, val_select) of each training, as names of photographs


def sample(number):
    return f"p/{number:02}"


def prepare(folder, task, groups=GROUPS):
    """Write what the two stages declare, and nothing of val_calib or val_test."""
    count = sum(groups.values())
    drawing = {"detect": pictures, "classify": classifier_pictures}[task]
    drawing.draw(folder / "p", count)
    group = [name for name, size in groups.items() for _ in range(size)]
    ids = [sample(number) for number in range(count)]
    classes = drawing.CLASSES
    label = [classes[number % 2] for number in range(count)] if task == "classify" else [None] * count
    samples = pd.DataFrame(
        {"sample_id": ids, "image": [f"p/{number:02}.png" for number in range(count)], "label": label}
    )
    boxes = pd.DataFrame(
        [
            (name, classes[label], *example.boxes_xyxy[0])
            for name, example in zip(ids, examples(folder, count), strict=True)
            for label in example.class_ids
        ]
        if task == "detect"
        else [],
        columns=["sample_id", "class_name", "x1", "y1", "x2", "y2"],
    )
    io.write_table(folder / paths.manifest("d", "samples"), samples)
    io.write_table(folder / paths.manifest("d", "boxes"), boxes)
    members = pd.DataFrame({"sample_id": ids, "group": group})
    for split, names in (("train", "abcd"), ("val_select", "ef")):
        io.write_table(folder / paths.split("d", split), members[members["group"].isin(list(names))])
    io.write_text(folder / "models/architectures/none.yaml", "pretrained: none\n")
    sections = {
        "cross_validate": ASKED,
        "evaluate_by_group": JUDGED,
        "train_detector": pictures.training(epochs=1).model_dump(mode="json"),
        "train_classifier": classifier_pictures.training(epochs=1).model_dump(mode="json"),
        "predict": {"batch": 4} | ({"floor": 0.001, "max_iou": 0.7, "limit": 10} if task == "detect" else {}),
    }
    content = {
        "pipeline": {"models": {"m": {"task": task}}},
        "datasets": {"d": {"ingest": {"classes": list(classes)}}},
        "models": {"m": sections},
    }
    (folder / "params.yaml").write_text(json.dumps(content))  # JSON is YAML


def examples(folder, count):
    lesson = pictures.lesson(folder / "p", count)
    return (*lesson.train, *lesson.val_select)


def seen(part):
    """Name the photographs of a part, as a detector's examples or a classifier's photographs."""
    images = part.images if hasattr(part, "images") else [example.image for example in part]
    return {f"p/{image.path.stem}" for image in images}


@pytest.fixture(scope="module", params=["detect", "classify"])
def task(request):
    return request.param


@pytest.fixture(scope="module")
def made(task, tmp_path_factory):
    folder, lessons = tmp_path_factory.mktemp(task), []
    prepare(folder, task)
    train = TRAINERS[task].train

    def watched(lesson, *rest):
        lessons.append((seen(lesson.train), seen(lesson.val_select)))
        return train(lesson, *rest)

    with chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.setattr(TRAINERS[task], "train", watched)
        cross_validate.run(*WORDS[task])
        evaluate_by_group.run("m")
    return Made(folder, lessons)


def rows_of(made):
    return io.read_table(made.folder / paths.by_group("m"))


def test_no_photograph_of_a_held_out_group_is_learnt_from_or_chooses_the_checkpoint(made):
    rows = rows_of(made)
    assert len(made.lessons) == ASKED["folds"] == rows["fold"].nunique()
    everything = {sample(number) for number in range(sum(GROUPS.values()))}
    for fold, (train, val_select) in enumerate(made.lessons, 1):
        held_out = set(rows.loc[rows["fold"] == fold, "sample_id"])
        assert min(map(len, (held_out, train, val_select))) > 0
        assert not held_out & (train | val_select)
        assert not train & val_select
        assert held_out | train | val_select == everything


def test_what_is_held_out_is_whole_groups_and_so_is_what_chooses(made):
    group = {
        sample(number): name for number, name in enumerate(name for name, size in GROUPS.items() for _ in range(size))
    }
    for train, val_select in made.lessons:
        assert not {group[one] for one in train} & {group[one] for one in val_select}
    assert (rows_of(made).groupby("group")["fold"].nunique() == 1).all()


def test_every_photograph_of_every_group_is_answered_for_once(made, task):
    rows = rows_of(made)
    count = sum(GROUPS.values())
    assert set(rows["sample_id"]) == {sample(number) for number in range(count)}
    assert set(rows["group"]) == set(GROUPS)
    truths = rows[rows["class_true"].notna()]
    assert len(truths) == count  # one label, or one box, in each; false alarms are further rows
    assert len(rows) == count or task == "detect"


def test_the_interval_is_over_the_groups_of_both_splits(made, task):
    found = io.read_json(made.folder / paths.metrics("m", "by_group"))
    main = {"detect": "map50", "classify": "accuracy"}[task]
    assert found[main]["all"]["n_groups"] == len(GROUPS)
    assert found[main]["all"]["few_groups"] is True
    lines = io.read_table(made.folder / paths.plots("m", "by_group.csv"))
    assert sorted("|".join(lines["groups"]).split("|")) == sorted(GROUPS)
    assert lines["photographs"].astype(int).sum() == sum(GROUPS.values())


def test_accuracy_is_that_of_the_rows(made, task):
    if task == "detect":
        pytest.skip("a classifier's")
    rows = rows_of(made)
    hits = rows["class_true"] == rows["class_pred"]
    assert io.read_json(made.folder / paths.metrics("m", "by_group"))["accuracy"]["all"]["value"] == pytest.approx(
        hits.mean()
    )


def test_nothing_of_the_networks_is_left(made):
    assert not list((made.folder / "models").rglob("*.safetensors"))
    assert not list((made.folder / "models").rglob("*.onnx"))


def refuse_training(monkeypatch, task):
    def begun(*_):
        raise BegunError

    monkeypatch.setattr(TRAINERS[task], "train", begun)


def test_the_cost_is_said_before_the_first_training(task, tmp_path, monkeypatch, capsys):
    prepare(tmp_path, task)
    monkeypatch.chdir(tmp_path)
    refuse_training(monkeypatch, task)
    with pytest.raises(BegunError):
        cross_validate.run(*WORDS[task])
    first, second, *_ = capsys.readouterr().err.splitlines()
    assert first == "3 trainings of about 8 photographs each"  # of 16, a third held out, a quarter of the rest chooses
    assert second.startswith("fold 1 of 3: ")
    assert not paths.by_group("m").exists()


def test_two_groups_are_refused_before_any_training(task, tmp_path, monkeypatch):
    prepare(tmp_path, task, groups={"a": 8, "e": 8})
    monkeypatch.chdir(tmp_path)
    refuse_training(monkeypatch, task)
    with pytest.raises(DataError, match="expected 3 groups at the least"):
        cross_validate.run(*WORDS[task])
