import numpy as np
import pandas as pd
import pytest

from vouch.errors import DataError
from vouch.evaluation.shared_ground import shared_counts, shared_rows

BOTH = (("can", "jar"), ("can", "jar"))


def boxes(rows):
    """Rows of (sample, class_true, class_pred), the group the sample's first letter, all by day."""
    table = pd.DataFrame(rows, columns=["sample_id", "class_true", "class_pred"])
    hit = table["class_true"].notna() & (table["class_true"] == table["class_pred"])
    found = table.assign(
        group=table["sample_id"].str[0],
        stratum_light="day",
        score=np.where(table["class_pred"].notna(), 0.7, 0.0),
        correct=hit,
        **dict.fromkeys(("x1", "y1", "x2", "y2"), 3.0),
        iou=np.where(hit, 0.8, 0.0),
        hits=np.where(hit, 3, 0).astype("uint16"),
    )
    return found.astype({"class_true": "str", "class_pred": "str"})


def said(rows):
    return [(one.sample_id, *(None if pd.isna(x) else x for x in (one.class_true, one.class_pred))) for one in rows]


def test_samples_of_one_side_are_left_out_and_counted():
    candidate = boxes([("a1", "can", "can"), ("a2", "can", None), ("b1", "jar", "jar")])
    baseline = boxes([("a2", "can", "can"), ("b1", "jar", None), ("c1", "can", "can")])
    found = shared_rows(candidate, baseline, "detect", BOTH)
    assert said(found.candidate.itertuples()) == [("a2", "can", None), ("b1", "jar", "jar")]
    assert said(found.baseline.itertuples()) == [("a2", "can", "can"), ("b1", "jar", None)]
    assert found.samples == {
        **{"candidate": 3, "baseline": 3, "shared": 2, "without_labels": 0, "relabelled": 0, "compared": 2},
    }
    assert (found.n_groups, found.labels) == (2, {"shared": ("can", "jar"), "candidate": (), "baseline": ()})


def test_a_photograph_whose_labels_were_corrected_is_no_question_to_both():
    candidate = boxes([("a1", "can", "can"), ("a1", "can", None), ("b1", "can", "can"), ("b1", None, "jar")])
    baseline = boxes([("a1", "can", "can"), ("b1", "can", None)])  # a second can was drawn in a1 since
    found = shared_rows(candidate, baseline, "detect", BOTH)
    assert said(found.candidate.itertuples()) == [("b1", "can", "can"), ("b1", None, "jar")]
    assert (found.samples["relabelled"], found.samples["compared"]) == (1, 1)


def test_boxes_of_a_class_that_one_side_lacks_go_and_photographs_stay():
    candidate = boxes([("a1", "can", "can"), ("a1", "bag", "bag"), ("b1", None, "bag"), ("c1", None, None)])
    baseline = boxes([("a1", "can", "can"), ("b1", None, "can"), ("c1", None, None)])
    found = shared_rows(candidate, baseline, "detect", (("bag", "can"), ("can",)))
    assert said(found.candidate.itertuples()) == [("a1", "can", "can"), ("b1", None, None), ("c1", None, None)]
    assert said(found.baseline.itertuples()) == [("a1", "can", "can"), ("b1", None, "can"), ("c1", None, None)]
    assert found.labels == {"shared": ("can",), "candidate": ("bag",), "baseline": ()}
    assert found.samples["compared"] == 3
    empty = found.candidate.set_index("sample_id").loc["b1"]
    assert (empty["score"], empty["correct"], empty["hits"], empty["iou"]) == (0.0, False, 0, 0.0)
    assert np.isnan(empty["x1"])
    assert found.candidate.dtypes.to_dict() == candidate.dtypes.to_dict()


def test_a_classifier_is_judged_on_photographs_of_shared_classes():
    candidate = boxes([("a1", "can", "can"), ("b1", "bag", "bag"), ("c1", "can", "bag")])
    baseline = boxes([("a1", "can", "can"), ("b1", "can", "can"), ("c1", "can", "can")])
    found = shared_rows(candidate, baseline, "classify", (("bag", "can"), ("can",)))
    assert said(found.candidate.itertuples()) == [("a1", "can", "can"), ("c1", "can", "bag")]
    assert [*found.baseline["sample_id"]] == ["a1", "c1"]
    assert (found.samples["without_labels"], found.samples["relabelled"]) == (1, 0)


def crops(rows):
    """Rows of (sample, product, whether it is known, x1)."""
    table = pd.DataFrame(rows, columns=["sample_id", "product", "known", "x1"])
    table = table.assign(group="g", stratum_light="day", class_true=table["product"].where(table["known"], None))
    return table.assign(**dict.fromkeys(("y1", "x2", "y2"), 9.0)).drop(columns="known")


def test_crops_are_shared_where_both_galleries_know_the_product_or_neither_and_the_box_is_the_same():
    candidate = crops(
        [("p#0", "tea", True, 1.001), ("p#1", "oat", True, 5), ("p#2", "rum", False, 5), ("p#3", "tea", True, 5)]
    )
    baseline = crops(
        [("p#0", "tea", True, 1.0), ("p#1", "oat", False, 5), ("p#2", "rum", False, 5), ("p#3", "tea", True, 6)]
    )
    found = shared_rows(candidate, baseline, "identify", (("oat", "tea"), ("tea",)))
    assert [*found.candidate["sample_id"]] == [*found.baseline["sample_id"]] == ["p#0", "p#2"]
    assert (found.samples["without_labels"], found.samples["relabelled"]) == (1, 1)


def test_strata_are_the_candidates_and_a_side_is_still_itself():
    candidate = boxes([("a1", "can", "can"), ("b1", "can", "can")]).assign(stratum_rain=["dry", "wet"])
    baseline = boxes([("b1", "can", None), ("a1", "can", None)]).assign(stratum_light="night", stratum_old="x")
    found = shared_rows(candidate, baseline, "detect", BOTH).baseline
    assert [*found["stratum_light"]] == ["day", "day"]
    assert [*found["stratum_rain"]] == ["dry", "wet"]
    assert "stratum_old" not in found
    same = shared_rows(candidate, candidate.iloc[::-1], "detect", BOTH)
    assert same.candidate.equals(same.baseline)


def counts(rows):
    return pd.DataFrame(rows, columns=["sample_id", "class", "n_true", "n_pred"]).assign(group="g")


def test_counts_are_shared_where_the_same_products_are_there_as_often():
    candidate = counts([("a", "cola", 2, 2), ("a", "rum", 0, 1), ("b", "cola", 1, 1)])
    baseline = counts([("a", "cola", 2, 1), ("b", "cola", 2, 1)])
    found = shared_counts(candidate, baseline)
    assert [*found.candidate["class"]] == ["cola", "rum"]
    assert (found.samples["relabelled"], found.samples["compared"]) == (1, 1)


@pytest.mark.parametrize(
    ("change", "labels", "expected"),
    [
        ({"sample_id": "z"}, BOTH, "samples that both sides predicted"),
        ({"class_true": "jar"}, BOTH, "samples of the same truth on both sides, got none of 2: 0 without .* 2 with"),
        ({"group": "z"}, BOTH, "one group"),
        ({}, (("can",), ("jar",)), "one that both sides know, got can and jar"),
        ({}, (("can",), ()), "one that both sides know, got can and none"),
    ],
)
def test_sides_without_common_ground_are_refused(change, labels, expected):
    candidate = boxes([("a1", "can", "can"), ("a2", "can", None)])
    with pytest.raises(DataError, match=expected):
        shared_rows(candidate, candidate.assign(**change), "detect", labels)
