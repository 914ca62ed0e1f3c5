"""Splits that photographs state: groups go where the words allow, and no further."""

import numpy as np
import pandas as pd
import pytest

from splits.asking import asked
from vouch.errors import LeakageError
from vouch.paths import SPLITS
from vouch.splits import balance
from vouch.splits.assignment import assign, summarise

FRACTIONS = (0.6, 0.1, 0.15, 0.15)
NO_BOXES = pd.DataFrame(columns=["sample_id", "class_name"], dtype="str")
NO_CLUSTERS = pd.DataFrame(columns=["sample_id", "cluster"], dtype="str")
AUTHORS = {"train": ("train", "val_select"), "val": ("val_select",), "test": ("val_calib", "val_test")}


def table(words, groups=None):
    """One photograph a row, its word (None: none), and its group, by itself unless said."""
    names = [f"g{i:04d}" for i in range(len(words))] if groups is None else groups
    frame = {"sample_id": [f"s{i:04d}" for i in range(len(words))], "label": "can", "group_shelf": names}
    return pd.DataFrame({**frame, "split_stated": words}).astype("str").replace({"None": None})


def split(samples, meanings=AUTHORS, locked=None):
    found = assign(samples, NO_BOXES, NO_CLUSTERS, locked or {}, asked(*FRACTIONS, stated=meanings))
    return found, found.table.set_index("sample_id")["split"]


def counts(where, samples):
    return pd.crosstab(samples.set_index("sample_id")["split_stated"].fillna("none"), where).to_dict("index")


def test_the_authors_parts_are_kept_and_shared_out_by_our_fractions_within_them():
    samples = table(["train"] * 350 + ["val"] * 50 + ["test"] * 600)
    _, where = split(samples)
    # 400 in train and val_select: 6/7 of them to train; val fills val_select, 50 of its 57; 600 in halves
    assert counts(where, samples) == {
        "train": {"train": 343, "val_select": 7, "val_calib": 0, "val_test": 0},
        "val": {"train": 0, "val_select": 50, "val_calib": 0, "val_test": 0},
        "test": {"train": 0, "val_select": 0, "val_calib": 300, "val_test": 300},
    }


def test_labels_are_balanced_within_a_part_whatever_the_other_part_holds():
    samples = table(["train"] * 100 + ["test"] * 400)
    samples["label"] = ["can"] * 100 + ["can", "jar", "jar", "jar"] * 100
    _, where = split(samples)
    parts = samples.set_index("sample_id").join(where).groupby(["split", "label"]).size()
    assert parts["val_calib"].to_dict() == {"can": 50, "jar": 150}
    assert parts["val_test"].to_dict() == {"can": 50, "jar": 150}


def test_photographs_without_a_word_fill_what_the_others_leave():
    samples = table(["test"] * 20 + [None] * 180)
    meanings = {"test": ("val_test",)}
    _, where = split(samples, meanings)
    assert where.value_counts().to_dict() == {"train": 120, "val_select": 20, "val_calib": 30, "val_test": 30}
    assert set(where[:20]) == {"val_test"}


def test_many_groups_are_dealt_within_their_part(monkeypatch):
    monkeypatch.setattr(balance, "HEAD", 20)
    monkeypatch.setattr(balance, "TAIL", 20)
    samples = table(["train"] * 700 + ["test"] * 300)
    _, where = split(samples)
    found = counts(where, samples)
    assert found["train"] == {"train": 600, "val_select": 100, "val_calib": 0, "val_test": 0}
    assert found["test"] == {"train": 0, "val_select": 0, "val_calib": 150, "val_test": 150}


def test_without_a_meaning_words_change_nothing():
    samples = table(["train"] * 30 + ["test"] * 70)
    _, where = split(samples, {})
    _, without = split(samples.drop(columns="split_stated"), {})
    assert where.equals(without)


def test_a_group_goes_where_all_its_words_allow():
    words, groups = ["train", "val", *["train", "test"] * 20], ["g", "g", *(f"h{i}" for i in range(40))]
    _, where = split(table(words, groups))
    assert where[["s0000", "s0001"]].tolist() == ["val_select", "val_select"]


def test_words_that_allow_no_common_split_are_refused_by_group():
    words, groups = ["train", "test", "test", "train"], ["a", "a", "b", "c"]
    with pytest.raises(LeakageError) as caught:
        split(table(words, groups))
    (found,) = caught.value.problems
    assert (found.where, found.got) == ("shelf=a", "'test' on 1 photograph, 'train' on 1 photograph")


def test_a_near_duplicate_ties_words_as_a_group_does():
    near = pd.DataFrame({"sample_id": ["s0000", "s0001"], "cluster": ["c", "c"]}, dtype="str")
    with pytest.raises(LeakageError, match="words that allow a common split"):
        assign(table(["train", "test", "val", "test"]), NO_BOXES, near, {}, asked(*FRACTIONS, stated=AUTHORS))


def test_a_word_without_a_meaning_is_refused_with_its_number_and_the_nearest():
    with pytest.raises(LeakageError) as caught:
        split(table(["train", "tset", "tset", "holdout"]))
    assert [one.got for one in caught.value.problems] == [
        "'holdout' on 1 photograph, the first s0003",
        "'tset' on 2 photographs, the first s0001",
    ]
    assert "perhaps `test` was meant" in caught.value.problems[1].remedy


@pytest.mark.parametrize("words", [[None] * 4, [""] * 4])
def test_meanings_for_photographs_that_state_nothing_are_refused(words):
    with pytest.raises(LeakageError, match="photographs that state a split, got none"):
        split(table(words))
    with pytest.raises(LeakageError, match="photographs that state a split, got none"):
        split(table(words).drop(columns="split_stated"))


def test_the_lock_wins_and_the_summary_says_so():
    samples = table(["train", "train", "val", "test", "test", "test"])
    locked = {"shelf=g0000": "val_test", "shelf=g0002": "val_select"}
    found, where = split(samples, locked=locked)
    assert where["s0000"] == "val_test"
    assert where["s0001"] in ("train", "val_select")
    lines = summarise(found, n_quarantined=0, dataset="D").splitlines()
    note = [line for line in lines if line.startswith("note: outside")]
    assert len(note) == 1
    assert "1 locked group;" in note[0]
    assert any("lets it go to val_calib or val_test; " in line for line in lines)
    assert summarise(split(samples)[0], n_quarantined=0, dataset="D").count("note: outside") == 0


def test_a_locked_group_may_state_what_allows_no_common_split():
    samples = table(["train", "test", "train", "val", "test", "test"], ["a", "a", "b", "c", "d", "e"])
    _, where = split(samples, locked={"shelf=a": "train"})
    assert where[["s0000", "s0001"]].tolist() == ["train", "train"]


@pytest.mark.parametrize("seed", range(5))
def test_every_new_group_is_where_it_may_be(seed):
    generator = np.random.default_rng(seed)
    words = generator.choice(["train", "val", "test", "either", None], 300).tolist()
    meanings = {**AUTHORS, "either": ("train", "val_calib")}
    samples = table(words)
    _, where = split(samples, meanings)
    for word, part in where.groupby(samples["split_stated"].to_numpy()):
        assert set(part) <= set(meanings[word])
    assert set(where) == set(SPLITS)
