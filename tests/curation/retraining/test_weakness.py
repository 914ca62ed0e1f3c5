"""Weakness is the lower end of an interval of what was found on val_select, by class and by stratum."""

import pandas as pd
import pytest
from scipy.stats import beta

from vouch.curation.retraining.weakness import NOTHING, of_classes, of_strata

ROWS = pd.DataFrame(
    {
        "class_true": ["can"] * 10 + ["jar"] * 4 + [None],
        "group": [f"g{index}" for index in range(15)],
        "stratum_light": (["day"] * 5 + ["night"] * 5) + ["day"] * 5,
        "hit": [True] * 9 + [False] + [False] * 4 + [False],
    }
)


def test_the_lower_end_is_that_of_clopper_and_pearson_where_every_row_has_a_group():
    found = of_classes(ROWS, level=0.95, correlation=0.05)
    assert found.keys() == {"can", "jar"}
    can = found["can"]
    assert (can.truths, can.found, can.missed, can.groups) == (10, 9, 1, 10)
    assert can.low == pytest.approx(beta.ppf(0.025, 9, 2), abs=1e-9)
    assert (found["jar"].low, found["jar"].missed) == (0.0, 4)


def test_rows_of_a_group_are_worth_less():
    together = ROWS.assign(group=ROWS["group"].str[-1].map(lambda last: "a" if last in "01234" else "b"))
    apart, joined = (of_classes(rows, level=0.95, correlation=0.5)["can"].low for rows in (ROWS, together))
    assert joined < apart


def test_strata_are_told_by_column_and_value_and_false_alarms_are_no_truths():
    found = of_strata(ROWS, level=0.95, correlation=0.05)
    assert {name: (share.truths, share.missed) for name, share in found.items()} == {
        ("stratum_light", "day"): (9, 4),
        ("stratum_light", "night"): (5, 1),
    }


def test_of_a_class_that_nobody_looked_for_nothing_is_known():
    assert NOTHING.low == 0.0
