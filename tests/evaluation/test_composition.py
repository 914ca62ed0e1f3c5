"""A detector's boxes and an embedder's names become counts, by hand."""

import numpy as np
import pandas as pd
import pytest

from vouch.errors import DataError
from vouch.evaluation.composition import counts, crops, facings, objects

SIZE = 100  # pixels of both sides: a corner of .2 is pixel 20
PRODUCTS = ("cola", "water")
FIRST, SECOND, THIRD, BELOW = (0, 0, 20, 40), (30, 0, 50, 40), (60, 0, 80, 40), (30, 60, 50, 100)


def detection(sample, box, score, *, accept=True, name="bottle"):
    corners = dict(zip(("x1", "y1", "x2", "y2"), map(float, box or (np.nan,) * 4), strict=True))
    shared = {"sample_id": sample, "group": f"g-{sample}", "stratum_light": "dim"}
    return shared | {"class_pred": name, "score": score, "accept": accept} | corners


def box(sample, corners, product="cola", *, row=1, name="bottle"):
    scaled = dict(zip(("x1", "y1", "x2", "y2"), (value / SIZE for value in corners), strict=True))
    return {"sample_id": sample, "class_name": name, "product": product, "row": row} | scaled


def composed(detections, named, boxes, *, keep=("product", "row")):
    """Objects of these detections, called in the order of their scores by `named`; None is an answer not accepted."""
    table = pd.DataFrame(detections)
    labels = pd.DataFrame(boxes, columns=["sample_id", "class_name", "x1", "y1", "x2", "y2", "product", "row"])
    labels = labels.astype({"row": "Int64"}).drop(columns=[name for name in ("product", "row") if name not in keep])
    ids = sorted(crops(table)["crop_id"])
    said = pd.DataFrame(
        {"sample_id": ids, "class_pred": [one or "cola" for one in named], "accept": [one is not None for one in named]}
    )
    sizes = pd.DataFrame({"sample_id": table["sample_id"].unique(), "width": SIZE, "height": SIZE})
    return objects(table, said, labels, sizes, products=PRODUCTS)


def tally(found):
    return {(row["sample_id"], row["class"]): (row["n_true"], row["n_pred"]) for row in found.to_dict("records")}


def test_accepted_detections_count_by_the_product_that_is_accepted():
    detections = [
        detection("a", FIRST, 0.9),
        detection("a", SECOND, 0.8),
        detection("a", THIRD, 0.7),
        detection("a", BELOW, 0.6, accept=False),  # not accepted: not there, for the system
        detection("a", None, 0.0, accept=False, name=None),  # a miss
    ]
    boxes = [box("a", FIRST), box("a", SECOND, "water"), box("a", BELOW, "water", row=2)]
    found = counts(composed(detections, ["cola", "cola", None], boxes))
    assert tally(found) == {("a", "cola"): (1, 2), ("a", "water"): (2, 0), ("a", "unknown"): (0, 1)}
    assert found[["group", "stratum_light"]].drop_duplicates().to_numpy().tolist() == [["g-a", "dim"]]
    assert found.columns.tolist() == ["sample_id", "group", "class", "n_true", "n_pred", "stratum_light"]


def test_a_product_that_the_gallery_does_not_hold_is_unknown():
    boxes = [box("a", FIRST, "rum"), box("a", SECOND, "gin")]
    found = counts(composed([detection("a", FIRST, 0.9), detection("a", SECOND, 0.8)], [None, "water"], boxes))
    assert tally(found) == {("a", "unknown"): (2, 1), ("a", "water"): (0, 1)}


def test_where_nobody_knows_the_product_both_sides_are_left_out():
    near = (1, 0, 21, 40)  # IoU 19 / 21 with the first
    detections = [detection("a", FIRST, 0.9), detection("a", near, 0.8), detection("a", SECOND, 0.7)]
    boxes = [box("a", FIRST, None), box("a", SECOND, "water")]
    found = counts(composed(detections, ["cola", "cola", "water"], boxes))
    assert tally(found) == {("a", "water"): (1, 1)}  # both detections on the first box are left out


def test_a_double_of_a_known_object_counts():
    detections = [detection("a", FIRST, 0.9), detection("a", (1, 0, 21, 40), 0.8)]
    found = counts(composed(detections, ["cola", "cola"], [box("a", FIRST)]))
    assert tally(found) == {("a", "cola"): (1, 2)}


def test_a_detection_beside_an_unnamed_object_counts():
    aside = (12, 0, 32, 40)  # IoU 8 / 32 with the first
    found = counts(composed([detection("a", aside, 0.9)], ["cola"], [box("a", FIRST, None)]))
    assert tally(found) == {("a", "cola"): (0, 1)}


def test_a_neighbour_keeps_the_detection_that_is_on_it():
    # surer and on the unnamed box, overlapping the named one by .54 too: each takes the one that it overlaps most
    unnamed, named = (0, 0, 20, 40), (6, 0, 26, 40)
    detections = [detection("a", unnamed, 0.9), detection("a", named, 0.8)]
    boxes = [box("a", unnamed, None), box("a", named, "water")]
    assert tally(counts(composed(detections, ["cola", "water"], boxes))) == {("a", "water"): (1, 1)}


def test_without_a_column_of_products_the_class_is_the_product():
    boxes = [box("a", FIRST, name="cola"), box("a", SECOND, name="bottle")]
    found = counts(composed([detection("a", FIRST, 0.9)], ["cola"], boxes, keep=()))
    assert tally(found) == {("a", "cola"): (1, 1), ("a", "unknown"): (1, 0)}


def test_a_photograph_of_nothing_stands_with_nothing_and_boxes_of_others_are_passed_over():
    detections = [detection("a", None, 0.0, accept=False, name=None), detection("b", FIRST, 0.9)]
    found = counts(composed(detections, ["cola"], [box("b", FIRST), box("elsewhere", FIRST)]))
    assert tally(found) == {("a", "unknown"): (0, 0), ("b", "cola"): (1, 1)}


def test_facings_are_counts_of_a_shelf_row():
    detections = [
        detection("a", FIRST, 0.9),  # on a box of row 1
        detection("a", (82, 2, 98, 42), 0.8),  # on none, at the height of row 1
        detection("a", (0, 62, 20, 100), 0.7),  # on none, at the height of row 2
    ]
    boxes = [box("a", FIRST), box("a", SECOND, "water"), box("a", BELOW, "water", row=2)]
    found = facings(composed(detections, ["cola", "cola", "water"], boxes))
    assert tally(found) == {
        ("a#row1", "cola"): (1, 2),
        ("a#row1", "water"): (1, 0),
        ("a#row2", "water"): (1, 1),
    }
    assert facings(composed(detections, ["cola", "cola", "water"], boxes, keep=("product",))).empty


def test_crops_are_numbered_by_their_score_and_equal_ones_by_their_place():
    rows = [("a", 0.5), ("b", 0.4), ("a", 0.9), ("a", 0.5)]
    table = pd.DataFrame([detection(name, FIRST, score) for name, score in rows])
    assert crops(table)["crop_id"].tolist() == ["a#1", "b#0", "a#0", "a#2"]


def test_identifications_that_do_not_fit_are_refused_by_name():
    table = pd.DataFrame([detection("a", FIRST, 0.9), detection("a", SECOND, 0.8)])
    named = pd.DataFrame({"sample_id": ["a#0", "a#0", "a#7"], "class_pred": "cola", "accept": True})
    labels = pd.DataFrame(columns=["sample_id", "class_name", "x1", "y1", "x2", "y2"])
    with pytest.raises(DataError) as caught:
        objects(table, named, labels, pd.DataFrame(columns=["sample_id", "width", "height"]), products=PRODUCTS)
    said = str(caught.value)
    assert "identification of a#1: expected a row, got none" in said
    assert "identification of a#7: expected an accepted detection" in said
    assert "identification of a#0: expected one row, got several" in said
    assert "a: expected the size of the photograph" in said
