import numpy as np
import pandas as pd

from vouch.tables import DETECTION, ROWS
from vouch.vision.boxes import Detections
from vouch.vision.rows import detection_rows

SIZE = (100, 50)
SAMPLES = pd.DataFrame({"sample_id": ["a", "b", "c"], "group": ["g", "g", "h"], "stratum_stream": ["x", "x", "y"]})
BOXES = pd.DataFrame(
    {
        "sample_id": ["a", "a", "b"],
        "class_name": ["cat", "dog", "unicorn"],
        "x1": [0.0, 0.5, 0.1],
        "y1": [0.0, 0.5, 0.1],
        "x2": [0.2, 0.9, 0.3],
        "y2": [0.4, 1.0, 0.5],
    }
)


def detections(*items):
    boxes, scores, ids = zip(*items, strict=True) if items else ((), (), ())
    return Detections(np.array(boxes, float).reshape(-1, 4), np.array(scores, float), np.array(ids, np.int64)), SIZE


FOUND = [detections(([0, 0, 20, 20], 0.9, 0), ([60, 0, 80, 20], 0.4, 1)), detections(), detections()]


def rows():
    return detection_rows(SAMPLES, BOXES, FOUND, ("cat", "dog"))


def test_rows_are_hits_false_alarms_misses_and_empty_photographs():
    table = rows()
    assert list(table.columns) == ["sample_id", "group", "stratum_stream", *ROWS[2:], *DETECTION]
    pairs = list(zip(table["sample_id"], table["class_true"], table["class_pred"], strict=True))
    named = [tuple(None if value is None or value != value else value for value in pair) for pair in pairs]
    assert named == [
        ("a", "cat", "cat"),  # a hit
        ("a", None, "dog"),  # a false alarm: the dog lies elsewhere
        ("a", "dog", None),  # a miss
        ("b", "unicorn", None),  # a class that the network does not know is missed
        ("c", None, None),  # nothing there, nothing said
    ]
    assert table["correct"].tolist() == [True, False, False, False, False]
    assert table["score"].tolist() == [0.9, 0.4, 0.0, 0.0, 0.0]


def test_every_photograph_and_every_truth_is_in_the_table():
    table = rows()
    assert set(table["sample_id"]) == set(SAMPLES["sample_id"])
    assert table["class_true"].value_counts().to_dict() == {"cat": 1, "dog": 1, "unicorn": 1}


def test_a_miss_carries_the_box_of_the_truth_in_pixels():
    miss = rows().iloc[2]
    assert [miss[corner] for corner in ("x1", "y1", "x2", "y2")] == [50.0, 25.0, 90.0, 50.0]


def test_hits_are_bits_from_iou_50_up():
    assert rows().loc[0, "hits"] == 0b1111111111
    assert rows().loc[1, "hits"] == 0
