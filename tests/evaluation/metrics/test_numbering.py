import numpy as np
import pandas as pd
import pytest

from evaluation.photographs import photographs
from judging import judged
from vouch import tables
from vouch.errors import DataError
from vouch.tasks import TASKS, ByTask

SHARED = {"feasible": True, "guarantee": "none", "objective": {}, "evidence": {}, "infeasible": {}}
SHARED |= {"intraclass_correlation": 0.05}
POINT = {"kind": "operating_point", "thresholds": {"phone": 0.5}, "alpha": None, "delta": None, **SHARED}
EXITS = {"kind": "threshold", "positive": "work", "threshold": 0.7, "alpha": 0.02, "delta": 0.05, **SHARED}
NAMED = {"kind": "open_set", "rule": "thresholds", "similarity": 0.6, "margin": 0.0, **SHARED}
NAMED |= {"alpha": 0.05, "delta": 0.05}
IDENTITY = {"method": "identity"}
KNOWN = {*tables.ROWS, *tables.DETECTION, *tables.IDENTIFICATION, *tables.CALIBRATED, *tables.DECIDED, *tables.NUMBERED}
MADE = ByTask(detect="calibrated", classify="set_size", identify="margin")  # a column that the steps add


def detections():
    rows = pd.DataFrame(
        {
            "sample_id": ["a", "a", "b", "c"],
            "group": ["g", "g", "h", "h"],
            "stratum_stream": "cabin",
            "class_true": ["phone", None, "cone", None],
            "class_pred": ["phone", "phone", None, None],
            "score": [0.9, 0.04, 0.0, 0.0],
            "correct": [True, False, False, False],
            **dict.fromkeys(("x1", "y1", "x2", "y2", "iou"), 0.0),
            "hits": 0,
        }
    )
    calibrator = {"kind": "scalar", "floor": 0.05, "global": IDENTITY, "classes": {}}
    return judged(rows, task="detect", calibrator=calibrator, policy=POINT)


def classifications(**changes):
    made = photographs(0, size=40, groups=8)
    logits = {f"logit_{name}": np.log(made[f"probability_{name}"]) for name in ("clear", "work")}
    columns = ["sample_id", "group", "stratum_light", "class_true", "class_pred", "score", "correct"]
    rows = made[columns].assign(**logits, gate_logit=1.0, **changes)
    calibrator = {"kind": "multiclass", "classes": ["clear", "work"], "map": IDENTITY, "gate": IDENTITY}
    return judged(rows, task="classify", calibrator=calibrator, policy=EXITS)


def identifications():
    rows = pd.DataFrame(
        {
            "sample_id": ["a#0", "a#1", "b#0"],
            "group": ["g", "g", "h"],
            "stratum_light": "dim",
            "class_true": ["tea", None, "cola"],
            "class_pred": ["tea", "tea", None],
            "score": [0.9, 0.8, 0.0],
            "correct": [True, False, False],
            "similarity": [0.9, 0.5, -1.0],
            "margin": [0.4, 0.1, 0.0],
            "product": ["tea", "oat", "cola"],
            **dict.fromkeys(("x1", "y1", "x2", "y2"), 0.0),
        }
    )
    calibrator = {"kind": "scalar", "floor": 0.0, "global": IDENTITY, "classes": {}}
    return judged(rows, task="identify", calibrator=calibrator, policy=NAMED)


@pytest.mark.parametrize("task", TASKS)
def test_every_column_of_the_waist_stands_in_tables(task):
    rows = ByTask(detect=detections, classify=classifications, identify=identifications)[task]()
    prefixes = (tables.STRATUM, tables.LOGIT, tables.PROBABILITY)
    assert {column for column in rows if not column.startswith(prefixes)} <= KNOWN | {tables.GATE_LOGIT}
    assert MADE[task] in rows


def test_detections_are_numbered_by_hand():
    rows = detections()
    assert rows["class"].fillna("nothing").tolist() == ["phone", "phone", "cone", "nothing"]
    assert rows["calibrated"].tolist() == [True, False, False, False]  # the second is below the floor
    assert rows["group_index"].tolist() == [0, 0, 1, 1]
    assert rows["first"].tolist() == [True, False, True, True]
    assert "positive" not in rows


def test_a_photograph_that_nobody_labelled_is_left_out_and_the_positive_class_is_marked():
    labels = pd.array([None, *["clear", "work"] * 19, "work"], dtype="str")
    rows = classifications(class_true=labels)
    assert len(rows) == 39
    assert rows["positive"].sum() == 20
    with pytest.raises(DataError, match="labelled photographs"):
        classifications(class_true=pd.array([None] * 40, dtype="str"))


def test_a_crop_of_an_unknown_product_counts_and_calibrates_nothing():
    rows = identifications()
    assert rows["class"].tolist() == ["tea", "tea", "cola"]
    assert rows["calibrated"].tolist() == [True, False, False]  # the second is unknown, nothing was said of the third
    assert rows["accept"].tolist() == [True, False, False]
