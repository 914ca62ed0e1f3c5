import json

import numpy as np
import pandas as pd
import pytest

from calibration.asked import multiclass
from vouch.calibration.apply.calibrator import calibrated
from vouch.calibration.apply.multiclass_maps import apply_multiclass
from vouch.calibration.apply.scalar_maps import sigmoid
from vouch.calibration.apply.validity import validate_calibrator
from vouch.calibration.fit.multiclass_fits import FITS
from vouch.calibration.fit.multiclass_selection import (
    cross_validate,
    fit_multiclass,
    labelled,
    out_of_fold,
    simplest,
)
from vouch.calibration.fit.scalar_fits import fit_platt
from vouch.errors import DataError

NAMES = ("cone", "barrier", "none")
CHOICE = multiclass("identity", "temperature", "vector", "dirichlet", "platt", folds=4)


def rows(n: int = 600, groups: int = 12, seed: int = 0, bias: float = 0.0, gate: bool = True) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 3, (n, 3))
    truth = (logits / 2 + bias * np.array([1.0, 0.0, -1.0]) + generator.gumbel(size=logits.shape)).argmax(axis=1)
    right = logits.argmax(axis=1) == truth
    table = pd.DataFrame(
        {
            "group": [f"g{index % groups}" for index in range(n)],
            "class_true": pd.array(np.array(NAMES, dtype=object)[truth], dtype="str"),
            "correct": right,
            **{f"logit_{name}": logits[:, place] for place, name in enumerate(NAMES)},
        }
    )
    return table.assign(gate_logit=generator.normal(0, 1, n) + 1.5 * right) if gate else table


def values(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    logits = table[[f"logit_{name}" for name in NAMES]].to_numpy()
    return logits, np.array([NAMES.index(name) for name in table["class_true"]])


def test_cross_validation_equals_a_slow_loop_over_whole_groups() -> None:
    table = rows(240, groups=6)
    logits, truth = values(table)
    found = cross_validate(logits, truth, table["group"], ("dirichlet", "isotonic"), folds=6)
    for method, losses in found.items():
        totals = np.zeros(len(losses))
        for group in table["group"].unique():
            held = (table["group"] == group).to_numpy()
            for place, curve in enumerate(FITS[method](logits[~held], truth[~held])):
                for row, label in zip(apply_multiclass(curve, logits[held]), truth[held], strict=True):
                    totals[place] -= np.log(max(row[label], 1e-12))
        assert losses == pytest.approx(totals / 240)


def test_the_strongest_penalty_within_a_tenthousandth_is_taken() -> None:
    assert simplest(np.array([0.5, 0.40009, 0.4, 0.39995])) == 2
    assert simplest(np.array([0.5, 0.40004, 0.4, 0.39995])) == 1
    assert simplest(np.array([0.3])) == 0


def test_the_method_with_the_least_held_out_loss_is_fitted_on_all_rows() -> None:
    table = rows(1500)
    calibrator = fit_multiclass(labelled(table), CHOICE)
    validate_calibrator(json.loads(json.dumps(calibrator)))
    losses = calibrator["cross_validation"]
    assert set(losses) == set(CHOICE.methods)
    assert calibrator["map"] == FITS["temperature"](*values(table))[0]  # the truth: a temperature of 2
    assert losses["identity"] > losses["temperature"] + 0.05
    assert calibrator["classes"] == list(NAMES)
    counts = table["class_true"].value_counts().to_dict()
    assert calibrator["population"] == {"n_rows": 1500, "n_groups": 12, "classes": counts}


def test_a_bias_that_a_temperature_cannot_say_is_found() -> None:
    table = rows(1500, bias=1.5)
    calibrator = fit_multiclass(table, CHOICE)
    assert calibrator["map"]["method"] in {"vector", "dirichlet", "platt"}
    assert (
        calibrator["cross_validation"][calibrator["map"]["method"]]
        < calibrator["cross_validation"]["temperature"] - 0.05
    )
    fresh = calibrated(calibrator, rows(1500, seed=1, bias=1.5))
    assert fresh["correct"].mean() > fresh["correct_before"].mean() + 0.01


def test_the_gate_learns_whether_the_calibrated_answer_is_right() -> None:
    table = rows(1500, bias=1.5)
    calibrator = fit_multiclass(table, CHOICE)
    right = calibrated({**calibrator, "gate": None}, table)["correct"]
    assert (right != table["correct"]).sum() > 20
    score = sigmoid(table["gate_logit"].to_numpy())
    assert calibrator["gate"] == fit_platt(score, right.to_numpy())
    assert calibrator["gate"] != fit_platt(score, table["correct"].to_numpy())


def test_a_method_that_the_rows_cannot_teach_is_left_out_and_named() -> None:
    table = rows(600, groups=600)  # three classes: dirichlet learns 12 numbers, vector and platt 6
    choice = CHOICE.model_copy(update={"rows_per_parameter": 80.0, "intraclass_floor": 0.05})
    found = fit_multiclass(table, choice)
    left_out, wrong = {"dirichlet": {"rows": 960.0, "events": 0.0}}, 600 - table["correct"].sum()
    assert found["candidates"] == {"effective_rows": 600.0, "effective_events": wrong, "left_out": left_out}
    assert set(found["cross_validation"]) == {"identity", "temperature", "vector", "platt"}
    validate_calibrator(json.loads(json.dumps(found)))
    none = fit_multiclass(table, choice.model_copy(update={"methods": ("dirichlet",)}))
    reason = f"rows worth 600 independent ones, {wrong} of the rarer of right and wrong; dirichlet needs 960 and 0"
    assert none["map"] == {"method": "identity", "reason": reason}


def test_few_wrong_answers_leave_one_order_for_all_classes() -> None:
    # One class is wrong now and then, the other never: a number for each class would call the other certain.
    generator = np.random.default_rng(3)
    truth, sure = generator.integers(0, 2, 800), generator.gamma(3, 1.5, 800)
    wrong = (truth == 0) & (generator.random(800) < 0.02)
    said = np.where(wrong, 1 - truth, truth)
    table = pd.DataFrame(
        {
            "group": [f"g{place}" for place in range(800)],
            "class_true": pd.array(np.array(["cone", "none"], dtype=object)[truth], dtype="str"),
            "correct": ~wrong,
            "logit_cone": np.where(said == 0, sure, -sure),
            "logit_none": np.where(said == 0, -sure, sure),
        }
    )
    methods = ("temperature", "vector", "matrix", "dirichlet")
    free = fit_multiclass(table, multiclass(*methods))
    assert free["map"]["method"] != "temperature"
    assert calibrated(free, table)["confidence"].corr(pd.Series(sure), method="spearman") < 0.9
    held = fit_multiclass(table, multiclass(*methods, events_per_parameter=5))
    assert held["map"]["method"] == "temperature"
    assert calibrated(held, table)["confidence"].corr(pd.Series(sure), method="spearman") > 0.999


def test_without_a_gates_logit_there_is_no_gate() -> None:
    assert fit_multiclass(rows(gate=False), CHOICE)["gate"] is None


def test_rows_without_a_label_are_left_out() -> None:
    table = rows(400)
    more = pd.concat([table, rows(300, seed=5).assign(class_true=None)], ignore_index=True)
    more["class_true"] = more["class_true"].astype("str")
    assert fit_multiclass(labelled(more), CHOICE) == fit_multiclass(labelled(table), CHOICE)


def test_out_of_fold_figures_of_a_row_ignore_its_own_group() -> None:
    table = rows(400, groups=4)
    own = (table["group"] == "g0").to_numpy()
    turned = table.copy()
    turned.loc[own, "class_true"] = np.roll(table.loc[own, "class_true"].to_numpy(), 1)
    before, after = out_of_fold(table, CHOICE), out_of_fold(turned, CHOICE)
    assert before.index.tolist() == list(range(400))
    for column in ("probability_cone", "gate"):
        assert (before.loc[own, column] == after.loc[own, column]).all()
        assert (before.loc[~own, column] != after.loc[~own, column]).any()


def test_one_group_alone_gives_the_identity_with_its_reason() -> None:
    table = rows(50, groups=1)
    calibrator = fit_multiclass(table, CHOICE)
    assert calibrator["map"] == {"method": "identity", "reason": "50 labelled rows in one group; 2 are needed"}
    validate_calibrator(calibrator)
    assert out_of_fold(table, CHOICE)["probability_cone"].notna().all()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"logit_cone": np.nan}, "a finite number"),
        ({"gate_logit": np.inf}, "a finite number"),
        ({"class_true": "cone"}, "two classes or more"),
        ({"class_true": "dragon"}, "'dragon'"),
        ({"group": None}, "a group"),
    ],
)
def test_rows_that_cannot_teach_are_refused(change: dict, word: str) -> None:
    with pytest.raises(DataError, match=word):
        labelled(rows(40).assign(**change))


def test_two_classes_are_enough_and_one_is_not() -> None:
    two = rows(300).drop(columns="logit_barrier").query("class_true != 'barrier'")
    assert fit_multiclass(labelled(two), CHOICE)["classes"] == ["cone", "none"]
    with pytest.raises(DataError, match="two classes or more"):
        labelled(two.drop(columns="logit_none").query("class_true != 'none'"))


def test_of_many_classes_a_map_that_the_rows_cannot_support_is_never_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    names = [f"c{place:02d}" for place in range(40)]
    logits = generator.normal(0, 3, (244, 40))
    truth = (logits / 2 + generator.gumbel(size=logits.shape)).argmax(axis=1)
    table = pd.DataFrame(logits, columns=[f"logit_{name}" for name in names]).assign(
        group=[f"g{place % 80}" for place in range(244)],
        class_true=[names[label] for label in truth],
        correct=logits.argmax(axis=1) == truth,
    )
    fitted = []
    for method, fit in FITS.items():
        monkeypatch.setitem(FITS, method, lambda *rows, method=method, fit=fit: [fitted.append(method), fit(*rows)][1])
    choice = multiclass(*FITS, rows_per_parameter=50, events_per_parameter=5, folds=4)
    found = fit_multiclass(table, choice)
    assert set(fitted) == {"identity", "temperature", "ensemble_temperature"}
    assert found["candidates"]["left_out"]["dirichlet"] == {"rows": 82_000, "events": 8_200}  # 40 x 41 numbers


def test_whoever_waits_hears_what_is_fitted() -> None:
    heard: list[str] = []
    choice = multiclass("identity", "temperature", folds=2)
    fit_multiclass(rows(60, groups=4), choice, tell=heard.append)
    assert heard == [
        "identity without fold 1 of 2",
        "temperature without fold 1 of 2",
        "identity without fold 2 of 2",
        "temperature without fold 2 of 2",
        "temperature on all folds",
    ]
    heard.clear()
    out_of_fold(rows(60, groups=4), choice, tell=heard.append)
    assert heard[0] == "for the figures of fold 1 of 2: identity without fold 1 of 2"
    assert heard[-1] == "for the figures of fold 2 of 2: temperature on all folds"
