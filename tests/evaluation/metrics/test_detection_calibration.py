import numpy as np
import pandas as pd
import pytest

from vouch.evaluation.metrics.detection_calibration import overlap_at_zero
from vouch.evaluation.metrics.intervals import point
from vouch.evaluation.metrics.measures import MEASURES


def detections(confidence, correct, *, iou=0.0, class_pred="phone", area=1.0):
    rows = pd.DataFrame({"confidence": np.asarray(confidence, dtype=float), "correct": correct})
    boxes = {"x1": 0.0, "y1": 0.0, "x2": area, "y2": 1.0}
    return rows.assign(iou=iou, class_pred=class_pred, calibrated=True, group_index=np.arange(len(rows)) % 2, **boxes)


def value(rows, name):
    return point(MEASURES[name](rows, 2))


def test_the_mean_ece_of_classes_by_hand():
    rows = detections([0.1, 0.3, 0.9, 0.9], [False, True, True, True], class_pred=["a", "a", "b", "b"])
    # a: .1 off in one bin and .7 in another, half of its rows each; b: .9 said, all true
    assert value(rows, "ece_class_mean") == pytest.approx(((0.1 + 0.7) / 2 + 0.1) / 2)


def test_d_ece_sees_what_cancels_over_box_sizes():
    area = np.concatenate([np.linspace(1, 2, 100), np.linspace(10, 20, 100), np.linspace(1000, 2000, 100)])
    rows = detections(
        np.full(300, 0.5), (area > 500) | (np.arange(300) % 2 == 0) & (area > 5) & (area < 500), area=area
    )
    assert value(rows, "ece") == pytest.approx(0.0)
    assert value(rows, "d_ece") == pytest.approx((0.5 + 0.0 + 0.5) / 3)


def test_laece0_and_laace0_by_hand():
    # class a: said .9 of IoU .8, said .1 of nothing; class b: said .5 of IoU .9
    rows = detections([0.9, 0.1, 0.5], [True, False, True], iou=[0.8, 0.0, 0.9], class_pred=["a", "a", "b"])
    assert value(rows, "laece0") == pytest.approx((0.1 + 0.4) / 2)
    assert value(rows, "laace0") == pytest.approx((0.1 + 0.4) / 2)
    # in one bin of 25 what is said too high and too low cancels, detection by detection it does not
    one = detections([0.41, 0.41], [True, False], iou=[0.8, 0.02])
    assert value(one, "laece0") == pytest.approx(0.0)
    assert value(one, "laace0") == pytest.approx(0.39)


def test_overlap_at_zero_keeps_hits_and_loose_hits_and_drops_doubles():
    rows = detections(np.full(4, 0.5), [True, False, False, False], iou=[0.8, 0.3, 0.7, 0.0])
    assert overlap_at_zero(rows) == pytest.approx([0.8, 0.3, 0.0, 0.0])


@pytest.mark.parametrize("name", ["ece_class_mean", "laece0", "laace0"])
def test_replicates_without_a_class_and_tables_without_rows_have_no_value(name):
    rows = detections([0.9, 0.1], [True, False], class_pred=["a", "b"])
    one_group = MEASURES[name](rows, 2).values(np.array([[1, 1], [2, 0]], dtype=np.int32))
    assert np.isnan(one_group).tolist() == [False, True]
    assert np.isnan(value(rows[:0], name))
