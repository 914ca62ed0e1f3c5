"""Real photographs of products, a folder each, from `vouch new` to a recogniser that refuses what it does not know."""

import csv
import json
import shutil

import pandas as pd
import pytest
from safetensors import safe_open

from pipeline import real_folders
from vouch.params import read_params

PHOTOGRAPHS = real_folders.REAL / "grocery_packages/images"
PRODUCTS, OF_EACH = 8, 16
pytestmark = real_folders.needed(PHOTOGRAPHS)


def few_of_each_product(target):
    """Copy a few photographs of some products; the folder is the label."""
    for folder in sorted((PHOTOGRAPHS / "train").iterdir())[:PRODUCTS]:
        (target / folder.name).mkdir()
        for path in sorted(folder.iterdir())[:OF_EACH]:
            shutil.copy(path, target / folder.name)


@pytest.fixture(scope="module")
def grocery(tmp_path_factory):
    """A workspace with an embedder of eight products, two of them unknown."""
    words, short = ("--task", "identify", "--group", "none"), {"training": "train_embedder", "size_px": 32}
    return real_folders.built(tmp_path_factory, "grocery", few_of_each_product, *words, **short)


def test_unknown_products_stand_in_one_split_alone(grocery):
    unknown = read_params(grocery / "params.yaml")["datasets"]["grocery"]["split"]["unknown_products"]
    assert [len(names) for names in unknown.values()] == [1, 1]
    shown = {}
    for split in ("train", "val_select", "val_calib", "val_test"):
        with (grocery / f"data/splits/grocery/{split}.csv").open() as stream:
            for row in csv.DictReader(stream):
                shown.setdefault(row["sample_id"].split("/")[-2], set()).add(split)
    for split, (product,) in unknown.items():
        assert shown[product] == {split}
    with (grocery / "data/splits/grocery/aside.csv").open() as stream:
        assert not [row for row in csv.DictReader(stream) if row["reason"].startswith("unknown")]


def test_the_verdict_counts_unknown_products(grocery):
    judged = json.loads((grocery / "metrics/grocery/test.json").read_text())
    rules = json.loads((grocery / "metrics/grocery/gate.json").read_text())["rules"]
    assert judged["unknown_false_accept_rate"]["all"]["n_rows"] >= OF_EACH - 2  # near-duplicates are set aside
    assert rules["unknown_accepts"]["source"] == "test"
    assert "Known and unknown products" in (grocery / "reports/grocery/index.html").read_text()


def test_the_bundle_can_say_the_names_of_what_training_saw_and_no_others(grocery):
    said = read_params(grocery / "params.yaml")["datasets"]["grocery"]
    unknown = {name for names in said["split"]["unknown_products"].values() for name in names}
    learned = {*said["ingest"]["classes"]} - unknown
    assert len(learned) == PRODUCTS - 2
    bundle = grocery / "models/grocery/bundle"
    assert set(json.loads((bundle / "labels.json").read_text())["classes"]) == learned
    with safe_open(bundle / "gallery.safetensors", "numpy") as opened:
        assert {*json.loads(opened.metadata()["gallery"])["products"]} == learned
    answers = pd.read_parquet(grocery / "data/predictions/grocery/candidate/val_test.parquet")
    assert set(answers["class_pred"]) <= learned
