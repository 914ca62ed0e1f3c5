import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from evaluation.photographs import BINARY, THREE, photographs
from evaluation.setting import SETTING
from vouch.evaluation.metrics.intervals import estimate, group_weights, point
from vouch.evaluation.metrics.measures import MEASURES

N_GROUPS = 25


def value(rows, name):
    return point(MEASURES[name](rows, N_GROUPS))


def test_by_hand():
    rows = photographs(0, size=4).assign(
        class_true=["work", "work", "clear", "work"],
        class_pred=["work", "clear", "work", "work"],
        correct=[True, False, False, True],
        probability_clear=[0.2, 0.7, 0.4, 0.5],
        probability_work=[0.8, 0.3, 0.6, 0.5],
        accept=[True, True, True, False],
        selected=[True, True, True, False],
        set_size=[1.0, 2.0, 0.0, 2.0],
        positive=[True, True, False, True],
        said_positive=[True, False, True, True],
    )
    assert value(rows, "accuracy") == pytest.approx(2 / 4)
    assert value(rows, "nll") == pytest.approx(-np.log([0.8, 0.3, 0.4, 0.5]).mean())
    assert value(rows, "brier") == pytest.approx(2 * (0.2**2 + 0.7**2 + 0.6**2 + 0.5**2) / 4)
    assert value(rows, "coverage") == pytest.approx(3 / 4)
    assert value(rows, "accuracy_on_exits") == pytest.approx(1 / 3)
    assert value(rows, "fnr_on_exits") == pytest.approx(1 / 2)
    assert value(rows, "fpr_on_exits") == pytest.approx(1 / 1)
    assert value(rows, "average_set_size") == pytest.approx((1 + 2 + 0) / 3)
    assert value(rows, "set_size_all") == pytest.approx((1 + 2 + 0 + 2) / 4)  # what is not selected leaves both open
    assert value(rows, "recall") == pytest.approx(1 / 4)


@pytest.mark.parametrize("classes", [BINARY, THREE])
def test_nll_and_brier_are_scikit_learns_under_any_weights(classes):
    rows = photographs(1, classes=classes)
    columns = rows[[f"probability_{name}" for name in classes]]
    truth = rows["class_true"].map({name: place for place, name in enumerate(classes)})
    weights = group_weights(N_GROUPS, replicates=5, rng=np.random.default_rng(0))
    for place, drawn in enumerate(weights):
        each = drawn[rows["group_index"]]
        labels = range(len(classes))
        nll, brier = (MEASURES[name](rows, N_GROUPS).values(weights)[place] for name in ("nll", "brier"))
        assert nll == pytest.approx(log_loss(truth, columns, sample_weight=each, labels=labels))
        expected = brier_score_loss(truth, columns, sample_weight=each, labels=labels, scale_by_half=False)
        assert brier == pytest.approx(expected)


def test_a_class_ruled_out_costs_a_finite_loss():
    rows = photographs(2, size=3).assign(class_true="work", probability_work=0.0, probability_clear=1.0)
    assert value(rows, "nll") == pytest.approx(-np.log(1e-12))


def test_misses_of_three_classes_are_positives_called_anything_else():
    rows = photographs(3, classes=THREE, size=4).assign(
        accept=True, positive=[True, True, False, False], said_positive=[True, False, False, True]
    )
    assert value(rows, "fnr_on_exits") == pytest.approx(1 / 2)
    assert value(rows, "fpr_on_exits") == pytest.approx(1 / 2)  # a wrong class that is not the positive one is no alarm


def test_without_an_exited_positive_the_miss_rate_is_null():
    rows = photographs(4)
    rows = rows.assign(accept=rows["accept"] & ~rows["positive"])
    weights = group_weights(N_GROUPS, replicates=200, rng=np.random.default_rng(0))
    found = estimate(MEASURES["fnr_on_exits"](rows, N_GROUPS), weights, SETTING, method="share")
    assert (found.value, found.low, found.high, found.n_rows, found.n_groups) == (None, None, None, 0, 0)


def test_no_missed_exit_is_less_certain_than_its_rows_and_more_than_its_groups():
    rows = photographs(5)
    rows = rows.assign(accept=rows["correct"])
    weights = group_weights(N_GROUPS, replicates=200, rng=np.random.default_rng(0))
    found = estimate(MEASURES["fnr_on_exits"](rows, N_GROUPS), weights, SETTING, method="share")
    assert (found.value, found.low) == (0.0, 0.0)
    exits = rows[rows["accept"] & rows["positive"]]["group_index"].value_counts()
    assert found.high == pytest.approx(1 - 0.025 ** (1 / (exits / (1 + 0.05 * (exits - 1))).sum()))
    assert 1 - 0.025 ** (1 / found.n_rows) < found.high < 1 - 0.025 ** (1 / found.n_groups)
