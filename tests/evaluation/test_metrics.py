import numpy as np
import pandas as pd
import pytest

from vouch.evaluation.intervals import estimate, group_weights, point
from vouch.evaluation.metrics import BINS, METRICS, judged
from vouch.evaluation.table import metrics_table

CALIBRATOR = {"kind": "scalar", "floor": 0.1, "global": {"method": "identity"}, "classes": {}}
POLICY = {
    "kind": "operating_point",
    "thresholds": {"phone": 0.5, "cone": 0.8},
    "feasible": True,
    "guarantee": "none",
    "alpha": None,
    "delta": None,
    "objective": {},
    "evidence": {},
    "infeasible": {},
}
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
    return judged(ROWS, calibrator=CALIBRATOR, policy=POLICY)


def value(rows, name):
    return point(METRICS[name].measure(rows, 3))


def test_a_class_has_its_own_threshold_and_the_floor_marks_what_was_calibrated(rows):
    assert rows["accept"].tolist() == [True, False, True, False, True, False, False, False]
    assert rows["calibrated"].tolist() == [True, True, True, False, True, True, False, False]


def test_recall_is_accepted_truths_of_all_truths(rows):
    assert value(rows, "recall") == pytest.approx(2 / 4)


def test_precision_is_right_ones_of_the_accepted(rows):
    assert value(rows, "precision") == pytest.approx(2 / 3)


def test_false_alarms_are_counted_for_each_photograph_with_or_without_rows_of_truth(rows):
    assert value(rows, "false_alarms_per_sample") == pytest.approx(1 / 5)


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
    rows = judged(random_rows(0), calibrator=CALIBRATOR, policy=POLICY)
    weights = group_weights(25, replicates=5, rng=np.random.default_rng(0))
    for drawn, found in zip(weights, METRICS[name].measure(rows, 25).values(weights), strict=True):
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
    rows = judged(random_rows(1), calibrator=CALIBRATOR, policy=POLICY)
    weights = group_weights(25, replicates=500, rng=np.random.default_rng(0))
    found = estimate(METRICS["ece"].measure(rows, 25), weights, level=0.95)
    assert found.low < found.value < found.high


def test_a_stratum_without_support_is_null_and_stays_in_the_table(rows):
    masks = {"all": np.ones(8, dtype=bool), "stream=front": np.zeros(8, dtype=bool)}
    weights = group_weights(3, replicates=200, rng=np.random.default_rng(0))
    names = [name for name in METRICS if not name.startswith("map")]
    table = metrics_table(rows, names=names, masks=masks, weights=weights, level=0.95)
    for name in names:
        expected = {"value": None, "low": None, "high": None, "n_rows": 0, "n_groups": 0}
        assert table[name]["stream=front"] == expected
        assert table[name]["all"]["value"] is not None


def test_support_counts_the_rows_and_groups_below_the_line(rows):
    weights = group_weights(3, replicates=200, rng=np.random.default_rng(0))
    found = estimate(METRICS["recall"].measure(rows, 3), weights, level=0.95)
    assert (found.n_rows, found.n_groups) == (4, 2)  # g3 has no truth


def test_false_alarms_a_photograph_are_not_given_by_class(rows):
    masks = {"all": np.ones(8, dtype=bool), "class=phone": np.ones(8, dtype=bool)}
    weights = group_weights(3, replicates=200, rng=np.random.default_rng(0))
    table = metrics_table(rows, names=["false_alarms_per_sample"], masks=masks, weights=weights, level=0.95)
    assert list(table["false_alarms_per_sample"]) == ["all"]
