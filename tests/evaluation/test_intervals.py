import numpy as np
import pytest
from scipy.stats import binomtest, bootstrap, t

from evaluation.setting import SETTING
from vouch.evaluation.intervals import (
    Measure,
    bca_levels,
    clopper_pearson_end,
    effective_groups,
    estimate,
    expanded_p,
    expanded_tail,
    group_weights,
    jackknife,
)


def mean_of(values, support=None, *, share=False):
    """The mean of one value a group, as a measure."""
    values = np.asarray(values, dtype=np.float64)
    support = np.ones(len(values)) if support is None else np.asarray(support, dtype=np.float64)
    return Measure(lambda weights: (weights @ (values * support)) / (weights @ support), support, share=share)


def weights_for(n_groups, replicates=2000, seed=0):
    return group_weights(n_groups, replicates=replicates, rng=np.random.default_rng(seed))


def test_every_replicate_draws_as_many_groups_as_there_are():
    weights = weights_for(7, replicates=100)
    assert weights.shape == (100, 7)
    assert set(weights.sum(axis=1)) == {7}


def test_the_interval_of_a_mean_agrees_with_scipys_percentile_bootstrap_up_to_the_expansion():
    values = np.random.default_rng(1).gamma(2.0, size=200)
    ours = estimate(mean_of(values), weights_for(200, 20_000), SETTING)
    peer = bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(2), vectorized=True
    ).confidence_interval
    width = peer.high - peer.low
    assert ours.low == pytest.approx(peer.low, abs=0.03 * width)
    assert ours.high == pytest.approx(peer.high, abs=0.03 * width)


def test_few_groups_widen_the_interval_to_that_of_t():
    # for a mean of normal values the expanded percentile interval is the t interval, up to the bootstrap's own noise
    values = np.random.default_rng(4).normal(size=12)
    ours = estimate(mean_of(values), weights_for(12, 50_000), SETTING)
    reach = t.ppf(0.975, 11) * values.std(ddof=1) / np.sqrt(12)
    assert ours.high - ours.low == pytest.approx(2 * reach, rel=0.06)


def test_the_tail_of_many_groups_is_the_plain_one():
    assert expanded_tail(0.95, 1_000_000) == pytest.approx(0.025, abs=1e-6)


@pytest.mark.parametrize("n_groups", [3, 10, 200])
def test_p_is_alpha_where_the_interval_just_touches_zero(n_groups):
    assert expanded_p(expanded_tail(0.95, n_groups), n_groups) == pytest.approx(0.05)


def test_p_of_no_difference_is_one():
    assert expanded_p(1.0, 30) == pytest.approx(1.0)


@pytest.mark.parametrize(("successes", "trials"), [(0, 5), (60, 60)])
def test_the_end_of_clopper_pearson_is_scipys(successes, trials):
    exact = binomtest(successes, trials).proportion_ci(0.95, method="exact")
    assert clopper_pearson_end(successes / trials, trials, level=0.95) == pytest.approx((exact.low, exact.high))


def test_equal_groups_are_as_many_as_they_are_and_one_giant_counts_as_one():
    assert effective_groups(np.array([4.0, 4.0, 4.0, 0.0])) == pytest.approx(3)
    assert effective_groups(np.array([1e9, 1.0, 1.0])) == pytest.approx(1)


def test_a_perfect_share_is_not_certain():
    # 10 groups of 50 rows, all right: as uncertain as 10 of 10, not as 500 of 500
    found = estimate(mean_of(np.ones(10), np.full(10, 50.0), share=True), weights_for(10), SETTING)
    exact = binomtest(10, 10).proportion_ci(0.95, method="exact")
    assert (found.value, found.high, found.n_rows, found.n_groups) == (1.0, 1.0, 500, 10)
    assert found.low == pytest.approx(exact.low)


def test_no_support_is_null_and_counted_as_none():
    found = estimate(Measure(lambda weights: weights[:, 0] * np.nan, np.zeros(4), share=True), weights_for(4), SETTING)
    assert (found.value, found.low, found.high, found.n_rows, found.n_groups) == (None, None, None, 0, 0)


def test_one_group_has_a_value_and_no_interval():
    found = estimate(mean_of([0.5, 9.0], [8, 0]), weights_for(2), SETTING)
    assert (found.value, found.low, found.high, found.n_groups) == (0.5, None, None, 1)


def test_replicates_without_support_are_left_out():
    # two of 400 groups have rows: every seventh replicate draws neither
    support = np.r_[5.0, 5.0, np.zeros(398)]
    values = np.r_[0.2, 0.6, np.zeros(398)]

    def mean(weights):
        below = weights @ support
        return np.divide(weights @ (values * support), below, out=np.full(len(weights), np.nan), where=below > 0)

    found = estimate(Measure(mean, support, share=True), weights_for(400), SETTING)
    assert (found.low, found.value, found.high) == pytest.approx((0.2, 0.4, 0.6))


def rate(values, axis):
    return 1 / np.mean(values, axis=axis)


@pytest.mark.parametrize(("statistic", "name"), [(np.mean, "mean"), (rate, "rate")])
def test_bca_ends_agree_with_scipys_on_independent_rows(statistic, name):
    values = np.random.default_rng(5).gamma(0.5, size=60)  # skewed: BCa moves both ends by a tenth of the width
    mean = mean_of(values)
    measure = mean if name == "mean" else Measure(lambda weights: 1 / mean.values(weights), mean.support, share=False)
    replicates, own = measure.values(weights_for(60, 40_000)), measure.values(np.ones((1, 60), dtype=np.int32))[0]
    levels = bca_levels(replicates, own, jackknife(measure), tail=0.025)
    low, high = np.quantile(replicates, levels)
    peer = bootstrap(
        (values,), statistic, n_resamples=40_000, method="BCa", rng=np.random.default_rng(6), vectorized=True
    ).confidence_interval
    plain = np.quantile(replicates, [0.025, 0.975])
    width = peer.high - peer.low
    assert (low, high) == pytest.approx((peer.low, peer.high), abs=0.03 * width)
    assert abs(plain - [peer.low, peer.high]).max() > 0.05 * width


def test_bca_of_a_symmetric_metric_is_the_percentile_interval():
    values = np.random.default_rng(7).normal(size=300)
    measure = mean_of(np.r_[values, -values])
    plain, corrected = (
        estimate(measure, weights_for(600, 4000), SETTING, interval=interval) for interval in ("percentile", "bca")
    )
    close = 0.05 * (plain.high - plain.low)
    assert (corrected.low, corrected.high) == pytest.approx((plain.low, plain.high), abs=close)


def test_the_jackknife_leaves_out_one_group_at_a_time_also_beyond_a_block():
    values = np.random.default_rng(8).normal(size=300)
    expected = [np.delete(values, group).mean() for group in range(300)]
    assert jackknife(mean_of(values)) == pytest.approx(expected)


def test_bca_of_replicates_on_one_side_stays_within_them():
    levels = bca_levels(np.array([2.0, 3.0, 4.0]), 1.0, np.array([1.0, 1.1, 0.2]), tail=0.025)
    assert all(0 <= level <= 1 for level in levels)
    assert levels[0] <= levels[1]


def test_an_undefined_value_is_null_though_rows_support_it():
    found = estimate(
        Measure(lambda weights: np.full(len(weights), np.nan), np.ones(4), share=True), weights_for(4), SETTING
    )
    assert (found.value, found.low, found.high, found.n_rows, found.n_groups) == (None, None, None, 4, 4)
