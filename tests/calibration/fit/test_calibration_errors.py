import math

import numpy as np
import pandas as pd
import pytest

from vouch.calibration.fit import calibration_errors as r
from vouch.errors import DataError


def rows(seed: int, n: int = 500) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    confidence = np.concatenate([generator.random(n - 3), [0.0, 0.5, 1.0]])
    return confidence, generator.random(n) < 0.8 * confidence


def slow_bins(confidence: np.ndarray, target: np.ndarray, bins: int) -> list[tuple[int, float]]:
    found = []
    for index in range(bins):
        low, high = index / bins, (index + 1) / bins
        inside = [i for i, c in enumerate(confidence) if low <= c < high or (index == bins - 1 and c == 1)]
        if inside:
            gap = sum(target[i] for i in inside) / len(inside) - sum(confidence[i] for i in inside) / len(inside)
            found.append((len(inside), gap))
    return found


@pytest.mark.parametrize("bins", [1, 4, 15])
def test_ece_and_mce_equal_a_slow_loop(bins: int) -> None:
    confidence, correct = rows(0)
    slow = slow_bins(confidence, correct, bins)
    assert r.ece(confidence, correct, bins=bins) == pytest.approx(sum(n * abs(gap) for n, gap in slow) / 500)
    assert r.mce(confidence, correct, bins=bins) == pytest.approx(max(abs(gap) for _, gap in slow))


def test_by_hand() -> None:
    confidence, correct = np.array([0.1, 0.3, 0.9, 0.9]), np.array([False, True, True, False])
    # two bins: (.2 said, .5 true) and (.9 said, .5 true), half the rows each
    assert r.ece(confidence, correct, bins=2) == pytest.approx(0.35)
    assert r.mce(confidence, correct, bins=2) == pytest.approx(0.4)
    assert r.adaptive_ece(confidence, correct, bins=2) == pytest.approx(0.35)
    assert r.brier(confidence, correct) == pytest.approx((0.01 + 0.49 + 0.01 + 0.81) / 4)
    assert r.nll(confidence, correct) == pytest.approx(-sum(map(math.log, [0.9, 0.3, 0.9, 0.1])) / 4)
    assert r.classwise_ece(confidence, correct, np.array(["a", "a", "b", "b"], dtype=object), bins=2) == pytest.approx(
        (0.3 + 0.4) / 2
    )


def test_certain_and_wrong_costs_a_finite_loss() -> None:
    assert r.nll(np.array([1.0]), np.array([False])) == pytest.approx(12 * math.log(10))


@pytest.mark.parametrize("metric", ["ece", "adaptive_ece", "mce", "debiased_ece"])
def test_weight_two_is_the_row_twice(metric: str) -> None:
    confidence, correct = rows(1, 60)
    weights = np.random.default_rng(2).integers(0, 4, 60)
    twice = np.repeat(np.arange(60), weights)
    function = getattr(r, metric)
    bins = 5 if metric != "adaptive_ece" else 1  # equal-mass edges follow the rows, not their weights
    expected = function(confidence[twice], correct[twice], bins=bins)
    assert function(confidence, correct, bins=bins, weights=weights.astype(float)) == pytest.approx(expected)


def test_weights_of_losses() -> None:
    confidence, correct = np.array([0.5, 1.0]), np.array([True, True])
    assert r.nll(confidence, correct, weights=np.array([3.0, 1.0])) == pytest.approx(0.75 * math.log(2))
    assert r.brier(confidence, correct, weights=np.array([3.0, 1.0])) == pytest.approx(0.75 * 0.25)


def test_adaptive_bins_hold_equally_many_rows_and_equal_values_share_one() -> None:
    assert np.bincount(r.equal_mass(np.random.default_rng(0).random(99), 3)).tolist() == [33, 33, 33]
    assert len(set(r.equal_mass(np.full(10, 0.4), 5))) == 1


def test_debiased_ece_equals_kumars_draws() -> None:
    confidence, correct = rows(3, 400)
    generator, draws = np.random.default_rng(1), []
    index = np.minimum((confidence * 10).astype(int), 9)
    share = np.bincount(index) / 400
    accuracy = np.bincount(index, weights=correct) / np.bincount(index)
    said = np.bincount(index, weights=confidence) / np.bincount(index)
    for _ in range(4000):
        drawn = generator.normal(accuracy, np.sqrt(accuracy * (1 - accuracy) / np.bincount(index)))
        draws.append(np.sum(share * np.abs(drawn - said)))
    plain = r.ece(confidence, correct, bins=10)
    expected = plain - (np.mean(draws) - plain)
    assert r.debiased_ece(confidence, correct, bins=10) == pytest.approx(expected, abs=4 * np.std(draws) / 4000**0.5)
    assert r.debiased_ece(confidence, correct, bins=10) < plain


def test_debiased_ece_of_bins_without_noise_is_the_ece() -> None:
    confidence, correct = np.array([0.9, 0.9, 0.2]), np.array([True, True, False])
    assert r.debiased_ece(confidence, correct, bins=10) == pytest.approx(r.ece(confidence, correct, bins=10))


def test_d_ece_sees_what_cancels_over_box_sizes() -> None:
    confidence = np.full(200, 0.5)
    area = np.concatenate([np.linspace(1, 2, 100), np.linspace(1000, 2000, 100)])
    correct = area > 500
    assert r.ece(confidence, correct, bins=10) == pytest.approx(0.0)
    assert r.detection_ece(confidence, correct, area, bins=10, feature_bins=2) == pytest.approx(0.5)


def test_laece0_equals_a_slow_loop_and_a_hand() -> None:
    confidence, correct = rows(4)
    iou = np.where(correct, 0.7, 0.0)
    names = np.array(["a", "b"], dtype=object)[np.random.default_rng(0).integers(0, 2, 500)]
    per_class = []
    for name in ("a", "b"):
        mask = names == name
        slow = slow_bins(confidence[mask], iou[mask], 25)
        per_class.append(sum(n * abs(gap) for n, gap in slow) / mask.sum())
    assert r.laece0(confidence, iou, names, bins=25) == pytest.approx(np.mean(per_class))
    # class a: said .9 of IoU .8, said .1 of nothing; class b: said .5 of IoU .9
    hand = (np.array([0.9, 0.1, 0.5]), np.array([0.8, 0.0, 0.9]), np.array(["a", "a", "b"], dtype=object))
    assert r.laece0(*hand, bins=25) == pytest.approx((0.1 + 0.4) / 2)
    assert r.laace0(*hand) == pytest.approx((0.1 + 0.4) / 2)


def test_overlap_at_zero_keeps_hits_and_loose_hits_and_drops_doubles() -> None:
    iou, correct = np.array([0.8, 0.3, 0.7, 0.0]), np.array([True, False, False, False])
    assert r.overlap_at_zero(iou, correct) == pytest.approx([0.8, 0.3, 0.0, 0.0])


def test_reliability_table_by_hand_with_wilsons_interval() -> None:
    table = r.reliability_table(np.array([0.05, 0.95, 0.95, 1.0]), np.array([False, True, False, True]), bins=10)
    assert table["n"].tolist() == [1, 3]
    assert table["bin_low"].tolist() == pytest.approx([0.0, 0.9])
    assert table["bin_high"].tolist() == pytest.approx([0.1, 1.0])
    assert table["confidence"].tolist() == pytest.approx([0.05, 2.9 / 3])
    assert table["accuracy"].tolist() == pytest.approx([0.0, 2 / 3])
    # 2 of 3: (p + z2/2n ± z sqrt(p q / n + z2 / 4 n2)) / (1 + z2/n), z = 1.95996
    assert table[["low", "high"]].to_numpy()[1] == pytest.approx([0.2077, 0.9385], abs=1e-4)
    assert table[["low", "high"]].to_numpy()[0] == pytest.approx([0.0, 0.7935], abs=1e-4)


def test_reliability_table_of_nothing_is_empty_with_its_columns() -> None:
    table = r.reliability_table(np.zeros(0), np.zeros(0, dtype=bool), bins=10)
    assert list(table.columns) == ["bin_low", "bin_high", "n", "confidence", "accuracy", "low", "high"]
    assert isinstance(table, pd.DataFrame)
    assert table.empty


@pytest.mark.parametrize("metric", ["ece", "adaptive_ece", "mce", "debiased_ece"])
def test_the_error_of_nothing_is_refused(metric: str) -> None:
    with pytest.raises(DataError, match="rows with weight"):
        getattr(r, metric)(np.zeros(0), np.zeros(0, dtype=bool), bins=5)
    with pytest.raises(DataError, match="rows with weight"):
        getattr(r, metric)(np.ones(2), np.ones(2, dtype=bool), bins=5, weights=np.zeros(2))
