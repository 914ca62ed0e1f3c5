"""Strata: a name and a mask over rows. `all`, `stream=cabin`, `stream=cabin,scenario=night`, `class=phone`."""

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vouch.errors import DataError, Problem, refuse_any
from vouch.tables import STRATUM, stratum_columns

if TYPE_CHECKING:  # the rules of a gate name strata, and gate has no table
    import pandas as pd

BoolArray = npt.NDArray[np.bool_]

ALL = "all"
CLASS = "class"


def strata_masks(rows: "pd.DataFrame", names: Sequence[Sequence[str]]) -> dict[str, BoolArray]:
    """Return the mask of every stratum, the whole table first.

    Parameters
    ----------
    rows : table
        With `stratum_*` columns and `class`: numbered rows, or counts.
    names : sequence of sequences of str
        What to cut by: ("stream",), ("class",), or several for crossed strata: ("stream", "scenario"). Crossed strata
        are every combination of values seen; one that no row has stays, with an empty mask, because a hole in the data
        is a finding.

    Raises
    ------
    DataError
        Listing every name that the table does not have.
    """
    known = {CLASS, *(column.removeprefix(STRATUM) for column in stratum_columns(rows))}
    unknown = {name for crossing in names for name in crossing} - known
    remedy = "name a stratum of the data set, or add it to the source"
    refuse_any(DataError, [Problem(f"stratum {name}", f"one of {sorted(known)}", name, remedy) for name in unknown])
    masks = {ALL: np.ones(len(rows), dtype=bool)}
    for crossing in names:
        single = [_single(rows, name) for name in crossing]
        for parts in product(*(cut.items() for cut in single)):
            masks[",".join(label for label, _ in parts)] = np.logical_and.reduce([mask for _, mask in parts])
    return masks


def every_stratum(rows: "pd.DataFrame") -> list[tuple[str]]:
    """Return each stratum of the table and the class, one by one, as `strata_masks` wants them."""
    return [(column.removeprefix(STRATUM),) for column in stratum_columns(rows)] + [(CLASS,)]


def _single(rows: "pd.DataFrame", name: str) -> dict[str, BoolArray]:
    values = rows[CLASS if name == CLASS else STRATUM + name]
    return {f"{name}={value}": (values == value).to_numpy(dtype=bool) for value in sorted(values.dropna().unique())}
