import numpy as np
import pandas as pd
import pytest

from vouch.calibration.apply.calibrator import calibrated, confidence
from vouch.calibration.apply.validity import validate_calibrator
from vouch.calibration.fit.multiclass_lookup import multiclass_lookup
from vouch.errors import BundleError, DataError

SCALAR = {
    "kind": "scalar",
    "floor": 0.01,
    "global": {"method": "temperature", "temperature": 2.0},
    "classes": {"phone": {"method": "platt", "slope": 0.7, "intercept": 0.4}},
}
CALIBRATOR = {
    "kind": "multiclass",
    "classes": ["cone", "none"],
    "map": {"method": "vector", "weights": [1.0, 1.0], "biases": [np.log(3), 0.0]},
    "gate": {"method": "platt", "slope": 2.0, "intercept": 0.0},
}


def rows() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "sample_id": ["a", "b", "c"],
            "class_true": pd.array(["cone", "cone", None], dtype="str"),
            "class_pred": pd.array(["none", "cone", "none"], dtype="str"),
            "score": [2 / 3, 0.75, 0.9],
            "correct": [False, True, False],
            "logit_cone": [0.0, np.log(3), 0.0],
            "logit_none": [np.log(2), 0.0, np.log(9)],
            "gate_logit": [0.0, np.log(2), -np.log(2)],
        },
        index=[5, 3, 9],
    )


def test_probabilities_answer_and_judgment_by_hand() -> None:
    before = rows()
    found = calibrated(CALIBRATOR, before)
    # odds of cone, three times the network's: 3/2, 9, 1/3
    assert found["probability_cone"].tolist() == pytest.approx([0.6, 0.9, 0.25])
    assert found["probability_none"].tolist() == pytest.approx([0.4, 0.1, 0.75])
    assert found["confidence"].tolist() == pytest.approx([0.6, 0.9, 0.75])
    assert found["class_pred"].tolist() == ["cone", "cone", "none"]
    assert found["correct"].tolist() == [True, True, False]
    assert found["correct_before"].tolist() == [False, True, False]
    # sigmoid of twice the gate's logit: 1/2, 4/5, 1/5
    assert found["gate"].tolist() == pytest.approx([0.5, 0.8, 0.2])
    assert found["score"].tolist() == before["score"].tolist()
    assert found.index.tolist() == [5, 3, 9]
    assert found["correct"].dtype == found["correct_before"].dtype == bool
    assert found["class_pred"].dtype == before["class_pred"].dtype
    pd.testing.assert_frame_equal(before, rows())  # the rows given are left as they are


def test_there_is_no_gate_where_rows_or_calibrator_have_none() -> None:
    assert "gate" not in calibrated(CALIBRATOR, rows().drop(columns="gate_logit"))
    assert "gate" not in calibrated({**CALIBRATOR, "gate": None}, rows())


def test_rows_without_truth_are_calibrated_and_not_judged() -> None:
    found = calibrated(CALIBRATOR, rows()[["sample_id", "logit_cone", "logit_none"]])
    assert found["class_pred"].tolist() == ["cone", "cone", "none"]
    assert not {"correct", "correct_before", "class_true"} & set(found)


def test_no_rows_give_no_rows_with_the_columns() -> None:
    found = calibrated(CALIBRATOR, rows()[:0])
    assert len(found) == 0
    assert {"probability_cone", "probability_none", "confidence", "gate", "correct_before"} <= set(found)


def test_detections_are_calibrated_as_before() -> None:
    table = pd.DataFrame(
        {
            "class_pred": pd.array(["phone", None, "belt"], dtype="str"),
            "score": [0.5, 0.0, 0.8],
            "correct": [True, False, False],
        }
    )
    found = calibrated(SCALAR, table)
    assert found["confidence"].tolist() == confidence(SCALAR, table["score"], table["class_pred"]).tolist()
    assert found["confidence"].tolist() == pytest.approx([1 / (1 + np.exp(-0.4)), 0.0, 2 / 3])
    assert found["correct_before"].tolist() == [True, False, False]
    assert found[list(table)].equals(table)
    assert "correct_before" not in calibrated(SCALAR, table.drop(columns="correct"))


def test_bad_rows_are_refused_all_at_once_before_anything_is_used() -> None:
    table = rows().assign(class_true=pd.array(["cone", "barrier", None], dtype="str"))
    table["logit_cone"] = [np.nan, 1.0, np.inf]
    table["gate_logit"] = [0.0, np.nan, 0.0]
    with pytest.raises(DataError) as refused:
        calibrated(CALIBRATOR, table)
    assert [problem.where for problem in refused.value.problems] == [
        "row 0: logit_cone",
        "row 1: class_true",
        "row 1: gate_logit",
        "row 2: logit_cone",
    ]


def test_rows_of_another_network_are_refused() -> None:
    with pytest.raises(DataError, match="logit_barrier"):
        calibrated(CALIBRATOR, rows().assign(logit_barrier=0.0))
    with pytest.raises(DataError, match="logit_none"):
        calibrated(CALIBRATOR, rows().drop(columns="logit_none"))


@pytest.mark.parametrize(
    ("change", "wheres"),
    [
        ({"classes": ["cone"]}, ["calibrator.json: classes"]),
        ({"classes": ["cone", "cone"]}, ["calibrator.json: classes"]),
        ({"classes": "ab"}, ["calibrator.json: classes"]),
        ({"classes": ["cone", 3]}, ["calibrator.json: classes"]),
        ({"classes": ["cone", "none", "belt"]}, ["calibrator.json: map.biases", "calibrator.json: map.weights"]),
        ({"map": {"method": "magic"}}, ["calibrator.json: map"]),
        ({"gate": {"method": "platt", "slope": -1.0, "intercept": 0.0}}, ["calibrator.json: gate.slope"]),
        ({"map": None, "gate": 3}, ["calibrator.json: gate", "calibrator.json: map"]),
    ],
)
def test_a_calibrator_that_cannot_be_applied_is_refused(change: dict, wheres: list[str]) -> None:
    with pytest.raises(BundleError) as refused:
        calibrated({**CALIBRATOR, **change}, rows())
    assert [problem.where for problem in refused.value.problems] == wheres


def test_every_missing_part_is_named() -> None:
    with pytest.raises(BundleError) as refused:
        validate_calibrator({"kind": "multiclass"})
    assert {"calibrator.json: classes", "calibrator.json: gate", "calibrator.json: map"} == {
        problem.where for problem in refused.value.problems
    }
    validate_calibrator(CALIBRATOR)
    validate_calibrator(SCALAR)


def test_the_lookup_of_two_classes_has_their_curves_and_the_gates() -> None:
    table = multiclass_lookup(CALIBRATOR)
    assert table.groupby("class").size().to_dict() == {"*gate": 101, "cone": 101, "none": 101}
    at = table[table["score"] == 0.5].set_index("class")["confidence"]
    assert at.to_dict() == pytest.approx({"cone": 0.75, "none": 0.25, "*gate": 0.5})
    cone, none = (table[table["class"] == name]["confidence"].to_numpy() for name in ("cone", "none"))
    assert cone + none[::-1] == pytest.approx(1)


def test_the_lookup_of_more_classes_has_curves_of_one_vs_rest_maps_alone() -> None:
    three = {"kind": "multiclass", "classes": ["a", "b", "c"], "gate": None}
    mixed = multiclass_lookup({**three, "map": {"method": "temperature", "temperature": 2.0}})
    assert mixed.empty
    assert list(mixed.columns) == ["class", "score", "confidence"]
    curves = [{"method": "platt", "slope": slope, "intercept": 0.0} for slope in (1.0, 2.0, 0.0)]
    table = multiclass_lookup({**three, "map": {"method": "platt", "classes": curves}})
    at = table[table["score"] == 0.8].set_index("class")["confidence"]
    assert at.to_dict() == pytest.approx({"a": 0.8, "b": 16 / 17, "c": 0.5})
