"""The open-set policy: which crops bear the name of their nearest product, and which are of nobody knows what.

thresholds  similarity to the nearest product, and margin to the second one, each reach theirs
p_value     the conformal p-value of the nearest product reaches `p`: (1 + calibration crops of that product that are
            at most as similar to it) / (1 + calibration crops of that product). A crop of the product that is drawn
            like those has a p-value below p with a probability of at most p (Vovk et al. 2005). A product without
            calibration crops is never named: nothing is known of how its own crops look.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vouch.errors import DataError, Problem, refuse_any
from vouch.policies.apply import checks
from vouch.policies.apply.checks import Check
from vouch.policies.apply.rows import spelled

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
Calibration = Mapping[str, list[float]]  # of each product: similarities in rising order, -1 of a crop named otherwise
Policy = Mapping[str, Any]

P_VALUE = "p_value"  # the column that the rule of this name adds


def named_by_thresholds(policy: Policy, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with `accept`: similarity and margin reach their thresholds; nothing where it is infeasible.

    Parameters
    ----------
    rows : table
        `class_pred` (null is never accepted), `similarity` in [-1, 1], `margin` in [0, 2].

    Raises
    ------
    DataError
        Listing missing columns, and values out of range by row.
    """
    refuse_any(DataError, row_problems(rows))
    if not policy["feasible"]:
        return rows.assign(accept=False)
    reached = _numbers(rows, "similarity") >= policy["similarity"]
    reached &= _numbers(rows, "margin") >= policy["margin"]
    return rows.assign(accept=reached & rows["class_pred"].notna().to_numpy(dtype=bool))


def named_by_p_value(policy: Policy, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with `p_value`, in [0, 1], and `accept`: it reaches `p`; nothing where it is infeasible.

    Parameters
    ----------
    rows : table
        As `named_by_thresholds` takes them.

    Raises
    ------
    DataError
        Listing missing columns, and values out of range by row.
    """
    refuse_any(DataError, row_problems(rows))
    found = p_values(policy["calibration"], _numbers(rows, "similarity"), rows["class_pred"])
    reached = np.zeros(len(rows), dtype=bool) if not policy["feasible"] else found >= policy["p"]
    return rows.assign(**{P_VALUE: found}, accept=reached & (found > 0))


def p_values(calibration: Calibration, similarity: FloatArray, class_pred: "pd.Series[str]") -> FloatArray:
    """Return the p-value of each crop's nearest product, float64 of shape (n,); 0 where nothing is known of it."""
    codes, names = pd.factorize(class_pred.to_numpy(dtype=object))
    found = np.zeros(len(similarity))
    for code, name in enumerate(names):
        own, mask = np.asarray(calibration.get(name, ()), dtype=np.float64), codes == code
        if len(own):
            found[mask] = (1 + np.searchsorted(own, similarity[mask], side="right")) / (1 + len(own))
    return found


def row_problems(rows: pd.DataFrame) -> list[Problem]:
    """List missing columns, and by row what is no similarity or no margin."""
    remedy = "run predict again"
    needed = ("class_pred", "similarity", "margin")
    problems = [Problem(f"rows: {column}", "a column", "nothing", remedy) for column in needed if column not in rows]
    for column, low, high in (("similarity", -1, 1), ("margin", 0, 2)):
        if column in rows:
            value = _numbers(rows, column)
            problems += spelled(
                rows[column], ~((value >= low) & (value <= high)), column, f"a number in [{low}, {high}]"
            )
    return problems


def _numbers(rows: pd.DataFrame, column: str) -> FloatArray:
    return rows[column].to_numpy(dtype=np.float64, na_value=np.nan)


def _if_feasible(be: str, low: float, high: float) -> Check:
    """Return the check of a number in a range, which an infeasible policy lacks."""
    number = checks.must(be, lambda value: checks.is_within(value, low, high))

    def problems(policy: Policy, key: str) -> list[Problem]:
        return (checks.null if policy["feasible"] is False else number)(policy, key)

    return problems


def _calibration(policy: Policy, key: str) -> list[Problem]:
    found, where = policy[key], f"policy.json: {key}"
    if not isinstance(found, Mapping):
        return [Problem(where, "similarities for each product", repr(found)[:80], checks.REMEDY)]
    expected = "numbers in [-1, 1], rising"
    return [
        Problem(f"{where}.{name}", expected, repr(own)[:80], checks.REMEDY)
        for name, own in found.items()
        if not isinstance(own, list) or not all(checks.is_within(one, -1, 1) for one in own) or own != sorted(own)
    ]


THRESHOLDS: Mapping[str, Check] = {
    "similarity": _if_feasible("a number in [-1, 1]", -1, 1),
    "margin": _if_feasible("a number in [0, 2]", 0, 2),
}
P_VALUES: Mapping[str, Check] = {"p": _if_feasible("a number in [0, 1]", 0, 1), "calibration": _calibration}
