from itertools import pairwise

import numpy as np
import pytest
from scipy.special import betaln

from vouch.calibration.apply.multiclass_maps import apply_curve
from vouch.calibration.fit.one_vs_rest import fit_bbq, fit_histogram, fit_spline


def simulated(seed: int, n: int, decimals: int = 12) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    score = np.round(generator.uniform(0.01, 0.99, n), decimals)
    return score, generator.random(n) < score**2


def test_a_histogram_by_hand() -> None:
    score = np.repeat(np.arange(15) / 15 + 0.01, 2)  # 30 rows: two a bin
    correct = np.arange(30) >= 15
    fitted = fit_histogram(score, correct)
    assert fitted["edges"] == pytest.approx((np.arange(14) + 0.5) / 15 + 0.01)
    # (k + 1) / (n + 2): none of two, one of two in the middle bin, both of two
    assert fitted["confidences"] == pytest.approx([0.25] * 7 + [0.5] + [0.75] * 7)
    assert apply_curve(fitted, np.array([0.0, 0.475, 1.0])) == pytest.approx([0.25, 0.5, 0.75])


def test_equal_scores_share_a_bin() -> None:
    fitted = fit_histogram(np.array([0.2] * 60 + [0.8] * 40), np.arange(100) % 2 == 0)
    assert fitted["edges"] == pytest.approx([0.5])
    assert fitted["confidences"] == pytest.approx([31 / 62, 21 / 42])


def slow_bbq(score: np.ndarray, correct: np.ndarray, at: float) -> float:
    """Average every histogram with its BDeu evidence, bin by bin, as Naeini et al. state it."""
    n, root = len(score), len(score) ** (1 / 3)
    ordered, models = np.sort(score), []
    for size in range(max(1, round(root / 10)), round(10 * root) + 1):
        starts = sorted({ordered[(index * n) // size] for index in range(1, size)} - {ordered[0]})
        edges = [0.0] + [(ordered[ordered < start].max() + start) / 2 for start in starts] + [1.0 + 1e-9]
        evidence, value, bins = 0.0, np.nan, len(edges) - 1
        for low, high in pairwise(edges):
            inside = (score >= low) & (score < high)
            yes = 2 / bins * (low + min(high, 1.0)) / 2
            no = 2 / bins - yes
            right = correct[inside].sum()
            evidence += betaln(right + yes, inside.sum() - right + no) - betaln(yes, no)
            if low <= at < high:
                value = (right + yes) / (inside.sum() + 2 / bins)
        models.append((evidence, value))
    weights = np.exp([evidence - max(models)[0] for evidence, _ in models])
    return float(np.dot(weights, [value for _, value in models]) / weights.sum())


@pytest.mark.parametrize("decimals", [12, 2])
def test_bbq_equals_a_slow_average_of_histograms(decimals: int) -> None:
    score, correct = simulated(0, 250, decimals)
    fitted = fit_bbq(score, correct)
    for at in (0.0, 0.1, 0.33, 0.5, 0.77, 0.9, 1.0):
        expected = np.clip(slow_bbq(score, correct, at), 1 / 252, 251 / 252)
        assert apply_curve(fitted, np.array([at]))[0] == pytest.approx(expected, abs=1e-3)


def slow_spline(score: np.ndarray, correct: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Fit a natural spline by truncated powers (Hastie et al. 2009, equation 5.4), without a constant: D(0) = 0."""
    order = np.argsort(score)
    rank = np.arange(1, len(score) + 1) / len(score)
    gap = np.cumsum(correct[order] - score[order]) / len(score)
    knots = np.linspace(0, 1, 6)

    def powers(t: np.ndarray, k: int, degree: int) -> np.ndarray:
        above = [np.where(t > knot, np.abs(t - knot) ** degree, 0.0) for knot in (knots[k], knots[5])]
        return (above[0] - above[1]) / (knots[5] - knots[k])

    def basis(t: np.ndarray, degree: int) -> np.ndarray:
        line = t if degree == 3 else np.ones_like(t)
        factor = 1 if degree == 3 else 3
        return np.stack([line] + [factor * (powers(t, k, degree) - powers(t, 4, degree)) for k in range(4)], axis=1)

    weights = np.linalg.lstsq(basis(rank, 3), gap, rcond=None)[0]
    middle = np.interp(at, score[order], rank - 0.5 / len(score))
    return at + basis(middle, 2) @ weights


def test_spline_equals_truncated_powers() -> None:
    score, correct = simulated(1, 900)
    at = np.linspace(0.1, 0.9, 33)
    assert apply_curve(fit_spline(score, correct), at) == pytest.approx(slow_spline(score, correct, at), abs=2e-3)


def test_a_spline_of_ties_is_the_mean_where_there_is_one_score() -> None:
    fitted = fit_spline(np.full(200, 0.3), np.arange(200) < 150)
    assert apply_curve(fitted, np.array([0.3]))[0] == pytest.approx(0.75, abs=0.01)


@pytest.mark.parametrize("fit", [fit_histogram, fit_bbq, fit_spline])
def test_a_large_sample_brings_the_truth(fit) -> None:
    score, correct = simulated(2, 40_000)
    at = np.linspace(0.05, 0.95, 19)
    tolerance = 0.09 if fit is fit_histogram else 0.05  # a bin's slope: 1/15 of the scores wide, 2 s steep
    assert np.abs(apply_curve(fit(score, correct), at) - at**2).max() < tolerance


@pytest.mark.parametrize("fit", [fit_histogram, fit_bbq, fit_spline])
@pytest.mark.parametrize("right", [True, False])
def test_no_curve_is_ever_certain(fit, right: bool) -> None:
    score, _ = simulated(3, 300)
    levels = apply_curve(fit(score, np.full(300, right)), np.linspace(0, 1, 101))
    assert levels.min() >= 1 / 302 - 1e-12
    assert levels.max() <= 301 / 302 + 1e-12
