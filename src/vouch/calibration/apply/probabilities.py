"""Logits and probabilities of classes: their columns, the softmax, and what is refused before anything is used.

A classification row carries one `logit_<class>` column for each class, in the order of the labels; calibrated rows
carry `probability_<class>` too. Serving imports this module, so it needs numpy and pandas alone.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from vouch.errors import Problem
from vouch.tables import GATE_LOGIT, LOGIT, PROBABILITY

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

SUM_TOLERANCE = 1e-6  # of a row's probabilities: float32 sums of a thousand classes are within 1e-6 of one
SPELLED_OUT = 10  # bad rows of one kind that are named one by one; the rest are counted


def softmax(logits: FloatArray) -> FloatArray:
    """Return exp(z) / sum exp(z) of each row without overflow.

    >>> softmax(np.array([[1000.0, 1000.0 + np.log(3.0)]]))
    array([[0.25, 0.75]])
    """
    shifted = _below_zero(logits)
    powers = np.exp(shifted)
    shares: FloatArray = (powers / powers.sum(axis=0)).T
    return shares


def log_softmax(logits: FloatArray) -> FloatArray:
    """Return the logarithm of the softmax of each row, finite where the softmax itself would round to 0."""
    shifted = _below_zero(logits)
    logs: FloatArray = (shifted - np.log(np.exp(shifted).sum(axis=0))).T
    return logs


def _below_zero(logits: FloatArray) -> FloatArray:
    """Return logits less their row's largest, class by class: long lines are ten times as fast as rows of seven."""
    columns = np.ascontiguousarray(logits.T)
    shifted: FloatArray = columns - columns.max(axis=0)
    return shifted


def classes_of(rows: pd.DataFrame) -> tuple[str, ...]:
    """Return the classes that a table has logits of, in the order of its columns."""
    return tuple(str(column).removeprefix(LOGIT) for column in rows.columns if str(column).startswith(LOGIT))


def matrix(rows: pd.DataFrame, classes: Sequence[str], prefix: str) -> FloatArray:
    """Return the columns `<prefix><class>` as a float64 array, shape (n, len(classes))."""
    return rows[[prefix + name for name in classes]].to_numpy(dtype=np.float64)


def labels(rows: pd.DataFrame, classes: Sequence[str]) -> IntArray:
    """Return each row's place of `class_true` among the classes, -1 where it is null or none of them."""
    true = pd.Index(rows["class_true"].to_numpy(dtype=object))
    return pd.Index(list(classes), dtype=object).get_indexer(true).astype(np.intp)


def logit_problems(rows: pd.DataFrame, classes: Sequence[str]) -> list[Problem]:
    """List fewer than two classes, missing and foreign logit columns, and every logit that is NaN or infinite."""
    problems = _class_problems(classes) + _column_problems(rows, classes, LOGIT)
    wanted = [LOGIT + name for name in classes] + [GATE_LOGIT] * (GATE_LOGIT in rows)
    for column in wanted:
        values = rows[column].to_numpy(dtype=np.float64) if column in rows else np.zeros(0)
        bad = np.flatnonzero(~np.isfinite(values))
        problems += _spelled(column, "a finite number", bad, values.astype(str).__getitem__)
    return problems


def probability_problems(rows: pd.DataFrame, classes: Sequence[str]) -> list[Problem]:
    """List missing and foreign columns, every probability outside [0, 1], and every row that does not sum to one."""
    missing = _class_problems(classes) + _column_problems(rows, classes, PROBABILITY)
    if missing:
        return missing
    values = matrix(rows, classes, PROBABILITY)
    outside = ~((values >= 0.0) & (values <= 1.0)).all(axis=1)
    sums = values.sum(axis=1)
    unequal = ~outside & ~(np.abs(sums - 1.0) <= SUM_TOLERANCE)
    where = f"{PROBABILITY}*"
    return [
        *_spelled(where, "numbers in [0, 1]", np.flatnonzero(outside), lambda row: str(values[row].tolist())),
        *_spelled(where, f"a sum of 1 within {SUM_TOLERANCE}", np.flatnonzero(unequal), lambda row: str(sums[row])),
    ]


def label_problems(rows: pd.DataFrame, classes: Sequence[str]) -> list[Problem]:
    """List every `class_true` that is none of the classes; null is a row without a label, and no problem."""
    foreign = rows["class_true"].notna().to_numpy(dtype=bool) & (labels(rows, classes) < 0)
    found = rows["class_true"].astype(object).to_numpy()
    expected = f"one of {list(classes)}"
    return _spelled("class_true", expected, np.flatnonzero(foreign), lambda row: repr(found[row]))


def population_problems(rows: pd.DataFrame, classes: Sequence[str]) -> list[Problem]:
    """List what keeps rows from teaching anything: bad logits or labels, rows without a group, one class only."""
    ungrouped = np.flatnonzero(rows["group"].isna().to_numpy(dtype=bool))
    problems = logit_problems(rows, classes) + label_problems(rows, classes)
    problems += _spelled("group", "a group", ungrouped, lambda row: "nothing")
    present = sorted(rows["class_true"].dropna().unique())
    if len(present) < 2:
        got = f"{present[0]} alone" if present else "no labelled row"
        problems.append(Problem("class_true", "labelled rows of two classes or more", got, "label rows of each class"))
    return problems


_REMEDY = "mend the prediction that wrote it"


def _class_problems(classes: Sequence[str]) -> list[Problem]:
    if len(classes) >= 2:
        return []
    return [Problem("classes", "two classes or more", f"{list(classes)}", "predict with a network of two or more")]


def _column_problems(rows: pd.DataFrame, classes: Sequence[str], prefix: str) -> list[Problem]:
    wanted = {prefix + name for name in classes}
    present = {str(column) for column in rows.columns if str(column).startswith(prefix)}
    missing = [Problem(f"column {name}", "a column", "nothing", _REMEDY) for name in sorted(wanted - present)]
    expected = f"one of {sorted(wanted)}"
    return missing + [Problem(f"column {name}", expected, name, _REMEDY) for name in sorted(present - wanted)]


def _spelled(column: str, expected: str, bad: IntArray, got: Callable[[int], str]) -> list[Problem]:
    """Name the first bad rows one by one, and count the rest."""
    problems = [Problem(f"row {row}: {column}", expected, got(row), _REMEDY) for row in bad[:SPELLED_OUT].tolist()]
    rest = len(bad) - SPELLED_OUT
    if rest > 0:
        problems.append(Problem(f"rows: {column}", expected, f"{rest} more rows like these", _REMEDY))
    return problems
