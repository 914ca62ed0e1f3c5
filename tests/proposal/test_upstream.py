"""The authors' split: kept where `--split` names it, in their words, with a meaning for each."""

import json
from collections import Counter
from pathlib import Path

import pytest

from made_folders import GREY, PRESETS, in_classes, manifest, planted
from vouch.commands import importing
from vouch.errors import LeakageError, ManifestError
from vouch.proposal.findings import Asked
from vouch.proposal.parameters import entries
from vouch.proposal.proposal import propose
from vouch.proposal.survey import tree_at
from vouch.sources.merge import Taxonomy

NOTHING = {"task": None, "groups": ("none",), "strata": (), "ignore": ()}
MEANINGS = {"train": ["train", "val_select"], "val": ["val_select"], "test": ["val_calib", "val_test"]}
PRESET = {"gate": {"rules": {"accuracy": {}}}, "train_classifier": {}}
REAL = Path(__file__).parents[2].parent / "shared/realdata"


def planted_parts(root, words=("train", "train", "train", "val", "test", "test"), column="split"):
    pictures = in_classes({"cat": 30, "dog": 30})
    rows = [{"image": name, column: words[place % len(words)]} for place, name in enumerate(pictures)]
    return planted(root, {**pictures, "manifest.csv": manifest(rows)})


def imported(tree, found):
    taxonomy = Taxonomy(found.classes, found.group_keys, found.strata)
    return importing.check("pets", tree, found.descriptor, taxonomy).manifest.samples


def test_a_column_of_splits_is_kept_with_what_its_words_mean(tmp_path):
    tree = planted_parts(tmp_path)
    found = propose("pets", tree, Asked(**NOTHING, split="split"), PRESETS)
    assert found.stated == MEANINGS
    assert Counter(imported(tree, found)["split_stated"]) == {"train": 30, "val": 10, "test": 20}
    said = dict(found.assumed)["the authors' split (split) is kept"]
    assert said == (
        "test (20 photographs) goes to val_calib and val_test; train (30 photographs) goes to train and val_select; "
        "val (10 photographs) goes to val_select"
    )
    written = dict(entries(found, {"dataset": {"split": {"stated": {}}}, "classify": PRESET}))
    assert written["datasets", "pets"]["split"]["stated"] == MEANINGS


def test_without_the_option_it_says_how_to_keep_it(tmp_path):
    found = propose("pets", planted_parts(tmp_path), Asked(**NOTHING), PRESETS)
    assert found.stated == {}
    assert dict(found.assumed)["to compare with the authors"] == (
        "`--split split` keeps their split: test to val_calib and val_test, train to train and val_select, "
        "val to val_select"
    )


def test_folders_of_splits_are_kept_by_their_level(tmp_path):
    words = ("train2017", "train2017", "val2017", "test2017", "test2017")
    files = {f"{words[i % 5]}/{'cat' if i % 2 else 'dog'}/{i}.jpg": GREY for i in range(60)}
    tree = planted(tmp_path, files)
    said = dict(propose("pets", tree, Asked(**NOTHING), PRESETS).assumed)
    assert "`--split folder:1`" in said["to compare with the authors"]
    found = propose("pets", tree, Asked(**NOTHING, split="folder:1"), PRESETS)
    assert found.stated == {f"{word}2017": splits for word, splits in MEANINGS.items()}
    assert set(imported(tree, found)["split_stated"]) == set(words)


def test_lines_that_state_a_split_need_no_rule(tmp_path):
    lines = [{"image": f"{i}.jpg", "label": "ab"[i % 2], "split": ("train", "test")[i // 20]} for i in range(40)]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    tree = planted(tmp_path, {**{f"{i}.jpg": GREY for i in range(40)}, "manifest.jsonl": text})
    found = propose("pets", tree, Asked(**NOTHING, split="split"), PRESETS)
    assert (found.descriptor.split, list(found.stated)) == (None, ["test", "train"])
    assert Counter(imported(tree, found)["split_stated"]) == {"train": 20, "test": 20}


@pytest.mark.parametrize(
    ("words", "asked", "got"),
    [
        (("train", "tests", "test"), "split", "'tests' on 20"),
        (("train", "test"), "part", "'part'"),
        (("train", "test"), "folder:0x", "'folder:0x'"),
        (("",), "split", "none"),
    ],
)
def test_a_split_that_cannot_be_kept_is_refused(tmp_path, words, asked, got):
    with pytest.raises(ManifestError) as refused:
        propose("pets", planted_parts(tmp_path, words), Asked(**NOTHING, split=asked), PRESETS)
    assert [problem.got for problem in refused.value.problems] == [got]


def test_a_group_in_two_parts_of_the_authors_is_refused(tmp_path):
    pictures = in_classes({"cat": 30, "dog": 30})
    parts = ("train", "test")
    rows = [{"image": name, "split": parts[i % 2], "video": f"v{i // 4}"} for i, name in enumerate(pictures)]
    tree = planted(tmp_path, {**pictures, "manifest.csv": manifest(rows)})
    with pytest.raises(LeakageError, match="15 problems"):
        propose("pets", tree, Asked(**NOTHING | {"groups": ("video=column:video",)}, split="split"), PRESETS)


@pytest.mark.parametrize("stated", [False, True])
def test_where_groups_are_cut_it_says_what_keeping_the_split_costs_and_the_words_do_it(tmp_path, stated):
    pictures = in_classes({"cat": 30, "dog": 30})
    column = "group_video" if stated else "video"
    rows = [{"image": name, "split": ("train", "test")[i % 2], column: f"v{i // 4}"} for i, name in enumerate(pictures)]
    tree = planted(tmp_path, {**pictures, "manifest.csv": manifest(rows)})
    said = dict(propose("pets", tree, Asked(**NOTHING | {"groups": ()}), PRESETS).assumed)
    words = "--split split --group none" + (" --ignore group_video" if stated else "")
    assert said["to compare with the authors"].startswith(f"`{words}` keeps their split and gives these groups up: ")
    ignored = ("group_video",) if stated else ()
    found = propose("pets", tree, Asked(**NOTHING | {"ignore": ignored}, split="split"), PRESETS)
    assert sorted(found.stated) == ["test", "train"]


def test_a_column_that_is_left_out_is_not_offered_as_a_split(tmp_path):
    tree = planted_parts(tmp_path, column="group_split")
    found = propose("pets", tree, Asked(**NOTHING | {"ignore": ("group_split",)}), PRESETS)
    assert "to compare with the authors" not in dict(found.assumed)


@pytest.mark.skipif(not REAL.is_dir(), reason="no real photographs beside this checkout")
def test_the_authors_split_of_the_groceries_is_proposed_as_it_is_described():
    found = propose("groceries", tree_at(REAL / "grocery_packages"), Asked(**NOTHING, split="split"), PRESETS)
    assert found.stated == MEANINGS
    said = dict(found.assumed)["the authors' split (split) is kept"]
    for part in ("train (864 photographs)", "val (100 photographs)", "test (781 photographs)"):
        assert part in said
