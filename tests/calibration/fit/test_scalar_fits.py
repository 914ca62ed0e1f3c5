import numpy as np
import pytest
from betacal import BetaCalibration
from scipy.optimize import minimize, minimize_scalar
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from vouch.calibration.apply.scalar_maps import apply_map, logit
from vouch.calibration.fit.scalar_fits import FITS, fit_beta, fit_isotonic, fit_platt, fit_temperature


def simulated(seed: int, n: int = 3000, power: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    score = generator.uniform(0.01, 0.99, n)
    return score, generator.random(n) < score**power


GRID = np.linspace(0.02, 0.98, 97)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("power", [0.5, 2.0])
def test_beta_equals_betacal(seed: int, power: float) -> None:
    score, correct = simulated(seed, power=power)
    peer = BetaCalibration(parameters="abm").fit(score.reshape(-1, 1), correct)
    ours = fit_beta(score, correct)
    # betacal stops at scikit-learn's gradient tolerance of 1e-4, a little before the minimum
    assert apply_map(ours, GRID) == pytest.approx(peer.predict(GRID), abs=1e-3)
    said, theirs = apply_map(ours, score), peer.predict(score)
    assert log_loss(said, correct) <= log_loss(theirs, correct)


def log_loss(confidence: np.ndarray, correct: np.ndarray) -> float:
    return float(-np.mean(np.log(np.where(correct, confidence, 1 - confidence))))


def test_beta_drops_a_negative_coefficient_and_refits() -> None:
    generator = np.random.default_rng(5)
    score = generator.uniform(0.01, 0.99, 4000)
    # truth in the family with a = -1 (forbidden) and b = 1.5
    odds = -1.0 * np.log(score) - 1.5 * np.log1p(-score) - 1.0
    correct = generator.random(4000) < 1 / (1 + np.exp(-odds))
    fitted = fit_beta(score, correct)
    assert fitted["a"] == 0.0
    logistic = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
    logistic.fit(-np.log1p(-score).reshape(-1, 1), correct)
    assert fitted["b"] == pytest.approx(logistic.coef_[0, 0], abs=1e-4)
    assert fitted["c"] == pytest.approx(logistic.intercept_[0], abs=1e-4)


@pytest.mark.parametrize("seed", [0, 1])
def test_platt_minimises_the_loss_on_smoothed_targets(seed: int) -> None:
    score, correct = simulated(seed, n=300)
    right, wrong = correct.sum(), (~correct).sum()
    target = np.where(correct, (right + 1) / (right + 2), 1 / (wrong + 2))

    def loss(weights: np.ndarray) -> float:
        odds = weights[0] * np.log(score / (1 - score)) + weights[1]
        return float(np.sum(np.log1p(np.exp(odds)) - target * odds))

    slope, intercept = minimize(loss, [1.0, -1.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10}).x
    fitted = fit_platt(score, correct)
    assert [fitted["slope"], fitted["intercept"]] == pytest.approx([slope, intercept], abs=1e-5)


def test_platt_of_scores_that_point_the_wrong_way_says_the_base_rate() -> None:
    score, correct = simulated(2)
    fitted = fit_platt(score, ~correct)
    assert fitted["slope"] == 0.0
    assert apply_map(fitted, GRID) == pytest.approx(np.mean(~correct), abs=0.001)


@pytest.mark.parametrize("true_temperature", [0.4, 1.0, 3.0])
def test_temperature_equals_scipy_and_is_near_the_truth(true_temperature: float) -> None:
    generator = np.random.default_rng(11)
    score = generator.uniform(0.01, 0.99, 5000)
    correct = generator.random(5000) < 1 / (1 + np.exp(-logit(score) / true_temperature))

    def loss(log_temperature: float) -> float:
        odds = logit(score) / np.exp(log_temperature)
        return float(np.mean(np.logaddexp(0, odds) - correct * odds))

    peer = np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded", options={"xatol": 1e-9}).x)
    fitted = fit_temperature(score, correct)["temperature"]
    assert fitted == pytest.approx(peer, rel=1e-5)
    assert fitted == pytest.approx(true_temperature, rel=0.15)


@pytest.mark.parametrize("decimals", [1, 2, 8])
def test_isotonic_equals_scikit_learn(decimals: int) -> None:
    score, correct = simulated(4, n=700)
    score = np.round(score, decimals)
    margin = 1 / 702
    peer = IsotonicRegression(y_min=margin, y_max=1 - margin, out_of_bounds="clip").fit(score, correct)
    assert apply_map(fit_isotonic(score, correct), GRID) == pytest.approx(peer.predict(GRID), abs=1e-9)


def test_isotonic_by_hand_pools_what_falls_and_never_is_certain() -> None:
    score, correct = np.array([0.1, 0.2, 0.3, 0.4]), np.array([False, True, False, True])
    fitted = fit_isotonic(score, correct)
    assert fitted["scores"] == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert fitted["confidences"] == pytest.approx([1 / 6, 0.5, 0.5, 5 / 6])


@pytest.mark.parametrize("method", sorted(FITS))
def test_the_order_of_rows_does_not_matter_and_a_fit_repeats_to_the_bit(method: str) -> None:
    score, correct = simulated(7, n=400)
    shuffled = np.random.default_rng(0).permutation(400)
    first, again = FITS[method](score, correct), FITS[method](score, correct)
    assert first == again
    mixed = FITS[method](score[shuffled], correct[shuffled])
    assert apply_map(mixed, GRID) == pytest.approx(apply_map(first, GRID), abs=1e-8)
