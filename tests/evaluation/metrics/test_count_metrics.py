import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from evaluation.setting import SETTING
from vouch.errors import DataError
from vouch.evaluation.gates.rules import Rule
from vouch.evaluation.metrics import counts as counting
from vouch.evaluation.metrics.counts import numbered_counts
from vouch.evaluation.metrics.definitions.table import METRICS
from vouch.evaluation.metrics.intervals import estimate, group_weights, point
from vouch.evaluation.metrics.measures import MEASURES
from vouch.evaluation.metrics.strata import strata_masks
from vouch.evaluation.metrics.table import metrics_table
from vouch.stages.compare import Params

NAMES = ("count_mae", "count_mae_micro", "exact_count_rate", "count_bias", "false_gap_rate", "hidden_gap_rate")
COLUMNS = ["sample_id", "group", "class", "n_true", "n_pred"]
ROWS = pd.DataFrame(
    [
        ("a", "g1", "cola", 3, 3),
        ("a", "g1", "water", 2, 0),  # a false gap
        ("a", "g1", "juice", 0, 0),  # nothing was counted: no pair
        ("b", "g1", "cola", 4, 5),
        ("b", "g1", "water", 0, 1),  # a hidden gap
        ("c", "g2", "cola", 1, 4),
        ("c", "g2", "juice", 0, 0),
    ],
    columns=COLUMNS,
)


def value(rows, name):
    rows = numbered_counts(rows)
    return point(MEASURES[name](rows, rows["group_index"].nunique()))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("count_mae", ((0 + 1 + 3) / 3 + (2 + 1) / 2) / 2),  # cola, then water; juice has no pair
        ("count_mae_micro", (0 + 1 + 3 + 2 + 1) / 5),
        ("exact_count_rate", 1 / 5),
        ("count_bias", (0 + 1 + 3 - 2 + 1) / 5),
        ("false_gap_rate", 1 / 4),  # of cola three times and water once
        ("hidden_gap_rate", 1 / 4),  # of cola three times and water once
    ],
)
def test_metrics_of_counts_by_hand(name, expected):
    assert value(ROWS, name) == pytest.approx(expected)


def test_pairs_of_zero_and_zero_dilute_nothing():
    absent = pd.DataFrame([(f"x{n}", "g1", "cola", 0, 0) for n in range(50)], columns=COLUMNS)
    for name in NAMES:
        assert value(pd.concat([ROWS, absent]), name) == value(ROWS, name)


def test_the_support_is_the_pairs_and_the_groups_that_have_any():
    rows = numbered_counts(ROWS.assign(sample_id=[*"aaabbcd"], group=["g1", "g1", "g1", "g2", "g2", "g3", "g4"]))
    weights = group_weights(4, replicates=200, rng=np.random.default_rng(0))
    found = estimate(MEASURES["count_mae"](rows, 4), weights, SETTING, method="count")
    assert (found.n_rows, found.n_groups) == (5, 3)  # g4 has a pair of zero and zero alone


def random_counts(seed, groups=12, products=9):
    rng = np.random.default_rng(seed)
    place = np.arange(groups * 3)
    there = [(f"s{p}", f"g{p // 3:02d}", f"p{c}") for p in place for c in range(products) if rng.random() < 0.4]
    rows = pd.DataFrame(there, columns=COLUMNS[:3])
    true = rng.integers(0, 4, len(rows))
    return rows.assign(n_true=true, n_pred=np.maximum(true + rng.integers(-1, 3, len(rows)), 0))


def by_loop(rows, name):
    """Every metric again, from lists of pairs."""
    pairs = [(c, t, p) for c, t, p in zip(rows["class"], rows["n_true"], rows["n_pred"], strict=True) if t or p]
    products = {c: [abs(p - t) for d, t, p in pairs if d == c] for c, _, _ in pairs}
    shares = {
        "count_mae": [sum(errors) / len(errors) for errors in products.values()],
        "count_mae_micro": [abs(p - t) for _, t, p in pairs],
        "exact_count_rate": [p == t for _, t, p in pairs],
        "count_bias": [p - t for _, t, p in pairs],
        "false_gap_rate": [p == 0 for _, t, p in pairs if t],
        "hidden_gap_rate": [t == 0 for _, t, p in pairs if p],
    }[name]
    return sum(shares) / len(shares)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("products", [2, 512])
def test_a_replicate_equals_the_metric_of_pairs_copied_by_hand(name, products, monkeypatch):
    monkeypatch.setattr(counting, "PRODUCTS", products)  # blocks that cut the products, or one of them all
    rows = numbered_counts(random_counts(1))
    weights = group_weights(12, replicates=8, rng=np.random.default_rng(0))
    for drawn, found in zip(weights, MEASURES[name](rows, 12).values(weights), strict=True):
        copied = rows.loc[np.repeat(rows.index, drawn[rows["group_index"]])]
        assert found == pytest.approx(by_loop(copied, name))


def test_leaving_out_a_group_by_subtraction_is_leaving_it_out(monkeypatch):
    monkeypatch.setattr(counting, "PRODUCTS", 4)
    rows = numbered_counts(random_counts(3))
    rows = rows[(rows["group"] != "g05") & ((rows["class"] != "p3") | (rows["group"] == "g02"))]  # p3 in g02 alone
    found = MEASURES["count_mae"](rows, 12).without
    for group in range(12):
        assert found[group] == pytest.approx(by_loop(rows[rows["group_index"] != group], "count_mae"), rel=1e-12)


def test_counts_beyond_single_precision_stay_exact():
    # 2^24 + 1 is no number of single precision: the error would be lost to rounding
    rows = numbered_counts(ROWS.assign(n_true=[2**24 - 1, 0, 0, 2, 0, 0, 0], n_pred=[0, 0, 0, 0, 0, 0, 0]))
    assert point(MEASURES["count_mae"](rows, 2)) * 2 == 2**24 + 1


def test_a_product_is_a_stratum_with_its_own_error():
    rows = numbered_counts(ROWS)
    weights = group_weights(2, replicates=200, rng=np.random.default_rng(0))
    masks = strata_masks(rows, [("class",)])
    table = metrics_table(rows, names=NAMES, masks=masks, weights=weights, setting=SETTING)
    assert table["count_mae"]["class=cola"]["value"] == pytest.approx(4 / 3)
    assert table["count_mae"]["class=water"]["value"] == pytest.approx(3 / 2)
    nothing = {"value": None, "low": None, "high": None, "n_rows": 0, "n_groups": 0, "few_groups": True}
    assert all(table[name]["class=juice"] == nothing for name in NAMES)


def test_no_error_at_all_is_no_certainty_of_none():
    rows = numbered_counts(random_counts(2).assign(n_pred=lambda rows: rows["n_true"]))
    weights = group_weights(12, replicates=200, rng=np.random.default_rng(0))
    for name in ("count_mae", "count_mae_micro"):
        found = estimate(MEASURES[name](rows, 12), weights, SETTING, method=METRICS[name].interval)
        assert (found.value, found.low) == (0.0, 0.0)
        assert 0.01 < found.high < 0.3


def test_no_counts_are_no_value():
    rows = numbered_counts(ROWS.iloc[:0])
    assert all(np.isnan(point(MEASURES[name](rows, 0))) for name in NAMES)
    assert all(
        np.isnan(MEASURES[name](rows, 2).values(np.ones((3, 2), np.int32))).tolist() == [True] * 3 for name in NAMES
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n_pred": [3, 0, 0, 5, -1, 4, 0]}, r"b: water: n_pred: expected a whole number from 0 on, got -1"),
        ({"n_true": [3, 2, 0, 4.5, 0, 1, 0]}, r"b: cola: n_true: .* got 4.5"),
        ({"n_true": [3, 2, 0, np.nan, 0, 1, 0]}, r"b: cola: n_true: .* got nan"),
        ({"n_pred": [3, 0, 0, np.inf, 1, 4, 0]}, r"b: cola: n_pred: .* got inf"),
        ({"class": ["cola", "cola", "juice", "cola", "water", "cola", "juice"]}, r"a: cola: expected one row"),
        ({"group": ["g1", "g2", "g1", "g1", "g1", "g2", "g2"]}, r"a: expected one group, got several"),
    ],
)
def test_counts_that_are_none_are_refused(change, said):
    with pytest.raises(DataError, match=said):
        numbered_counts(ROWS.assign(**change))


def test_a_table_that_lacks_a_column_is_refused():
    with pytest.raises(DataError, match="none called group, n_pred"):
        numbered_counts(ROWS.drop(columns=["n_pred", "group"]))


def test_a_bias_is_measured_but_neither_limited_nor_compared():
    rule = {"source": "test", "limit": 0.1, "bound": "worst", "min_groups": 5}
    assert Rule.model_validate({**rule, "metric": "count_mae"}).op == "<="
    with pytest.raises(ValidationError, match="unlike count_bias"):
        Rule.model_validate({**rule, "metric": "count_bias"})
    with pytest.raises(ValidationError, match="unlike count_bias"):
        Params.model_validate({"margins": {"count_bias": 0.1}})
