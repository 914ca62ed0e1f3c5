import numpy as np
import pandas as pd
import pytest

from evaluation.photographs import photographs
from evaluation.setting import SETTING
from judging import judged
from policies.made import accepting, unchanged
from vouch.errors import DataError
from vouch.evaluation.metrics.calibration_error import BINS
from vouch.evaluation.metrics.definitions.table import METRICS
from vouch.evaluation.metrics.intervals import estimate, group_weights, point
from vouch.evaluation.metrics.measures import CHANCE, MEASURES, missing_columns
from vouch.evaluation.metrics.numbering import limited, numbered
from vouch.evaluation.metrics.table import metrics_table

CALIBRATOR = unchanged(0.1)
POLICY = accepting({"phone": 0.5, "cone": 0.8})
OF_TEST = [name for name, metric in METRICS.items() if metric.interval]
OF_COUNTS = [name for name, metric in METRICS.items() if "n_true" in metric.needs]
COLUMNS = ["sample_id", "group", "stratum_stream", "class_true", "class_pred", "score", "correct"]
ROWS = pd.DataFrame(
    [
        ("a", "g1", "cabin", "phone", "phone", 0.9, True),  # found
        ("a", "g1", "cabin", "phone", "phone", 0.4, True),  # found, not accepted
        ("a", "g1", "cabin", None, "cone", 0.85, False),  # false alarm
        ("b", "g1", "cabin", "phone", None, 0.0, False),  # missed
        ("c", "g2", "rear", "cone", "cone", 0.9, True),  # found
        ("c", "g2", "rear", None, "cone", 0.7, False),  # not accepted
        ("d", "g2", "rear", None, None, 0.0, False),  # nothing there, nothing said
        ("e", "g3", "rear", None, "phone", 0.05, False),  # below the calibrator's floor
    ],
    columns=COLUMNS,
)


@pytest.fixture
def rows():
    return judged(ROWS, task="detect", calibrator=CALIBRATOR, policy=POLICY)


def value(rows, name):
    return point(MEASURES[name](rows, 3))


def test_a_class_has_its_own_threshold_and_the_floor_marks_what_was_calibrated(rows):
    assert rows["accept"].tolist() == [True, False, True, False, True, False, False, False]
    assert rows["calibrated"].tolist() == [True, True, True, False, True, True, False, False]


def test_recall_is_accepted_truths_of_all_truths(rows):
    assert value(rows, "recall") == pytest.approx(2 / 4)


def test_precision_is_right_ones_of_the_accepted(rows):
    assert value(rows, "precision") == pytest.approx(2 / 3)


def test_false_alarms_are_counted_for_each_photograph_with_or_without_rows_of_truth(rows):
    assert value(rows, "false_alarms_per_sample") == pytest.approx(1 / 5)


def test_the_limit_is_reached_where_as_many_detections_are_there_as_it_lets_through(rows):
    # photographs a to e have 3, 0, 2, 0 and 1 detections; the misses of a and b are none
    shares = {limit: value(limited(rows, limit), "limit_reached_fraction") for limit in (1, 2, 3, 4)}
    assert shares == pytest.approx({1: 3 / 5, 2: 2 / 5, 3: 1 / 5, 4: 0.0})
    assert limited(rows, None) is rows
    assert missing_columns(rows, "limit_reached_fraction") == ["limited"]


def test_ece_by_hand(rows):
    # five calibrated detections in bins of 1/15: .9 twice (right), .4 (right), .85 (wrong), .7 (wrong)
    assert value(rows, "ece_before") == pytest.approx((2 * 0.1 + 0.6 + 0.85 + 0.7) / 5)
    assert value(rows, "ece_accepted") == pytest.approx((2 * 0.1 + 0.85) / 3)


def random_rows(seed, size=400, groups=25):
    rng = np.random.default_rng(seed)
    score, truth = rng.random(size), rng.random(size)
    return pd.DataFrame(
        {
            "sample_id": np.arange(size).astype(str),
            "group": rng.integers(0, groups, size).astype(str),
            "stratum_stream": rng.choice(["cabin", "rear"], size),
            "class_true": np.where(truth < score, "phone", None),
            "class_pred": "phone",
            "score": score**1.3,
            "correct": truth < score,
        }
    )


def ece_by_loop(confidence, correct):
    total = 0.0
    for place in range(BINS):
        low, high = place / BINS, (place + 1) / BINS
        chosen = [i for i, c in enumerate(confidence) if low <= c < high or (place == BINS - 1 and c == 1)]
        if chosen:
            total += abs(sum(correct[i] - confidence[i] for i in chosen))
    return total / len(confidence)


@pytest.mark.parametrize("name", ["ece", "recall", "precision", "false_alarms_per_sample"])
def test_a_replicate_equals_the_metric_of_rows_copied_by_hand(name):
    rows = judged(random_rows(0), task="detect", calibrator=CALIBRATOR, policy=POLICY)
    weights = group_weights(25, replicates=5, rng=np.random.default_rng(0))
    for drawn, found in zip(weights, MEASURES[name](rows, 25).values(weights), strict=True):
        copied = rows.loc[np.repeat(rows.index, drawn[rows["group_index"]])]
        counted = copied[copied["calibrated"]]
        expected = {
            "ece": lambda c=counted: ece_by_loop(c["confidence"].tolist(), c["correct"].tolist()),
            "recall": lambda c=copied: (c["correct"] & c["accept"]).sum() / c["class_true"].notna().sum(),
            "precision": lambda c=copied: c[c["accept"]]["correct"].mean(),
            "false_alarms_per_sample": lambda c=copied: (c["accept"] & ~c["correct"]).sum() / len(c),
        }[name]()
        assert found == pytest.approx(expected)


def test_the_interval_of_ece_holds_its_value():
    rows = judged(random_rows(1), task="detect", calibrator=CALIBRATOR, policy=POLICY)
    weights = group_weights(25, replicates=500, rng=np.random.default_rng(0))
    found = estimate(MEASURES["ece"](rows, 25), weights, SETTING, method=METRICS["ece"].interval)
    assert found.low < found.value < found.high


def test_a_stratum_without_support_is_null_and_stays_in_the_table(rows):
    masks = {"all": np.ones(8, dtype=bool), "stream=front": np.zeros(8, dtype=bool)}
    weights = group_weights(3, replicates=200, rng=np.random.default_rng(0))
    names = [name for name in OF_TEST if not missing_columns(rows, name)]
    table = metrics_table(rows, names=names, masks=masks, weights=weights, setting=SETTING)
    for name in names:
        expected = {"value": None, "low": None, "high": None, "n_rows": 0, "n_groups": 0, "few_groups": True}
        expected |= {"expected_by_chance": None} if name in CHANCE else {}
        assert table[name]["stream=front"] == expected
        assert table[name]["all"]["value"] is not None


def test_support_counts_the_rows_and_groups_below_the_line(rows):
    weights = group_weights(3, replicates=200, rng=np.random.default_rng(0))
    found = estimate(MEASURES["recall"](rows, 3), weights, SETTING, method=METRICS["recall"].interval)
    assert (found.n_rows, found.n_groups) == (4, 2)  # g3 has no truth


def test_false_alarms_a_photograph_are_not_given_by_class(rows):
    masks = {"all": np.ones(8, dtype=bool), "class=phone": np.ones(8, dtype=bool)}
    weights = group_weights(3, replicates=200, rng=np.random.default_rng(0))
    table = metrics_table(rows, names=["false_alarms_per_sample"], masks=masks, weights=weights, setting=SETTING)
    assert list(table["false_alarms_per_sample"]) == ["all"]


def refusal(rows, names):
    with pytest.raises(DataError) as refused:
        metrics_table(rows, names=names, masks={}, weights=np.ones((1, 3), dtype=np.int32), setting=SETTING)
    return [str(problem) for problem in refused.value.problems]


def test_metrics_of_another_task_are_refused_by_name_with_what_they_lack(rows):
    ranks, losses, rates = (
        refusal(photographs(0), ["map50"]),
        refusal(rows, ["nll", "accuracy"]),
        refusal(rows, ["fnr_on_exits"]),
    )
    assert "metric map50" in ranks[0]
    assert "column hits" in ranks[0]
    assert ["metric accuracy" in losses[0], "metric nll" in losses[1]] == [True, True]
    assert all("column probability_<class>" in loss for loss in losses)
    assert "column positive (a policy that names a positive class)" in rates[0]


def test_every_metric_of_a_photograph_has_a_value():
    rows = photographs(0)
    weights = group_weights(25, replicates=200, rng=np.random.default_rng(0))
    names = [name for name in OF_TEST if not missing_columns(rows, name)]
    detections = {"map50", "map75", "map50_95", "limit_reached_fraction"}
    of_crops = {name for name in OF_TEST if "similarity" in METRICS[name].needs}
    assert set(OF_TEST) - set(names) == {*detections, *OF_COUNTS, *of_crops}
    table = metrics_table(
        rows, names=names, masks={"all": np.ones(len(rows), dtype=bool)}, weights=weights, setting=SETTING
    )
    for name in names:
        found = table[name]["all"]
        assert found["low"] <= found["value"] <= found["high"], name


def test_photographs_without_a_label_are_not_judged():
    rows = photographs(1, size=100)
    unlabelled = rows.assign(class_true=rows["class_true"].where(np.arange(100) % 4 > 0))
    found = numbered(unlabelled, task="classify", floor=0.0, positive="work")
    assert len(found) == 75
    assert found["class_true"].notna().all()


def test_a_split_without_labels_and_foreign_labels_are_refused():
    rows = photographs(2, size=20)
    with pytest.raises(DataError, match="labelled photographs"):
        numbered(rows.assign(class_true=pd.array([None] * 20, dtype="str")), task="classify", floor=0.0, positive=None)
    with pytest.raises(DataError, match="tractor"):
        numbered(rows.assign(class_true="tractor"), task="classify", floor=0.0, positive=None)
    with pytest.raises(DataError, match="positive class: expected one of"):
        numbered(rows, task="classify", floor=0.0, positive="tractor")


def test_without_a_positive_class_no_row_is_positive():
    rows = photographs(3, positive=None)
    assert "positive" not in rows
    assert missing_columns(rows, "fnr_on_exits") == ["positive"]
