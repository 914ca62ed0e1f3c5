"""Embeddings compared: each figure against scikit-learn or a loop over pairs."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from vouch.drift.embedding_tests import (
    classifier_two_sample_test,
    directions,
    discrepancies,
    interval_of_groups,
    kernel_distance,
    logistic,
    with_one,
)
from vouch.drift.permutation import group_permutations

RNG = np.random.default_rng(3)
GROUP = np.repeat(np.arange(12), RNG.integers(1, 5, 12))
ROWS = RNG.normal(size=(len(GROUP), 5)) * [3, 2, 1, 0.5, 0.1] + RNG.normal(size=(12, 5))[GROUP]
MASKS = group_permutations(7, 5, permutations=6, rng=RNG)


def test_directions_are_principal_components():
    scores, shares = directions(ROWS, most=3)
    oracle = PCA(n_components=3, whiten=True).fit(ROWS)
    expected = oracle.transform(ROWS) * np.sqrt(len(ROWS) / (len(ROWS) - 1))
    np.testing.assert_allclose(np.abs(scores), np.abs(expected), atol=1e-8)
    np.testing.assert_allclose(shares, oracle.explained_variance_ratio_)


def test_directions_without_variance_are_none():
    flat = np.column_stack([ROWS[:, 0], np.ones(len(ROWS)), ROWS[:, 0]])
    assert directions(flat, most=32)[0].shape == (len(ROWS), 1)
    assert directions(np.ones((9, 4)), most=32)[0].shape == (9, 0)


def test_a_kernel_distance_is_the_loop_over_pairs_of_different_groups():
    found = kernel_distance(ROWS, GROUP, MASKS, rng=np.random.default_rng(1))
    distances = [np.linalg.norm(a - b) for i, a in enumerate(ROWS) for b in ROWS[:i]]
    width = np.median(distances)
    for statistic, mask in zip(found.statistics, MASKS, strict=True):
        pairs = {"new": [], "old": [], "mixed": []}
        for i, a in enumerate(ROWS):
            for j, b in enumerate(ROWS):
                if GROUP[i] != GROUP[j]:
                    sides = mask[GROUP[i]], mask[GROUP[j]]
                    kind = "mixed" if sides[0] != sides[1] else "new" if sides[0] else "old"
                    pairs[kind].append(np.exp(-(np.linalg.norm(a - b) ** 2) / (2 * width**2)))
        expected = np.mean(pairs["new"]) + np.mean(pairs["old"]) - 2 * np.mean(pairs["mixed"])
        assert statistic == pytest.approx(expected)


def test_of_groups_of_one_it_is_the_unbiased_estimate():
    sums = RNG.random((8, 8))
    sums = sums + sums.T
    np.fill_diagonal(sums, 0)
    mask = np.arange(8) >= 5
    within = sums[mask][:, mask].sum() / (3 * 2) + sums[~mask][:, ~mask].sum() / (5 * 4)
    expected = within - 2 * sums[mask][:, ~mask].mean()
    assert discrepancies(sums, np.ones(8), mask[None])[0] == pytest.approx(expected)


def test_the_classifier_is_logistic_regression():
    labels = (ROWS[:, 1] + RNG.normal(size=len(ROWS)) > 0).astype(float)
    rows = directions(ROWS, most=4)[0]
    weights = logistic(rows, np.column_stack([labels, 1 - labels]))
    oracle = LogisticRegression(C=1.0, tol=1e-10).fit(rows, labels)
    np.testing.assert_allclose(weights[:, 0], [*oracle.coef_[0], oracle.intercept_[0]], atol=0.02)
    np.testing.assert_allclose(weights[:, 1], -weights[:, 0], atol=1e-12)
    np.testing.assert_allclose(with_one(rows) @ weights[:, 0], oracle.decision_function(rows), atol=0.05)


def test_areas_are_out_of_fold_of_whole_groups():
    found = classifier_two_sample_test(ROWS, GROUP, MASKS, folds=3, level=0.9, rng=np.random.default_rng(2))
    new = MASKS[0][GROUP]
    assert found.areas[0] == pytest.approx(roc_auc_score(new, found.seen))
    assert found.low <= found.areas[0] <= found.high
    fold = np.random.default_rng(2).permutation(np.arange(12) % 3)[GROUP]
    for number in range(3):
        weights = logistic(ROWS[fold != number], new[fold != number, None].astype(float))
        np.testing.assert_allclose(found.seen[fold == number], (with_one(ROWS[fold == number]) @ weights)[:, 0])


def test_an_interval_counts_groups():
    score, new, group = RNG.normal(size=80), np.repeat([False, True], 40), np.arange(80)
    low, high = interval_of_groups(score, new, group, level=0.9)
    four = [np.repeat(values, 4) for values in (score, new, group)]
    np.testing.assert_allclose(interval_of_groups(*four, level=0.9), (low, high))  # copies add nothing
    alone = interval_of_groups(four[0], four[1], np.arange(320), level=0.9)
    assert alone[1] - alone[0] < 0.55 * (high - low)  # as rows they would


def test_perfect_separation_is_not_certainty():
    score, new = np.arange(20.0), np.arange(20) >= 10
    low, high = interval_of_groups(score, new, np.arange(20), level=0.95)
    assert (low, high) == (pytest.approx(0.025 ** (1 / 10)), 1.0)
