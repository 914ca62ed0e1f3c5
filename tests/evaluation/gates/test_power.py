"""What a rule can see, against exact calculations: binomial and beta-binomial sums, and normal quantiles by hand."""

import numpy as np
import pytest
from scipy import stats

from vouch.evaluation.gates.margins import least_margin
from vouch.evaluation.gates.power import (
    RATES,
    SHARES,
    Subject,
    World,
    again,
    beyond,
    chance,
    compliant,
    curve,
    intended,
    least_factor,
    subject,
)
from vouch.evaluation.gates.rules import Rule
from vouch.evaluation.metrics.shares import lower_bound, reaches

WORLD = World(level=0.95, correlation=0.05, seed=1)


def rule(**changes):
    asked = {"source": "test", "metric": "recall", "limit": 0.9, "bound": "worst"}
    return Rule(**asked | {"min_groups": 2} | changes)


def measured(value, low, high, **changes):
    return subject(rule(**changes), {"value": value, "low": low, "high": high, "n_groups": 50}, None)


@pytest.mark.parametrize(
    ("metric", "bound", "read", "truth"),
    [("recall", "worst", "low", 0.95), ("fnr_on_exits", "worst", "high", 0.06), ("recall", "value", "value", 0.91)],
)
def test_of_one_row_a_group_the_chance_is_the_exact_binomial_test_s(metric, bound, read, truth):
    n, limit = 200, 0.9 if metric == "recall" else 0.1
    counts = np.arange(n + 1)
    ends = {
        "low": stats.beta.ppf(0.025, counts, n - counts + 1),
        "high": stats.beta.ppf(0.975, counts + 1, n - counts),
        "value": counts / n,
    }[read]
    passing = np.nan_to_num(ends) >= limit if metric == "recall" else np.nan_to_num(ends, nan=1.0) <= limit
    exact = stats.binom.pmf(counts, n, truth)[passing].sum()
    about = intended(rule(metric=metric, bound=bound, limit=limit), groups=n, per_group=1)
    assert 0.2 < exact < 0.9
    assert chance(about, truth, WORLD, factor=1, draws=1000) == pytest.approx(exact, abs=0.05)


def test_groups_are_as_alike_as_the_correlation_says():
    one = stats.betabinom.pmf(np.arange(6), 5, 0.92 * 7 / 3, 0.08 * 7 / 3)  # correlation .3
    whole = np.ones(1)
    for _ in range(20):
        whole = np.convolve(whole, one)
    exact = whole[np.arange(101) / 100 >= 0.9].sum()
    about = intended(rule(bound="value"), groups=20, per_group=5)
    found = chance(about, 0.92, World(0.95, 0.3, 1), factor=1, draws=2000)
    assert found == pytest.approx(exact, abs=0.04)
    assert abs(stats.binom.sf(89, 100, 0.92) - exact) > 0.06  # independent rows would pass more often


def test_a_bound_is_reached_where_the_gate_s_own_bound_is():
    rng = np.random.default_rng(3)
    rows = np.tile(rng.integers(1, 9, 30), (60, 1)).astype(np.float64)
    share = rng.beta(12, 1, (60, 30))
    hits = rng.binomial(rows.astype(int), share).astype(np.float64)
    hits[0] = rows[0]
    for limit in (0.3, 0.8, 0.88, 0.93):
        asked = {"correlation": 0.1, "tail": 0.025}
        bounds = np.array([lower_bound(*draw, **asked) for draw in zip(hits, rows, strict=True)])
        assert reaches(hits, rows, limit=limit, **asked).tolist() == (bounds >= limit).tolist()


def test_the_chance_rises_with_the_truth_and_with_the_groups():
    sizes = np.random.default_rng(0).integers(1, 12, 40).astype(np.float64)
    about = Subject(rule(), None, None, None, 40, sizes)
    by_truth = [chance(about, truth, WORLD, factor=1, draws=300) for truth in np.linspace(0.88, 1.0, 9)]
    assert by_truth == sorted(by_truth)
    assert by_truth[0] < 0.05 < by_truth[-1] == 1.0
    by_groups = [chance(about, 0.94, WORLD, factor=factor, draws=300) for factor in (0.25, 1, 4, 16)]
    assert by_groups == sorted(by_groups)
    assert by_groups[-1] > 0.9 > by_groups[1]


def test_a_metric_that_is_no_share_is_normal_as_wide_as_its_interval():
    about = measured(0.95, 0.93, 0.96, metric="map50")
    chances = [chance(about, truth, WORLD, factor=1, draws=1) for truth in (0.9, 0.92, 0.94)]
    assert chances == pytest.approx([0.025, 0.5, 0.975], abs=1e-4)
    assert chance(about, 0.92, WORLD, factor=4, draws=1) == pytest.approx(0.975, abs=1e-4)
    high = measured(0.02, 0.0, 0.03, metric="ece", limit=0.05)
    assert chance(high, 0.04, WORLD, factor=1, draws=1) == pytest.approx(0.5, abs=1e-4)
    of_value = measured(0.95, 0.93, 0.96, metric="map50", bound="value")
    assert chance(of_value, 0.9, WORLD, factor=1, draws=1) == pytest.approx(0.5)


def test_evidence_that_is_missing_passes_never_and_a_spread_that_nobody_knows_is_none():
    assert chance(measured(None, None, None), 0.99, WORLD, factor=1, draws=1) == 0.0
    assert again(subject(rule(), {}, None), WORLD) == 0.0
    few = intended(rule(min_groups=15), groups=14, per_group=8)
    assert chance(few, 1.0, WORLD, factor=1, draws=10) == 0.0
    assert chance(measured(0.95, None, None, metric="map50", bound="value"), 0.95, WORLD, factor=1, draws=1) is None


def test_a_share_that_was_perfect_is_not_certain_to_come_out_so_again():
    sizes = np.ones(40)
    perfect = subject(rule(limit=0.91), {"value": 1.0, "low": 0.912, "high": 1.0, "n_groups": 40}, sizes)
    assert again(perfect, WORLD) == pytest.approx((1 - 0.5 / 40) ** 40, abs=0.05)  # one miss in 40 has .868


@pytest.mark.parametrize(
    ("changes", "step", "truth"),
    [
        ({"limit": 0.95}, 0.02, 0.97),
        ({"limit": 0.95}, -0.01, 0.94),
        ({"limit": 0.98}, 0.02, None),
        ({"metric": "ece", "limit": 0.02}, 0.02, None),
        ({"metric": "nll", "limit": 0.5}, 0.02, 0.4),
        ({"metric": "map50", "limit": -0.01, "source": "comparison"}, 0.02, 0.01),
    ],
)
def test_truths_beyond_a_limit_stop_at_the_metric_s_end(changes, step, truth):
    assert beyond(rule(**changes), step) == (None if truth is None else pytest.approx(truth))


def test_a_compliant_model_is_half_way_to_an_end_that_is_near():
    assert compliant(rule(limit=0.95), 0.02) == pytest.approx(0.97)
    assert compliant(rule(limit=0.98), 0.02) == pytest.approx(0.99)
    assert compliant(rule(metric="ece", limit=0.02), 0.02) == pytest.approx(0.01)


def test_groups_are_needed_as_the_normal_calculation_says():
    about = measured(0.95, 0.93, 0.96, metric="map50")
    found = curve(about, 0.92, WORLD)
    factors = np.geomspace(1 / 16, 128, 400)
    # passes with .8 where room / deviation is 1.96 + .8416: (2.8016 / 1.96) ** 2 times the groups
    assert least_factor(found.at, target=0.8, factors=factors) == pytest.approx((2.8016 / 1.96) ** 2, rel=0.03)
    assert least_factor(curve(about, 0.9, WORLD).at, target=0.8, factors=factors) is None


def test_a_margin_is_resolvable_where_an_equal_model_passes_that_often():
    margin = least_margin(
        {"delta": 0.0, "low": -0.0196, "standard_error": 0.0196 / stats.norm.isf(0.025)}, op=">=", bound="low"
    )
    assert margin == pytest.approx((1.96 + 0.8416) * 0.01, rel=1e-3)
    wide = Subject(rule(metric="map50", source="comparison", limit=-margin), 0.0, -0.0196, 0.0196, 50, None)
    assert chance(wide, 0.0, WORLD, factor=1, draws=1) == pytest.approx(0.8)


def test_shares_count_rows_and_rates_have_no_end_that_a_limit_comes_near():
    exits = {"accuracy_on_exits", "fnr_on_exits", "fpr_on_exits"}
    crops = {"top1", "top1_accepted", "known_accept_rate", "unknown_false_accept_rate"}
    counts = {"exact_count_rate", "false_gap_rate", "hidden_gap_rate"}
    others = {"recall", "precision", "accuracy", "coverage", "limit_reached_fraction"}
    assert others | exits | crops | counts == SHARES
    sizes = {"false_alarms_per_sample", "average_set_size", "set_size_all"}
    assert {"nll", "brier", "aurc", "e_aurc", "augrc", "count_mae", "count_mae_micro"} | sizes == RATES
