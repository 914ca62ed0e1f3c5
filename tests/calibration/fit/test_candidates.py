import pandas as pd
import pytest

from calibration.asked import multiclass
from vouch.calibration.fit.candidates import Worth, candidates, intraclass_correlation

LEARNT = {"identity": 0, "temperature": 1, "platt": 2, "isotonic": 15}
METHODS = ("isotonic", "identity", "temperature", "platt")


def asked(rows, events=0):
    return multiclass("identity", rows_per_parameter=rows, events_per_parameter=events, intraclass_floor=0.05)


def rows(right: list[bool], groups: int) -> pd.DataFrame:
    return pd.DataFrame({"correct": right, "group": [f"g{place % groups}" for place in range(len(right))]})


def test_a_method_needs_rows_for_each_number_that_it_learns() -> None:
    found = candidates(rows([True, True, False] * 20, 60), METHODS, LEARNT, asked(20))
    assert found.methods == ("identity", "temperature", "platt")  # 60 rows in groups of their own: 0, 20 and 40
    assert found.left_out == {"isotonic": Worth(300.0, 0.0)}
    needed = {"isotonic": {"rows": 300.0, "events": 0.0}}
    assert found.report == {"effective_rows": 60.0, "effective_events": 20.0, "left_out": needed}


@pytest.mark.parametrize("wrong", [True, False])  # the rarer kind counts, whichever it is
def test_a_method_needs_answers_of_the_rarer_kind_too(wrong: bool) -> None:
    table = rows([(place % 10 == 0) != wrong for place in range(200)], 200)
    found = candidates(table, METHODS, LEARNT, asked(0, events=8))
    assert found.effective == Worth(200.0, 20.0)
    assert found.methods == ("identity", "temperature", "platt")  # platt 16 of 20
    assert found.left_out == {"isotonic": Worth(0.0, 120.0)}
    sure = rows([True] * 200, 200)
    assert candidates(sure, METHODS, LEARNT, asked(0, events=8)).methods == ("identity", "temperature")


def test_rows_of_a_group_count_for_what_they_are_worth() -> None:
    alike = rows([place % 20 < 10 for place in range(200)], 20)  # ten groups all right, ten all wrong
    assert intraclass_correlation(alike, 0.05) == 1.0
    assert candidates(alike, METHODS, LEARNT, asked(15)).methods == ("identity", "temperature")
    mixed = rows([place % 40 < 20 for place in range(200)], 20)  # five right of ten in each group
    assert intraclass_correlation(mixed, 0.05) == 0.05
    effective = candidates(mixed, METHODS, LEARNT, asked(15)).effective.rows
    assert effective == pytest.approx(200 / 1.45)  # ten rows per group at the floor of .05


def test_rows_that_can_teach_nothing_say_so() -> None:
    found = candidates(rows([True, False], 2), ("platt",), LEARNT, asked(50))
    assert found.methods == ()
    assert found.reason == "rows worth 2 independent ones, 1 of the rarer of right and wrong; platt needs 100 and 0"


def test_nothing_asked_of_the_rows_leaves_every_method() -> None:
    assert candidates(rows([True, False], 2), METHODS, LEARNT, asked(0)).methods == METHODS
