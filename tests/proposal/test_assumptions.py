"""What a proposal warns of before anything is trained: val_select may carry no calibrator."""

from dataclasses import replace

import pandas as pd
import pytest

from made_folders import GREY, PRESETS, in_classes, planted, yolo
from vouch.proposal.assumptions import starved, uncalibrated, unshown
from vouch.proposal.findings import Asked
from vouch.proposal.fractions import Shares
from vouch.proposal.proposal import propose

SAID = (
    "as far as labels show, val_select is too small for a calibrator, and scores stay raw: {}; 200 in 8 are needed; "
    "more photographs of other groups mend that, or a larger share in `split.fractions`"
)


def divided(labels):
    """Photographs of one product each: split, group, product (None: of boxes) of as many as is said."""
    placed = [one for *one, count in labels for _ in range(count)]
    table = pd.DataFrame(placed, columns=["split", "group", "label"], dtype="str")
    table["sample_id"] = [f"p{place:04}" for place in range(len(table))]
    return table[["sample_id", "label"]], Shares({}, table[["sample_id", "group", "split"]], {}, {}, {})


def boxes_on(samples, each):
    ids = samples["sample_id"].repeat(each)
    return pd.DataFrame({"sample_id": ids, "class_name": "cone"}).astype("str")


def select(count, groups, label=None):
    """So many photographs of val_select in so many groups, the last of which has what is over."""
    each = count // groups
    rest = ("val_select", f"g{groups - 1}", label, count - each * (groups - 1))
    return [*(("val_select", f"g{place}", label, each) for place in range(groups - 1)), rest]


@pytest.mark.parametrize(
    ("photographs", "groups", "each", "said"),
    [
        (100, 8, 2, None),
        (200, 8, 1, None),
        (199, 8, 1, "199 predictions in 8 groups"),
        (200, 7, 1, "200 predictions in 7 groups"),
        (200, 8, 0, "0 predictions in 0 groups"),
    ],
)
def test_of_a_detector_the_labelled_boxes_of_val_select_are_counted_and_no_others(photographs, groups, each, said):
    samples, shares = divided([*select(photographs, groups), ("train", "t", None, 500), ("val_test", "v", None, 500)])
    drawn = samples["sample_id"].isin(shares.split.loc[shares.split["split"] == "val_select", "sample_id"])
    boxes = pd.concat([boxes_on(samples[drawn], each), boxes_on(samples[~drawn], 3)])
    assert list(uncalibrated(samples, boxes, shares, "detect", PRESETS)) == (
        [] if said is None else [SAID.format(said)]
    )


NO_BOXES = pd.DataFrame(columns=["sample_id", "class_name"], dtype="str")


def test_of_an_embedder_photographs_of_products_that_train_shows_are_counted():
    known = [*select(200, 8, "tea"), ("train", "t", "tea", 1)]
    assert not list(uncalibrated(*with_boxes(known), "identify", PRESETS))
    strange = [*select(160, 8, "tea"), *select(40, 8, "malt"), ("train", "t", "tea", 1), ("val_calib", "c", "malt", 9)]
    (said,) = uncalibrated(*with_boxes(strange), "identify", PRESETS)
    assert said == SAID.format("160 predictions in 8 groups")


def with_boxes(labels):
    samples, shares = divided(labels)
    return samples, NO_BOXES, shares


def test_a_classifier_needs_no_least_number_of_rows():
    assert not list(uncalibrated(*with_boxes([*select(8, 8, "tea"), ("train", "t", "tea", 1)]), "classify", PRESETS))


@pytest.mark.parametrize(("task", "label"), [("detect", None), ("identify", "tea")])
def test_how_much_a_calibrator_needs_is_what_the_preset_says(task, label):
    samples, shares = divided([*select(30, 3, label), ("train", "t", label, 1)])
    boxes = boxes_on(samples, 1) if task == "detect" else NO_BOXES
    presets = {task: PRESETS[task] | {"calibrate": PRESETS[task]["calibrate"] | {"min_rows": 30, "min_groups": 3}}}
    assert not list(uncalibrated(samples, boxes, shares, task, presets))
    presets[task]["calibrate"]["min_rows"] = 31
    (said,) = uncalibrated(samples, boxes, shares, task, presets)
    assert "30 predictions in 3 groups; 31 in 3 are needed" in said


def test_classes_that_train_or_val_test_does_not_show_are_named():
    shown = [
        ("train", "t", "cat", 3),
        ("train", "t", "dog", 1),
        ("val_calib", "c", "owl", 2),
        ("val_test", "v", "cat", 2),
    ]
    samples, shares = divided(shown)
    said = [
        "train shows nothing of 1 class (owl): nobody learns them; add photographs of other groups",
        "val_test shows nothing of 2 classes (dog, owl): no verdict is about them; add photographs of other groups",
    ]
    assert list(unshown(samples, NO_BOXES, shares, "classify")) == said
    boxes = pd.DataFrame({"sample_id": ["p0000", "p0006"], "class_name": ["can", "can"]}, dtype="str")
    assert not list(unshown(samples.assign(label=None), boxes, shares, "detect"))
    (said,) = unshown(samples.assign(label=None), boxes[:1], shares, "detect")
    assert said.startswith("val_test shows nothing of 1 class (can)")


def test_a_class_of_one_group_is_warned_of(tmp_path):
    names = [f"{name}/p{n % 12:02}_{n:03}.jpg" for name in ("cat", "dog") for n in range(48)]
    tree = planted(tmp_path, {name: GREY for name in [*names, "owl/q1_000.jpg", "owl/q1_001.jpg"]})
    assert any(one.startswith("val_test shows nothing of 1 class (owl)") for one in proposed(tree).warnings)


def proposed(tree, **said):
    nothing = {"task": None, "groups": (), "strata": (), "ignore": ()}
    return propose("mine", tree, Asked(**nothing | said), PRESETS)


def test_a_small_folder_of_boxes_is_warned_of_and_one_of_classes_is_not(tmp_path):
    names = [f"video{v:02}_{n:03}" for v in range(12) for n in range(4)]
    found = proposed(planted(tmp_path / "boxes", yolo(names)))
    sizes = next(why for what, why in found.assumed if what.startswith("fractions"))
    assert "val_select 1 (4 photographs)" in sizes  # of one box each
    assert SAID.format("4 predictions in 1 group") in found.warnings
    found = proposed(planted(tmp_path / "classes", in_classes({"cat": 40, "dog": 60})), groups=["none"])
    assert not any("calibrator" in one for one in found.warnings)


def test_a_small_folder_of_products_is_warned_of(tmp_path):
    teas = in_classes({f"tea{n:02}": 20 for n in range(12)})
    found = proposed(planted(tmp_path, teas), task="identify", groups=["none"])
    (said,) = (one for one in found.warnings if "calibrator" in one)
    assert "raw: 20 predictions in 20 groups;" in said  # a tenth of each of ten products; two are unknown


def test_a_split_that_gets_far_less_than_its_fraction_is_named(tmp_path):
    fractions = {"train": 0.6, "val_select": 0.1, "val_calib": 0.15, "val_test": 0.15}
    shares = Shares(fractions, pd.DataFrame(), {}, dict(zip(fractions, (80, 5, 20, 15), strict=True)), {})
    (said,) = starved(shares)
    assert said.startswith("val_select gets 5 photographs of 120, where 0.1 is wanted: ")
    assert not list(starved(replace(shares, photographs=shares.photographs | {"val_select": 6, "train": 79})))
    few = planted(tmp_path, in_classes(dict.fromkeys((f"p{n:02}" for n in range(40)), 3)))
    assert any(one.startswith("val_select gets ") for one in proposed(few, task="classify", groups=["none"]).warnings)
