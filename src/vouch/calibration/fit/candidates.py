"""Which methods may be chosen from: those that the rows can teach.

A map of k numbers, fitted on n independent rows, loses about k / 2n nats a row by the fit alone, and the choice among
such maps loses again. So a method is a candidate from a number of rows for each number that it learns on.

Of nearly perfect answers even many rows hold few that are wrong, and those teach. Where of one class none was wrong, a
map with numbers of its own for each class calls that class certain, and a wrong answer then ranks among the surest. So
a method that can change the order of answers, as one with two numbers or more can, also needs events: answers of the
rarer kind (Peduzzi et al. 1996, J Clin Epidemiol 49:1373; Vittinghoff and McCulloch 2007, Am J Epidemiol 165:710).
docs/calibration.md has the measurements behind both.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from vouch.calibration.fit.params import Learning
from vouch.evaluation.metrics import shares
from vouch.evaluation.metrics.shares import FloatArray, effective_rows

STEPS = 15  # numbers that a curve which follows the data is taken to learn: the bins of a histogram


@dataclass(frozen=True)
class Worth:
    """What rows can teach: how many independent ones they are worth, and how many of those are of the rarer kind."""

    rows: float
    events: float  # right or wrong answers, whichever are fewer

    def reaches(self, other: "Worth") -> bool:
        """Return whether there is as much of both."""
        return self.rows >= other.rows and self.events >= other.events


@dataclass(frozen=True)
class Candidates:
    """Methods that may be chosen from, and those left out with what each needs."""

    methods: tuple[str, ...]
    effective: Worth
    left_out: dict[str, Worth]

    @property
    def report(self) -> dict[str, Any]:
        """Return what calibrator.json says of them."""
        return {
            "effective_rows": round(self.effective.rows, 1),
            "effective_events": round(self.effective.events, 1),
            "left_out": {method: asdict(needed) for method, needed in self.left_out.items()},
        }

    @property
    def reason(self) -> str:
        """Say why no method is left."""
        needs = [f"{method} needs {worth.rows:g} and {worth.events:g}" for method, worth in self.left_out.items()]
        return (
            f"rows worth {self.effective.rows:.0f} independent ones, {self.effective.events:.0f} of the rarer of right "
            f"and wrong; {'; '.join(needs)}"
        )


def intraclass_correlation(rows: pd.DataFrame, floor: float) -> float:
    """Return the correlation of being right within a group, over all rows; at least `floor`."""
    return _correlation(*_by_group(rows), floor)


def candidates(
    rows: pd.DataFrame, methods: tuple[str, ...], n_parameters: Mapping[str, int], asked: Learning
) -> Candidates:
    """Return the methods that have enough rows and events, in their order.

    Parameters
    ----------
    rows : table
        `correct` and `group`.
    n_parameters : map of str to int
        How many numbers each method learns.
    """
    sizes, right = _by_group(rows)
    rows_worth = effective_rows(sizes, _correlation(sizes, right, asked.intraclass_floor))
    n_rows, n_right = sizes.sum(), right.sum()
    effective = Worth(rows_worth, float(rows_worth * min(n_right, n_rows - n_right) / n_rows))
    needed = {method: _needed(n_parameters[method], asked) for method in methods}
    left_out = {method: worth for method, worth in needed.items() if not effective.reaches(worth)}
    return Candidates(tuple(method for method in methods if method not in left_out), effective, left_out)


def _needed(n_parameters: int, asked: Learning) -> Worth:
    ordering = n_parameters if n_parameters > 1 else 0  # one number keeps the order of answers
    return Worth(float(asked.rows_per_parameter * n_parameters), float(asked.events_per_parameter * ordering))


def _correlation(sizes: FloatArray, right: FloatArray, floor: float) -> float:
    return max(floor, shares.intraclass_correlation(right, sizes))


def _by_group(rows: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    codes, names = pd.factorize(rows["group"], sort=True)
    right = np.bincount(codes, weights=rows["correct"].to_numpy(dtype=bool), minlength=len(names))
    return np.bincount(codes, minlength=len(names)).astype(np.float64), right.astype(np.float64)
