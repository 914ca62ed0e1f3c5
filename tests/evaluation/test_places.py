"""Places of a shelf that are full or empty, by hand."""

import numpy as np
import pandas as pd
import pytest

from vouch.errors import DataError
from vouch.evaluation.metrics.counts import numbered_counts
from vouch.evaluation.metrics.intervals import point
from vouch.evaluation.metrics.measures import MEASURES
from vouch.evaluation.places import places

SIZE = 200  # pixels of both sides


def at(position, row=1):
    """Corners, in pixels, of what stands at a place: 20 wide, a step of 25."""
    left = 25 * (position - 1)
    return left, 100 * (row - 1) + 10, left + 20, 100 * (row - 1) + 80


def boxes(*where, lefts=None):
    """Boxes at these rows and positions, from the left edges that are given."""
    rows = []
    for number, (row, position) in enumerate(where):
        x1, y1, x2, y2 = at(position, row)
        x1, x2 = (x1, x2) if lefts is None else (lefts[number], lefts[number] + 20)
        corners = {"x1": x1 / SIZE, "y1": y1 / SIZE, "x2": x2 / SIZE, "y2": y2 / SIZE}
        rows.append({"sample_id": "a", "class_name": "can", "row": row, "position": position} | corners)
    return pd.DataFrame(rows).astype({"row": "Int64", "position": "Int64"})


def detections(*corners, accept=True):
    none = {"sample_id": "a", "group": "g", "stratum_light": "dim", "class_pred": None, "score": 0.0, "accept": False}
    rows = [none | dict.fromkeys(("x1", "y1", "x2", "y2"), np.nan)]
    for number, box in enumerate(corners):
        said = {"class_pred": "can", "score": 0.9 - number / 100, "accept": accept}
        rows.append(none | said | dict(zip(("x1", "y1", "x2", "y2"), map(float, box), strict=True)))
    return pd.DataFrame(rows)


def judged(found, truths):
    table = places(found, truths, pd.DataFrame({"sample_id": ["a"], "width": SIZE, "height": SIZE}))
    return table, {
        name: (t, p) for name, t, p in zip(table["sample_id"], table["n_true"], table["n_pred"], strict=True)
    }


TRUTH = boxes((1, 1), (1, 2), (1, 4), (2, 2))  # row 1 lacks its third, row 2 its first


def test_a_place_without_a_box_is_empty_and_one_without_a_detection_is_said_to_be():
    table, found = judged(detections(at(1), at(4)), TRUTH)
    assert found == {
        "a#row1.1": (1, 1),
        "a#row1.2": (1, 0),  # missed
        "a#row1.3": (0, 0),  # empty, and said to be
        "a#row1.4": (1, 1),
        "a#row2.1": (0, 0),
        "a#row2.2": (1, 0),
    }
    assert table[["group", "class", "stratum_light"]].drop_duplicates().to_numpy().tolist() == [["g", "place", "dim"]]
    rows = numbered_counts(table)
    assert point(MEASURES["false_gap_rate"](rows, 1)) == pytest.approx(2 / 4)


def test_a_detection_between_its_neighbours_or_before_them_hides_a_gap():
    _, found = judged(detections(at(1), at(2), at(3), at(1, row=2)), TRUTH)
    assert found["a#row1.3"] == (0, 1)
    assert found["a#row2.1"] == (0, 1)


def test_a_detection_far_from_every_place_a_double_and_one_that_is_not_accepted_fill_none():
    far, double = (170, 10, 190, 80), (1, 10, 21, 80)
    _, found = judged(detections(at(1), far, double), TRUTH)
    assert [found[f"a#row1.{place}"][1] for place in (1, 2, 3, 4)] == [1, 0, 0, 0]
    _, found = judged(detections(at(3), accept=False), TRUTH)
    assert found["a#row1.3"] == (0, 0)


def test_between_places_that_are_far_apart_a_detection_fills_none():
    wide = boxes((1, 1), (1, 2), (1, 5), lefts=(0, 25, 175))  # places 3 and 4 at 85 and 135, a step of 37.5
    assert judged(detections((100, 10, 120, 80)), wide)[1]["a#row1.3"] == (0, 0)
    assert judged(detections((90, 10, 110, 80)), wide)[1]["a#row1.3"] == (0, 1)


def test_a_detection_on_a_box_fills_its_place_alone():
    dense = boxes((1, 1), (1, 3), lefts=(0, 16))  # place 2 at 18
    assert judged(detections((6, 10, 26, 80)), dense)[1] == {  # IoU 14 / 26 with the first, its middle at 16
        "a#row1.1": (1, 1),
        "a#row1.2": (0, 0),
        "a#row1.3": (1, 0),
    }


def test_boxes_without_a_place_and_photographs_without_boxes_have_no_places():
    unplaced = TRUTH.assign(position=pd.array([1, 2, None, 2], dtype="Int64"))
    _, found = judged(detections(), unplaced)
    assert sorted(found) == ["a#row1.1", "a#row1.2", "a#row2.1", "a#row2.2"]
    table, _ = judged(detections(), TRUTH.iloc[:0])
    assert table.empty


def test_labels_without_positions_and_photographs_without_a_size_are_refused():
    sizes = pd.DataFrame(columns=["sample_id", "width", "height"])
    with pytest.raises(DataError) as caught:
        places(detections(), TRUTH.drop(columns=["row", "position"]), sizes)
    assert [problem.where for problem in caught.value.problems] == ["a", "boxes: position", "boxes: row"]
