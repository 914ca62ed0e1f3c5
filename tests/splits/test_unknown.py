"""Unknown products stand in their own split alone; what shows them elsewhere is set aside, and said."""

import pandas as pd
import pytest

from vouch.errors import DataError
from vouch.splits.unknown import misplaced

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
