"""Contradicting labels become a list that a person fills in, and the filled list becomes tracked corrections."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from pipelines import of_one_detector
from quality.thresholds import THRESHOLDS
from vouch import io, paths
from vouch.cli import app
from vouch.errors import VouchError, WorkspaceError
from vouch.quality import checks
from vouch.stages import ingest, scan, validate

SEVERITY = {name: "quarantine" if check.levels == checks.UNUSABLE else "warn" for name, check in checks.CHECKS.items()}
COVERAGE = {"min_components": 4, "min_samples": 1, "min_count": 1}
COVERAGE |= {"min_images_per_product": None, "of_classes": []}
LIST = Path("review/review.csv")


def vouch(*words):
    return CliRunner().invoke(app, ["review-labels", "d", *map(str, words)])


def refusal(*words):
    error = vouch(*words).exception
    assert isinstance(error, VouchError), error
    return str(error)


def workspace(root, monkeypatch, source):
    """A data set with three photographs, of which two are the same and said to be different."""
    monkeypatch.chdir(root)
    sections = {
        "ingest": {"classes": ["can", "jar"], "group_keys": ["sample"], "strata": {}},
        "scan": {"max_megapixels": 50.0},
        "validate": {
            "thresholds": THRESHOLDS.model_dump(),
            "severity": SEVERITY,
            "coverage": COVERAGE,
        },
    }
    content = {"pipeline": of_one_detector(), "datasets": {"d": sections}, "models": {"m": {}}}
    Path("params.yaml").write_text(json.dumps(content))
    folder = Path("data/sources/d/mine")
    for name, seed in {"a": 1, "b": 1, "c": 2}.items():
        pixels = np.random.default_rng(seed).integers(0, 256, (40, 60, 3), np.uint8)
        path = folder / source[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    (folder / "source.json").write_text(json.dumps(source["json"]))
    for name, text in source.get("texts", {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    Path(".gitignore").write_text("/data/*/?*\n!/data/sources/?*.dvc\n")
    count = sum(path.is_file() for path in folder.rglob("*"))
    Path("data/sources/d.dvc").write_text(f"outs:\n- md5: {'0' * 32}.dir\n  nfiles: {count}\n  path: d\n")
    rebuild()


def with_dvc():
    """Only what takes corrections needs it: two calls of it take seconds."""
    Path("data/sources/d.dvc").unlink()
    subprocess.run([sys.executable, "-m", "dvc", "init", "--quiet", "--no-scm"], check=True)
    subprocess.run([sys.executable, "-m", "dvc", "add", "--quiet", "data/sources/d"], check=True)


def rebuild():
    for stage in (ingest, scan, validate):
        stage.run("d")


@pytest.fixture
def classes(tmp_path, monkeypatch):
    described = {"name": "mine", "format": "imagefolder", "unlabelled": "refuse"}
    workspace(tmp_path, monkeypatch, {"a": "can/a.png", "b": "jar/b.png", "c": "can/c.png", "json": described})


@pytest.fixture
def boxes(tmp_path, monkeypatch):
    described = {"name": "mine", "format": "yolo", "unlabelled": "refuse", "classes": ["can", "jar"]}
    names = {name: f"images/{name}.png" for name in "abc"}
    texts = {f"labels/{name}.txt": f"{number} .5 .5 .5 .5\n" for name, number in {"a": 0, "b": 1, "c": 0}.items()}
    workspace(tmp_path, monkeypatch, names | {"json": described, "texts": texts})


def listed():
    with LIST.open(newline="") as stream:
        return list(csv.DictReader(stream))


def fill(**answers):
    """Write into label_new of each sample."""
    rows = listed()
    for row in rows:
        row["label_new"] = answers.get(Path(row["sample"]).stem, row["label_new"])
    with LIST.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def labels():
    samples = io.read_table(paths.manifest("d", "samples"))
    return {Path(name).stem: label for name, label in zip(samples["sample_id"], samples["label"], strict=True)}


def test_a_contradiction_is_listed_on_both_photographs_with_them_side_by_side(classes):
    assert vouch("-o", "review").exit_code == 0
    rows = listed()
    assert [(row["sample"], row["label_now"], row["other_sample"], row["other_label"]) for row in rows] == [
        ("mine/can/a.png", "can", "mine/jar/b.png", "jar"),
        ("mine/jar/b.png", "jar", "mine/can/a.png", "can"),
    ]
    assert {row["check"] for row in rows} == {"contradicting_exact"}
    assert {row["label_new"] for row in rows} == {""}
    with Image.open(Path("review", rows[0]["picture"])) as picture:
        assert picture.width > 2 * 60
        assert picture.height > 40
    assert isinstance(vouch("-o", "review").exception, WorkspaceError)


def test_what_a_person_fills_in_is_ingested_and_tracked_and_ends_the_contradiction(classes):
    with_dvc()
    vouch("-o", "review")
    fill(b="can")
    before = Path("data/sources/d.dvc").read_text()
    found = vouch("--apply", LIST)
    assert found.exit_code == 0, found.output
    assert "1 corrections, 1 undecided" in found.output
    assert Path("data/sources/d/mine/corrections.csv").read_text() == "image,label\njar/b.png,can\n"
    assert Path("data/sources/d.dvc").read_text() != before
    rebuild()
    assert labels() == {"a": "can", "b": "can", "c": "can"}
    assert "contradicting_exact" not in set(io.read_table(paths.quality("d", "issues"))["check"])
    assert vouch("--apply", LIST).exit_code == 0  # once more changes nothing
    assert Path("data/sources/d/mine/corrections.csv").read_text() == "image,label\njar/b.png,can\n"
    assert "nothing to review" in vouch("-o", "again").output
    assert not Path("again").exists()


def test_later_corrections_join_earlier_ones(classes):
    with_dvc()
    vouch("-o", "review")
    fill(b="can", a="keep")
    vouch("--apply", LIST)
    fill(a="drop")
    assert vouch("--apply", LIST).exit_code == 0
    assert Path("data/sources/d/mine/corrections.csv").read_text() == "image,label\ncan/a.png,drop\njar/b.png,can\n"
    rebuild()
    assert labels() == {"b": "can", "c": "can"}
    assert vouch("--apply", LIST).exit_code == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("png,can,mine", "png,jar,mine"), "got 'can' by now; write the list anew"),
        (lambda text: text.replace("mine/can/a.png,can,", "mine/can/z.png,can,"), "a photograph of the data set, got"),
        (lambda text: text + text.splitlines()[1].replace(",drop", ",keep") + "\n", "'drop' as in line 2, got 'keep'"),
        (lambda text: text.replace(",drop", ",jra"), "expected a class, drop or keep, got 'jra'; perhaps `jar`"),
        (lambda text: text.replace("label_new", "new"), "the header sample,label_now"),
        (lambda text: text.replace(",", ";"), "save it as CSV with commas"),
        (lambda text: text.replace("picture,", ""), "the header sample"),
        (lambda text: text.replace(",drop", ",drop,x"), "expected 7 columns"),
        (lambda text: text + '"', "well-formed CSV"),
        (lambda text: "", "an empty file"),
    ],
)
def test_a_list_with_a_fault_is_refused_whole(classes, change, said):
    vouch("-o", "review")
    fill(a="drop", b="can")
    LIST.write_text(change(LIST.read_text().replace("\r", "")))
    assert said in refusal("--apply", LIST)
    assert not Path("data/sources/d/mine/corrections.csv").exists()


def test_boxes_can_be_kept_or_dropped_and_are_drawn(boxes):
    with_dvc()
    vouch("-o", "review")
    assert [(row["label_now"], row["other_label"]) for row in listed()] == [("1 can", "1 jar"), ("1 jar", "1 can")]
    fill(a="jar")
    assert "expected drop or keep for a photograph without a class of its own, got 'jar'" in refusal("--apply", LIST)
    fill(a="drop", b="keep")
    assert vouch("--apply", LIST).exit_code == 0
    rebuild()
    assert set(labels()) == {"b", "c"}


def test_rendered_scenes_are_not_corrected(classes):
    vouch("-o", "review")
    Path("data/sources/d.dvc").unlink()
    fill(a="drop")
    assert "rendered scenes come with their labels" in refusal("--apply", LIST)


def test_sources_that_are_not_whole_are_not_recorded_anew(classes):
    vouch("-o", "review")
    Path("data/sources/d/mine/can/c.png").unlink()
    fill(a="drop")
    assert "3 of its 4 files; run `dvc checkout data/sources/d.dvc`" in refusal("--apply", LIST)


def test_what_is_missing_is_named(classes):
    assert "got neither; give one" in refusal()
    assert "got both; give one" in refusal("-o", "x", "--apply", "y")
    vouch("-o", "review")
    assert "perhaps `review.csv` was meant" in refusal("--apply", "review/reviw.csv")
    paths.quality("d", "issues").unlink()
    assert "run `dvc repro validate@d`" in refusal("-o", "other")
