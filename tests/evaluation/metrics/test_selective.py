import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import precision_recall_curve, roc_auc_score

from evaluation.photographs import THREE, copied, photographs
from evaluation.setting import SETTING
from vouch.evaluation.metrics.intervals import estimate, group_weights, point
from vouch.evaluation.metrics.measures import MEASURES
from vouch.evaluation.metrics.ranking import least

SELECTIVE = (
    *("aurc", "e_aurc", "augrc", "risk_at_coverage_80", "coverage_at_risk_02", "coverage_at_risk_02_first"),
    *("coverage_at_precision_95", "recall_at_precision_95", "auroc"),
)


def answers(confidence, correct, group=None):
    group = np.arange(len(confidence)) if group is None else group
    return pd.DataFrame({"class_pred": "a", "confidence": confidence, "correct": correct, "group_index": group})


def value(rows, name):
    return point(MEASURES[name](rows, int(rows["group_index"].max()) + 1))


def working_points(rows):
    """Rows and errors above each distinct confidence, by a loop."""
    return [
        (int((rows["confidence"] >= limit).sum()), int((~rows["correct"] & (rows["confidence"] >= limit)).sum()))
        for limit in sorted(rows["confidence"].unique(), reverse=True)
    ]


def slow_aurc(rows):
    total, before, wrong = 0.0, 0, 0
    for upto, errors in working_points(rows):
        rate = (errors - wrong) / (upto - before)
        total += sum((wrong + (k - before) * rate) / k for k in range(before + 1, upto + 1))
        before, wrong = upto, errors
    return total / len(rows)


def slow_e_aurc(rows):
    error = 1 - rows["correct"].mean()
    return slow_aurc(rows) - (error + (1 - error) * np.log(1 - error))


def slow_augrc(rows):
    points = np.array([(0, 0), *working_points(rows)]) / len(rows)
    return np.trapezoid(points[:, 1], points[:, 0])


def slow_risk_at(rows, share):
    return next(errors / k for k, errors in working_points(rows) if k / len(rows) >= share)


def slow_coverage_at(rows, limit):
    return max((k / len(rows) for k, errors in working_points(rows) if errors / k <= limit), default=0.0)


def slow_coverage_first(rows, limit):
    reached = 0
    for k, errors in working_points(rows):
        if errors / k > limit:
            return reached / len(rows)
        reached = k
    return 1.0


def slow_recall_at(rows, least):
    precision, recall, _ = precision_recall_curve(rows["positive"], rows["positive_probability"])
    return recall[precision >= least].max()


def slow_auroc(rows):
    names = [column for column in rows if column.startswith("probability_")]
    chances = [roc_auc_score("probability_" + rows["class_true"] == name, rows[name]) for name in names]
    return np.mean(chances)


SLOW = {
    "aurc": slow_aurc,
    "e_aurc": slow_e_aurc,
    "augrc": slow_augrc,
    "risk_at_coverage_80": lambda rows: slow_risk_at(rows, 0.8),
    "coverage_at_risk_02": lambda rows: slow_coverage_at(rows, 0.02),
    "coverage_at_risk_02_first": lambda rows: slow_coverage_first(rows, 0.02),
    "coverage_at_precision_95": lambda rows: slow_coverage_at(rows, 0.05),
    "recall_at_precision_95": lambda rows: slow_recall_at(rows, 0.95),
    "auroc": slow_auroc,
}


def test_by_hand():
    # right, wrong, right, right: risks 0, 1/2, 1/3, 1/4 of 1, 2, 3, 4 answers
    rows = answers([0.9, 0.8, 0.7, 0.6], [True, False, True, True])
    assert value(rows, "aurc") == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 4) / 4)
    assert value(rows, "e_aurc") == pytest.approx((1 / 2 + 1 / 3 + 1 / 4) / 4 - (1 / 4 + 3 / 4 * np.log(3 / 4)))
    assert value(rows, "augrc") == pytest.approx((1 / 2 + 1 + 1) / 4 / 4)  # generalised risk 0, 1/4, 1/4, 1/4
    assert value(rows, "risk_at_coverage_80") == pytest.approx(1 / 4)  # 3 of 4 are fewer than 80 %
    assert value(rows, "coverage_at_risk_02") == pytest.approx(1 / 4)


def test_the_last_admissible_coverage_may_lie_beyond_the_first_crossing():
    # one error after ten right answers, then ninety right ones: 1/11 is too much, 1/101 is not
    rows = answers(np.linspace(1, 0.5, 101), np.arange(101) != 10)
    assert value(rows, "coverage_at_risk_02") == 1.0
    assert value(rows, "coverage_at_risk_02_first") == pytest.approx(10 / 101)
    assert value(rows, "coverage_at_precision_95") == 1.0


def test_no_order_of_tied_rows_is_better_than_another():
    confidence = [0.9, 0.9, 0.9, 0.5, 0.5]
    for correct in ([True, True, False, False, True], [False, True, True, True, False]):
        rows = answers(confidence, correct)
        assert value(rows, "risk_at_coverage_80") == pytest.approx(2 / 5)
        assert value(rows, "coverage_at_risk_02") == 0.0  # one of three at the only threshold that could do
        assert value(rows, "aurc") == pytest.approx((3 * 1 / 3 + 1.5 / 4 + 2 / 5) / 5)


def test_a_model_without_confidence_has_its_error_rate_as_risk_and_half_of_it_as_augrc():
    rows = answers(np.full(10, 0.4), np.arange(10) >= 3)
    assert value(rows, "aurc") == pytest.approx(0.3)
    assert value(rows, "augrc") == pytest.approx(0.15)
    assert value(rows, "risk_at_coverage_80") == pytest.approx(0.3)


@pytest.mark.parametrize("name", SELECTIVE)
@pytest.mark.parametrize("decimals", [6, 1])
def test_values_are_those_of_a_loop_over_thresholds(name, decimals):
    rows = photographs(0, decimals=decimals, classes=THREE, skill=2.5)
    assert value(rows, name) == pytest.approx(SLOW[name](rows), abs=1e-12)


@pytest.mark.parametrize("name", SELECTIVE)
@pytest.mark.parametrize("decimals", [6, 1])
def test_a_replicate_equals_the_metric_of_rows_copied_by_hand(name, decimals):
    rows = photographs(1, decimals=decimals, skill=2.5)
    weights = group_weights(25, replicates=6, rng=np.random.default_rng(0))
    found = MEASURES[name](rows, 25).values(weights)
    expected = [SLOW[name](copied(rows, drawn)) for drawn in weights]
    assert found == pytest.approx(expected, abs=1e-12)
    assert len(set(expected)) > 1


def test_replicates_do_not_depend_on_how_they_are_cut_into_blocks():
    rows = photographs(2, size=3000)  # 43 replicates a block
    weights = group_weights(25, replicates=100, rng=np.random.default_rng(0))
    for name in SELECTIVE:
        measure = MEASURES[name](rows, 25)
        assert np.array_equal(measure.values(weights), [measure.values(one[None])[0] for one in weights])


def test_augrc_is_the_closed_form_of_traub_et_al():
    rows = photographs(3, decimals=2)
    accuracy = rows["correct"].mean()
    chance = roc_auc_score(rows["correct"], rows["confidence"])
    expected = (1 - chance) * accuracy * (1 - accuracy) + (1 - accuracy) ** 2 / 2
    assert value(rows, "augrc") == pytest.approx(expected, abs=1e-14)


def test_auroc_of_two_classes_takes_sample_weights_as_scikit_learn_does():
    rows = photographs(4, decimals=2)
    weights = group_weights(25, replicates=5, rng=np.random.default_rng(0))
    found = MEASURES["auroc"](rows, 25).values(weights)
    expected = [
        roc_auc_score(rows["positive"], rows["positive_probability"], sample_weight=drawn[rows["group_index"]])
        for drawn in weights
    ]
    assert found == pytest.approx(expected, abs=1e-12)


def test_auroc_of_more_classes_is_scikit_learns_macro_one_vs_rest():
    rows = photographs(5, classes=THREE)
    columns = rows[[f"probability_{name}" for name in THREE]]
    expected = roc_auc_score(rows["class_true"], columns, multi_class="ovr", average="macro")
    assert value(rows, "auroc") == pytest.approx(expected)


def test_auroc_of_one_class_is_null_and_its_support_are_the_rows_of_the_rarest():
    rows = photographs(6)
    weights = group_weights(25, replicates=200, rng=np.random.default_rng(0))
    one = estimate(MEASURES["auroc"](rows[rows["positive"]], 25), weights, SETTING, method="logit")
    assert (one.value, one.low, one.high, one.n_rows) == (None, None, None, 0)
    few = rows[~rows["positive"] | (rows["group_index"] < 3)]
    found = estimate(MEASURES["auroc"](few, 25), weights, SETTING, method="logit")
    assert (found.n_rows, found.n_groups) == (few["positive"].sum(), 3)


def test_a_perfect_order_is_not_certain():
    rows = photographs(7, skill=60.0, difficulty=0.0)
    weights = group_weights(25, replicates=200, rng=np.random.default_rng(0))
    auroc = estimate(MEASURES["auroc"](rows, 25), weights, SETTING, method="logit")
    assert (auroc.value, auroc.high) == (1.0, 1.0)
    rarer = rows[rows["class_true"] == rows["class_true"].value_counts().idxmin()]
    assert auroc.low == pytest.approx(0.025 ** (1 / worth(rarer)))  # Clopper-Pearson of so many without a failure
    augrc = estimate(MEASURES["augrc"](rows, 25), weights, SETTING, method="log")
    assert (augrc.value, augrc.low) == (0.0, 0.0)
    assert augrc.high == pytest.approx(1 - 0.025 ** (1 / worth(rows)))


def worth(rows):
    """Independent rows that rows in groups are worth, at the correlation of SETTING."""
    sizes = rows.groupby("group").size().to_numpy()
    return (sizes / (1 + (sizes - 1) * SETTING.correlation)).sum()


def test_a_coverage_of_one_that_replicates_do_not_share_keeps_its_lower_end():
    # one group of twenty holds the only two errors, surest of all: without it all is well, with it twice nothing is
    correct = np.ones(100, dtype=bool)
    correct[:2] = False
    rows = answers(
        np.linspace(1, 0.5, 100), correct, group=np.r_[np.zeros(5), np.repeat(np.arange(1, 20), 5)].astype(int)
    )
    weights = group_weights(20, replicates=500, rng=np.random.default_rng(0))
    found = estimate(
        MEASURES["coverage_at_risk_02"](rows, 20),
        weights,
        SETTING,
        method="percentile",
    )
    assert (found.value, found.low, found.high) == (1.0, 0.0, 1.0)


@pytest.mark.parametrize("share", [0.01, 0.07, 0.29, 0.8, 1.0])
def test_the_least_number_of_rows_that_cover_a_share_is_exact(share):
    total = np.arange(1.0, 3001.0)
    hundredths = round(share * 100)
    expected = [-(-hundredths * rows // 100) for rows in range(1, 3001)]
    assert least(share, total).tolist() == expected


def test_misses_of_a_detector_are_no_answers():
    rows = answers([0.9, 0.8, 0.0], [True, False, False]).assign(class_pred=["a", "b", None])
    assert value(rows, "aurc") == pytest.approx((0 + 1 / 2) / 2)
    assert value(rows, "risk_at_coverage_80") == pytest.approx(1 / 2)
