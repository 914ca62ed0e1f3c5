"""Which methods may be chosen from: those that the rows can teach.

A map of k numbers, fitted on n independent rows, loses about k / 2n nats a row by the fit alone, and the choice among
such maps loses again. So a method is a candidate from a number of rows for each number that it learns on;
docs/calibration.md has the measurement behind `rows_per_parameter`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from vouch.calibration.fit.params import Learning
from vouch.evaluation.metrics import shares
from vouch.evaluation.metrics.shares import FloatArray, effective_rows

STEPS = 15  # numbers that a curve which follows the data is taken to learn: the bins of a histogram


@dataclass(frozen=True)
class Candidates:
    """Methods that may be chosen from, and those left out with the effective rows that each needs."""

    methods: tuple[str, ...]
    effective: float
    left_out: dict[str, float]

    @property
    def report(self) -> dict[str, Any]:
        """Return what calibrator.json says of them."""
        return {"effective_rows": round(self.effective, 1), "left_out": self.left_out}

    @property
    def reason(self) -> str:
        """Say why no method is left."""
        needed = ", ".join(f"{method} needs {rows:g}" for method, rows in self.left_out.items())
        return f"rows worth {self.effective:.0f} independent ones; {needed}"


def intraclass_correlation(rows: pd.DataFrame, floor: float) -> float:
    """Return the correlation of being right within a group, over all rows; at least `floor`."""
    return _correlation(*_by_group(rows), floor)


def candidates(
    rows: pd.DataFrame, methods: tuple[str, ...], n_parameters: Mapping[str, int], asked: Learning
) -> Candidates:
    """Return the methods that have enough rows, in their order.

    Parameters
    ----------
    rows : table
        `correct` and `group`.
    n_parameters : map of str to int
        How many numbers each method learns.
    """
    sizes, right = _by_group(rows)
    effective = effective_rows(sizes, _correlation(sizes, right, asked.intraclass_floor))
    needed = {method: asked.rows_per_parameter * n_parameters[method] for method in methods}
    left_out = {method: float(rows) for method, rows in needed.items() if rows > effective}
    return Candidates(tuple(method for method in methods if method not in left_out), effective, left_out)


def _correlation(sizes: FloatArray, right: FloatArray, floor: float) -> float:
    return max(floor, shares.intraclass_correlation(right, sizes))


def _by_group(rows: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    codes, names = pd.factorize(rows["group"], sort=True)
    right = np.bincount(codes, weights=rows["correct"].to_numpy(dtype=bool), minlength=len(names))
    return np.bincount(codes, minlength=len(names)).astype(np.float64), right.astype(np.float64)
