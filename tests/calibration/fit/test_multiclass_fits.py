import numpy as np
import pytest
from betacal import BetaCalibration
from scipy.optimize import minimize
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from vouch.calibration.apply.multiclass_maps import apply_multiclass
from vouch.calibration.apply.validity import multiclass_problems
from vouch.calibration.fit.multiclass_fits import FITS, PENALTIES

K = 3


def simulated(seed: int, n: int = 1500, classes: int = K) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 2.5, (n, classes))
    mixed = 0.5 * logits + 0.3 * np.roll(logits, 1, axis=1) + np.linspace(-0.5, 0.5, classes)
    gumbel = generator.gumbel(size=(n, classes))
    return logits, (mixed + gumbel).argmax(axis=1)


def soft(odds: np.ndarray) -> np.ndarray:
    powers = np.exp(odds - odds.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def slow_nll(probability: np.ndarray, truth: np.ndarray) -> float:
    return -sum(np.log(row[label]) for row, label in zip(probability, truth, strict=True)) / len(truth)


class Logits(ClassifierMixin, BaseEstimator):
    """A classifier whose decision function is its input."""

    def fit(self, features, truth):
        self.classes_ = np.unique(truth)
        return self

    def decision_function(self, features):
        return features

    def predict(self, features):
        return self.classes_[features.argmax(axis=1)]


@pytest.mark.parametrize("seed", [0, 1])
def test_temperature_equals_scikit_learn(seed: int) -> None:
    logits, truth = simulated(seed)
    frozen = FrozenEstimator(Logits().fit(logits, truth))
    peer = CalibratedClassifierCV(frozen, method="temperature").fit(logits, truth)
    (ours,) = FITS["temperature"](logits, truth)
    assert apply_multiclass(ours, logits) == pytest.approx(peer.predict_proba(logits), abs=1e-4)
    assert slow_nll(apply_multiclass(ours, logits), truth) <= slow_nll(peer.predict_proba(logits), truth) + 1e-12


def test_temperature_finds_the_one_that_made_the_labels() -> None:
    generator = np.random.default_rng(4)
    logits = generator.normal(0, 3, (20_000, K))
    truth = (logits / 2.5 + generator.gumbel(size=logits.shape)).argmax(axis=1)
    assert FITS["temperature"](logits, truth)[0]["temperature"] == pytest.approx(2.5, rel=0.05)


def test_vector_equals_a_numeric_minimum() -> None:
    logits, truth = simulated(2, n=400)

    def loss(flat: np.ndarray) -> float:
        return slow_nll(soft(logits * flat[:K] + flat[K:]), truth)

    peer = minimize(loss, [1.0] * K + [0.0] * K, method="BFGS").x
    (ours,) = FITS["vector"](logits, truth)
    assert ours["weights"] == pytest.approx(peer[:K], abs=2e-3)
    assert np.diff(ours["biases"]) == pytest.approx(np.diff(peer[K:]), abs=2e-3)  # a shared shift changes nothing


@pytest.mark.parametrize("method", ["matrix", "dirichlet"])
@pytest.mark.parametrize("place", [0, 2, 4])
def test_odir_equals_a_numeric_minimum_of_its_formula(method: str, place: int) -> None:
    logits, truth = simulated(3, n=300)
    features = np.log(soft(logits)) if method == "dirichlet" else logits
    penalty = 10.0**-place

    def loss(flat: np.ndarray) -> float:
        weights, biases = flat[: K * K].reshape(K, K), flat[K * K :]
        ring = sum(weights[i, j] ** 2 for i in range(K) for j in range(K) if i != j) / (K * (K - 1))
        return slow_nll(soft(features @ weights.T + biases), truth) + penalty * (ring + np.sum(biases**2) / K)

    ours = FITS[method](logits, truth)[place]
    assert ours["penalty"] == pytest.approx(penalty)
    start = np.concatenate([np.eye(K).ravel(), np.zeros(K)])
    peer = minimize(loss, start, method="BFGS", options={"gtol": 1e-7}).x
    flat = np.concatenate([np.ravel(ours["weights"]), ours["biases"]])
    assert loss(flat) <= loss(peer) + 1e-9
    assert apply_multiclass(ours, logits) == pytest.approx(
        soft(features @ peer[: K * K].reshape(K, K).T + peer[-K:]), abs=1e-3
    )


def test_matrix_without_penalty_is_scikit_learns_multinomial_regression() -> None:
    logits, truth = simulated(5)
    peer = LogisticRegression(C=np.inf, tol=1e-10, max_iter=2000).fit(logits, truth)
    ours = FITS["matrix"](logits, truth)[-1]
    assert apply_multiclass(ours, logits) == pytest.approx(peer.predict_proba(logits), abs=1e-4)


def test_penalties_run_from_1_to_a_millionth_and_a_weaker_one_fits_no_worse() -> None:
    assert pytest.approx([1, 0.1, 0.01, 0.001, 0.0001, 0.00001, 0.000001]) == PENALTIES
    logits, truth = simulated(6)
    for method in ("matrix", "dirichlet"):
        losses = [slow_nll(apply_multiclass(curve, logits), truth) for curve in FITS[method](logits, truth)]
        assert (np.diff(losses) <= 1e-12).all()
        assert losses[0] > losses[-1] + 0.01


def test_ensemble_weights_are_the_best_of_a_grid_of_the_simplex() -> None:
    generator = np.random.default_rng(8)
    logits = generator.normal(0, 4, (600, K))
    truth = (logits / 2 + generator.gumbel(size=logits.shape)).argmax(axis=1)
    truth[:120] = generator.integers(0, K, 120)  # a fifth is noise, which a temperature cannot say
    (ours,) = FITS["ensemble_temperature"](logits, truth)
    temperature, weights = ours["temperature"], np.array(ours["weights"])
    assert temperature == FITS["temperature"](logits, truth)[0]["temperature"]
    parts = np.stack([soft(logits / temperature), soft(logits), np.full_like(logits, 1 / K)])
    grid = [np.array([a, b, 50 - a - b]) / 50 for a in range(51) for b in range(51 - a)]
    losses = [slow_nll(np.tensordot(point, parts, 1), truth) for point in grid]
    found = slow_nll(np.tensordot(weights, parts, 1), truth)
    assert min(losses) - 1e-3 < found <= min(losses) + 1e-12
    assert found < losses[[tuple(point) for point in grid].index((1.0, 0.0, 0.0))] - 0.005
    assert weights.sum() == pytest.approx(1)
    assert weights.min() >= 0


def one_vs_rest(columns: list[np.ndarray]) -> np.ndarray:
    values = np.stack(columns, axis=1)
    return values / values.sum(axis=1, keepdims=True)


def test_isotonic_is_scikit_learns_for_each_class_and_then_a_sum_of_one() -> None:
    logits, truth = simulated(9, n=600)
    shares, margin = soft(logits), 1 / 602
    columns = [
        IsotonicRegression(y_min=margin, y_max=1 - margin, out_of_bounds="clip").fit_transform(shares[:, k], truth == k)
        for k in range(K)
    ]
    (ours,) = FITS["isotonic"](logits, truth)
    assert apply_multiclass(ours, logits) == pytest.approx(one_vs_rest(columns), abs=1e-9)


def test_platt_is_weighted_logistic_regression_for_each_class_and_then_a_sum_of_one() -> None:
    logits, truth = simulated(10, n=300)
    shares, columns = soft(logits), []
    for k in range(K):
        right = truth == k
        target = np.where(right, (right.sum() + 1) / (right.sum() + 2), 1 / ((~right).sum() + 2))
        odds = np.log(shares[:, k] / (1 - shares[:, k])).reshape(-1, 1)
        peer = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
        peer.fit(np.vstack([odds, odds]), np.repeat([1, 0], 300), np.concatenate([target, 1 - target]))
        columns.append(peer.predict_proba(odds)[:, 1])
    (ours,) = FITS["platt"](logits, truth)
    assert apply_multiclass(ours, logits) == pytest.approx(one_vs_rest(columns), abs=1e-5)


def test_beta_is_betacals_for_each_class_and_then_a_sum_of_one() -> None:
    logits, truth = simulated(11)
    shares = soft(logits)
    columns = [
        BetaCalibration(parameters="abm").fit(shares[:, [k]], truth == k).predict(shares[:, k]) for k in range(K)
    ]
    (ours,) = FITS["beta"](logits, truth)
    assert apply_multiclass(ours, logits) == pytest.approx(one_vs_rest(columns), abs=2e-3)


@pytest.mark.parametrize("method", sorted(FITS))
def test_a_fit_repeats_to_the_bit_and_does_not_depend_on_the_order_of_rows(method: str) -> None:
    logits, truth = simulated(12, n=500)
    first = FITS[method](logits, truth)
    assert first == FITS[method](logits, truth)
    mixed = np.random.default_rng(0).permutation(500)
    for curve, again in zip(first, FITS[method](logits[mixed], truth[mixed]), strict=True):
        assert apply_multiclass(again, logits) == pytest.approx(apply_multiclass(curve, logits), abs=1e-6)


@pytest.mark.parametrize("method", sorted(FITS))
@pytest.mark.parametrize(
    "case", ["separable", "absent_class", "one_class", "one_row", "huge", "constant", "two_classes"]
)
def test_hard_rows_give_maps_that_can_be_stored_and_probabilities_that_are_finite(method: str, case: str) -> None:
    logits, truth = simulated(13, n=200)
    cases = {
        "separable": (logits, logits.argmax(axis=1)),
        "absent_class": (logits, np.minimum(truth, 1)),
        "one_class": (logits, np.zeros(200, dtype=int)),
        "one_row": (logits[:1], truth[:1]),
        "huge": (logits * 1e4, truth),
        "constant": (np.zeros((50, K)), truth[:50]),
        "two_classes": (logits[:, :2], np.minimum(truth, 1)),
    }
    rows, answers = cases[case]
    for curve in FITS[method](rows, answers):
        assert multiclass_problems(curve, rows.shape[1], "here") == []
        probability = apply_multiclass(curve, rows)
        assert np.isfinite(probability).all()
        assert probability.min() >= 0
        assert probability.sum(axis=1) == pytest.approx(1)
