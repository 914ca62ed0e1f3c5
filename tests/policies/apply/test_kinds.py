from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest

from policies.made import accepting, certified
from vouch.errors import DataError
from vouch.policies.apply.kinds import FORMS, jitter, score_column
from vouch.policies.apply.policy import decided
from vouch.policies.fit.fitted import Kind
from vouch.tasks import TASKS

THRESHOLD = certified("threshold", "cone", threshold=0.6)
GATE = certified("gate", "cone", threshold=0.5)
RECIPE = {"score": "gate", "variant": "rank", "xi": 0.8, "lam1": 0.4, "tie": 0.0, "lam2": 0.7, "jitter_seed": 1}
SCRC = certified("scrc", "cone", **RECIPE)


def rows() -> pd.DataFrame:
    probability = np.array([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.1, 0.1, 0.8], [0.34, 0.33, 0.33], [0.2, 0.7, 0.1]])
    names = ["sign", "cone", "free"]
    table = pd.DataFrame(probability, columns=[f"probability_{name}" for name in names])
    return table.assign(
        sample_id=[f"s{index}" for index in range(5)],
        class_pred=[names[index] for index in probability.argmax(axis=1)],
        confidence=probability.max(axis=1),
        gate=[0.9, 0.6, 0.5, 0.45, 0.3],
    )


def test_threshold_and_gate_answer_alone_from_their_score_on() -> None:
    found = decided(THRESHOLD, rows())
    assert found["accept"].tolist() == [True, False, True, False, True]
    assert found["prediction_set"].tolist() == ["sign", "sign|cone|free", "free", "sign|cone|free", "cone"]
    assert found["set_size"].tolist() == [1, 3, 1, 3, 1]
    assert found["set_size"].dtype == np.float64
    assert found["accept"].dtype == np.bool_
    assert decided(GATE, rows())["accept"].tolist() == [True, True, True, False, False]


def test_scrc_answers_alone_where_the_selected_set_is_one_class() -> None:
    found = decided(SCRC, rows())  # sets hold what has .3 or more
    assert found["selected"].tolist() == [True, True, True, True, False]
    assert found["prediction_set"].tolist() == ["sign", "sign|cone", "free", "sign|cone|free", "sign|cone|free"]
    assert found["accept"].tolist() == [True, False, True, False, False]
    assert found["set_size"].tolist() == [1, 2, 1, 3, 3]


def test_an_empty_set_is_no_answer() -> None:
    found = decided({**SCRC, "lam2": 0.4}, rows())  # .6 or more
    assert found["prediction_set"].tolist() == ["sign", "", "free", "", "sign|cone|free"]
    assert found["accept"].tolist() == [True, False, True, False, False]
    assert found["set_size"].tolist() == [1, 0, 1, 0, 3]


def test_a_probability_on_the_edge_of_the_set_is_inside_in_spite_of_float_noise() -> None:
    table = rows()
    table.loc[0, "probability_sign"] = np.nextafter(0.7, 0)
    assert decided({**SCRC, "lam2": 0.3}, table)["prediction_set"][0] == "sign"


def test_a_tie_is_broken_by_the_name_of_the_sample_and_the_seed_alone() -> None:
    table = pd.concat([rows().iloc[[0]]] * 400, ignore_index=True).assign(gate=0.4)
    table["sample_id"] = [f"s{index}" for index in range(400)]
    policy = {**SCRC, "tie": 0.75}
    found = decided(policy, table)["selected"]
    assert found.tolist() == (jitter(table["sample_id"], 1) >= 0.75).tolist()
    assert 60 < found.sum() < 140
    mixed = table.sample(frac=1, random_state=0)
    assert decided(policy, mixed)["selected"].sort_index().tolist() == found.tolist()
    assert decided({**policy, "jitter_seed": 2}, table)["selected"].tolist() != found.tolist()
    assert decided({**policy, "tie": 0.0}, table)["selected"].all()


@pytest.mark.parametrize(
    "policy",
    [
        {**THRESHOLD, "threshold": None},
        {**GATE, "threshold": None},
        {**SCRC, "xi": None, "lam1": None, "tie": None, "lam2": None},
    ],
)
def test_an_infeasible_policy_accepts_nothing(policy: dict[str, object]) -> None:
    found = decided({**policy, "feasible": False, "guarantee": "none", "infeasible": {"*": "few"}}, rows())
    assert not found["accept"].any()
    assert not found["selected"].any()
    assert (found["set_size"] == 3).all()


def test_no_rows_at_all() -> None:
    for policy in (THRESHOLD, GATE, SCRC):
        found = decided(policy, rows().iloc[:0])
        assert len(found) == 0
        assert found["accept"].dtype == np.bool_
        assert found["set_size"].dtype == np.float64


def test_the_rows_keep_their_columns_and_their_order() -> None:
    table = rows().sample(frac=1, random_state=1)
    found = decided(SCRC, table)
    pd.testing.assert_frame_equal(found[table.columns], table)


@pytest.mark.parametrize(
    ("column", "value", "word"),
    [
        ("probability_cone", np.nan, "row 1: probability"),
        ("probability_cone", np.inf, "row 1: probability"),
        ("probability_cone", -0.1, "row 1: probability"),
        ("probability_cone", 0.39, "a sum of 1"),
        ("gate", np.nan, "row 1: gate"),
        ("gate", 1.2, "row 1: gate"),
        ("class_pred", "lorry", "row 1: class_pred"),
        ("class_pred", None, "row 1: class_pred"),
    ],
)
def test_what_is_no_probability_is_refused_by_row(column: str, value: object, word: str) -> None:
    table = rows()
    table.loc[1, column] = value
    with pytest.raises(DataError, match=word):
        decided(SCRC, table)


def test_ten_bad_rows_are_spelled_out_and_the_others_counted() -> None:
    table = pd.concat([rows()] * 10, ignore_index=True).assign(gate=2.0)
    with pytest.raises(DataError) as refused:
        decided(SCRC, table)
    assert len(refused.value.problems) == 11
    assert "40 more rows like these" in str(refused.value)


@pytest.mark.parametrize("column", ["sample_id", "class_pred", "gate"])
def test_a_missing_column_is_named(column: str) -> None:
    with pytest.raises(DataError, match=f"rows: {column}"):
        decided(SCRC, rows().drop(columns=column))


def test_one_class_only_is_refused() -> None:
    table = rows().drop(columns=["probability_cone", "probability_free"])
    with pytest.raises(DataError, match="two classes or more"):
        decided(THRESHOLD, table)


def test_the_operating_point_is_decided_by_its_own_rule_and_no_other_policy_is() -> None:
    table = pd.DataFrame({"class_pred": ["phone", None], "confidence": [0.7, 0.0]})
    policy = accepting({"phone": 0.5})
    assert decided(policy, table)["accept"].tolist() == [True, False]
    assert list(decided(policy, table).columns) == ["class_pred", "confidence", "accept"]


def test_every_kind_of_policy_that_can_be_asked_for_can_be_applied_and_every_task_has_one() -> None:
    asked = {get_args(section.model_fields["kind"].annotation)[0] for section in get_args(get_args(Kind)[0])}
    assert asked == set(FORMS)
    assert {form.task for form in FORMS.values()} == set(TASKS)


@pytest.mark.parametrize(
    ("policy", "column", "limit"),
    [(THRESHOLD, "confidence", 0.6), (GATE, "gate", GATE["threshold"]), (SCRC, SCRC["score"], SCRC["lam1"])],
)
def test_a_policy_says_which_column_decides_and_what_it_must_reach(
    policy: dict[str, Any], column: str, limit: float
) -> None:
    assert score_column(policy) == column
    assert policy[FORMS[policy["kind"]].limit] == limit
