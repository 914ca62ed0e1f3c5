import numpy as np
import pytest
from scipy.stats import beta

from vouch.policies.fit.recall_bound import recall_curve


def test_recall_by_hand_with_ties_and_misses() -> None:
    confidence = np.array([0.9, 0.5, 0.5, 0.0, 0.2])
    hit = np.array([True, True, True, False, True])
    curve = recall_curve(confidence, hit, ["a", "b", "c", "d", "e"], correlation=0.05, delta=0.05)
    assert curve.levels.tolist() == [0.9, 0.5, 0.2]
    assert [curve.at(level)[0] for level in (0.9, 0.5, 0.2)] == pytest.approx([0.2, 0.6, 0.8])
    assert (curve.n_truths, curve.n_groups) == (5, 5)
    assert curve.strictest(0.6, bound="value") == 0.5
    assert curve.strictest(0.61, bound="value") == 0.2
    assert curve.strictest(0.81, bound="value") is None
    assert curve.at(0.5)[0] == pytest.approx(0.6)
    assert curve.at(0.95) == (0.0, 0.0)
    assert curve.at(None) == (0.0, 0.0)


def test_nothing_found_reaches_nothing() -> None:
    curve = recall_curve(np.zeros(3), np.zeros(3, dtype=bool), ["a", "b", "c"], correlation=0.05, delta=0.05)
    assert curve.strictest(0.01, bound="value") is None
    assert curve.at(0.0) == (0.0, 0.0)


def test_one_group_is_one_observation() -> None:
    curve = recall_curve(np.full(500, 0.5), np.ones(500, dtype=bool), ["a"] * 500, correlation=0.05, delta=0.05)
    assert curve.at(0.5)[1] == pytest.approx(0.05)  # one success of one: the bound is delta itself


def test_the_bound_of_rows_in_groups_of_their_own_is_clopper_pearson() -> None:
    n = 300
    confidence = np.linspace(0.9, 0.1, n)
    curve = recall_curve(confidence, np.arange(n) < 294, np.arange(n), correlation=0.05, delta=0.05)
    for hits in (1, 50, 293, 294):
        assert curve.at(curve.levels[hits - 1])[1] == pytest.approx(beta.ppf(0.05, hits, n - hits + 1))


def test_grouped_misses_lower_the_bound() -> None:
    hit = np.arange(400) >= 20
    confidence = np.where(hit, np.linspace(0.2, 0.9, 400), 0.0)
    alone = recall_curve(confidence, hit, np.arange(400), correlation=0.05, delta=0.05)
    grouped = recall_curve(confidence, hit, np.arange(400) // 20, correlation=0.05, delta=0.05)
    assert grouped.at(0.0)[1] < alone.at(0.0)[1] - 0.05


def test_the_strictest_level_is_the_one_a_walk_over_all_levels_finds() -> None:
    generator = np.random.default_rng(0)
    for correlation in (0.0, 0.3):
        truths = generator.integers(3, 12, 25)
        group = np.repeat(np.arange(25), truths)
        hit = generator.random(len(group)) < generator.beta(12, 1, 25)[group]
        confidence = np.round(generator.random(len(group)), 2)
        curve = recall_curve(confidence, hit, group, correlation=correlation, delta=0.1)
        found = [curve.at(level) for level in curve.levels]
        for place, bound in ((0, "value"), (1, "low")):
            figures = [one[place] for one in found]
            assert figures == sorted(figures)  # a looser level never has a lower bound
            target = (figures[3] + figures[-1]) / 2
            expected = next(level for level, figure in zip(curve.levels, figures, strict=True) if figure >= target)
            assert curve.strictest(target, bound=bound) == expected
