import json

import numpy as np
import pandas as pd
import pytest

from calibration.asked import scalar
from vouch.calibration.apply.calibrator import confidence
from vouch.calibration.apply.scalar_maps import apply_map
from vouch.calibration.apply.validity import validate_calibrator
from vouch.calibration.fit.scalar_fits import FITS
from vouch.calibration.fit.scalar_selection import best, cross_validate, fit_calibrator, out_of_fold, population
from vouch.errors import DataError

CHOICE = scalar("identity", "temperature", "platt", "beta", "isotonic", floor=0.01)


def rows(n: int, groups: int = 10, name: str = "phone", seed: int = 0, power: float = 3.0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    score = generator.uniform(0.01, 0.99, n)
    return pd.DataFrame(
        {
            "group": [f"g{index % groups}" for index in range(n)],
            "class_true": name,
            "class_pred": name,
            "score": score,
            "correct": generator.random(n) < score**power,
        }
    )


def test_a_class_with_too_few_rows_or_groups_takes_the_global_map() -> None:
    table = pd.concat([rows(600), rows(30, name="cone"), rows(600, groups=2, name="belt")], ignore_index=True)
    calibrator = fit_calibrator(population(table, floor=0.01), CHOICE)
    assert list(calibrator["classes"]) == ["phone"]
    used = {name: entry["map"] for name, entry in calibrator["population"]["classes"].items()}
    assert used == {"belt": "global", "cone": "global", "phone": "own"}
    score = np.linspace(0, 1, 11)
    for name in ("cone", "belt", "never seen"):
        expected = apply_map(calibrator["global"], score)
        assert confidence(calibrator, score, [name] * 11) == pytest.approx(expected)
    expected = apply_map(calibrator["classes"]["phone"], score)
    assert confidence(calibrator, score, ["phone"] * 11) == pytest.approx(expected)
    validate_calibrator(json.loads(json.dumps(calibrator)))


def test_a_class_of_few_effective_rows_tries_fewer_methods_than_all_together() -> None:
    cones = rows(250, groups=250, name="cone")
    table = pd.concat([rows(900, groups=900), cones.assign(group="cone " + cones["group"])], ignore_index=True)
    choice = CHOICE.model_copy(update={"rows_per_parameter": 70.0, "intraclass_floor": 0.05})
    found = fit_calibrator(table, choice)["candidates"]
    rarer = min(cones["correct"].sum(), 250 - cones["correct"].sum())
    left_out = {"isotonic": {"rows": 1050.0, "events": 0.0}}
    assert found["classes"]["cone"] == {"effective_rows": 250.0, "effective_events": rarer, "left_out": left_out}
    assert found["classes"]["phone"]["left_out"] == left_out
    assert found["global"]["left_out"] == {}


def test_the_population_is_what_was_predicted_at_or_above_the_floor() -> None:
    table = rows(4).assign(score=[0.0, 0.009, 0.01, 0.5], class_pred=[None, "phone", "phone", "phone"])
    assert population(table, floor=0.01)["score"].tolist() == [0.01, 0.5]


def test_rows_below_the_floor_do_not_move_the_fit() -> None:
    table = rows(500)
    below = rows(400, seed=3).assign(score=0.005, correct=True)
    both = pd.concat([table, below], ignore_index=True)
    fitted = fit_calibrator(population(both, floor=0.01), CHOICE)
    assert fitted == fit_calibrator(population(table, floor=0.01), CHOICE)
    assert fitted["floor"] == 0.01


def test_the_choice_is_the_least_log_loss_and_ties_take_fewer_parameters() -> None:
    assert best({"beta": 0.3, "isotonic": 0.2, "identity": 0.4}) == "isotonic"
    assert best({"beta": 0.30000, "platt": 0.30005, "identity": 0.31}) == "platt"
    assert best({"isotonic": 0.3, "temperature": 0.3, "identity": 0.3}) == "identity"


def test_cross_validation_equals_a_slow_loop_over_whole_groups() -> None:
    table = rows(300, groups=6)
    losses = cross_validate(table, ("platt",), folds=6)  # as many folds as groups: each group is a fold
    total = 0.0
    for group in table["group"].unique():
        seen, held = table[table["group"] != group], table[table["group"] == group]
        curve = FITS["platt"](seen["score"].to_numpy(), seen["correct"].to_numpy())
        said = apply_map(curve, held["score"].to_numpy())
        total -= np.log(np.where(held["correct"], said, 1 - said)).sum()
    assert losses["platt"] == pytest.approx(total / 300)


def test_out_of_fold_confidence_of_a_row_ignores_its_own_group() -> None:
    table = rows(400).assign(group=[f"g{index // 100}" for index in range(400)])
    choice = CHOICE.model_copy(update={"folds": 4, "min_rows": 50, "min_groups": 2})
    before = out_of_fold(table, choice)
    own = (table["group"] == "g0").to_numpy()
    turned = table.assign(correct=np.where(own, ~table["correct"], table["correct"]))
    after = out_of_fold(turned, choice)
    assert (before[own] == after[own]).all()
    assert (before[~own] != after[~own]).any()


def test_no_prediction_at_all_gives_the_identity_with_its_reason() -> None:
    table = rows(3).assign(class_pred=None, score=0.0, correct=False)
    calibrator = fit_calibrator(population(table, floor=0.01), CHOICE)
    assert calibrator["global"] == {
        "method": "identity",
        "reason": "0 predictions in 0 groups; 200 in 5 are needed",
    }
    assert calibrator["classes"] == {}
    validate_calibrator(calibrator)
    assert len(out_of_fold(population(table, floor=0.01), CHOICE)) == 0


def test_the_order_of_rows_does_not_change_methods_or_groups_of_folds() -> None:
    table = rows(500)
    mixed = table.sample(frac=1, random_state=4)
    first, second = fit_calibrator(table, CHOICE), fit_calibrator(mixed, CHOICE)
    assert first["global"]["method"] == second["global"]["method"]
    for method, loss in first["cross_validation"]["global"].items():
        assert second["cross_validation"]["global"][method] == pytest.approx(loss, abs=1e-9)


def test_bad_rows_are_refused_all_at_once() -> None:
    table = rows(5).assign(score=[0.5, np.nan, 1.2, -0.1, 0.3])
    table["group"] = ["a", "b", "c", "d", None]
    with pytest.raises(DataError) as refused:
        population(table, floor=0.01)
    assert [problem.where for problem in refused.value.problems] == [
        "row 1: score",
        "row 2: score",
        "row 3: score",
        "row 4: group",
    ]
