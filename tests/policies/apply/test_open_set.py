from typing import Any

import numpy as np
import pandas as pd
import pytest

from policies.made import SHARED
from vouch.errors import BundleError, DataError
from vouch.policies.apply.kinds import FORMS, form_of, score_column
from vouch.policies.apply.policy import decided, validate_policy

COMMON = {"kind": "open_set", "guarantee": "none", "alpha": 0.05, "delta": 0.05, **SHARED}
BY_THRESHOLDS = {**COMMON, "rule": "thresholds", "similarity": 0.6, "margin": 0.1}
BY_P_VALUE = {**COMMON, "rule": "p_value", "p": 0.4, "calibration": {"tea": [-1.0, 0.5, 0.5, 0.7], "cola": []}}
INFEASIBLE = {"feasible": False, "infeasible": {"*": "few"}}


def rows(**changes: Any) -> pd.DataFrame:
    table = {
        "class_pred": pd.array(["tea", "tea", "tea", "cola", None], dtype="str"),
        "similarity": [0.6, 0.59, 0.9, 1.0, -1.0],
        "margin": [0.1, 0.5, 0.09, 1.0, 0.0],
    }
    return pd.DataFrame({**table, **changes})


def test_similarity_and_margin_must_each_reach_their_threshold() -> None:
    found = decided(BY_THRESHOLDS, rows())
    assert found["accept"].tolist() == [True, False, False, True, False]
    assert found["accept"].dtype == np.bool_
    assert list(found.columns) == ["class_pred", "similarity", "margin", "accept"]


def test_nothing_said_is_never_accepted() -> None:
    everything = {**BY_THRESHOLDS, "similarity": -1.0, "margin": 0.0}
    assert decided(everything, rows())["accept"].tolist() == [True, True, True, True, False]


def test_a_p_value_counts_the_calibration_crops_of_the_named_product_that_are_at_most_as_similar() -> None:
    table = rows(class_pred=pd.array(["tea"] * 5, dtype="str"), similarity=[-1.0, 0.4, 0.5, 0.7, 0.71])
    found = decided(BY_P_VALUE, table)
    assert found["p_value"].tolist() == [2 / 5, 2 / 5, 4 / 5, 1.0, 1.0]
    assert found["accept"].all()
    assert decided({**BY_P_VALUE, "p": 0.41}, table)["accept"].tolist() == [False, False, True, True, True]


def test_a_product_without_calibration_crops_is_never_named() -> None:
    for policy in (BY_P_VALUE, {**BY_P_VALUE, "p": 0.0}):
        found = decided(policy, rows(class_pred=pd.array(["cola", "gin", None, "tea", "tea"], dtype="str")))
        assert found["p_value"].tolist()[:3] == [0, 0, 0]
        assert found["accept"].tolist() == [False, False, False, True, policy["p"] <= 0.4]


@pytest.mark.parametrize(
    "policy",
    [{**BY_THRESHOLDS, "similarity": None, "margin": None}, {**BY_P_VALUE, "p": None}],
)
def test_an_infeasible_policy_names_nothing(policy: dict[str, Any]) -> None:
    found = decided({**policy, **INFEASIBLE}, rows())
    assert found["accept"].tolist() == [False] * 5
    assert found["accept"].dtype == np.bool_


@pytest.mark.parametrize("policy", [BY_THRESHOLDS, BY_P_VALUE])
def test_no_rows_and_rows_in_any_order(policy: dict[str, Any]) -> None:
    assert decided(policy, rows().iloc[:0])["accept"].dtype == np.bool_
    mixed = rows().sample(frac=1, random_state=1)
    assert decided(policy, mixed)["accept"].sort_index().tolist() == decided(policy, rows())["accept"].tolist()


def test_each_rule_says_which_column_decides_and_what_it_must_reach() -> None:
    for policy, column, limit in ((BY_THRESHOLDS, "similarity", 0.6), (BY_P_VALUE, "p_value", 0.4)):
        assert score_column(policy) == column
        assert policy[form_of(policy).limit] == limit
        assert form_of(policy).task == FORMS["open_set"].task


@pytest.mark.parametrize(
    ("policy", "where"),
    [
        ({**BY_THRESHOLDS, "p": 0.1}, "p"),
        ({**BY_THRESHOLDS, "calibration": {}}, "calibration"),
        ({**BY_P_VALUE, "similarity": 0.5}, "similarity"),
        ({**BY_P_VALUE, "margin": 0.0}, "margin"),
        ({**BY_THRESHOLDS, "thresholds": {}}, "thresholds"),
        ({**BY_THRESHOLDS, "rule": "both"}, "rule"),
        ({**BY_THRESHOLDS, "rule": ["thresholds"]}, "rule"),
        ({key: value for key, value in BY_THRESHOLDS.items() if key != "rule"}, "rule"),
        ({key: value for key, value in BY_THRESHOLDS.items() if key != "margin"}, "margin"),
        ({**BY_THRESHOLDS, "similarity": None}, "similarity"),
        ({**BY_THRESHOLDS, "similarity": 1.1}, "similarity"),
        ({**BY_THRESHOLDS, "similarity": float("nan")}, "similarity"),
        ({**BY_THRESHOLDS, "similarity": "0.6"}, "similarity"),
        ({**BY_THRESHOLDS, "margin": -0.1}, "margin"),
        ({**BY_THRESHOLDS, "margin": True}, "margin"),
        ({**BY_THRESHOLDS, **INFEASIBLE, "margin": None}, "similarity"),
        ({**BY_P_VALUE, "p": 2}, "p"),
        ({**BY_P_VALUE, "p": None}, "p"),
        ({**BY_P_VALUE, "calibration": [0.5]}, "calibration"),
        ({**BY_P_VALUE, "calibration": {"tea": 0.5}}, "calibration.tea"),
        ({**BY_P_VALUE, "calibration": {"tea": [0.6, 0.5]}}, "calibration.tea"),
        ({**BY_P_VALUE, "calibration": {"tea": [0.5, 1.5]}}, "calibration.tea"),
        ({**BY_P_VALUE, "calibration": {"tea": [float("nan")]}}, "calibration.tea"),
        ({**BY_P_VALUE, "alpha": 1}, "alpha"),
    ],
)
def test_anything_but_one_rule_with_usable_values_is_refused(policy: dict[str, Any], where: str) -> None:
    with pytest.raises(BundleError) as refused:
        validate_policy(policy)
    assert [problem.where for problem in refused.value.problems] == [f"policy.json: {where}"]


@pytest.mark.parametrize("policy", [BY_THRESHOLDS, BY_P_VALUE])
@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"similarity": [0.5, np.nan, 0.1, 0, 0]}, r"row 1: similarity: expected a number in \[-1, 1\]"),
        ({"similarity": [0.5, 0.5, 0.1, 1.01, 0]}, "row 3: similarity"),
        ({"margin": [0.5, 0.5, -0.1, 0, 0]}, r"row 2: margin: expected a number in \[0, 2\]"),
    ],
)
def test_what_is_no_similarity_or_margin_is_refused_by_row(
    policy: dict[str, Any], changes: dict[str, Any], word: str
) -> None:
    with pytest.raises(DataError, match=word):
        decided(policy, rows(**changes))


@pytest.mark.parametrize("column", ["class_pred", "similarity", "margin"])
def test_a_missing_column_is_named(column: str) -> None:
    with pytest.raises(DataError, match=f"rows: {column}"):
        decided(BY_THRESHOLDS, rows().drop(columns=column))
