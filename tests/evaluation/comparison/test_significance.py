from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, permutation_test

from vouch.evaluation.comparison.significance import contributions, flip_signs, flipped_p, holm, least_p
from vouch.evaluation.metrics import ratios
from vouch.evaluation.metrics.intervals import group_weights
from vouch.evaluation.metrics.ratios import ratio


def signs(groups, patterns=2000):
    return flip_signs(groups, patterns=patterns, rng=np.random.default_rng(0))


def recall_of(found, group, groups):
    rows = pd.DataFrame({"group_index": group, "class_true": 1.0, "correct": found, "accept": True})
    return ratio(rows, groups, terms=ratios.recall, share=True)


def added_by(first, second, group, groups, *, smooth=True):
    sides = [recall_of(found, group, groups) for found in (first, second)]
    weights = group_weights(groups, replicates=1000, rng=np.random.default_rng(0))
    deltas = sides[0].values(weights) - sides[1].values(weights)
    delta = first.mean() - second.mean()
    return contributions(*sides, delta=delta, deltas=deltas, weights=weights, smooth=smooth)


def test_signs_are_one_or_minus_one_half_of_the_time_each():
    drawn = signs(40)
    assert set(np.unique(drawn)) == {-1, 1}
    assert abs(drawn.mean()) < 3 / np.sqrt(drawn.size)


def test_p_of_few_groups_is_that_of_all_patterns():
    added = np.array([0.3, -0.1, 0.4, 0.2, 0.25])
    sums = [
        abs(sum(sign * one for sign, one in zip(pattern, added, strict=True))) for pattern in product((1, -1), repeat=5)
    ]
    expected = np.mean([one >= 1.05 - 1e-12 for one in sums])
    assert flipped_p(added, signs(5)) == expected == 4 / 32


def test_p_of_many_groups_is_scipys_permutation_test_of_pairs():
    added = np.random.default_rng(1).normal(0.3, 1, 60)
    expected = permutation_test(
        (added, np.zeros(60)),
        lambda a, b, axis: (a - b).mean(axis=axis),
        permutation_type="samples",
        n_resamples=4000,
        vectorized=True,
        rng=np.random.default_rng(2),
    ).pvalue
    assert flipped_p(added, signs(60)) == pytest.approx(expected, abs=3 * np.sqrt(expected / 2000) * 1.5)


def test_p_of_single_rows_that_one_side_alone_finds_is_that_of_the_sign_test():
    # McNemar: of 15 groups of one truth, six are found by the first side alone and one by the second
    first, second = np.arange(15) != 0, np.isin(np.arange(15), range(1, 7), invert=True)
    p = flipped_p(added_by(first, second, np.arange(15), 15), signs(15, patterns=2**14))
    assert p == pytest.approx(binomtest(6, 7).pvalue)


def test_one_direction_in_five_groups_is_no_surprise_below_one_in_sixteen():
    # percentiles of resampled groups had p = .008 here: no replicate without one of the five has a difference of 0
    group = np.repeat(np.arange(23), 7)
    second = np.ones(161, dtype=bool)
    first = ~np.isin(np.arange(161), [0, 7, 14, 21, 28])
    added = added_by(first, second, group, 23)
    assert np.flatnonzero(np.abs(added) > 1e-12).tolist() == [0, 1, 2, 3, 4]
    assert added[:5] == pytest.approx(-1 / 161)
    assert flipped_p(added, signs(23)) == pytest.approx(2 / 32, abs=3 * np.sqrt(0.0625 / 2000))


def test_what_groups_add_sums_to_the_difference_whichever_way_it_is_found():
    rng = np.random.default_rng(3)
    group = np.sort(rng.integers(0, 30, 300))
    first, second = rng.random(300) < 0.9, rng.random(300) < 0.8
    exact = added_by(first, second, group, 30)
    by_hand = np.bincount(group, weights=first.astype(float) - second, minlength=30) / 300
    assert exact == pytest.approx(by_hand)
    found = added_by(first, second, group, 30, smooth=False)
    assert found.sum() == pytest.approx(first.mean() - second.mean())
    assert np.corrcoef(found, by_hand)[0, 1] > 0.95


def test_the_least_p_is_reached_and_never_undercut():
    for groups in (2, 5, 11, 12, 40):
        assert flipped_p(np.ones(groups), signs(groups, patterns=1024)) >= least_p(groups, 1024)
    assert flipped_p(np.arange(1.0, 8.0), signs(7)) == least_p(7, 2000) == 2**-6
    assert least_p(40, 1024) == 1 / 1025


def test_no_difference_has_p_one():
    assert flipped_p(np.zeros(8), signs(8)) == 1.0
    assert flipped_p(np.zeros(40), signs(40)) == 1.0


def test_holm_by_hand():
    # sorted .01 .02 .03 .04 times 4 3 2 1: .04 .06 .06 .06, then back in order
    assert holm(np.array([0.04, 0.01, 0.03, 0.02])) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm(np.array([0.9, 0.8])) == pytest.approx([1.0, 1.0])
    assert holm(np.array([])).size == 0
