import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from evaluation.photographs import copied
from evaluation.setting import SETTING
from vouch.evaluation.metrics.definitions.table import METRICS
from vouch.evaluation.metrics.intervals import estimate, group_weights, point
from vouch.evaluation.metrics.measures import MEASURES, missing_columns

RATIOS = ("top1", "top1_accepted", "known_accept_rate", "unknown_false_accept_rate")
RANKS = ("auroc_unknown", "oscr", "tpr_at_fpr_05")


def rows_of(true, said, score, accept=True, group=None):
    """Crops; a true product of None is one that the gallery does not know."""
    table = pd.DataFrame({"class_true": pd.array(true, dtype="str"), "class_pred": pd.array(said, dtype="str")})
    right = [one is not None and one == other for one, other in zip(true, said, strict=True)]
    index = np.arange(len(table)) if group is None else group
    return table.assign(correct=right, similarity=score, accept=accept, group_index=index)


def crops(seed, *, size=400, groups=25, decimals=6, unknown=0.3):
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, size)
    product = rng.choice(["a", "b", "c"], size).astype(object)
    strange = rng.random(size) < unknown
    right = rng.random(size) < 0.85
    said = np.where(right, product, "d")
    score = np.round(
        np.where(strange, 0.3, 0.6) + 0.1 * rng.normal(size=groups)[group] + 0.2 * rng.normal(size=size), decimals
    )
    true = [None if odd else name for odd, name in zip(strange, product, strict=True)]
    return rows_of(true, list(said), score, score > 0.5, group)


def value(rows, name):
    return point(MEASURES[name](rows, int(rows["group_index"].max()) + 1))


def slow_oscr(rows):
    """Walk every threshold from strict to loose, and add up trapezoids of correct names over unknown ones accepted."""
    unknown, score = rows["class_true"].isna(), rows["similarity"]
    points = [(0.0, 0.0)]
    for limit in sorted(score.unique(), reverse=True):
        taken = score >= limit
        fpr, ccr = (taken & unknown).sum() / unknown.sum(), (taken & rows["correct"]).sum() / (~unknown).sum()
        points.append((fpr, ccr))
    return np.trapezoid([y for _, y in points], [x for x, _ in points])


def slow_tpr(rows):
    fpr, tpr, _ = roc_curve(rows["class_true"].notna(), rows["similarity"], drop_intermediate=False)
    return tpr[fpr <= 0.05].max()


SLOW = {
    "top1": lambda rows: rows.loc[rows["class_true"].notna(), "correct"].mean(),
    "top1_accepted": lambda rows: rows.loc[rows["accept"], "correct"].mean(),
    "known_accept_rate": lambda rows: rows.loc[rows["class_true"].notna(), "accept"].mean(),
    "unknown_false_accept_rate": lambda rows: rows.loc[rows["class_true"].isna(), "accept"].mean(),
    "auroc_unknown": lambda rows: roc_auc_score(rows["class_true"].notna(), rows["similarity"]),
    "oscr": slow_oscr,
    "tpr_at_fpr_05": slow_tpr,
}


def test_by_hand():
    # known right, known wrong, unknown, known right, unknown; the last two stay unknown
    rows = rows_of(
        ["a", "b", None, "a", None],
        ["a", "c", "a", "a", "b"],
        [0.9, 0.8, 0.7, 0.6, 0.5],
        [True, True, True, False, False],
    )
    assert value(rows, "top1") == pytest.approx(2 / 3)
    assert value(rows, "top1_accepted") == pytest.approx(1 / 3)
    assert value(rows, "known_accept_rate") == pytest.approx(2 / 3)
    assert value(rows, "unknown_false_accept_rate") == pytest.approx(1 / 2)
    assert value(rows, "auroc_unknown") == pytest.approx(5 / 6)  # of six pairs one is the wrong way round
    assert value(rows, "oscr") == pytest.approx((1 / 3 + 2 / 3) / 2)  # right names above each unknown crop
    assert value(rows, "tpr_at_fpr_05") == pytest.approx(2 / 3)


def test_no_order_of_tied_crops_is_better_than_another():
    for places in ([0, 1, 2], [2, 0, 1]):
        rows = rows_of(["a", None, "b"], ["a", "a", "c"], [0.5, 0.5, 0.5]).iloc[places]
        assert value(rows, "auroc_unknown") == pytest.approx(1 / 2)
        assert value(rows, "oscr") == pytest.approx(1 / 4)
        assert value(rows, "tpr_at_fpr_05") == 0.0


def test_up_to_five_percent_of_the_unknown_crops_may_pass():
    strange = np.linspace(0.9, 0.1, 40)  # two of them are 5 %
    known = [0.95, 0.89, 0.87, 0.85, 0.5]
    rows = rows_of([None] * 40 + ["a"] * 5, ["a"] * 45, np.concatenate([strange, known]))
    assert value(rows, "tpr_at_fpr_05") == pytest.approx(3 / 5)  # the third unknown one scores .859


@pytest.mark.parametrize("name", [*RATIOS, *RANKS])
@pytest.mark.parametrize("decimals", [6, 1])
@pytest.mark.parametrize("unknown", [0.1, 0.8])
def test_values_are_those_of_scikit_learn_or_of_a_loop(name, decimals, unknown):
    rows = crops(0, decimals=decimals, unknown=unknown)
    assert value(rows, name) == pytest.approx(SLOW[name](rows), abs=1e-12)


@pytest.mark.parametrize("name", [*RATIOS, *RANKS])
@pytest.mark.parametrize("decimals", [6, 1])
def test_a_replicate_equals_the_metric_of_rows_copied_by_hand(name, decimals):
    rows = crops(1, decimals=decimals)
    weights = group_weights(25, replicates=6, rng=np.random.default_rng(0))
    expected = [SLOW[name](copied(rows, drawn)) for drawn in weights]
    assert MEASURES[name](rows, 25).values(weights) == pytest.approx(expected, abs=1e-12)
    assert len(set(expected)) > 1


def test_no_oscr_exceeds_top_1():
    rows = crops(2, size=100)
    apart = rows.assign(similarity=np.where(rows["class_true"].isna(), 0.1, 0.9))
    assert value(apart, "auroc_unknown") == 1.0
    assert value(apart, "oscr") == pytest.approx(value(rows, "top1"))


def test_crops_are_ranked_by_what_the_policy_decides_by():
    rows = crops(3)
    other = crops(4)["similarity"].to_numpy()
    for name in RANKS:
        swapped = rows.assign(similarity=other)
        assert value(rows.assign(p_value=other), name) == pytest.approx(SLOW[name](swapped), abs=1e-12)


@pytest.mark.parametrize("name", RANKS)
def test_without_unknown_or_without_known_crops_a_rank_has_no_value(name):
    weights = group_weights(25, replicates=200, rng=np.random.default_rng(0))
    for unknown in (0.0, 1.0):
        rows = crops(5, unknown=unknown)
        found = estimate(MEASURES[name](rows, 25), weights, SETTING, method=METRICS[name].interval)
        assert (found.value, found.low, found.high) == (None, None, None)


def test_without_a_right_name_oscr_is_zero_and_without_unknown_crops_it_is_none_even_then():
    assert value(crops(6).assign(correct=False), "oscr") == 0.0
    assert np.isnan(value(crops(6, unknown=0.0).assign(correct=False), "oscr"))


@pytest.mark.parametrize("name", [*RATIOS, *RANKS])
def test_each_has_an_interval_that_holds_its_value(name):
    rows, weights = crops(7), group_weights(25, replicates=200, rng=np.random.default_rng(0))
    found = estimate(MEASURES[name](rows, 25), weights, SETTING, method=METRICS[name].interval)
    assert found.low < found.value < found.high
    unknown, known = int(rows["class_true"].isna().sum()), int(rows["class_true"].notna().sum())
    rarer = min(unknown, known)
    support = {"unknown_false_accept_rate": unknown, "top1_accepted": int(rows["accept"].sum())}
    support |= {"auroc_unknown": rarer, "oscr": rarer}
    assert found.n_rows == support.get(name, known)


def test_a_perfect_order_is_not_certain():
    rows = crops(8)
    rows = rows.assign(similarity=np.where(rows["class_true"].isna(), 0.1, 0.9), correct=rows["class_true"].notna())
    weights = group_weights(25, replicates=200, rng=np.random.default_rng(0))
    for name in RANKS:
        found = estimate(MEASURES[name](rows, 25), weights, SETTING, method=METRICS[name].interval)
        assert (found.value, found.high) == (1.0, 1.0)
        assert 0.9 < found.low < 1


def test_they_are_of_rows_with_a_similarity_alone():
    rows = crops(9)
    for name in (*RATIOS, *RANKS):
        assert missing_columns(rows, name) == []
        assert missing_columns(rows.drop(columns="similarity"), name) == ["similarity"]
