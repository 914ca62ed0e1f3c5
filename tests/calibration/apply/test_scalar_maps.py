import numpy as np
import pytest

from vouch.calibration.apply.scalar_maps import apply_map, logit, sigmoid
from vouch.calibration.apply.validity import map_problems
from vouch.calibration.fit.scalar_fits import FITS


def noisy(seed: int, n: int = 800) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    score = np.round(generator.random(n), 2)  # ties, and both ends
    return score, generator.random(n) < score**2


@pytest.mark.parametrize("method", sorted(FITS))
@pytest.mark.parametrize("case", ["noisy", "reversed", "all_right", "all_wrong", "separable", "one_score", "one_row"])
def test_every_map_rises_within_0_and_1_and_is_never_nan(method: str, case: str) -> None:
    score, correct = noisy(3)
    cases = {
        "noisy": (score, correct),
        "reversed": (score, ~correct),
        "all_right": (score, np.ones(len(score), dtype=bool)),
        "all_wrong": (score, np.zeros(len(score), dtype=bool)),
        "separable": (score, score > 0.5),
        "one_score": (np.full(9, 0.3), np.arange(9) < 4),
        "one_row": (np.array([1.0]), np.array([False])),
    }
    curve = FITS[method](*cases[case])
    assert map_problems(curve, method) == []
    grid = np.concatenate([[0.0, 1e-12], np.linspace(0, 1, 1001), [1.0]])
    confidence = apply_map(curve, np.sort(grid))
    assert np.isfinite(confidence).all()
    assert confidence.min() >= 0
    assert confidence.max() <= 1
    assert (np.diff(confidence) >= 0).all()


def test_maps_by_hand() -> None:
    score = np.array([0.2, 0.5, 0.8])
    assert apply_map({"method": "identity"}, score) == pytest.approx(score)
    # logit(.8) = ln 4; halved it is ln 2, whose sigmoid is 2/3
    assert apply_map({"method": "temperature", "temperature": 2.0}, score) == pytest.approx([1 / 3, 1 / 2, 2 / 3])
    # ln 4 + ln 3 = ln 12 -> 12/13
    assert apply_map({"method": "platt", "slope": 1.0, "intercept": np.log(3)}, score)[2] == pytest.approx(12 / 13)
    # a ln(.8) - b ln(.2) + c = ln(.64) + ln 5 = ln 3.2 -> 3.2/4.2
    assert apply_map({"method": "beta", "a": 2, "b": 1, "c": 0}, score)[2] == pytest.approx(3.2 / 4.2)
    steps = {"method": "isotonic", "scores": [0.4, 0.6], "confidences": [0.1, 0.3]}
    assert apply_map(steps, np.array([0.0, 0.4, 0.5, 0.6, 1.0])) == pytest.approx([0.1, 0.1, 0.2, 0.3, 0.3])


def test_logit_and_sigmoid_are_inverse_and_do_not_overflow() -> None:
    score = np.linspace(0.001, 0.999, 99)
    assert sigmoid(logit(score)) == pytest.approx(score)
    assert sigmoid(np.array([-1e6, 1e6])) == pytest.approx([0, 1])


@pytest.mark.parametrize(
    ("curve", "word"),
    [
        (None, "map with a method"),
        ({"method": "magic"}, "map with a method"),
        ({"method": "platt", "slope": 1.0}, "keys"),
        ({"method": "platt", "slope": 1.0, "intercept": 0.0, "extra": 1}, "keys"),
        ({"method": "platt", "slope": -1.0, "intercept": 0.0}, "order of scores"),
        ({"method": "platt", "slope": float("nan"), "intercept": 0.0}, "finite"),
        ({"method": "platt", "slope": "1", "intercept": 0.0}, "finite"),
        ({"method": "temperature", "temperature": 0.0}, "> 0"),
        ({"method": "isotonic", "scores": [0.1, 0.2], "confidences": [0.2, 0.1]}, "rising"),
        ({"method": "isotonic", "scores": [0.1, 0.2], "confidences": [0.2]}, "2 numbers"),
        ({"method": "isotonic", "scores": [], "confidences": []}, "rising"),
        ({"method": "isotonic", "scores": ["a"], "confidences": [0.5]}, "rising"),
        ({"method": "isotonic", "scores": [0.5], "confidences": [1.5]}, "rising"),
    ],
)
def test_a_stored_map_that_cannot_be_applied_is_refused(curve: object, word: str) -> None:
    assert any(word in problem.expected for problem in map_problems(curve, "here"))
