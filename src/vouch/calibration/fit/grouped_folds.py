"""Folds of whole groups, for cross-validation that a neighbour of a row cannot flatter."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

BoolArray = npt.NDArray[np.bool_]


def grouped_folds(group: "pd.Series[Any]", folds: int) -> list[BoolArray]:
    """Return masks of held-out rows: whole groups, the largest first, each to the fold with the fewest rows so far."""
    codes, names = pd.factorize(group, sort=True)
    sizes = np.bincount(codes, minlength=len(names))
    fold_of = np.zeros(len(names), dtype=np.intp)
    filled = np.zeros(min(folds, len(names)), dtype=np.intp)
    if len(filled) < 2:
        return []
    for code in np.argsort(-sizes, kind="stable"):
        fold_of[code] = np.argmin(filled)
        filled[fold_of[code]] += sizes[code]
    return [fold_of[codes] == fold for fold in range(len(filled))]
