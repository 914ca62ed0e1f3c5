import numpy as np
import pandas as pd
import pytest

from vouch.errors import BundleError
from vouch.policies.policy import accept, validate_policy

POLICY = {
    "kind": "operating_point",
    "feasible": True,
    "infeasible": {},
    "guarantee": "none",
    "alpha": 0.02,
    "delta": 0.05,
    "objective": {"metric": "recall"},
    "thresholds": {"phone": 0.5, "cone": None, "belt": 0.0},
    "evidence": {},
}


def test_at_or_above_its_class_threshold_is_accepted_and_unknown_or_undecided_classes_never_are() -> None:
    names = pd.Series(["phone", "phone", "phone", "cone", "never seen", None, "belt"])
    confidence = np.array([0.49, 0.5, 0.9, 1.0, 1.0, 1.0, 0.0])
    found = accept(POLICY, confidence, names)
    assert found.dtype == np.bool_
    assert found.tolist() == [False, True, True, False, False, False, True]


def test_no_rows_and_no_thresholds() -> None:
    assert accept(POLICY, np.zeros(0), np.zeros(0, dtype=object)).tolist() == []
    assert accept({**POLICY, "thresholds": {}}, np.ones(2), ["phone", None]).tolist() == [False, False]


@pytest.mark.parametrize(
    ("policy", "word"),
    [
        ([POLICY, POLICY], "kind"),
        ({}, "kind"),
        ({**POLICY, "kind": "magic"}, "operating_point"),
        ({**POLICY, "gate": {"kind": "gate"}}, "keep exactly one policy"),
        ({**POLICY, "lambda_hat": 0.3}, "keep exactly one policy"),
        ({key: value for key, value in POLICY.items() if key != "thresholds"}, "thresholds"),
        ({**POLICY, "feasible": 1}, "feasible"),
        ({**POLICY, "guarantee": "absolute"}, "guarantee"),
        ({**POLICY, "thresholds": [0.5]}, "thresholds"),
        ({**POLICY, "thresholds": {"phone": 1.5}}, "thresholds.phone"),
        ({**POLICY, "thresholds": {"phone": "0.5"}}, "thresholds.phone"),
        ({**POLICY, "thresholds": {"phone": float("nan")}}, "thresholds.phone"),
        ({**POLICY, "thresholds": {"phone": True}}, "thresholds.phone"),
    ],
)
def test_anything_but_exactly_one_valid_policy_is_refused(policy: object, word: str) -> None:
    with pytest.raises(BundleError, match=word):
        validate_policy(policy)


def test_every_problem_is_listed() -> None:
    with pytest.raises(BundleError) as refused:
        validate_policy({**POLICY, "feasible": "yes", "guarantee": "", "thresholds": {"a": 2, "b": -1}})
    assert len(refused.value.problems) == 4
