import numpy as np
import pytest

from vouch.policies.fit.candidate_thresholds import below, grid


def test_a_cut_lies_midway_to_the_next_score_and_never_between_equal_ones() -> None:
    seen = np.array([0.2, 0.4, 0.4 + 1e-12, 0.9])
    assert below(0.9, seen) == pytest.approx(0.65)
    assert below(0.4 + 1e-12, seen) == pytest.approx(0.3)
    assert below(0.2, seen) == pytest.approx(0.1)


def test_the_grid_lets_the_most_certain_shares_through() -> None:
    score = np.array([0.1, 0.9, 0.5, 0.7])
    assert grid(score, steps=2).tolist() == pytest.approx([0.6, 0.05])
    assert grid(score, steps=4).tolist() == pytest.approx([0.8, 0.6, 0.3, 0.05])
    assert grid(score, steps=100).tolist() == pytest.approx([0.8, 0.6, 0.3, 0.05])


def test_equal_scores_go_through_together() -> None:
    assert grid(np.array([0.9, 0.9, 0.9, 0.1]), steps=4).tolist() == pytest.approx([0.5, 0.05])


def test_a_score_of_zero_is_let_through_by_the_loosest_cut() -> None:
    assert grid(np.array([0.0, 0.5]), steps=2).tolist() == pytest.approx([0.25, 0.0])
