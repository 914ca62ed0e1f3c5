"""Statistics of every division at once, each against another implementation that sees one division."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency, ks_2samp

from vouch.drift.permutation import (
    chi_square_statistics,
    family_p,
    group_permutations,
    ks_statistics,
    mean_differences,
    p_value,
    psi,
    psi_statistics,
    share_distance,
)

RNG = np.random.default_rng(5)
GROUP = np.repeat(np.arange(14), RNG.integers(1, 6, 14))
MASKS = group_permutations(9, 5, permutations=12, rng=RNG)
SMOOTH = RNG.normal(size=len(GROUP)) + GROUP / 10
TIED = np.round(SMOOTH)


def divided(values, mask):
    return values[~mask[GROUP]], values[mask[GROUP]]


def test_the_truth_comes_first_and_every_division_moves_whole_groups_of_the_same_number():
    assert MASKS[0].tolist() == [False] * 9 + [True] * 5
    assert MASKS.sum(axis=1).tolist() == [5] * 13
    assert len(np.unique(MASKS, axis=0)) > 6


@pytest.mark.parametrize("values", [SMOOTH, TIED])
def test_distances_are_those_of_scipy(values):
    expected = [ks_2samp(*divided(values, mask)).statistic for mask in MASKS]
    np.testing.assert_allclose(ks_statistics(values, GROUP, MASKS), expected, atol=1e-12)


def test_blocks_change_nothing(monkeypatch):
    whole = ks_statistics(SMOOTH, GROUP, MASKS)
    monkeypatch.setattr("vouch.drift.permutation.BLOCK", 2 * len(GROUP))
    np.testing.assert_array_equal(ks_statistics(SMOOTH, GROUP, MASKS), whole)


def test_a_stability_index_by_hand():
    # shares .5 .5 and .2 .8: .3 ln 2.5 + .3 ln 1.6
    assert psi(np.array([10.0, 10.0]), np.array([2.0, 8.0])) == pytest.approx(0.3 * np.log(2.5) + 0.3 * np.log(1.6))
    # an empty bin counts 1e-4: (1 - .5) ln 2 + (1e-4 - .5) ln 2e-4
    assert psi(np.array([1.0, 1.0]), np.array([3.0, 0.0])) == pytest.approx(
        0.5 * np.log(2) + (1e-4 - 0.5) * np.log(2e-4)
    )


@pytest.mark.parametrize("values", [SMOOTH, TIED])
def test_every_division_has_the_bins_of_its_own_reference(values):
    found = psi_statistics(values, GROUP, MASKS, bins=4)
    for statistic, mask in zip(found, MASKS, strict=True):
        reference, window = divided(values, mask)
        edges = np.quantile(reference, [0.25, 0.5, 0.75], method="inverted_cdf")
        p, q = (np.bincount(np.searchsorted(edges, side), minlength=4) / len(side) for side in (reference, window))
        p, q = np.maximum(p, 1e-4), np.maximum(q, 1e-4)
        assert statistic == pytest.approx(((q - p) * np.log(q / p)).sum())


def test_chi_squares_are_those_of_scipy():
    codes = (TIED - TIED.min()).astype(np.intp)
    n_codes = codes.max() + 2  # a class that nobody predicted
    for statistic, mask in zip(chi_square_statistics(codes, GROUP, MASKS, n_codes), MASKS, strict=True):
        table = np.stack([np.bincount(side, minlength=n_codes) for side in divided(codes, mask)])
        assert statistic == pytest.approx(chi2_contingency(table[:, table.any(axis=0)], correction=False).statistic)


def test_the_share_that_moved_by_hand():
    # six of ten say 0 in the reference, two of ten in the window: .4 of the predictions moved
    codes = np.array([0] * 6 + [1] * 4 + [0] * 2 + [1] * 8)
    group = np.repeat([0, 1], 10)
    assert share_distance(codes, group, np.array([[False, True]]), 2) == pytest.approx(0.4)


def test_differences_of_means():
    expected = [np.subtract(*(side.mean() for side in divided(SMOOTH, mask)[::-1])) for mask in MASKS]
    np.testing.assert_allclose(mean_differences(SMOOTH, GROUP, MASKS), expected)


def test_a_p_counts_the_truth_among_the_divisions():
    assert p_value(np.array([3.0, 1.0, 2.0, 3.0, 4.0])) == 3 / 5
    assert p_value(np.array([9.0, 1.0, 2.0, 3.0])) == 1 / 4


def test_a_family_is_judged_by_its_largest_member_in_its_own_units():
    # root mean squares: 1 for both rows; the largest of the columns are 1.6, .8, 1.2, 1.2
    first, second = np.array([1.6, 0.8, 0.6, 0.6]), np.array([0.4, 0.8, 1.2, 1.2])
    first, second = first / np.sqrt((first**2).mean()), second / np.sqrt((second**2).mean())
    largest = np.maximum(first, second)
    expected = [(largest >= row[0] - 1e-12).mean() for row in (first, second)]
    np.testing.assert_allclose(family_p(np.stack([5 * first, 100 * second])), expected)
    assert expected == [0.25, 1.0]
    assert family_p(np.array([[9.0, 1.0, 2.0, 3.0]]))[0] == p_value(np.array([9.0, 1.0, 2.0, 3.0]))


def test_a_variable_that_never_changes_says_nothing():
    same = np.ones(len(GROUP))
    assert ks_statistics(same, GROUP, MASKS).max() == 0
    assert psi_statistics(same, GROUP, MASKS, bins=10).max() == pytest.approx(0)
    assert family_p(np.zeros((1, 5)))[0] == 1
