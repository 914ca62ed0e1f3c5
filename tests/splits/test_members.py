"""What each split holds, and what of a lock does not fit its data set."""

import pandas as pd

from vouch.splits.members import counted, misfits

NO_CLUSTERS = pd.DataFrame(columns=["sample_id", "cluster"], dtype="str")
SAMPLES = pd.DataFrame(
    {
        "sample_id": ["a", "b", "c", "d"],
        "label": [None, None, None, "can"],
        "group_store": ["s1", "s1", "s2", "s3"],
        "stratum_light": ["day", "dusk", "day", "day"],
    }
).astype({"label": "str"})
BOXES = pd.DataFrame({"sample_id": ["a", "a", "c"], "class_name": ["can", "jar", "can"], "product": ["x", None, "x"]})
LOCK = {"store=s1": "train", "store=s2": "val_test", "store=s3": "val_calib"}
SPLIT = {"a": "train", "b": "train", "c": "val_test", "d": "val_calib"}
LISTS = {"train": ["a", "b"], "val_select": [], "val_calib": ["d"], "val_test": ["c"]}


def found(samples=SAMPLES, lock=LOCK, lists=LISTS, clusters=NO_CLUSTERS):
    return [(one.where, one.got) for one in misfits(samples, clusters, lock, lists, "d")]


def test_each_split_is_counted_by_group_label_box_stratum_and_product():
    assert counted(SAMPLES, BOXES, pd.Series(SPLIT)) == [
        ("photographs", "all", (2, 0, 1, 1)),
        ("groups", "store", (1, 0, 1, 1)),
        ("labels", "can", (0, 0, 1, 0)),
        ("boxes", "can", (1, 0, 0, 1)),
        ("boxes", "jar", (1, 0, 0, 0)),
        ("light", "day", (1, 0, 1, 1)),
        ("light", "dusk", (1, 0, 0, 0)),
        ("products", "x", (1, 0, 0, 1)),
    ]


def test_samples_in_no_split_do_not_count():
    assert counted(SAMPLES, BOXES, pd.Series({"c": "val_test"}))[0] == ("photographs", "all", (0, 0, 0, 1))


def test_a_lock_that_fits_has_no_problem():
    assert found() == []
    assert found(lists={}) == []  # the lists of the splits were not written yet


def test_groups_that_the_lock_lacks_and_groups_without_photographs_are_named():
    lock = {"store=s1": "train", "store=s2": "val_test", "store=s9": "val_calib"}
    assert found(lock=lock, lists={}) == [
        ("store=s3", "one that it lacks"),
        ("store=s9", "none in the data set"),
    ]


def test_a_photograph_between_two_splits_is_named_with_the_groups_that_it_joins():
    cars = SAMPLES.assign(group_car=["k1", None, "k1", None])
    lock = {**LOCK, "car=k1": "train"}
    ((where, got), *stale) = found(cars, lock, {})
    assert (where, got) == ("c", "car=k1 is in train, store=s2 is in val_test")
    assert stale == []


def test_near_duplicates_straddle_as_groups_do():
    near = pd.DataFrame({"sample_id": ["b", "c"], "cluster": ["n", "n"]})
    ((where, got),) = found(clusters=near)
    assert where == "b"
    assert got.endswith("(through a near-duplicate)")


def test_lists_that_are_not_the_locks_are_stale():
    lists = {"train": ["b"], "val_select": [], "val_calib": [], "val_test": ["a", "c"]}
    assert found(lists=lists) == [
        ("data/splits/d", "1 photograph in val_test, the first a"),
        ("data/splits/d", "1 photograph in no split, the first d"),
    ]


def test_what_a_list_lacks_shows_in_the_lists_that_are_there():
    assert found(lists={"train": ["b"], "val_select": [], "val_calib": ["d"]}) == [
        ("data/splits/d", "1 photograph in no split, the first a")  # c may be in the list of val_test, which is absent
    ]
    assert found(lists={"val_select": ["b"]}) == [("data/splits/d", "1 photograph in val_select, the first b")]


def test_a_photograph_of_a_list_that_the_data_set_lacks_is_told():
    assert found(lists={**LISTS, "val_calib": ["d", "y", "x"]}) == [
        ("data/splits/d", "2 photographs that it lacks or sets aside, the first x")
    ]


def test_a_photograph_in_two_lists_is_told_once():
    assert found(lists={**LISTS, "val_select": ["a"]}) == [("a", "train and val_select")]
