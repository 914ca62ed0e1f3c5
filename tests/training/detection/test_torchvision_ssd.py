"""What chooses torchvision's epoch is the metric map50."""

import numpy as np
import pandas as pd
import pytest

from vouch.evaluation.metrics import average_precision
from vouch.training.detection.torchvision_ssd import mean_average_precision


def test_it_is_the_average_precision_of_coco_by_hand():
    """Right, wrong, right of 4: precision 1 up to recall .25, 2/3 up to .5, then 0: at 26, 25 and 50 of 101 recalls."""
    hits = np.array([True, False, True])
    found = mean_average_precision(np.array([0.9, 0.8, 0.7]), np.zeros(3, np.int64), hits, np.array([4]))
    assert found == pytest.approx((26 + 25 * 2 / 3) / 101)
    nothing = np.empty(0)
    assert mean_average_precision(nothing, nothing.astype(np.int64), nothing.astype(bool), np.array([4])) == 0.0


@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_metric_that_evaluate_computes(seed):
    rng = np.random.default_rng(seed)
    truths, n = np.array([7, 0, 20, 3]), 60
    classes, scores = rng.integers(0, 4, n), rng.integers(0, 25, n) / 25  # with ties
    hits = rng.random(n) < 0.4
    for class_id, count in enumerate(truths):  # a truth is hit once
        hits[np.flatnonzero((classes == class_id) & hits)[count:]] = False
    names = np.array(list("abcd"))
    rows = pd.DataFrame({"class_pred": names[classes], "score": scores, "hits": hits.astype(np.uint16)})
    rows["class_true"] = np.where(hits, rows["class_pred"], None)
    used = rows["class_true"].value_counts()
    left = [name for name, k in zip(names, truths, strict=True) for _ in range(k - used.get(name, 0))]
    misses = pd.DataFrame({"class_true": left, "class_pred": None, "score": 0.0, "hits": np.uint16(0)})
    table = pd.concat([rows, misses], ignore_index=True).assign(group_index=0)
    measure = average_precision.mean_average_precision(table, 1, bits=(0,))
    expected = measure.values(np.ones((1, 1), np.int32))[0]
    assert mean_average_precision(scores, classes, hits, truths) == pytest.approx(expected, abs=1e-12)
