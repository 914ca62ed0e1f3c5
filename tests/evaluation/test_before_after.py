import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from calibration.asked import multiclass
from vouch.evaluation.before_after import metrics_before_after, reliability_before_after

NAMES = ("a", "b", "c")
CLASSES = multiclass("identity")


def made_up(seed: int, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return generator.dirichlet([1.0, 1.0, 1.0], n), generator.integers(0, 3, n)


def table(probability: np.ndarray, truth: np.ndarray) -> pd.DataFrame:
    best = probability.argmax(axis=1)
    columns = {f"probability_{name}": probability[:, place] for place, name in enumerate(NAMES)}
    answers = {"class_true": np.array(NAMES)[truth], "class_pred": np.array(NAMES)[best], "correct": best == truth}
    return pd.DataFrame(
        {"group": np.arange(len(truth)) % 7, **answers, "confidence": probability.max(axis=1), **columns}
    )


def measured(before: pd.DataFrame, after: pd.DataFrame) -> dict:
    return metrics_before_after(before, after, CLASSES, correlation=0.05)


def test_losses_equal_scikit_learn_on_both_sides() -> None:
    (probability, truth), (later, other) = made_up(0), made_up(1)
    found = measured(table(probability, truth), table(later, other))
    assert found["nll_before"]["all"]["value"] == pytest.approx(log_loss(truth, probability, labels=[0, 1, 2]))
    assert found["nll"]["all"]["value"] == pytest.approx(log_loss(other, later, labels=[0, 1, 2]))
    of_classes = brier_score_loss(truth, probability, labels=[0, 1, 2], scale_by_half=False)
    assert found["brier_before"]["all"]["value"] == pytest.approx(of_classes)
    of_one = brier_score_loss(truth == 0, probability[:, 0], scale_by_half=True)
    assert found["one_vs_rest_brier_before"]["class=a"]["value"] == pytest.approx(of_one)


def test_a_class_that_is_said_wrong_shows_in_its_stratum_and_not_in_the_top_label() -> None:
    # always .6 for a, right 6 times of 10; of the rest it says c, and it is always b
    rows = table(np.tile([0.6, 0.0, 0.4], (100, 1)), np.array(([0] * 6 + [1] * 4) * 10))
    found = measured(rows, rows)
    assert found["ece"]["all"]["value"] == pytest.approx(0.0, abs=1e-9)
    values = {stratum: cell["value"] for stratum, cell in found["one_vs_rest_ece"].items()}
    assert values == pytest.approx({"class=a": 0.0, "class=b": 0.4, "class=c": 0.4}, abs=1e-9)
    assert found["ece_classwise"]["all"]["value"] == pytest.approx(0.8 / 3)
    # (p - y)^2 summed over classes: .16 + 0 + .16 for a, .36 + 1 + .16 for b
    assert found["brier"]["all"]["value"] == pytest.approx(0.6 * 0.32 + 0.4 * 1.52)


def test_every_metric_has_both_sides_and_the_form_that_others_read() -> None:
    before, after = table(*made_up(2)), table(*made_up(3))
    found = measured(before, after)
    answers = {"ece", "ece_adaptive", "ece_debiased", "mce"}
    wanted = (
        answers | {"nll", "brier", "ece_classwise"} | {f"one_vs_rest_{name}" for name in (*answers, "nll", "brier")}
    )
    assert set(found) == wanted | {f"{metric}_before" for metric in wanted}
    assert {key: found["nll"]["all"][key] for key in ("low", "high", "n_rows", "n_groups")} == {
        "low": None,
        "high": None,
        "n_rows": 400,
        "n_groups": 7,
    }
    with_chance = {
        metric for metric, strata in found.items() if all("expected_by_chance" in one for one in strata.values())
    }
    errors = {"ece", "ece_adaptive", "ece_classwise", "one_vs_rest_ece", "one_vs_rest_ece_adaptive"}
    assert with_chance == errors | {f"{name}_before" for name in errors}
    gated = measured(before, after.assign(gate=0.5))
    assert {metric for metric in gated if "gate" in metric} == {"gate_ece", "gate_nll", "gate_brier"}
    assert gated["gate_nll"]["all"]["value"] == pytest.approx(np.log(2))


def test_the_plot_counts_every_row_on_both_sides_with_its_own_answers() -> None:
    before, after = table(*made_up(4)), table(*made_up(5))
    found = reliability_before_after(before, after, bins=15)
    for side, rows in (("before", before), ("after", after)):
        part = found[found["side"] == side]
        assert part["n"].sum() == 400
        assert (part["n"] * part["accuracy"]).sum() == pytest.approx(rows["correct"].sum())
        assert (part["n"] * part["confidence"]).sum() == pytest.approx(rows["confidence"].sum())


def test_reliability_by_hand_with_wilsons_interval() -> None:
    rows = pd.DataFrame({"confidence": [0.05, 0.95, 0.95, 1.0], "correct": [False, True, False, True]})
    found = reliability_before_after(rows[:0], rows, bins=10)
    assert list(found.columns) == ["side", "bin_low", "bin_high", "n", "confidence", "accuracy", "low", "high"]
    assert (found["side"] == "after").all()
    assert found["n"].tolist() == [1, 3]
    assert found["bin_low"].tolist() == pytest.approx([0.0, 0.9])
    assert found["bin_high"].tolist() == pytest.approx([0.1, 1.0])
    assert found["confidence"].tolist() == pytest.approx([0.05, 2.9 / 3])
    assert found["accuracy"].tolist() == pytest.approx([0.0, 2 / 3])
    # 2 of 3: (p + z2/2n ± z sqrt(p q / n + z2 / 4 n2)) / (1 + z2/n), z = 1.95996
    assert found[["low", "high"]].to_numpy()[1] == pytest.approx([0.2077, 0.9385], abs=1e-4)
    assert found[["low", "high"]].to_numpy()[0] == pytest.approx([0.0, 0.7935], abs=1e-4)
