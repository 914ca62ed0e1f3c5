"""Judging rows that folds held out: raw scores, every group in every interval."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

from vouch.evaluation import by_group
from vouch.evaluation.metrics.intervals import Setting, group_weights

SETTING = Setting(level=0.95, correlation=0.05, few_groups=20)


def classified():
    """Twelve photographs of four groups, two a fold; the fourth and the eleventh are wrong."""
    logits = np.array([3, -2, 1, 1, 2, -1, 2, -3, 1, -2, -1, -3], np.float64)
    truth = np.array(["yes", "no"] * 6)
    said = np.where(logits > 0, "yes", "no")
    return pd.DataFrame(
        {
            "sample_id": [f"s{number:02}" for number in range(12)],
            "group": np.repeat(["a", "b", "c", "d"], 3),
            "stratum_light": ["day", "night"] * 6,
            "class_true": truth,
            "class_pred": said,
            "score": 1 / (1 + np.exp(-np.abs(logits))),
            "correct": said == truth,
            "logit_no": np.zeros(12),
            "logit_yes": logits,
            "fold": np.repeat([1, 2], 6),
        }
    )


def detected():
    """One object and one box in each of six photographs of three groups; the fourth box misses."""
    right = np.array([True, True, True, False, True, True])
    return pd.DataFrame(
        {
            "sample_id": [f"s{number}" for number in range(6)],
            "group": np.repeat(["a", "b", "c"], 2),
            "class_true": ["cone"] * 6,
            "class_pred": np.where(right, "cone", None),
            "score": np.where(right, [0.9, 0.8, 0.7, 0.0, 0.6, 0.5], 0.0),
            "correct": right,
            "hits": np.where(right, 1, 0).astype(np.uint16),
            "fold": [1, 1, 2, 2, 3, 3],
        }
    )


def judged(rows, task):
    rows = by_group.as_said(rows, task)
    weights = group_weights(rows["group"].nunique(), replicates=200, rng=np.random.default_rng(1))
    return rows, by_group.table(rows, task, weights=weights, setting=SETTING)


def test_a_classifier_is_judged_on_the_probabilities_that_its_logits_say():
    rows, table = judged(classified(), "classify")
    assert set(table) == {"accuracy", "auroc", "nll", "brier", "ece_before"}
    stated = 1 / (1 + np.exp(-rows["logit_yes"]))
    assert table["accuracy"]["all"]["value"] == pytest.approx(10 / 12)
    assert table["nll"]["all"]["value"] == pytest.approx(log_loss(rows["class_true"] == "yes", stated))
    assert set(table["accuracy"]) == {"all", "light=day", "light=night", "class=no", "class=yes"}


def test_a_detector_is_judged_on_what_it_ranks():
    _, table = judged(detected(), "detect")
    assert set(table) == {"map50", "map50_95", "ece_before"}
    # every box is right: precision is 1 up to the recall of 5 in 6, which 84 of COCO's 101 recalls do not exceed
    assert table["map50"]["all"]["value"] == pytest.approx(84 / 101)
    assert table["map50_95"]["all"]["value"] == pytest.approx(84 / 101 / 10)  # hits at .50 alone


@pytest.mark.parametrize(("rows", "task", "groups"), [(classified(), "classify", 4), (detected(), "detect", 3)])
def test_every_interval_counts_all_groups_and_says_that_they_are_few(rows, task, groups):
    _, table = judged(rows, task)
    for name in by_group.RAW[task]:
        cell = table[name]["all"]
        assert (cell["n_groups"], cell["few_groups"]) == (groups, True)
        assert cell["low"] <= cell["value"] <= cell["high"]
        assert cell["low"] < cell["high"]


def test_each_fold_is_told_with_what_it_held_out():
    lines = by_group.fold_table(by_group.as_said(classified(), "classify"), "classify").to_dict("records")
    assert lines == [
        {"fold": 1, "groups": "a|b", "photographs": 6, "metric": "accuracy", "value": pytest.approx(5 / 6)},
        {"fold": 2, "groups": "c|d", "photographs": 6, "metric": "accuracy", "value": pytest.approx(5 / 6)},
    ]


def test_rows_of_a_group_that_fail_together_count_as_one():
    """Two groups of three: all wrong, all right. Whatever the floor, their rows are as alike as can be."""
    rows = pd.DataFrame({"group": list("aaabbb"), "class_true": ["x"] * 6, "correct": [False] * 3 + [True] * 3})
    assert by_group.correlation(rows, floor=0.05) == 1.0
    assert by_group.correlation(rows.assign(correct=True), floor=0.05) == 0.05
