import numpy as np
import pytest
from scipy.stats import beta, t

from vouch.policies.recall import RecallCurve, recall_curve


def test_recall_by_hand_with_ties_and_misses() -> None:
    confidence = np.array([0.9, 0.5, 0.5, 0.0, 0.2])
    hit = np.array([True, True, True, False, True])
    curve = recall_curve(confidence, hit, ["a", "b", "c", "d", "e"], delta=0.05)
    assert curve.levels.tolist() == [0.9, 0.5, 0.2]
    assert curve.recall.tolist() == pytest.approx([0.2, 0.6, 0.8])
    assert (curve.n_truths, curve.n_groups) == (5, 5)
    assert curve.strictest(0.6, bound="value") == 0.5
    assert curve.strictest(0.61, bound="value") == 0.2
    assert curve.strictest(0.81, bound="value") is None
    assert curve.at(0.5)[0] == pytest.approx(0.6)
    assert curve.at(0.95) == (0.0, 0.0)
    assert curve.at(None) == (0.0, 0.0)


def test_nothing_found_reaches_nothing() -> None:
    curve = recall_curve(np.zeros(3), np.zeros(3, dtype=bool), ["a", "b", "c"], delta=0.05)
    assert curve.strictest(0.01, bound="value") is None
    assert curve.at(0.0) == (0.0, 0.0)


def test_one_group_is_one_observation() -> None:
    curve = recall_curve(np.full(500, 0.5), np.ones(500, dtype=bool), ["a"] * 500, delta=0.05)
    assert curve.low.tolist() == pytest.approx([0.05])  # one success of one: the bound is delta itself


def test_the_bound_of_rows_in_groups_of_their_own_is_clopper_pearson() -> None:
    n = 300
    confidence = np.linspace(0.9, 0.1, n)
    curve = recall_curve(confidence, np.arange(n) < 294, np.arange(n), delta=0.05)
    hits = np.arange(1, 295)
    assert curve.low == pytest.approx(beta.ppf(0.05, hits, n - hits + 1))


def slow_low(hits: np.ndarray, truths: np.ndarray, delta: float) -> float:
    rows, groups = truths.sum(), len(truths)
    recall = hits.sum() / rows
    variance = groups / (groups - 1) * np.sum((hits - recall * truths) ** 2) / rows**2
    effect = max(1.0, variance / (recall * (1 - recall) / (rows - 1)))
    effective = rows / effect / (t.ppf(delta, groups - 1) / t.ppf(delta, rows - 1)) ** 2
    return float(beta.ppf(delta, recall * effective, effective - recall * effective + 1))


def test_the_bound_of_grouped_rows_is_korn_and_graubards_or_lower() -> None:
    generator = np.random.default_rng(0)
    truths = generator.integers(3, 12, 25)
    group = np.repeat(np.arange(25), truths)
    hit = generator.random(len(group)) < generator.beta(8, 1, 25)[group]
    confidence = generator.random(len(group))
    curve = recall_curve(confidence, hit, group, delta=0.1)
    slow = np.array(
        [
            slow_low(np.bincount(group, weights=hit & (confidence >= level), minlength=25), truths, 0.1)
            for level in curve.levels
        ]
    )
    assert (curve.low <= slow + 1e-9).all()  # steadied by the mean design effect where its own is smaller
    assert (np.abs(curve.low - slow) < 1e-9).mean() > 0.2
    assert np.abs(curve.low - slow).max() < 0.05


def test_grouped_misses_lower_the_bound() -> None:
    hit = np.arange(400) >= 20
    confidence = np.where(hit, np.linspace(0.2, 0.9, 400), 0.0)
    alone = recall_curve(confidence, hit, np.arange(400), delta=0.05)
    grouped = recall_curve(confidence, hit, np.arange(400) // 20, delta=0.05)
    assert grouped.low[-1] < alone.low[-1] - 0.05


def test_the_strictest_level_has_no_failure_among_looser_ones() -> None:
    levels = np.array([0.9, 0.8, 0.7, 0.6])
    curve = RecallCurve(levels, np.array([0.92, 0.94, 0.96, 0.98]), np.array([0.95, 0.85, 0.92, 0.97]), 50, 50)
    assert curve.strictest(0.9, bound="low") == 0.7  # .9 passes too, but a looser one before it failed
    assert curve.strictest(0.9, bound="value") == 0.9
    assert curve.strictest(0.96, bound="low") == 0.6
