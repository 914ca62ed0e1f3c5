import pandas as pd

from vouch.report.balance import balance


def tables():
    samples = pd.DataFrame(
        {
            "sample_id": ["a", "b", "c", "d", "e"],
            "label": pd.Series([None, None, None, "street", None], dtype="str"),
            "stratum_stream": ["cabin", "cabin", "rear", "rear", "rear"],
        }
    )
    boxes = pd.DataFrame({"sample_id": ["a", "a", "b"], "class_name": ["phone", "cone", "phone"]})
    splits = {
        "train": pd.DataFrame({"sample_id": ["a", "b"], "group": ["g1", "g2"]}),
        "val_test": pd.DataFrame({"sample_id": ["c", "d"], "group": ["g3", "g3"]}),
    }
    return samples, boxes, splits


def rows_of(found, title):
    (block,) = [block for block in found["blocks"] if block["title"] == title]
    return {row["name"]: (row["counts"], row["total"]) for row in block["rows"]}


def test_photographs_groups_labels_and_strata_are_counted_by_split():
    found = balance(*tables())
    assert found["splits"] == ["train", "val_test", "set aside"]
    assert rows_of(found, "Size") == {
        "photographs": ([2, 2, 1], 5),
        "of them without a label": ([0, 1, 1], 2),
        "groups": ([2, 1, 0], 3),
    }
    assert rows_of(found, "Labels") == {
        "cone": ([1, 0, 0], 1),
        "phone": ([2, 0, 0], 2),
        "street": ([0, 1, 0], 1),
    }
    assert rows_of(found, "Photographs by stream") == {"cabin": ([2, 0, 0], 2), "rear": ([0, 2, 1], 3)}


def test_a_group_in_two_splits_is_counted():
    samples, boxes, splits = tables()
    assert balance(samples, boxes, splits)["straddling"] == 0
    splits["val_test"]["group"] = ["g1", "g3"]
    assert balance(samples, boxes, splits)["straddling"] == 1
