"""Where a model is weak: the recall of each class and of each stratum on val_select, by the lower end of its interval.

val_test is not read: what is chosen to be labelled from it would be learned from it.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from vouch.evaluation.metrics.shares import share_interval
from vouch.tables import stratum_columns


@dataclass(frozen=True)
class Share:
    """Truths, how many of them were found, in how many groups, and the lower end of the interval of the share."""

    truths: int
    found: int
    groups: int
    low: float

    @property
    def missed(self) -> int:
        """Truths that were not found."""
        return self.truths - self.found


NOTHING = Share(0, 0, 0, 0.0)  # of a class that nobody looked for: it may be missed always


def of_classes(rows: pd.DataFrame, *, level: float, correlation: float) -> dict[str, Share]:
    """Return the share found of each class that stands in the truth, by name.

    Parameters
    ----------
    rows : `class_true` (null where nothing is), `group` and `hit` (bool): the truth was found, and the answer stands
    level : two-sided coverage of the interval
    correlation : of hits within a group, in [0, 1]
    """
    truths = rows[rows["class_true"].notna()]
    return {str(name): _share(part, level, correlation) for name, part in truths.groupby("class_true", sort=True)}


def of_strata(rows: pd.DataFrame, *, level: float, correlation: float) -> dict[tuple[str, str], Share]:
    """Return the share found in each value of each stratum, by (column, value); as `of_classes` otherwise."""
    truths = rows[rows["class_true"].notna()]
    return {
        (column, str(value)): _share(part, level, correlation)
        for column in stratum_columns(rows)
        for value, part in truths.groupby(column, sort=True)
    }


def _share(part: pd.DataFrame, level: float, correlation: float) -> Share:
    groups = part.groupby("group", sort=True)["hit"].agg(["sum", "size"])
    hits, sizes = (groups[name].to_numpy(np.float64) for name in ("sum", "size"))
    low, _ = share_interval(hits, sizes, correlation=correlation, level=level)
    return Share(len(part), int(hits.sum()), len(groups), low)
