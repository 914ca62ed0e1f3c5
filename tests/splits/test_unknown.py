"""Unknown products stand in their own split alone; what shows them elsewhere is set aside, and said."""

import numpy as np
import pandas as pd
import pytest

from vouch.errors import DataError
from vouch.paths import SPLITS
from vouch.splits.components import Components
from vouch.splits.unknown import at_home, misplaced

TABLE = pd.DataFrame(
    {"sample_id": ["a", "b", "c", "d", "e"], "split": ["train", "val_calib", "val_test", "train", "val_test"]}
)
SAMPLES = TABLE[["sample_id"]].assign(label=[None, None, None, "tea", "cola"])
BOXES = pd.DataFrame(
    [("a", "can", "cola"), ("a", "can", "soda"), ("b", "can", "soda"), ("c", "can", None), ("c", "can", "soda")],
    columns=["sample_id", "class_name", "product"],
)


def test_a_photograph_goes_where_another_split_alone_may_show_its_product():
    found = misplaced(TABLE, SAMPLES, BOXES, {"val_calib": ["soda"], "val_test": ["tea"]})
    assert found.set_index("sample_id")["reason"].to_dict() == {
        "a": "unknown product: soda, for val_calib alone",
        "c": "unknown product: soda, for val_calib alone",
        "d": "unknown product: tea, for val_test alone",
    }


def test_a_class_is_a_product_where_none_is_stated():
    found = misplaced(TABLE, SAMPLES, BOXES.drop(columns="product"), {"val_test": ["can"]})
    assert found["sample_id"].tolist() == ["a", "b"]


def test_without_unknown_products_nothing_goes():
    assert misplaced(TABLE, SAMPLES, BOXES, {}).empty


def test_a_product_that_nothing_shows_is_refused():
    with pytest.raises(DataError, match="perhaps `soda` was meant"):
        misplaced(TABLE, SAMPLES, BOXES, {"val_calib": ["sodaa"]})


UNKNOWN = {"val_calib": ["soda"], "val_test": ["tea"]}


def homes(of_sample, allowed=None, boxes=BOXES):
    """The splits left to each component, by name."""
    n = max(of_sample) + 1
    components = Components(np.array([f"g{i}" for i in range(n)], dtype=object), np.arange(n), np.array(of_sample))
    allowed = np.ones((n, 4), dtype=bool) if allowed is None else allowed
    found = at_home(allowed, SAMPLES, boxes, components, UNKNOWN)
    return [[name for name, free in zip(SPLITS, row, strict=True) if free] for row in found]


def test_a_group_that_shows_unknown_products_of_one_split_alone_goes_there():
    anywhere = list(SPLITS)
    # a shows cola too; b soda; c soda, and a box of which nobody knows the product; d tea; e cola
    assert homes([0, 1, 2, 3, 4]) == [anywhere, ["val_calib"], ["val_calib"], ["val_test"], anywhere]


def test_a_group_that_shows_products_of_two_splits_stays_free():
    assert homes([0, 1, 0, 1, 0]) == [list(SPLITS)] * 2  # b and d: soda and tea


def test_what_a_photograph_states_comes_first():
    train_alone = np.zeros((5, 4), dtype=bool)
    train_alone[:, 0] = True
    assert homes([0, 1, 2, 3, 4], train_alone) == [["train"]] * 5


def test_a_photograph_that_is_quarantined_binds_nothing():
    strange = pd.concat([BOXES, pd.DataFrame([("z", "can", "cola")], columns=BOXES.columns)])
    assert homes([0, 1, 2, 3, 4], boxes=strange) == homes([0, 1, 2, 3, 4])
