"""The photographs in ../shared/realdata, where that folder exists: labels and paths only."""

import csv
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from splits.asking import asked
from vouch.sources.descriptor import check_descriptor
from vouch.sources.merge import Taxonomy, merged
from vouch.sources.reading import complete, read_source
from vouch.sources.tree import walk
from vouch.splits.assignment import assign

REAL = Path(__file__).parents[2].parent / "shared/realdata"
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="no real photographs beside this checkout")
WASTE = {"Cable": 473, "E-waste": 132, "Glass": 180, "Medical Waste": 305, "Metal": 543, "Plastics": 1142, "can": 576}


def taken(name, form, classes, **fields):
    tree = walk(REAL / name)
    content = {"name": "real", "format": form, "unlabelled": "refuse", **fields}
    descriptor = complete(tree, check_descriptor(content, "test"))
    keys = tuple(fields.get("groups", {"sample": None}))
    return merged([(descriptor, read_source(tree, descriptor))], Taxonomy(classes, keys, {}), "data/sources/D")


@pytest.mark.parametrize(
    ("name", "boxes", "photographs", "groups"),
    [("waste_scenes", WASTE, 926, 26), ("cones_cubes", {"cone": 931, "cube": 521}, 622, 6)],
)
def test_detection_sets_hold_what_their_readme_says(name, boxes, photographs, groups):
    manifest = taken(name, "yolo", tuple(boxes), groups={"session": {"column": "group"}})
    assert Counter(manifest.boxes["class_name"]) == boxes
    assert len(manifest.samples) == photographs
    assert manifest.samples["group_session"].nunique() == groups
    assert set(manifest.samples["annotation"]) == {"labelled"}
    assert set(manifest.samples["width"]) == {416}


@pytest.mark.parametrize("form", ["imagefolder", "csv"])
def test_classification_sets_hold_what_their_readme_says(form):
    expected = {"paper": 594, "glass": 501, "plastic": 482, "metal": 410, "cardboard": 403, "trash": 137}
    manifest = taken("trashnet", form, tuple(expected))
    assert Counter(manifest.samples["label"]) == expected
    assert manifest.samples["group_sample"].nunique() == 2527


def test_products_are_named_by_their_folder():
    with (REAL / "grocery_packages/classes.csv").open(encoding="utf-8") as stream:
        classes = tuple(row["label"] for row in csv.DictReader(stream))
    manifest = taken("grocery_packages", "imagefolder", classes, groups={"part": {"level": 2}})
    assert Counter(manifest.samples["group_part"]) == {"train": 864, "val": 100, "test": 781}
    assert manifest.samples["label"].nunique() == 31


@pytest.mark.parametrize(("form", "rule"), [("imagefolder", {"level": 2}), ("csv", {"column": "split"})])
def test_the_authors_split_of_the_groceries_is_kept(form, rule):
    with (REAL / "grocery_packages/classes.csv").open(encoding="utf-8") as stream:
        classes = tuple(row["label"] for row in csv.DictReader(stream))
    samples = taken("grocery_packages", form, classes, split=rule).samples
    assert Counter(samples["split_stated"]) == {"train": 864, "val": 100, "test": 781}
    meanings = {"train": ("train", "val_select"), "val": ("val_select",), "test": ("val_calib", "val_test")}
    none = pd.DataFrame(columns=["sample_id", "class_name", "cluster"], dtype="str")
    found = assign(samples, none, none, {}, asked(0.6, 0.1, 0.15, 0.15, stated=meanings))
    part = found.table.set_index("sample_id").loc[samples["sample_id"], "split"].to_numpy()
    for word, splits in meanings.items():
        assert set(part[(samples["split_stated"] == word).to_numpy()]) <= set(splits)
    sizes = Counter(part)
    assert abs(sizes["val_calib"] - sizes["val_test"]) <= 31  # one of each product at most
    assert abs(sizes["train"] - 964 * 6 / 7) <= 31
