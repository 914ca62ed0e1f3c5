import pandas as pd

from splits.asking import asked
from vouch.paths import SPLITS
from vouch.splits.assignment import assign, summarise
from vouch.splits.newcomers import NAMED

NO_BOXES = pd.DataFrame(columns=["sample_id", "class_name"], dtype="str")
NO_CLUSTERS = pd.DataFrame(columns=["sample_id", "cluster"], dtype="str")
LOCK = {"driver=a": "train", "driver=b": "val_select", "driver=c": "val_calib", "driver=d": "val_test"}


def table(counts, label="can", car=None):
    drivers = [driver for driver, n in counts.items() for _ in range(n)]
    frame = {
        "sample_id": [f"s{i:03d}" for i in range(len(drivers))],
        "label": [label] * len(drivers),
        "group_driver": drivers,
        "group_car": [(car or {}).get(driver) for driver in drivers],
    }
    return pd.DataFrame(frame).astype({"group_car": "str"})


def said(samples, locked=LOCK, clusters=NO_CLUSTERS):
    found = assign(samples, NO_BOXES, clusters, locked, asked(0.25, 0.25, 0.25, 0.25))
    return found, summarise(found, n_quarantined=0, dataset="D").splitlines()


def test_a_new_group_is_named_with_its_split_and_what_that_lacked():
    found, lines = said(table({"a": 30, "b": 30, "c": 30, "d": 10, "new": 20}))
    assert [(one.name, one.n_photographs, one.split) for one in found.new] == [("driver=new", 20, "val_test")]
    # 10 of the 120 photographs, each labelled can, are in val_test: 8.3 %
    assert lines[1:] == [
        "new groups: 1 (val_test 1); each goes where what it holds is furthest below the fractions",
        "  driver=new, 20 photographs: val_test: "
        "without the new groups it has 8.3% of all photographs of can and is to have 25%",
        "to decide it yourself, before a split: vouch split assign D GROUP --to train",
        "note: the groups chained to driver=a hold 25.0% of the photographs",
    ]


def test_a_new_group_that_is_tied_to_a_locked_one_says_to_which():
    samples = table({"a": 9, "b": 9, "c": 9, "d": 9, "new": 1}, car={"d": "x", "new": "x"})
    found, lines = said(samples)
    assert {one.name: one.split for one in found.new} == {"driver=new": "val_test", "car=x": "val_test"}
    why = "val_test: it shares photographs, or near-duplicates of them, with driver=d"
    assert f"  driver=new, 1 photograph: {why}" in lines


def test_a_first_split_and_one_without_new_groups_name_none():
    samples = table({"a": 5, "b": 5, "c": 5, "d": 5})
    for locked in ({}, LOCK):
        found, lines = said(samples, locked)
        assert found.new == ()
        assert not any("new groups" in line for line in lines)


def test_of_many_new_groups_the_largest_are_named_and_the_others_counted():
    counts = {"a": 300, "b": 300, "c": 300, "d": 300} | {f"n{i:02d}": i + 1 for i in range(30)}
    _, lines = said(table(counts))
    named = [line.split(",")[0].strip() for line in lines if line.startswith("  driver=")]
    assert named == [f"driver=n{i:02d}" for i in range(29, 29 - NAMED, -1)]
    assert "  ... and 20 more, see splits/D.lock.csv" in lines


def test_new_groups_follow_the_fractions_of_the_grown_data():
    """Of 400 like groups that join 40, each split gets its fraction of the whole, wherever the old ones were."""
    old = {f"o{i:02d}": 5 for i in range(40)}
    locked = {f"driver=o{i:02d}": "train" if i < 37 else SPLITS[i - 36] for i in range(40)}
    found, _ = said(table(old | {f"n{i:03d}": 5 for i in range(400)}), locked)
    share = found.table["split"].value_counts(normalize=True)
    assert (share.sub(0.25).abs() < 0.01).all()
