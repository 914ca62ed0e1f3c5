"""Every usable sample in one split, but what shows an unknown product in another split than its own."""

import pandas as pd
import pytest

from splits.asking import asked
from vouch.errors import DataError
from vouch.splits.division import divide

SAMPLES = pd.DataFrame(
    [("a", "tea"), ("b", "cola"), ("c", "cola"), ("d", "malt"), ("e", "soda")], columns=["sample_id", "label"]
)
SAMPLES["group_shop"] = SAMPLES["sample_id"]
SAMPLES = SAMPLES.astype("str")
NONE = pd.DataFrame(columns=["sample_id", "class_name", "cluster"], dtype="str")
LOCK = {"shop=a": "train", "shop=b": "val_select", "shop=c": "val_calib", "shop=d": "val_test", "shop=e": "val_test"}


def divided(unknown, *, quarantined=(), samples=SAMPLES):
    said = asked(0.25, 0.25, 0.25, 0.25, unknown_products=unknown)
    return divide(samples, NONE, NONE, LOCK, said, quarantined=quarantined)


def test_what_shows_an_unknown_product_outside_its_split_is_in_none_and_its_group_stays_locked():
    found = divided({"val_calib": ("cola",), "val_test": ("tea",)})
    assert found.table.to_numpy().tolist() == [
        ["c", "shop=c", "val_calib"],
        ["d", "shop=d", "val_test"],
        ["e", "shop=e", "val_test"],
    ]
    assert found.misplaced.to_numpy().tolist() == [
        ["a", "unknown product: tea, for val_test alone"],
        ["b", "unknown product: cola, for val_calib alone"],
    ]
    assert found.assignment.table["sample_id"].tolist() == ["a", "b", "c", "d", "e"]
    assert dict(found.assignment.lock[["group", "split"]].itertuples(index=False)) == LOCK


def test_a_quarantined_sample_is_in_no_split_and_no_reason_is_given_twice():
    tea = pd.DataFrame([("f", "tea", "f")], columns=SAMPLES.columns, dtype="str")
    found = divided({"val_test": ("tea",)}, samples=pd.concat([SAMPLES, tea]), quarantined=["e", "f"])
    assert found.table["sample_id"].tolist() == ["b", "c", "d"]
    assert found.misplaced["sample_id"].tolist() == ["a"]


def test_a_product_that_only_a_quarantined_sample_shows_is_no_wrong_name():
    assert divided({"val_test": ("soda",)}, quarantined=["e"]).misplaced.empty


def test_a_product_that_nothing_shows_is_refused():
    with pytest.raises(DataError, match="perhaps `soda` was meant"):
        divided({"val_test": ("sodaa",)})
