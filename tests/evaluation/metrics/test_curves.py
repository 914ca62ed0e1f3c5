import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_curve

from evaluation.photographs import THREE, photographs
from evaluation.setting import SETTING
from judging import judged
from policies.made import accepting, unchanged
from vouch.evaluation.metrics import curves
from vouch.evaluation.metrics.intervals import group_weights

CALIBRATOR = unchanged()
POLICY = accepting({"phone": 0.5, "cone": 0.5})
COLUMNS = ["sample_id", "group", "stratum_stream", "class_true", "class_pred", "score", "correct", "x2", "hits"]
ROWS = pd.DataFrame(
    [
        ("a", "g1", "cabin", "phone", "phone", 0.95, True, 10, 1),
        ("a", "g1", "cabin", "phone", "phone", 0.35, True, 70, 1),  # not accepted: a miss for whoever uses it
        ("a", "g1", "cabin", "phone", None, 0.0, False, 60, 0),
        ("b", "g2", "rear", "phone", None, 0.0, False, 20, 0),
        ("b", "g2", "rear", None, "phone", 0.55, False, 30, 0),
        ("c", "g3", "rear", None, "cone", 0.75, False, 40, 0),
        ("d", "g3", "rear", None, None, 0.0, False, np.nan, 0),
    ],
    columns=COLUMNS,
).assign(x1=0.0, y1=0.0, y2=10.0)
WEIGHTS = group_weights(3, replicates=300, rng=np.random.default_rng(0))


@pytest.fixture
def rows():
    return judged(ROWS.astype({"hits": "uint16"}), task="detect", calibrator=CALIBRATOR, policy=POLICY)


def test_precision_recall_by_hand(rows):
    table = curves.precision_recall(rows, task="detect", weights=WEIGHTS, level=0.95)
    assert table["class"].unique().tolist() == ["phone"]  # no cone is there: it has no recall
    # .95 hit, .55 wrong, .35 hit of 4 truths: precision 1 to recall .25, 2/3 to .5, 0 beyond
    expected = [1.0] * 26 + [2 / 3] * 25 + [0.0] * 50
    assert table["precision"].tolist() == pytest.approx(expected)
    assert (table["low"] <= table["high"]).all()


def test_reliability_counts_every_detection_on_both_sides(rows):
    table = curves.reliability(rows, weights=WEIGHTS, setting=SETTING)
    assert table.groupby("side")["n"].sum().to_dict() == {"before": 4, "after": 4}
    after = table[table["side"] == "after"]
    assert after["confidence"].tolist() == pytest.approx([0.35, 0.55, 0.75, 0.95])
    assert after["accuracy"].tolist() == [1.0, 0.0, 0.0, 1.0]


def test_recall_by_confidence_by_hand(rows):
    table = curves.recall_by_confidence(rows, weights=WEIGHTS, setting=SETTING)
    assert table["confidence"].max() == pytest.approx(0.94)  # nothing is surer than .95
    at = {round(row.confidence, 2): (row.recall, row.precision) for row in table.itertuples()}
    assert at[0.0] == pytest.approx((2 / 4, 2 / 4))
    assert at[0.4] == pytest.approx((1 / 4, 1 / 3))
    assert at[0.8] == pytest.approx((1 / 4, 1.0))


def test_the_worst_are_one_miss_of_each_stratum_before_the_second_of_any(rows):
    table = curves.worst(rows, task="detect", count=3)
    misses = table[table["kind"] == "miss"]
    assert list(zip(misses["stratum_stream"], misses["x2"], strict=True)) == [
        ("cabin", 70.0),
        ("rear", 20.0),
        ("cabin", 60.0),
    ]


def test_the_worst_false_alarms_are_the_surest(rows):
    table = curves.worst(rows, task="detect", count=3)
    alarms = table[table["kind"] == "false_alarm"]
    assert list(zip(alarms["class"], alarms["confidence"], strict=True)) == [("cone", 0.75), ("phone", 0.55)]


def test_a_model_that_says_nothing_still_has_its_tables(rows):
    silent = rows[rows["class_pred"].isna()]
    weights = group_weights(3, replicates=200, rng=np.random.default_rng(0))
    assert curves.precision_recall(silent, task="detect", weights=weights, level=0.95)["precision"].eq(0.0).all()
    assert curves.reliability(silent, weights=weights, setting=SETTING).empty
    assert curves.recall_by_confidence(silent, weights=weights, setting=SETTING).empty
    assert curves.worst(silent, task="detect", count=5)["kind"].tolist() == ["miss", "miss"]
    assert curves.risk_coverage(silent, weights=weights, setting=SETTING).empty


def test_risk_of_detections_by_hand(rows):
    table = curves.risk_coverage(rows, weights=WEIGHTS, setting=SETTING)
    # .95 right, .75 wrong, .55 wrong, .35 right; misses and empty photographs are no answers
    assert table["coverage"].tolist() == pytest.approx([1 / 4, 2 / 4, 3 / 4, 1])
    assert table["risk"].tolist() == pytest.approx([0, 1 / 2, 2 / 3, 2 / 4])
    assert table["confidence"].tolist() == pytest.approx([0.95, 0.75, 0.55, 0.35])


PHOTOGRAPHS = group_weights(25, replicates=200, rng=np.random.default_rng(0))


@pytest.mark.parametrize("decimals", [6, 1])
def test_risk_over_coverage_of_photographs_rises_to_their_error_with_a_band(decimals):
    rows = photographs(0, decimals=decimals)
    table = curves.risk_coverage(rows, weights=PHOTOGRAPHS, setting=SETTING)
    assert table["coverage"].is_monotonic_increasing
    assert table["coverage"].is_unique
    last = table.iloc[-1]
    assert (last["coverage"], last["risk"]) == pytest.approx((1.0, 1 - rows["correct"].mean()))
    several = table[table["low"].notna()]
    assert (several["low"] <= several["risk"]).all()
    assert (several["risk"] <= several["high"]).all()
    assert len(table) <= rows["confidence"].nunique()


@pytest.mark.parametrize("decimals", [6, 1])
def test_precision_over_recall_of_a_class_is_scikit_learns_however_ties_are_sorted(decimals):
    rows = photographs(1, decimals=decimals, classes=THREE)
    tables = [
        curves.precision_recall(each, task="classify", weights=PHOTOGRAPHS, level=0.95)
        for each in (rows, rows.sort_values("class_true"))
    ]
    pd.testing.assert_frame_equal(*tables)
    for name, curve in tables[0].groupby("class"):
        precision, recall, _ = precision_recall_curve(rows["class_true"] == name, rows[f"probability_{name}"])
        precision, recall = precision[:-1], recall[:-1]  # the last is a point (0, 1) that no threshold has
        expected = [precision[recall >= least - 1e-12].max() for least in np.linspace(0, 1, 101)]
        assert curve["precision"].tolist() == pytest.approx(expected)


def test_reliability_before_is_that_of_the_raw_answer():
    rows = photographs(2)
    table = curves.reliability(rows, weights=PHOTOGRAPHS, setting=SETTING)
    right = table.assign(right=table["accuracy"] * table["n"]).groupby("side")["right"].sum()
    assert right["before"] == pytest.approx(rows["correct_before"].sum())
    assert right["after"] == pytest.approx(rows["correct"].sum())


def test_recall_by_confidence_of_photographs_is_right_answers_of_all_and_accuracy_of_the_kept():
    rows = photographs(3)
    table = curves.recall_by_confidence(rows, weights=PHOTOGRAPHS, setting=SETTING)
    at = table[(table["confidence"] - 0.8).abs() < 1e-9].iloc[0]
    kept = rows[rows["confidence"] >= 0.8]
    assert at["precision"] == pytest.approx(kept["correct"].mean())
    assert at["recall"] == pytest.approx(kept["correct"].sum() / len(rows))


def test_confusion_counted_is_scikit_learns_and_detections_have_none(rows):
    judged_photographs = photographs(5, classes=THREE)
    table = curves.confusion(judged_photographs)
    counted = pd.crosstab(table["class_true"], table["class_pred"]).loc[list(THREE), list(THREE)]
    seen = judged_photographs["class_true"], judged_photographs["class_pred"]
    assert counted.to_numpy().tolist() == confusion_matrix(*seen, labels=THREE).tolist()
    assert table["accept"].tolist() == judged_photographs["accept"].astype(int).tolist()
    assert curves.CONFUSED["classify"] is curves.confusion
    assert curves.CONFUSED["detect"](rows).empty


CLASSES = ["class", "class_true"]


def test_the_worst_photographs_are_wrong_exits_then_abstentions_without_a_box():
    rows = photographs(4)
    table = curves.worst(rows, task="classify", count=5)
    assert list(table.columns) == ["sample_id", "kind", *CLASSES, "confidence", "x1", "y1", "x2", "y2", "stratum_light"]
    assert table["kind"].tolist() == ["wrong_exit"] * 5 + ["abstention"] * 5
    assert table[["x1", "y1", "x2", "y2"]].isna().all(axis=None)
    exits = rows[rows["accept"] & ~rows["correct"]].sort_values("confidence", ascending=False)
    assert table["sample_id"].tolist()[:5] == exits["sample_id"].tolist()[:5]
    assert table[CLASSES].iloc[:5].to_numpy().tolist() == exits[["class_pred", "class_true"]].head().to_numpy().tolist()
    left = rows[~rows["accept"] & ~rows["correct"]].sort_values("confidence", ascending=False)
    assert table["sample_id"].tolist()[5:] == left["sample_id"].tolist()[:5]
    assert table[CLASSES].iloc[5:].to_numpy().tolist() == left[["class_pred", "class_true"]].head().to_numpy().tolist()
