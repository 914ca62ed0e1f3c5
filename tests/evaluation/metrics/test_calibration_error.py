import numpy as np
import pytest
from scipy.stats import foldnorm

from evaluation.photographs import THREE, copied, photographs
from evaluation.setting import SETTING
from vouch.evaluation.metrics.calibration_error import equal_mass
from vouch.evaluation.metrics.intervals import estimate, group_weights, point
from vouch.evaluation.metrics.measures import CHANCE, MEASURES

BINS, N_GROUPS = 15, 25


def measure(rows, name):
    return MEASURES[name](rows, N_GROUPS)


def gaps(stated, correct, index):
    """Rows, accuracy less confidence, and accuracy of each bin that holds rows, in a slow loop."""
    found = []
    for place in sorted(set(index)):
        inside = [row for row in range(len(stated)) if index[row] == place]
        accuracy = sum(correct[row] for row in inside) / len(inside)
        found.append((len(inside), accuracy - sum(stated[row] for row in inside) / len(inside), accuracy))
    return found


def alone(rows, name, stated="confidence", correct="correct"):
    stated, correct = rows[stated].tolist(), rows[correct].tolist()
    edges = [place / BINS for place in range(1, BINS)]
    wide = [sum(level >= edge - 1e-12 for edge in edges) for level in stated]
    found = gaps(stated, correct, equal_mass(np.array(stated), BINS).tolist() if name == "ece_adaptive" else wide)
    if name == "mce":
        return max(abs(gap) for _, gap, _ in found)
    if name != "ece_debiased":
        return sum(n * abs(gap) for n, gap, _ in found) / len(stated)
    return max(0.0, sum(n * (2 * abs(gap) - folded(n, gap, accuracy)) for n, gap, accuracy in found) / len(stated))


def folded(n, gap, accuracy):
    """The mean size of a gap that is as noisy as a share of n rows."""
    noise = np.sqrt(accuracy * (1 - accuracy) / n)
    return foldnorm.mean(abs(gap) / noise, scale=noise) if noise else abs(gap)


@pytest.mark.parametrize("name", ["ece", "ece_adaptive", "ece_debiased", "mce"])
def test_the_value_is_that_of_a_slow_loop(name):
    rows = photographs(0)
    assert point(measure(rows, name)) == pytest.approx(alone(rows, name), abs=1e-9)


def test_adaptive_bins_hold_equally_many_rows_and_equal_values_share_one():
    assert np.bincount(equal_mass(np.random.default_rng(0).random(99), 3)).tolist() == [33, 33, 33]
    assert len(set(equal_mass(np.full(10, 0.4), 5))) == 1


def test_debiasing_by_hand_where_bins_have_no_noise():
    rows = photographs(0, size=3, groups=2).assign(confidence=[0.9, 0.9, 0.2], correct=[True, True, False])
    assert point(measure(rows, "ece_debiased")) == pytest.approx((0.1 + 0.1 + 0.2) / 3)


@pytest.mark.parametrize("name", ["ece", "ece_debiased", "mce"])  # adaptive bins of copied rows are other bins
def test_a_replicate_equals_the_error_of_rows_copied_by_hand(name):
    rows = photographs(1, skill=2.0)
    weights = group_weights(N_GROUPS, replicates=5, rng=np.random.default_rng(0))
    expected = [alone(copied(rows, drawn), name) for drawn in weights]
    assert measure(rows, name).values(weights) == pytest.approx(expected, abs=1e-9)


def test_ece_before_judges_the_raw_answer_by_the_raw_score():
    rows = photographs(2)
    expected = alone(rows, "ece", "score", "correct_before")
    assert point(measure(rows, "ece_before")) == pytest.approx(expected)
    assert (rows["correct_before"] != rows["correct"]).any()


def test_classwise_by_a_loop():
    rows = photographs(3, classes=THREE)
    total = 0.0
    for name in THREE:
        stated, there = rows[f"probability_{name}"], rows["class_true"] == name
        for place in range(BINS):
            inside = (stated * BINS).astype(int).clip(upper=BINS - 1) == place
            total += abs((stated[inside] - there[inside]).sum())
    assert point(measure(rows, "ece_classwise")) == pytest.approx(total / len(rows) / 3)


@pytest.mark.parametrize("name", ["ece", "ece_before", "ece_accepted", "ece_adaptive", "ece_classwise"])
@pytest.mark.parametrize("correlation", [0.0, 0.3])
def test_what_chance_gives_is_the_mean_error_of_outcomes_drawn_from_the_confidences(name, correlation):
    rows = photographs(7, size=600, classes=THREE, least=0.5)
    rng = np.random.default_rng(8)
    found = [point(measure(drawn(rows, name, correlation, rng), name)) for _ in range(60)]
    assert CHANCE[name](rows, correlation) == pytest.approx(np.mean(found), rel=0.06)


def drawn(rows, name, correlation, rng):
    """Rows whose truth is drawn from what they say; some rows of a group share a draw, hence the correlation."""
    shared = rng.random(len(rows)) < np.sqrt(correlation)
    luck = np.where(shared, rng.random(N_GROUPS)[rows["group_index"]], rng.random(len(rows)))
    if name != "ece_classwise":
        stated = rows["score" if name == "ece_before" else "confidence"]
        return rows.assign(correct=luck < stated, correct_before=luck < stated)
    shares = rows[[f"probability_{each}" for each in THREE]].to_numpy().cumsum(axis=1)
    return rows.assign(class_true=np.array(THREE)[(luck[:, None] > shares).sum(axis=1).clip(max=2)])


def test_nothing_to_judge_has_no_error_by_chance():
    rows = photographs(6)
    assert CHANCE["ece"](rows.assign(calibrated=False), 0.05) is None
    assert CHANCE["ece_classwise"](rows[:0], 0.05) is None


def test_debiasing_takes_part_of_what_chance_adds():
    rng = np.random.default_rng(4)
    rows = photographs(4, size=600)
    rows = rows.assign(correct=rng.random(600) < rows["confidence"])  # calibrated by construction
    plain, debiased = (point(measure(rows, name)) for name in ("ece", "ece_debiased"))
    assert plain > 0.02
    assert debiased < 0.75 * plain


@pytest.mark.parametrize("name", ["ece_debiased", "mce", "ece_classwise", "ece_adaptive"])
def test_the_interval_of_a_biased_metric_holds_its_value(name):
    rows = photographs(5)
    weights = group_weights(N_GROUPS, replicates=300, rng=np.random.default_rng(0))
    found = estimate(measure(rows, name), weights, SETTING, method="noise")
    assert found.low <= found.value <= found.high
    assert found.low < found.high


@pytest.mark.parametrize("name", ["ece_debiased", "mce", "ece_classwise", "ece_adaptive"])
def test_nothing_calibrated_is_null(name):
    rows = photographs(6)
    empty = rows[:0] if name == "ece_classwise" else rows.assign(calibrated=False)
    weights = group_weights(N_GROUPS, replicates=200, rng=np.random.default_rng(0))
    assert estimate(measure(empty, name), weights, SETTING, method="noise").value is None
