"""`vouch new`: from a folder to a data set and a model, whole or not at all."""

import json
import shutil
from pathlib import Path

import pytest

from made_folders import GREY, in_classes, manifest, photograph, planted, yolo
from pipeline.graph import ROOT
from vouch.commands import importing
from vouch.commands import new as command
from vouch.errors import DataError, ManifestError, ParamsError, VouchError, WorkspaceError
from vouch.params import load, read_params, read_section
from vouch.road_agreement import check_workspace
from vouch.stages import (
    decide,
    evaluate,
    gallery,
    gate,
    ingest,
    split,
    train_classifier,
    train_detector,
    train_embedder,
    validate,
)
from vouch.training.backbones import packaged

VIDEOS = [f"video{v:02}_{n:03}" for v in range(12) for n in range(4)]
ROWS = [{"file": f"images/{n}.jpg", "video": n[:7], "light": "day" if n[6] in "01234" else "dusk"} for n in VIDEOS]
FILES = {**yolo(VIDEOS), "manifest.csv": manifest(ROWS)}
DATASET = {"ingest": ingest.Params, "validate": validate.Params, "split": split.Params}
MODEL = {"decide": decide.Params, "evaluate": evaluate.Params, "gate": gate.Params}


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """The repository's own parameters; what DVC would record is written down instead."""
    root = tmp_path / "checkout"
    root.mkdir()
    shutil.copyfile(ROOT / "params.yaml", root / "params.yaml")
    shutil.copytree(ROOT / "presets", root / "presets")
    (root / ".dvc").mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setattr(importing, "track", lambda dataset: importing.tracked(dataset).write_text("outs: []\n"))
    return tmp_path


def folder(root, files=FILES):
    (root / "mine").mkdir()
    planted(root / "mine", files)
    return root / "mine"


def new(name, path, **options):
    given = {"task": None, "group": None, "strata": None, "ignore": None}
    command.new(name, path, **given | options)


def everything():
    return {str(path): path.read_bytes() for path in sorted(Path().rglob("*")) if path.is_file()}


def test_a_folder_becomes_a_data_set_and_a_model_that_every_stage_takes(checkout, capsys):
    new("cones", folder(checkout), strata=["light"])
    check_workspace()
    for stage, section in DATASET.items():
        load(section, "datasets", "cones", stage)
    for stage, section in MODEL.items() | {("train_detector", train_detector.Params)}:
        load(section, "models", "cones", stage)
    assert (Path("data/sources/cones/imported") / "source.json").is_file()
    rules = read_section("models", "cones", "gate").content["rules"]
    assert rules["recall_by_light"] | {"limit": 0.9, "each": "light", "bound": "value"} == rules["recall_by_light"]
    said = capsys.readouterr().out
    assert "groups: key `video`" in said
    assert said.endswith("now build it:\n  make repro MODEL=cones\n")


def test_it_takes_at_most_45_lines_for_a_detector_and_35_for_a_data_set(checkout):
    before = Path("params.yaml").read_text().splitlines()
    new("cones", folder(checkout))
    after = Path("params.yaml").read_text().splitlines()
    start = after.index("  cones:", after.index("datasets:"))
    of_dataset = after.index("models:") - start
    assert of_dataset <= 35
    assert len(after) - len(before) - of_dataset <= 45


def test_photographs_beside_the_folder_of_their_annotations_are_imported_with_the_split_of_their_authors(checkout):
    boxes = [{"id": i, "image_id": i, "category_id": 1, "bbox": [1, 1, 9, 9]} for i in range(60)]
    parts = ("train", "train", "test")
    images = [{"id": i, "file_name": f"{i}.jpg", "width": 64, "height": 48, "split": parts[i % 3]} for i in range(60)]
    coco = json.dumps({"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "cone"}]})
    pictures = {f"train2017/{i}.jpg": GREY for i in range(60)}
    path = folder(checkout, {**pictures, "annotations/train.json": coco, "val2017/x.jpg": GREY})
    new("cones", path / "annotations/train.json", group=["none"], images="train2017", split="split")
    assert load(split.Params, "datasets", "cones", "split").stated == {
        "train": ("train", "val_select"),
        "test": ("val_calib", "val_test"),
    }
    root = Path("data/sources/cones/imported")
    assert sorted(path.name for path in root.iterdir()) == ["annotations", "source.json", "train2017"]
    samples = ingest.read("cones").samples
    assert samples["split_stated"].value_counts().to_dict() == {"train": 40, "test": 20}


def test_a_folder_of_classes_becomes_a_classifier(checkout):
    new("pets", folder(checkout, in_classes({"cat": 60, "dog": 60})), group=["none"])
    check_workspace()
    load(train_classifier.Params, "models", "pets", "train_classifier")
    assert read_params()["pipeline"]["fine_tuned"]["pets"]["start"] == "models/architectures/none.yaml"
    assert read_params()["datasets"]["pets"]["ingest"]["group_keys"] == ["sample"]


def test_a_folder_of_products_becomes_a_recogniser_that_knows_some_as_unknown(checkout, capsys):
    path = folder(checkout, in_classes({f"tea{n}": 40 for n in range(6)}))
    new("teas", path, task="identify", group=["none"])
    check_workspace()
    for stage, section in {"train_embedder": train_embedder.Params, "gallery": gallery.Params}.items():
        load(section, "models", "teas", stage)
    assert load(split.Params, "datasets", "teas", "split").unknown_products == {
        "val_calib": ("tea2",),
        "val_test": ("tea3",),
    }
    assert load(decide.Params, "models", "teas", "decide").root.bound == "value"  # 40 cannot certify 5 %
    assert Path("data/gallery/teas/additions.csv").read_text() == "product,photograph,sha256\n"
    said = capsys.readouterr().out
    assert "for git: params.yaml, data/gallery/teas/additions.csv and data/sources/teas.dvc\n" in said


def test_a_gallery_of_this_name_is_not_taken_over(checkout):
    kept = Path("data/gallery/teas/additions.csv")
    kept.parent.mkdir(parents=True)
    kept.write_text("product,photograph,sha256\ntea9,,\n")
    with pytest.raises(WorkspaceError, match="data/gallery/teas"):
        new("teas", folder(checkout, in_classes({f"tea{n}": 40 for n in range(6)})), task="identify", group=["none"])
    assert kept.read_text().endswith("tea9,,\n")


def test_a_folder_of_real_photographs_becomes_a_classifier_that_starts_from_imagenet(checkout):
    files = dict.fromkeys(in_classes({"cat": 60, "dog": 60}), photograph(size=(320, 240)))
    new("pets", folder(checkout, files), group=["none"])
    check_workspace()
    wanted = load(train_classifier.Params, "models", "pets", "train_classifier")
    start = read_params()["pipeline"]["fine_tuned"]["pets"]["start"]
    assert (start, wanted.backbone.name, wanted.layer_decay) == (
        "models/architectures/lite0.yaml",
        packaged.read(ROOT / start).backbone,
        0.9,
    )
    assert wanted.size_px == wanted.views.side_px == 224


def test_a_dry_run_says_all_of_it_and_writes_nothing(checkout, capsys):
    before = everything()
    new("cones", folder(checkout), dry_run=True)
    said = capsys.readouterr().out
    assert everything() == before
    assert "pipeline.detectors:\n  cones:\n    dataset: cones\n    framework: ultralytics" in said
    assert "beware: " in said


@pytest.mark.parametrize("cut", ["written", "copied"])
def test_the_same_command_finishes_what_was_killed(checkout, cut, monkeypatch):
    path = folder(checkout)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(importing, "add" if cut == "written" else "_take_over", killed)
        with pytest.raises(KeyboardInterrupt):
            new("cones", path)
    text = Path("params.yaml").read_text()
    assert not importing.tracked("cones").exists()
    with pytest.raises(WorkspaceError) as caught:
        new("cones", path, strata=["name=name:(.)"])
    assert Path("params.yaml").read_text() == text
    places = {problem.where: problem.remedy for problem in caught.value.problems}
    assert {"params.yaml: pipeline.datasets.cones", "params.yaml: datasets.cones"} < set(places)
    assert all("as it was called then it finishes; to begin anew, delete this" in one for one in places.values())
    new("cones", path)
    assert Path("params.yaml").read_text() == text
    assert importing.tracked("cones").exists()
    with pytest.raises(WorkspaceError, match=r"data/sources/cones.*nothing of this name yet"):
        new("cones", path)


def test_the_same_command_tidies_up_after_one_that_was_killed_when_all_was_recorded(checkout, monkeypatch, capsys):
    path = folder(checkout)

    def killed(dataset):
        importing.tracked(dataset).write_text("outs: []\n")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(importing, "track", killed)
        with pytest.raises(KeyboardInterrupt):
            new("cones", path)
    assert Path("data/sources/.cones.part").exists()
    new("cones", path)
    assert capsys.readouterr().out.endswith("now build it:\n  make repro MODEL=cones\n")
    assert not Path("data/sources/.cones.part").exists()


BAD = {
    "an empty folder": ("cones", {}, {}, ManifestError, "expected photographs, got none"),
    "a mixture": (
        "cones",
        {**FILES, **in_classes({"cat": 3, "dog": 3})},
        {},
        ManifestError,
        "6 photographs where yolo looks for none",
    ),
    "labels of two formats": ("cones", {**FILES, "a.xml": "<a/>"}, {}, ManifestError, "labels of one format"),
    "labels without photographs": (
        "cones",
        {name: content for name, content in FILES.items() if not name.endswith(".jpg")},
        {},
        ManifestError,
        "none, only labels",
    ),
    "no group": ("pets", in_classes({"cat": 30, "dog": 30}), {}, ManifestError, "--group none"),
    "classes that differ by case": (
        "pets",
        in_classes({"Cat": 30, "cat": 30}),
        {"group": ["none"]},
        VouchError,
        "case",
    ),
    "a class that some readers take for a truth value": (
        "pets",
        in_classes({"no": 60, "dog": 60}),
        {"group": ["none"]},
        ManifestError,
        "no_no",
    ),
    "a class that a spreadsheet would calculate": (
        "pets",
        in_classes({"=dog": 60, "cat": 60}),
        {"group": ["none"]},
        ManifestError,
        "the classes: expected names that no spreadsheet calculates, got =dog",
    ),
    "a name above": ("../x", FILES, {}, VouchError, "NAME"),
    "a name of two words": ("a b", FILES, {}, VouchError, "NAME"),
    "an option for a name": ("-x", FILES, {}, VouchError, "NAME"),
    "a data set that exists": ("driver", FILES, {}, WorkspaceError, "datasets.driver"),
    "a task that the labels do not teach": ("cones", FILES, {"task": "classify"}, ManifestError, "--task"),
    "a column that is not there": ("cones", FILES, {"group": ["drive=column:drive"]}, VouchError, "drive"),
}


@pytest.mark.parametrize(("name", "files", "options", "error", "words"), BAD.values(), ids=BAD)
def test_what_cannot_be_is_refused_by_name_and_nothing_is_written(checkout, name, files, options, error, words):
    path = folder(checkout, files)
    before = everything()
    with pytest.raises(error) as refused:
        new(name, path, **options)
    assert words in str(refused.value)
    assert everything() == before


def test_a_file_that_labels_nothing_is_refused(checkout):
    before = everything()
    (checkout / "photograph.jpg").write_bytes(GREY)
    with pytest.raises(ManifestError, match="a COCO, CSV or JSONL file"):
        new("cones", checkout / "photograph.jpg")
    assert everything() == before


def test_a_place_that_is_taken_is_refused(checkout):
    path = folder(checkout)
    Path("models/cones").mkdir(parents=True)
    with pytest.raises(WorkspaceError, match=r"models/cones: expected nothing of this name yet"):
        new("cones", path)
    Path("params.yaml").write_text(Path("params.yaml").read_text().replace("  frozen: {}", "  frozen: {a: 1}"))
    with pytest.raises((ParamsError, DataError, WorkspaceError)):
        new("other", path)
