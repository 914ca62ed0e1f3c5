"""Products that a new embedder must take for unknown: which, and what val_calib can promise of them."""

import json

import pandas as pd
import pytest

from made_folders import GREY, PRESETS, in_classes, planted
from vouch.errors import DataError, ManifestError
from vouch.proposal.findings import Asked
from vouch.proposal.fractions import CORRELATION, DELTA, Shares
from vouch.proposal.proposal import propose
from vouch.proposal.unknown import MAX_ACCEPT, lacking, refusal, unknown_products, unlearned

TEAS = {f"tea{n:02}": 40 for n in range(12)}


def proposed(tree, **fields):
    asked = {"task": "identify", "groups": ["none"], "strata": (), "ignore": ()} | fields
    return propose("teas", tree, Asked(**asked), PRESETS)


@pytest.mark.parametrize("task", ["identify", "classify"])
def test_what_no_certificate_can_hold_is_said_once_among_the_warnings(task, tmp_path):
    found = proposed(planted(tmp_path, in_classes(dict.fromkeys(TEAS, 4))), task=task)
    said = [*(": ".join(one) for one in found.assumed), *found.warnings]
    (once,) = [one for one in said if "certify" in one]
    assert once in found.warnings
    assert once.split(": ")[0].endswith(("of unknown products may bear a name", "of the answers may be wrong"))


@pytest.mark.parametrize(("count", "each"), [(4, 1), (14, 1), (16, 2), (31, 3), (60, 6), (900, 6)])
def test_a_tenth_of_the_products_is_unknown_in_each_of_two_splits_and_six_at_most(count, each):
    found = unknown_products({f"p{n:03}": 40 for n in range(count)})
    assert list(found) == ["val_calib", "val_test"]
    assert [len(set(names)) for names in found.values()] == [each, each]
    assert not set(found["val_calib"]) & set(found["val_test"])


def test_neighbours_by_name_of_an_unknown_product_are_known():
    found = unknown_products({f"p{n:03}": 40 for n in range(31)})
    places = sorted(int(name[1:]) for names in found.values() for name in names)
    assert places == [4, 9, 13, 17, 21, 26]  # 30 / 7 = 4.29 apart
    assert found["val_calib"] == ("p004", "p013", "p021")


@pytest.mark.parametrize(("count", "each"), [(4, 1), (5, 1), (15, 2), (31, 3)])
def test_no_product_with_fewer_photographs_than_the_middle_one_is_unknown(count, each):
    counts = {f"p{n:03}": 40 if n % 2 else 2 for n in range(count)}
    names = [name for part in unknown_products(counts).values() for name in part]
    assert len(set(names)) == 2 * each
    if count % 2 == 0:  # of an odd number the one in the middle has 2
        assert {counts[name] for name in names} == {40}


def test_a_product_of_one_photograph_gives_its_place_to_its_neighbour(tmp_path):
    found = proposed(planted(tmp_path, in_classes(TEAS | {"tea04": 1})))
    assert found.unknown_products == {"val_calib": ("tea03",), "val_test": ("tea07",)}


def test_an_unknown_product_goes_whole_to_its_own_split(tmp_path):
    found = proposed(planted(tmp_path, in_classes(TEAS)))
    assert found.unknown_products == {"val_calib": ("tea04",), "val_test": ("tea07",)}
    said = dict(found.assumed)
    assert "unknown products: tea04 in val_calib alone; tea07 in val_test alone" in said
    # 400 photographs of known products and 80 of unknown ones: none is set aside
    assert sum(found.coverage.values()) == 240 + 1 + 20 + 20  # half of 480 groups, of each product's 40
    sizes = next(why for what, why in found.assumed if what.startswith("fractions"))
    counts = [int(part.partition(" photographs")[0]) for part in sizes.replace(",", "").split("(")[1:]]
    assert sum(counts) == 480


def test_the_authors_split_keeps_what_it_states_and_sets_the_rest_aside(tmp_path):
    files = {}
    for tea, count in TEAS.items():
        for n in range(count):
            part = "train" if n < 20 else "val" if n < 24 else "test"
            files[f"{part}/{tea}/{n:03}.jpg"] = GREY
    found = proposed(planted(tmp_path, files), split="split=folder:1")
    sizes = next(why for what, why in found.assumed if what.startswith("fractions"))
    counts = [int(part.partition(" photographs")[0]) for part in sizes.replace(",", "").split("(")[1:]]
    assert sum(counts) == 10 * 40 + 2 * 16  # of an unknown product the photographs in train and val are set aside


def in_parts(at_test):
    """Teas in parts by their authors: `at_test` of each product's 40 photographs are test, the rest train."""
    parts = (
        (tea, n, "test" if n < at_test.get(tea, 10) else "train") for tea, count in TEAS.items() for n in range(count)
    )
    return {f"{part}/{tea}/{n:03}.jpg": GREY for tea, n, part in parts}


def test_a_product_that_the_authors_split_keeps_in_train_is_never_unknown(tmp_path):
    tree = planted(tmp_path, in_parts({"tea04": 0, "tea07": 0}))
    found = proposed(tree, split="split=folder:1")
    assert found.unknown_products == {"val_calib": ("tea03",), "val_test": ("tea08",)}  # at thirds of ten others


def test_an_authors_split_that_leaves_no_four_products_to_choose_from_is_refused(tmp_path):
    tree = planted(tmp_path, in_parts({tea: 0 for tea in TEAS if tea > "tea02"}))
    with pytest.raises(ManifestError) as error:
        proposed(tree, split="split=folder:1")
    (problem,) = error.value.problems
    assert (problem.where, problem.got) == ("--split", "tea00, tea01, tea02")


def test_products_of_one_photograph_each_are_refused_before_anything_is_written(tmp_path):
    with pytest.raises(DataError, match="split val_select: expected photographs of products of train, got none"):
        proposed(planted(tmp_path, in_classes(dict.fromkeys((f"tea{n:02}" for n in range(40)), 1))))


def test_what_training_or_its_policy_would_miss_in_a_split_is_named():
    parts = {"train": ["cola"], "val_select": ["malt"], "val_calib": ["malt", "cola"], "val_test": ["soda", "malt"]}
    unknown = {"val_calib": ("tea",), "val_test": ("soda",)}
    placed = [(f"{part}{n}", part, label) for part, labels in parts.items() for n, label in enumerate(labels)]
    table = pd.DataFrame(placed, columns=["sample_id", "split", "label"], dtype="str")
    divided = Shares({}, table[["sample_id", "split"]].assign(group=table["sample_id"]), {}, {}, unknown)
    found = [(one.where, one.got) for one in lacking(table[["sample_id", "label"]], divided)]
    assert found == [("split train", "cola"), ("split val_select", "none"), ("split val_calib", "none")]
    (warning,) = unlearned(table[["sample_id", "label"]], divided)
    assert warning.startswith("1 product without a photograph in train (malt)")  # soda is meant to be unknown


def test_every_split_that_shows_what_it_has_to_is_let_through(tmp_path):
    assert not any("without a photograph" in one for one in proposed(planted(tmp_path, in_classes(TEAS))).warnings)


def test_four_products_are_the_fewest(tmp_path):
    with pytest.raises(ManifestError, match="at least 4: two to be told apart, and two that count as unknown"):
        proposed(planted(tmp_path, in_classes({"a": 40, "b": 40, "c": 40})))


def test_products_of_a_folder_are_identified_where_that_is_asked_for(tmp_path):
    tree = planted(tmp_path, in_classes(TEAS))
    assert proposed(tree).task == "identify"
    assert proposed(tree, task=None).task == "classify"


@pytest.mark.parametrize("label", [{}, {"label": "tea"}])
def test_boxes_are_not_identified_by_a_folder(tmp_path, label):
    box = {"class": "can", "x1": 1, "y1": 1, "x2": 30, "y2": 30}
    line = {"image": "a.jpg", "width": 64, "height": 48, "boxes": [box]} | label
    with pytest.raises(ManifestError) as error:
        proposed(planted(tmp_path, {"a.jpg": GREY, "manifest.jsonl": json.dumps(line)}))
    assert "--task" in [problem.where for problem in error.value.problems]


def shares(unknown):
    """Photographs of an unknown product in val_calib, each a group of its own, beside one of a known one."""
    ids = [f"u{n}" for n in range(unknown)] + ["k"]
    samples = pd.DataFrame({"sample_id": ids, "label": ["soda"] * unknown + ["cola"]}, dtype="str")
    split = pd.DataFrame({"sample_id": ids, "group": ids, "split": "val_calib"}, dtype="str")
    return samples, Shares({}, split, {}, {}, {"val_calib": ("soda",), "val_test": ()})


def test_a_certificate_wants_59_unknown_photographs_without_one_that_is_named():
    # Clopper-Pearson, none of n: 1 - .05^(1/n) is .0495 for 59 and .0503 for 58
    policy, (_, why), certain = refusal(*shares(59))
    assert (policy, certain) == ({}, True)
    assert why == "59 photographs of unknown products in val_calib, in 59 groups, can certify it"
    policy, (what, why), certain = refusal(*shares(28))
    assert (policy, certain) == ({"bound": "value"}, False)
    assert what == "about 0.05 of unknown products may bear a name"
    assert "certify 0.10 at best" in why  # 1 - .05^(1/28) = .101


def test_what_is_foretold_of_a_certificate_is_what_the_preset_asks_for():
    decide = PRESETS["identify"]["decide"]
    asked = {name: decide[name] for name in ("max_unknown_accept", "delta", "intraclass_floor", "bound")}
    assert asked == {
        "max_unknown_accept": MAX_ACCEPT, "delta": DELTA, "intraclass_floor": CORRELATION, "bound": "high",
    }  # fmt: skip
    assert (decide["walks"], decide["margins"]) == (1, [0.0])  # nothing else shares delta
