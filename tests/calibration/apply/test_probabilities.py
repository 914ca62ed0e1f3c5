import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax as scipy_log_softmax
from scipy.special import softmax as scipy_softmax

from vouch.calibration.apply.probabilities import (
    classes_of,
    label_problems,
    labels,
    log_softmax,
    logit_problems,
    matrix,
    population_problems,
    probability_problems,
    softmax,
)
from vouch.tables import LOGIT, PROBABILITY

CLASSES = ("cone", "none")


def table(n: int = 4, **columns: object) -> pd.DataFrame:
    names = ["cone", "none", None, "cone"]
    base = {
        "group": [f"g{row}" for row in range(n)],
        "class_true": pd.array([names[row % 4] for row in range(n)], dtype="str"),
        "logit_cone": np.linspace(-1, 1, n),
        "logit_none": np.linspace(2, 1, n),
        "gate_logit": np.zeros(n),
        "probability_cone": np.full(n, 0.25),
        "probability_none": np.full(n, 0.75),
    }
    return pd.DataFrame(base | columns)


def said(problems: list) -> list[tuple[str, str]]:
    return [(problem.where, problem.got) for problem in problems]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.floats(-1e4, 1e4), min_size=3, max_size=3), min_size=1, max_size=4))
def test_softmax_equals_scipys_at_any_size_of_logit(logits: list[list[float]]) -> None:
    values = np.array(logits)
    assert softmax(values) == pytest.approx(scipy_softmax(values, axis=1), abs=1e-15)
    assert log_softmax(values) == pytest.approx(scipy_log_softmax(values, axis=1), rel=1e-12, abs=1e-12)


def test_log_softmax_is_finite_where_the_softmax_is_zero() -> None:
    assert log_softmax(np.array([[0.0, 2000.0]]))[0].tolist() == [-2000.0, 0.0]


def test_columns_are_found_by_their_prefix_and_the_gate_is_no_class() -> None:
    rows = table()
    assert classes_of(rows) == CLASSES
    assert matrix(rows, ("none", "cone"), LOGIT)[:, 1].tolist() == rows["logit_cone"].tolist()
    assert labels(rows, CLASSES).tolist() == [0, 1, -1, 0]


def test_good_rows_have_no_problem() -> None:
    rows = table()
    assert population_problems(rows, CLASSES) == probability_problems(rows, CLASSES) == []


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("column", ["logit_cone", "logit_none", "gate_logit"])
def test_a_logit_that_is_no_number_is_named_with_its_row(column: str, bad: float) -> None:
    rows = table()
    rows.loc[2, column] = bad
    assert said(logit_problems(rows, CLASSES)) == [(f"row 2: {column}", str(bad))]


def test_ten_rows_are_spelled_out_and_the_rest_are_counted() -> None:
    problems = logit_problems(table(500, logit_none=np.nan), CLASSES)
    assert len(problems) == 11
    assert problems[-1].got == "490 more rows like these"


def test_logit_columns_must_be_those_of_the_classes() -> None:
    rows = table().drop(columns="logit_none").assign(logit_barrier=0.0)
    assert said(logit_problems(rows, CLASSES)) == [
        ("column logit_none", "nothing"),
        ("column logit_barrier", "logit_barrier"),
    ]


@pytest.mark.parametrize("classes", [(), ("cone",)])
def test_fewer_than_two_classes_are_refused(classes: tuple[str, ...]) -> None:
    assert "two classes or more" in [problem.expected for problem in logit_problems(table(), classes)]


def test_probabilities_must_lie_within_0_and_1_and_sum_to_one() -> None:
    rows = table(
        5,
        probability_cone=[0.25, np.nan, 1.25, 0.25, 0.25 + 5e-7],
        probability_none=[0.75, 0.5, -0.25, 0.7, 0.75],
    )
    assert said(probability_problems(rows, CLASSES)) == [
        ("row 1: probability_*", "[nan, 0.5]"),
        ("row 2: probability_*", "[1.25, -0.25]"),
        ("row 3: probability_*", "0.95"),
    ]
    missing = probability_problems(rows.drop(columns=PROBABILITY + "none"), CLASSES)
    assert said(missing) == [("column probability_none", "nothing")]


def test_a_label_that_is_no_class_is_named_and_null_is_not() -> None:
    rows = table(class_true=pd.array(["cone", "barrier", None, "none"], dtype="str"))
    assert said(label_problems(rows, CLASSES)) == [("row 1: class_true", "'barrier'")]


@pytest.mark.parametrize(
    ("change", "got"),
    [
        ({"class_true": pd.array(["cone", None, None, "cone"], dtype="str")}, "cone alone"),
        ({"class_true": pd.array([None] * 4, dtype="str")}, "no labelled row"),
        ({"group": ["a", None, "b", "c"]}, "nothing"),
    ],
)
def test_rows_that_teach_nothing_are_refused(change: dict, got: str) -> None:
    assert got in [problem.got for problem in population_problems(table(**change), CLASSES)]


def test_every_problem_is_listed_not_the_first_alone() -> None:
    rows = table(class_true=pd.array(["cone", "barrier", None, "cone"], dtype="str"), group=["a", None, "b", "c"])
    rows.loc[0, "logit_cone"] = np.nan
    wheres = [problem.where for problem in population_problems(rows, CLASSES)]
    assert wheres == ["row 0: logit_cone", "row 1: class_true", "row 1: group"]
