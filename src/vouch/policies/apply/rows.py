"""What calibrated rows of a classifier must be before a policy reads them."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from vouch.calibration.apply.probabilities import SPELLED_OUT, label_problems, probability_problems
from vouch.errors import Problem
from vouch.tables import PROBABILITY

FloatArray = npt.NDArray[np.float64]


def class_names(rows: pd.DataFrame) -> list[str]:
    """Return the classes whose probability the rows carry, in the order of the columns."""
    return [str(column).removeprefix(PROBABILITY) for column in rows.columns if str(column).startswith(PROBABILITY)]


def probabilities(rows: pd.DataFrame) -> FloatArray:
    """Return the calibrated probabilities, float64, shape (n, classes), in [0, 1]."""
    return rows[[PROBABILITY + name for name in class_names(rows)]].to_numpy(dtype=np.float64)


def row_problems(rows: pd.DataFrame, score: str) -> list[Problem]:
    """List what stands in the way of applying a policy: missing columns, or values that are no probabilities."""
    names = class_names(rows)
    remedy = "calibrate the rows, or take another kind of policy"
    needed = ("sample_id", "class_pred", score)
    problems = [Problem(f"rows: {column}", "a column", "nothing", remedy) for column in needed if column not in rows]
    problems += probability_problems(rows, names)
    if score in rows:
        level = rows[score].to_numpy(dtype=np.float64, na_value=np.nan)
        problems += spelled(rows[score], ~((level >= 0) & (level <= 1)), score, "a number in [0, 1]")
    if "class_pred" in rows:
        unknown = ~rows["class_pred"].isin(names).to_numpy(dtype=bool)
        problems += spelled(rows["class_pred"], unknown, "class_pred", f"one of {names}")
    return problems


def evidence_problems(rows: pd.DataFrame, positive: str | None) -> list[Problem]:
    """List what else stands in the way of fixing a policy; a row without `class_true` is not labelled, no problem."""
    names = class_names(rows)
    problems = label_problems(rows, names)
    ungrouped = rows["group"].isna().to_numpy(dtype=bool)
    problems += spelled(rows["group"], ungrouped, "group", "a group")
    present = sorted(rows["class_true"].dropna().unique())
    if len(present) < 2:
        got = f"{present[0]} alone" if present else "no labelled row"
        problems.append(Problem("class_true", "labelled rows of two classes or more", got, "label rows of each class"))
    if positive is not None and positive not in names:
        problems.append(Problem("decide.positive", f"null or one of {names}", positive, "name a class of the model"))
    return problems


def spelled(values: pd.Series, bad: npt.NDArray[np.bool_], column: str, expected: str) -> list[Problem]:
    """Name the first rows whose value is bad one by one, and count the rest."""
    indices, remedy = np.flatnonzero(bad), "mend the calibrator or the prediction that wrote it"
    shown = indices[:SPELLED_OUT].tolist()
    problems = [Problem(f"row {index}: {column}", expected, str(values.iloc[index]), remedy) for index in shown]
    if len(indices) > SPELLED_OUT:
        got = f"{len(indices) - SPELLED_OUT} more rows like these"
        problems.append(Problem(f"rows: {column}", expected, got, remedy))
    return problems
