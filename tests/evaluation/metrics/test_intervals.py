from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import beta, binomtest, bootstrap, chi2, norm, t

from evaluation.setting import SETTING
from vouch.evaluation.metrics.intervals import (
    Measure,
    clopper_pearson_end,
    effective_groups,
    estimate,
    expanded_tail,
    group_weights,
    jackknife,
)


def mean_of(values, support=None, *, share=False):
    """The mean of one value per group, as a measure."""
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
    ours = estimate(mean_of(values), weights_for(200, 20_000), SETTING, method="percentile")
    peer = bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(2), vectorized=True
    ).confidence_interval
    width = peer.high - peer.low
    assert ours.low == pytest.approx(peer.low, abs=0.03 * width)
    assert ours.high == pytest.approx(peer.high, abs=0.03 * width)


def test_few_groups_widen_the_interval_to_that_of_t():
    # for a mean of normal values the expanded percentile interval is the t interval, up to the bootstrap's own noise
    values = np.random.default_rng(4).normal(size=12)
    ours = estimate(mean_of(values), weights_for(12, 50_000), SETTING, method="percentile")
    reach = t.ppf(0.975, 11) * values.std(ddof=1) / np.sqrt(12)
    assert ours.high - ours.low == pytest.approx(2 * reach, rel=0.06)


def test_the_tail_of_many_groups_is_the_plain_one():
    assert expanded_tail(0.95, 1_000_000) == pytest.approx(0.025, abs=1e-6)


@pytest.mark.parametrize(("successes", "trials"), [(0, 5), (60, 60)])
def test_the_end_of_clopper_pearson_is_scipys(successes, trials):
    exact = binomtest(successes, trials).proportion_ci(0.95, method="exact")
    assert clopper_pearson_end(successes / trials, trials, level=0.95) == pytest.approx((exact.low, exact.high))


def test_equal_groups_are_as_many_as_they_are_and_one_giant_counts_as_one():
    assert effective_groups(np.array([4.0, 4.0, 4.0, 0.0])) == pytest.approx(3)
    assert effective_groups(np.array([1e9, 1.0, 1.0])) == pytest.approx(1)


def test_a_perfect_value_is_not_certain():
    # 10 groups of 50 rows: each worth 50 / (1 + 49 * .05) independent ones, by whichever method
    measure = mean_of(np.ones(10), np.full(10, 50.0), share=True)
    effective = 10 * 50 / (1 + 49 * 0.05)
    for method in ("percentile", "effective", "logit"):
        found = estimate(measure, weights_for(10), SETTING, method=method)
        assert (found.value, found.high, found.n_rows, found.n_groups) == (1.0, 1.0, 500, 10)
        assert found.low == pytest.approx(0.025 ** (1 / effective))


def test_a_perfect_value_is_not_certain_either_where_few_replicates_are_less():
    # the first of ten groups is drawn five times or oftener in .0016 of replicates: no percentile shows it
    perfect = mean_of(np.ones(10), share=True)
    almost = replace(perfect, values=lambda weights: np.where(weights[:, 0] >= 5, 0.9, 1.0))
    found = estimate(almost, weights_for(10), SETTING, method="percentile")
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.025 ** (1 / 10))


@pytest.mark.parametrize("value", [0.3, 1.0])
def test_groups_that_are_all_alike_show_no_interval_on_a_scale(value):
    found = estimate(mean_of(np.full(5, value), np.full(5, 3.0)), weights_for(5), SETTING, method="log")
    assert found.value == pytest.approx(value)
    assert (found.low, found.high) == (None, None)


def test_a_value_that_varies_like_a_share_has_korn_and_graubards_interval():
    # the jackknife's variance of a mean of equal groups is that of the mean
    values = np.random.default_rng(9).beta(6, 1, 40)
    found = estimate(mean_of(values, np.full(40, 9.0), share=True), weights_for(40), SETTING, method="effective")
    value, variance = values.mean(), values.var(ddof=1) / 40 * (t.ppf(0.975, 39) / norm.ppf(0.975)) ** 2
    rows = min(value * (1 - value) / variance, 360 / (1 + 8 * 0.05))
    assert found.low == pytest.approx(beta.ppf(0.025, value * rows, (1 - value) * rows + 1))
    assert found.high == pytest.approx(beta.ppf(0.975, value * rows + 1, (1 - value) * rows))


def test_independent_events_have_the_exact_limits_of_a_poisson_rate():
    # Garwood 1936: 7 events in 100 rows of groups of their own
    events = np.zeros(100)
    events[:7] = 1
    found = estimate(mean_of(events), weights_for(100), SETTING, method="count")
    assert found.low <= chi2.ppf(0.025, 14) / 200 + 1e-12
    assert found.low == pytest.approx(chi2.ppf(0.025, 14) / 200, rel=0.03)
    assert found.high == pytest.approx(chi2.ppf(0.975, 16) / 200, rel=0.03)


def test_no_event_is_no_certainty_of_none():
    found = estimate(mean_of(np.zeros(23), np.full(23, 7.0)), weights_for(23), SETTING, method="count")
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(-np.log(0.025) / (23 * 7 / (1 + 6 * 0.05)))


@pytest.mark.parametrize(("method", "to", "back"), [("log", np.log, np.exp), ("logit", logit, expit)])
def test_a_scaled_interval_is_the_t_interval_of_pseudo_values(method, to, back):
    values = np.random.default_rng(10).beta(5, 2, 30)
    found = estimate(mean_of(values), weights_for(30), SETTING, method=method)
    left_out = to([np.delete(values, group).mean() for group in range(30)])
    pseudo = 30 * to(values.mean()) - 29 * left_out
    reach = t.ppf(0.975, 29) * pseudo.std(ddof=1) / np.sqrt(30)
    assert (found.low, found.high) == pytest.approx(tuple(back(to(values.mean()) + np.array([-reach, reach]))))


def test_a_value_at_the_end_of_its_scale_has_no_ends_or_those_of_a_share():
    nothing = mean_of(np.zeros(12))
    assert estimate(nothing, weights_for(12), SETTING, method="log").high is None
    share = mean_of(np.zeros(12), share=True)
    assert estimate(share, weights_for(12), SETTING, method="log").high == pytest.approx(1 - 0.025 ** (1 / 12))


@pytest.mark.parametrize(
    ("sizes", "few"), [([5] * 20, False), ([5] * 19, True), ([5] * 20 + [200], True), ([5] * 20 + [0], False)]
)
def test_few_or_very_unequal_groups_are_marked(sizes, few):
    measure = mean_of(np.full(len(sizes), 0.5), sizes)
    assert estimate(measure, weights_for(len(sizes)), SETTING, method="percentile").few_groups is few


def test_no_support_is_null_and_counted_as_none():
    found = estimate(
        Measure(lambda weights: weights[:, 0] * np.nan, np.zeros(4), share=True),
        weights_for(4),
        SETTING,
        method="percentile",
    )
    assert (found.value, found.low, found.high, found.n_rows, found.n_groups) == (None, None, None, 0, 0)


def test_one_group_has_a_value_and_no_interval():
    found = estimate(mean_of([0.5, 9.0], [8, 0]), weights_for(2), SETTING, method="percentile")
    assert (found.value, found.low, found.high, found.n_groups) == (0.5, None, None, 1)


def test_replicates_without_support_are_left_out():
    # two of 400 groups have rows: every seventh replicate draws neither
    support = np.r_[5.0, 5.0, np.zeros(398)]
    values = np.r_[0.2, 0.6, np.zeros(398)]

    def mean(weights):
        below = weights @ support
        return np.divide(weights @ (values * support), below, out=np.full(len(weights), np.nan), where=below > 0)

    found = estimate(Measure(mean, support, share=True), weights_for(400), SETTING, method="percentile")
    assert (found.low, found.value, found.high) == pytest.approx((0.2, 0.4, 0.6))


def test_the_jackknife_leaves_out_one_group_at_a_time_also_beyond_a_block():
    values = np.random.default_rng(8).normal(size=300)
    expected = [np.delete(values, group).mean() for group in range(300)]
    assert jackknife(mean_of(values)) == pytest.approx(expected)


def test_an_undefined_value_is_null_though_rows_support_it():
    found = estimate(
        Measure(lambda weights: np.full(len(weights), np.nan), np.ones(4), share=True),
        weights_for(4),
        SETTING,
        method="percentile",
    )
    assert (found.value, found.low, found.high, found.n_rows, found.n_groups) == (None, None, None, 4, 4)
