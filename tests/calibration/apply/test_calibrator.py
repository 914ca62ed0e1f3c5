import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vouch.calibration.apply.calibrator import confidence
from vouch.calibration.apply.validity import validate_calibrator
from vouch.calibration.fit.scalar_lookup import lookup_table
from vouch.errors import BundleError, DataError

CALIBRATOR = {
    "kind": "scalar",
    "floor": 0.01,
    "global": {"method": "temperature", "temperature": 2.0},
    "classes": {
        "phone": {"method": "platt", "slope": 0.7, "intercept": 0.4},
        "cone": {"method": "isotonic", "scores": [0.2, 0.4, 0.401, 0.9], "confidences": [0.1, 0.2, 0.7, 0.95]},
    },
}


def test_each_class_takes_its_own_map_and_a_miss_has_confidence_zero() -> None:
    names = pd.Series(["phone", None, "cone", "unknown", "phone"])
    found = confidence(CALIBRATOR, np.array([0.5, 0.0, 0.3, 0.8, 0.5]), names)
    assert found == pytest.approx([1 / (1 + np.exp(-0.4)), 0.0, 0.15, 2 / 3, 1 / (1 + np.exp(-0.4))])
    assert found.dtype == np.float64


def test_no_rows_give_no_confidences() -> None:
    assert len(confidence(CALIBRATOR, np.zeros(0), np.zeros(0, dtype=object))) == 0


def test_scores_that_are_no_scores_are_refused_all_at_once() -> None:
    with pytest.raises(DataError) as refused:
        confidence(CALIBRATOR, np.array([0.5, np.nan, 1.5, -0.1, np.inf]), ["phone"] * 5)
    assert [problem.where for problem in refused.value.problems] == [f"row {row}: score" for row in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("calibrator", "word"),
    [
        ([], "kind"),
        ({**CALIBRATOR, "kind": "vector"}, "kind"),
        ({"kind": "scalar", "classes": {}}, "global"),
        ({"kind": "scalar", "global": {"method": "identity"}}, "classes"),
        ({**CALIBRATOR, "classes": {"phone": {"method": "platt", "slope": -1, "intercept": 0}}}, "classes.phone.slope"),
        ({**CALIBRATOR, "kind": ["scalar"]}, "kind"),
        ({**CALIBRATOR, "zebra": 1}, "zebra"),
        ({**CALIBRATOR, "population": 7}, "population"),
        ({**CALIBRATOR, "floor": 1}, "floor"),
        ({**CALIBRATOR, "floor": None}, "floor"),
        ({**CALIBRATOR, "global": {"method": ["platt"]}}, "global"),
        ({**CALIBRATOR, "global": {"method": "identity", "reason": 1}}, "global.reason"),
        ({**CALIBRATOR, "global": {"method": "platt", "slope": 10**400, "intercept": 0}}, "global.slope"),
        ({**CALIBRATOR, "global": {"method": "beta", "a": 1e308, "b": 1e308, "c": 0}}, "global.a"),
        ({**CALIBRATOR, "global": {"method": "temperature", "temperature": 1e-300}}, "global.temperature"),
        ({**CALIBRATOR, "global": {"method": "isotonic", "scores": ["0"], "confidences": [1]}}, "global.scores"),
        ({**CALIBRATOR, "global": {"method": "isotonic", "scores": [10**400], "confidences": [1]}}, "global.scores"),
        ({**CALIBRATOR, "global": {"method": "isotonic", "scores": [True], "confidences": [1]}}, "global.scores"),
    ],
)
def test_a_calibrator_that_cannot_be_applied_is_refused(calibrator: object, word: str) -> None:
    with pytest.raises(BundleError, match=word):
        validate_calibrator(calibrator)


def test_lookup_has_101_rising_points_for_each_class_and_one_block_for_every_other() -> None:
    table = lookup_table(CALIBRATOR, ["phone", "belt"])
    assert list(table.columns) == ["class", "score", "confidence"]
    assert table.groupby("class").size().to_dict() == {"*": 101, "belt": 101, "cone": 101, "phone": 101}
    for name, block in table.groupby("class"):
        assert block["score"].tolist() == pytest.approx([index / 100 for index in range(101)])
        assert (np.diff(block["confidence"]) >= 0).all()
        expected = confidence(CALIBRATOR, block["score"].to_numpy(), [name] * 101)
        assert block["confidence"].to_numpy() == pytest.approx(expected)


@pytest.mark.parametrize("name", ["phone", "belt"])
def test_interpolation_of_a_smooth_map_is_within_a_thousandth_above_a_score_of_a_twentieth(name: str) -> None:
    table = lookup_table(CALIBRATOR, [name])
    block = table[table["class"] == name]
    score = np.linspace(0.05, 0.95, 4321)
    read = np.interp(score, block["score"], block["confidence"])
    assert np.abs(read - confidence(CALIBRATOR, score, [name] * len(score))).max() < 0.001


def test_interpolation_of_a_step_errs_by_no_more_than_the_rise_between_two_points() -> None:
    block = lookup_table(CALIBRATOR, ["cone"]).query("`class` == 'cone'")
    score = np.linspace(0, 1, 4321)
    read = np.interp(score, block["score"], block["confidence"])
    error = np.abs(read - confidence(CALIBRATOR, score, ["cone"] * len(score)))
    assert error.max() <= np.diff(block["confidence"]).max()
    assert (np.diff(read) >= 0).all()


def test_applying_needs_neither_scikit_learn_nor_scipy_nor_torch() -> None:
    code = (
        "import sys; import vouch.calibration.apply.calibrator, vouch.policies.apply.policy;"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'sklearn', 'scipy', 'torch', 'ultralytics'}))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(Path(__file__).parents[3] / "src")},
    )
    assert found.stdout.strip() == "[]"
