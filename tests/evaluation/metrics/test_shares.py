"""The bound of a share against other implementations, and what it must never do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, binom, binomtest, norm, t

from vouch.evaluation.metrics.shares import effective_rows, intraclass_correlation, lower_bound, share_interval

TAIL = 0.025
CORRELATIONS = st.sampled_from([0.0, 0.02, 0.05, 0.3, 1.0])
EXAMPLES = settings(max_examples=60, deadline=None, database=None)
TAILS = st.sampled_from([0.0005, 0.005, 0.025, 0.05, 0.2])


def low(hits, rows, correlation=0.05, tail=TAIL):
    return lower_bound(np.asarray(hits, float), np.asarray(rows, float), correlation=correlation, tail=tail)


@pytest.mark.parametrize(("hits", "rows"), [(0, 7), (1, 7), (5, 7), (60, 60), (290, 300)])
def test_rows_in_groups_of_their_own_have_clopper_pearsons_interval(hits, rows):
    found = share_interval((np.arange(rows) < hits) * 1.0, np.ones(rows), correlation=0.3, level=0.95)
    exact = binomtest(hits, rows).proportion_ci(0.95, method="exact")
    assert found == pytest.approx((exact.low, exact.high))


@pytest.mark.parametrize("correlation", [0.0, 0.05, 0.4])
def test_a_perfect_share_of_equal_groups_is_korn_and_graubards(correlation):
    # 23 groups of 7: 161 rows over a design effect of 1 + 6 rho
    effective = 161 / (1 + 6 * correlation)
    assert low([7] * 23, [7] * 23, correlation) == pytest.approx(beta.ppf(TAIL, effective, 1))


def test_spread_misses_of_equal_groups_are_korn_and_graubards():
    # one miss in 4 of 23 groups of 7: no two share a group, so what was planned decides
    hits = np.repeat([6, 7], [4, 19])
    effective = 161 / (1 + 6 * 0.05)
    misses = 4 / (1 + 6 * 0.05)
    assert low(hits, [7] * 23) == pytest.approx(beta.ppf(TAIL, effective - misses, misses + 1))


def contradicts(share, hits, rows, tail):
    """Whether misses so clustered speak against this share of misses: written out a second time, pair by pair."""
    misses = [int(row - hit) for hit, row in zip(hits, rows, strict=True)]
    pairs = 0.0
    for missed, row in zip(misses, rows, strict=True):
        for _ in range(missed):
            pairs += max(missed - 1 - share * (row - 1), 0.0)
    if share > 0.5:  # of many misses most share a group by chance
        for row in rows:
            counts = np.arange(row + 1)
            left = counts * np.maximum(counts - 1 - share * (row - 1), 0.0)
            pairs -= float(binom.pmf(counts, row, share) @ left)
        pairs = max(pairs, 0.0)
    total, size = sum(misses), int(sum(rows))
    pairs *= (t.ppf(tail, len(rows) - 1) / norm.ppf(tail)) ** 2 / (1 - share)
    pairs = min(pairs, total * (total - 1))
    worst = []
    for count, effect in ((total, 1 + pairs / total), *[((1 + np.sqrt(1 + 4 * pairs)) / 2,) * 2]):
        worst.append(beta.sf(share, count / effect + 1, (size - count) / effect))
    return max(worst) <= tail


@pytest.mark.parametrize(
    "misses", [[5, 0, 3, 0, 1], [7, 0, 0, 0, 0], [2, 2, 2, 2, 2], [6, 5, 6, 0, 0], [8] * 16 + [1, 2], [7, 8] * 14]
)
def test_misses_of_one_group_lower_the_bound_as_far_as_their_pairs_say(misses):
    rows = np.full(30, 8.0)
    hits = rows - np.pad(misses, (0, 30 - len(misses)))
    found = 1 - low(hits, rows, 0.05)
    planned = 240 / (1 + 7 * 0.05)
    share = sum(misses) / 240
    of_plan = beta.ppf(1 - TAIL, share * planned + 1, (1 - share) * planned)
    grid = np.linspace(of_plan, 1, 20_001)[:-1]
    expected = next(share for share in grid if contradicts(share, hits, rows, TAIL))
    assert found == pytest.approx(expected, abs=1e-4)
    assert found >= of_plan - 1e-12


def test_the_other_end_of_few_misses_is_what_the_groups_are_worth_together():
    # 3 misses of 161: the many hits share groups by chance, which says nothing of them
    hits = np.repeat([6, 7], [3, 20])
    _, high = share_interval(hits * 1.0, np.full(23, 7.0), correlation=0.05, level=0.95)
    assert high == pytest.approx(beta.ppf(0.975, 158 / 1.3 + 1, 3 / 1.3))


def test_the_tail_of_the_beta_distribution_is_the_binomials():
    for share in (0.01, 0.1, 0.3):
        assert beta.sf(share, 3 + 1, 50 - 3) == pytest.approx(1 - binom.sf(3, 50, share))


def test_large_groups_that_fare_worse_count_in_full():
    # 5 groups of 40 with .8, 40 of 4 without a miss: weighed by worth the share would be .94, of the rows it is .89
    rows, hits = np.repeat([40.0, 4.0], [5, 40]), np.repeat([32.0, 4.0], [5, 40])
    worth = effective_rows(rows, 0.05)
    of_rows = beta.ppf(TAIL, 320 / 360 * worth, 40 / 360 * worth + 1)
    assert low(hits, rows) <= of_rows + 1e-12


def test_one_group_is_one_observation():
    assert low([500], [500]) == pytest.approx(TAIL)
    assert effective_rows(np.array([500.0, 0.0]), 0.05) == 1.0


def test_nothing_and_no_hit_have_the_bound_of_nothing():
    assert low([0, 0], [3, 4]) == low([], []) == low([0, 0], [0, 0]) == 0.0


def test_the_correlation_is_that_of_a_slow_count_over_pairs():
    rng = np.random.default_rng(3)
    rows = rng.integers(1, 9, 40)
    group = np.repeat(np.arange(40), rows)
    right = rng.random(len(group)) < rng.beta(3, 1, 40)[group]
    share = right.mean()
    products = [
        (right[i] - share) * (right[j] - share)
        for i in range(len(group))
        for j in range(len(group))
        if i != j and group[i] == group[j]
    ]
    expected = np.mean(products) / (share * (1 - share))
    assert expected > 0.05
    hits = np.bincount(group, weights=right)
    assert intraclass_correlation(hits, rows * 1.0) == pytest.approx(expected)


def test_groups_that_agree_throughout_are_wholly_alike_and_none_says_nothing():
    assert intraclass_correlation(np.array([5.0, 0.0, 5.0]), np.full(3, 5.0)) == pytest.approx(1.0)
    assert intraclass_correlation(np.array([5.0, 5.0]), np.full(2, 5.0)) == 0.0
    assert intraclass_correlation(np.array([1.0, 0.0]), np.ones(2)) == 0.0
    assert intraclass_correlation(np.array([]), np.array([])) == 0.0


@st.composite
def groups(draw, most=25):
    """Groups of up to 40 rows, with few or many misses, alone or together."""
    rows = draw(st.lists(st.integers(1, 40), min_size=1, max_size=most))
    share = draw(st.sampled_from([0.0, 0.02, 0.1, 0.5, 1.0]))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    alike = draw(st.booleans())
    rate = rng.beta(share * 0.5 + 1e-3, (1 - share) * 0.5 + 1e-3, len(rows)) if alike else np.full(len(rows), share)
    return rng.binomial(rows, rate), np.array(rows), rng


@EXAMPLES
@given(groups(), CORRELATIONS, TAILS)
def test_a_miss_that_becomes_a_hit_never_lowers_the_bound(drawn, correlation, tail):
    misses, rows, rng = drawn
    if misses.any():
        fewer = misses.copy()
        fewer[rng.choice(np.flatnonzero(misses))] -= 1
        assert low(rows - fewer, rows, correlation, tail) >= low(rows - misses, rows, correlation, tail) - 1e-9


@EXAMPLES
@given(groups(), CORRELATIONS, TAILS)
def test_a_further_hit_never_lowers_the_bound(drawn, correlation, tail):
    misses, rows, rng = drawn
    more = rows.copy()
    more[rng.integers(len(rows))] += 1
    assert low(more - misses, more, correlation, tail) >= low(rows - misses, rows, correlation, tail) - 1e-9


@EXAMPLES
@given(groups(), CORRELATIONS, TAILS, st.integers(1, 60))
def test_a_further_group_of_hits_never_lowers_the_bound(drawn, correlation, tail, size):
    misses, rows, _ = drawn
    before = low(rows - misses, rows, correlation, tail)
    assert low(np.append(rows - misses, size), np.append(rows, size), correlation, tail) >= before - 1e-9


@EXAMPLES
@given(groups(), CORRELATIONS)
def test_the_order_of_groups_and_empty_ones_change_nothing(drawn, correlation):
    misses, rows, rng = drawn
    order = rng.permutation(len(rows))
    shuffled = low(np.append(rows - misses, 0)[[-1, *order]], np.append(rows, 0)[[-1, *order]], correlation)
    assert shuffled == pytest.approx(low(rows - misses, rows, correlation), abs=1e-11)


@EXAMPLES
@given(groups(), CORRELATIONS, st.sampled_from([0.8, 0.95, 0.99]))
def test_the_interval_holds_the_value_and_turns_with_the_question(drawn, correlation, level):
    misses, rows, _ = drawn
    ends = share_interval((rows - misses) * 1.0, rows * 1.0, correlation=correlation, level=level)
    turned = share_interval(misses * 1.0, rows * 1.0, correlation=correlation, level=level)
    value = 1 - misses.sum() / rows.sum()
    assert 0 <= ends[0] <= value + 1e-12
    assert value - 1e-12 <= ends[1] <= 1
    assert ends == pytest.approx((1 - turned[1], 1 - turned[0]), abs=1e-12)


@EXAMPLES
@given(groups())
def test_rows_that_are_more_alike_say_less(drawn):
    misses, rows, _ = drawn
    lows = [low(rows - misses, rows, correlation) for correlation in (0.0, 0.05, 0.3, 1.0)]
    assert (np.diff(lows) <= 1e-9).all()


@pytest.mark.parametrize("n_groups", [10, 23, 120])
def test_the_bound_goes_down_gently_from_no_miss_on(n_groups):
    rows = np.full(n_groups, 7.0)
    lows = [low(rows - (np.arange(n_groups) < misses), rows) for misses in range(4)]
    steps = -np.diff(lows)
    assert (steps > 0).all()
    assert steps.max() < 0.75 * (1 - lows[0])  # a miss costs less than what no miss leaves open
