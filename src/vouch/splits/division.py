"""A whole data set divided: every usable sample in a split, but what shows an unknown product outside its own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from vouch.splits.assignment import Assignment, assign
from vouch.splits.params import Splitting
from vouch.splits.unknown import misplaced


@dataclass(frozen=True)
class Division:
    """What each split holds, and what is in none because of an unknown product."""

    table: pd.DataFrame  # sample_id, group, split, sorted by sample_id
    misplaced: pd.DataFrame  # sample_id, reason
    assignment: Assignment  # its own table has the misplaced ones too


def divide(
    samples: pd.DataFrame,
    boxes: pd.DataFrame,
    clusters: pd.DataFrame,
    locked: Mapping[str, str],
    asked: Splitting,
    *,
    quarantined: Iterable[str],
) -> Division:
    """Assign every sample that is not quarantined, then set aside what shows unknown products outside their split.

    Parameters
    ----------
    samples, boxes, clusters : DataFrame
        As in `tables`.
    locked, asked
        As of `assign`.
    quarantined : iterable of str
        Samples that nothing is to be learnt from or judged by; a product that they alone show is no wrong name.

    Raises
    ------
    LeakageError, DataError
        As `assign`; DataError too for an unknown product that no photograph shows.
    """
    found = assign(samples[~samples["sample_id"].isin(quarantined)], boxes, clusters, locked, asked)
    strange = misplaced(found.table, samples, boxes, asked.unknown_products)
    return Division(found.table[~found.table["sample_id"].isin(strange["sample_id"])], strange, found)
