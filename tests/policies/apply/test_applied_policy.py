import numpy as np
import pandas as pd
import pytest

from vouch.errors import BundleError
from vouch.policies.apply.kinds import accept
from vouch.policies.apply.policy import validate_policy

POLICY = {
    "kind": "operating_point",
    "feasible": True,
    "infeasible": {},
    "intraclass_correlation": 0.05,
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
    found = accept(POLICY["thresholds"], confidence, names)
    assert found.dtype == np.bool_
    assert found.tolist() == [False, True, True, False, False, False, True]


def test_no_rows_and_no_thresholds() -> None:
    assert accept(POLICY["thresholds"], np.zeros(0), np.zeros(0, dtype=object)).tolist() == []
    assert accept({}, np.ones(2), ["phone", None]).tolist() == [False, False]


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
        ({**POLICY, "kind": ["operating_point"]}, "kind"),
        ({**POLICY, "alpha": "0.02"}, "alpha"),
        ({**POLICY, "alpha": 0}, "alpha"),
        ({**POLICY, "delta": 10**400}, "delta"),
        ({**POLICY, "objective": "recall"}, "objective"),
        ({**POLICY, "evidence": []}, "evidence"),
        ({**POLICY, "infeasible": True}, "infeasible"),
        ({**POLICY, "infeasible": {"phone": 1}}, "infeasible"),
    ],
)
def test_anything_but_exactly_one_valid_policy_is_refused(policy: object, word: str) -> None:
    with pytest.raises(BundleError, match=word):
        validate_policy(policy)


def test_every_problem_is_listed() -> None:
    with pytest.raises(BundleError) as refused:
        validate_policy({**POLICY, "feasible": "yes", "guarantee": "", "thresholds": {"a": 2, "b": -1}})
    assert len(refused.value.problems) == 4


EXITS = {key: value for key, value in POLICY.items() if key != "thresholds"} | {"positive": "cone"}
THRESHOLD = {**EXITS, "kind": "threshold", "threshold": 0.9}
GATE = {**EXITS, "kind": "gate", "threshold": 0.9}
OF_SCRC = {"score": "gate", "variant": "rank", "xi": 0.8, "lam1": 0.6, "tie": 0.0, "lam2": 0.5, "jitter_seed": 1}
SCRC = {**EXITS, "kind": "scrc", **OF_SCRC}
ABSTAINS = {"feasible": False, "infeasible": {"*": "few"}}


@pytest.mark.parametrize(
    "policy",
    [
        THRESHOLD,
        GATE,
        SCRC,
        {**THRESHOLD, "positive": None},
        {**GATE, **ABSTAINS, "threshold": None},
        {**SCRC, **ABSTAINS, "xi": None, "lam1": None, "tie": None, "lam2": None},
        {**SCRC, "lam2": 1.0, "lam1": 0, "variant": "clopper_pearson", "score": "confidence"},
    ],
)
def test_each_kind_is_a_policy(policy: dict[str, object]) -> None:
    validate_policy(policy)


@pytest.mark.parametrize(
    ("policy", "where"),
    [
        ({**THRESHOLD, "thresholds": {}}, "thresholds"),
        ({**THRESHOLD, "lam1": 0.5}, "lam1"),
        ({**SCRC, "threshold": 0.5}, "threshold"),
        ({**POLICY, "threshold": 0.5}, "threshold"),
        ({**THRESHOLD, "scrc": SCRC}, "scrc"),
        ({key: value for key, value in GATE.items() if key != "positive"}, "positive"),
        ({key: value for key, value in SCRC.items() if key != "tie"}, "tie"),
        ({**THRESHOLD, "threshold": None}, "threshold"),
        ({**THRESHOLD, "threshold": 1.1}, "threshold"),
        ({**THRESHOLD, "threshold": float("nan")}, "threshold"),
        ({**THRESHOLD, **ABSTAINS}, "threshold"),
        ({**THRESHOLD, "alpha": None}, "alpha"),
        ({**THRESHOLD, "alpha": 0}, "alpha"),
        ({**THRESHOLD, "delta": 1.0}, "delta"),
        ({**THRESHOLD, "positive": ""}, "positive"),
        ({**THRESHOLD, "positive": 1}, "positive"),
        ({**SCRC, "score": "softmax"}, "score"),
        ({**SCRC, "variant": "exact"}, "variant"),
        ({**SCRC, "xi": 1.2}, "xi"),
        ({**SCRC, "lam1": None}, "lam1"),
        ({**SCRC, "lam2": -0.1}, "lam2"),
        ({**SCRC, "tie": "0"}, "tie"),
        ({**SCRC, "jitter_seed": -1}, "jitter_seed"),
        ({**SCRC, "jitter_seed": True}, "jitter_seed"),
    ],
)
def test_an_exit_policy_with_another_ones_keys_or_an_impossible_value_is_refused(policy: object, where: str) -> None:
    with pytest.raises(BundleError) as refused:
        validate_policy(policy)
    assert [problem.where for problem in refused.value.problems] == [f"policy.json: {where}"]


def test_every_problem_of_an_exit_policy_is_listed() -> None:
    impossible = dict.fromkeys(["alpha", "delta", "positive", "xi", "lam1", "tie", "lam2", "jitter_seed"], -1)
    with pytest.raises(BundleError) as refused:
        validate_policy({**SCRC, **impossible, "score": "", "variant": "", "guarantee": "", "feasible": 1})
    assert len(refused.value.problems) == 12
