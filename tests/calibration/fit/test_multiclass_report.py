import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from vouch.calibration.fit import multiclass_errors as m
from vouch.calibration.fit.multiclass_report import multiclass_metrics, multiclass_reliability

NAMES = ("a", "b", "c")


def made_up(seed: int, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    probability = generator.dirichlet([1.0, 1.0, 1.0], n)
    return probability, generator.integers(0, 3, n)


def table(probability: np.ndarray, truth: np.ndarray) -> pd.DataFrame:
    best = probability.argmax(axis=1)
    columns = {f"probability_{name}": probability[:, place] for place, name in enumerate(NAMES)}
    return pd.DataFrame(
        {
            "group": np.arange(len(truth)) % 7,
            "class_true": np.array(NAMES)[truth],
            "class_pred": np.array(NAMES)[best],
            "correct": best == truth,
            "confidence": probability.max(axis=1),
            **columns,
        }
    )


def test_losses_equal_scikit_learn() -> None:
    probability, truth = made_up(0)
    assert m.nll(probability, truth) == pytest.approx(log_loss(truth, probability, labels=[0, 1, 2]))
    assert m.brier(probability, truth) == pytest.approx(
        brier_score_loss(truth, probability, labels=[0, 1, 2], scale_by_half=False)
    )


def test_certain_and_wrong_costs_a_finite_loss() -> None:
    assert m.nll(np.array([[1.0, 0.0]]), np.array([1])) == pytest.approx(12 * np.log(10))


def test_classwise_error_equals_a_slow_loop() -> None:
    probability, truth = made_up(1)
    total = 0.0
    for k in range(3):
        for bin_index in range(10):
            inside = [i for i in range(400) if int(probability[i, k] * 10) == bin_index]
            if inside:
                gap = np.mean([truth[i] == k for i in inside]) - np.mean([probability[i, k] for i in inside])
                total += len(inside) / 400 * abs(gap)
    assert m.classwise_ece(probability, truth, bins=10) == pytest.approx(total / 3)


def test_a_class_that_is_said_wrong_shows_in_its_stratum_and_not_in_the_top_label() -> None:
    # always .6 for a, right 6 times of 10; of the rest it says c, and it is always b
    probability = np.tile([0.6, 0.0, 0.4], (100, 1))
    truth = np.array(([0] * 6 + [1] * 4) * 10)
    found = multiclass_metrics(table(probability, truth), table(probability, truth), NAMES, bins=10, correlation=0.05)
    values = {stratum: cell["value"] for stratum, cell in found["ece"].items()}
    assert values == pytest.approx({"all": 0.0, "class=a": 0.0, "class=b": 0.4, "class=c": 0.4}, abs=1e-9)
    assert found["classwise_ece"]["all"]["value"] == pytest.approx(0.8 / 3)
    assert set(found["classwise_ece"]) == {"all"}
    # (p - y)^2 summed over classes: .16 + 0 + .16 for a, .36 + 1 + .16 for b
    assert found["brier"]["all"]["value"] == pytest.approx(0.6 * 0.32 + 0.4 * 1.52)


def test_every_metric_has_both_sides_and_the_form_that_others_read() -> None:
    before, after = table(*made_up(2)), table(*made_up(3))
    found = multiclass_metrics(before, after, NAMES, bins=15, correlation=0.05)
    wanted = {"ece", "adaptive_ece", "debiased_ece", "mce", "classwise_ece", "nll", "brier"}
    assert set(found) == wanted | {f"{metric}_before" for metric in wanted}
    assert found["nll_before"]["all"] == {
        "value": m.nll(*made_up(2)),
        "low": None,
        "high": None,
        "n_rows": 400,
        "n_groups": 7,
    }
    assert found["nll"]["all"]["value"] == m.nll(*made_up(3))
    with_chance = {metric for metric, strata in found.items() if "expected_by_chance" in strata["all"]}
    assert with_chance == {"ece", "adaptive_ece", "ece_before", "adaptive_ece_before"}
    gated = multiclass_metrics(before, after.assign(gate=0.5), NAMES, bins=15, correlation=0.05)
    assert {metric for metric in gated if "gate" in metric} == {"gate_ece", "gate_nll", "gate_brier"}
    assert gated["gate_nll"]["all"]["value"] == pytest.approx(np.log(2))


def test_the_plot_counts_every_row_on_both_sides_with_its_own_answers() -> None:
    before, after = table(*made_up(4)), table(*made_up(5))
    found = multiclass_reliability(before, after, bins=15)
    for side, rows in (("before", before), ("after", after)):
        part = found[found["side"] == side]
        assert part["n"].sum() == 400
        assert (part["n"] * part["accuracy"]).sum() == pytest.approx(rows["correct"].sum())
        assert (part["n"] * part["confidence"]).sum() == pytest.approx(rows["confidence"].sum())
