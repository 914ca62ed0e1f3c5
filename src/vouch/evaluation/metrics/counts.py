"""Counts of products judged: a pair is a product on a photograph where it is there or was said to be.

Where a product is neither there nor said (zero of zero) nothing was counted: such pairs would dilute every error by the
size of the assortment, so each metric leaves them out, and its `n_rows` says how many pairs are left.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vouch.errors import DataError, Problem, refuse_any
from vouch.evaluation.metrics.intervals import FloatArray, IntArray, Measure, point
from vouch.evaluation.metrics.ratios import Terms, floats
from vouch.tables import COUNTS

IndexArray = npt.NDArray[np.intp]
Cells = npt.NDArray[np.floating[Any]]

PRODUCTS = 512  # of a block: errors and pairs of 20,000 groups in single precision are 80 MB
EXACT = 2**24  # whole numbers up to here are exact in single precision, in which products of matrices are twice as fast


def numbered_counts(counts: pd.DataFrame) -> pd.DataFrame:
    """Return counts with `group_index`, the place of the group in sorted order from 0, as every metric needs it.

    Parameters
    ----------
    counts : table
        The columns `tables.COUNTS` and `stratum_*`, one row for each product of a photograph.

    Raises
    ------
    DataError
        Listing every product that stands twice for a photograph, every count that is no whole number from 0 on, and
        every photograph in two groups.
    """
    refuse_any(DataError, _problems(counts))
    whole = {"n_true": np.int64, "n_pred": np.int64}
    return counts.astype(whole).assign(group_index=pd.factorize(counts["group"], sort=True)[0])


def _problems(counts: pd.DataFrame) -> Iterator[Problem]:
    lacking = [column for column in COUNTS if column not in counts]
    if lacking:
        yield Problem("counts", f"the columns {', '.join(COUNTS)}", f"none called {', '.join(lacking)}", "add them")
        return
    twice = counts[counts.duplicated(["sample_id", "class"])]
    for sample, product in zip(twice["sample_id"], twice["class"], strict=True):
        yield Problem(f"{sample}: {product}", "one row of a product", "several", "add its counts up")
    for column in ("n_true", "n_pred"):
        numbers = counts[column].to_numpy(dtype=np.float64, na_value=np.nan)
        wrong = ~((numbers >= 0) & (numbers == np.floor(numbers)) & (numbers < EXACT))
        for place in np.flatnonzero(wrong):
            where = f"{counts['sample_id'].iloc[place]}: {counts['class'].iloc[place]}: {column}"
            yield Problem(where, "a whole number from 0 on", f"{numbers[place]:g}", "correct the count")
    groups = counts.drop_duplicates(["sample_id", "group"])
    for sample in groups["sample_id"][groups["sample_id"].duplicated()].unique():
        yield Problem(str(sample), "one group", "several", "correct the group")


def mean_over_products(rows: pd.DataFrame, n_groups: int) -> Measure:
    """Return the mean over products of each product's mean error |n_pred - n_true| a pair.

    Every product counts alike, however often it stands on a shelf. A product without a pair under some weights is left
    out of their mean.

    Parameters
    ----------
    rows : table
        As `numbered_counts` returns it, or a stratum of it.
    """
    above, below = error(rows)
    pairs = below > 0
    group = rows["group_index"].to_numpy(dtype=np.intp)[pairs]
    product, names = pd.factorize(rows["class"][pairs], sort=True)
    support = np.bincount(group, minlength=n_groups).astype(np.float64)
    some, within = np.unique(group, return_inverse=True)  # a stratum holds few of the groups: leave out the others
    blocks = list(_blocks(above[pairs], within, product, (len(some), len(names))))

    def values(weights: IntArray) -> FloatArray:
        drawn = weights[:, some]
        sums = ((_multiplied(drawn, errors), _multiplied(drawn, counted)) for errors, counted in blocks)
        return _mean(sums, len(weights))

    without = np.full(n_groups, point(Measure(values, support, share=False)))  # as a group that holds no pair leaves it
    without[some] = _mean(((_left(errors), _left(counted)) for errors, counted in blocks), len(some))
    return Measure(values, support, share=False, without=without)


def _multiplied(drawn: IntArray, cells: Cells) -> FloatArray:
    return np.asarray(drawn.astype(cells.dtype) @ cells, dtype=np.float64)


def _left(cells: Cells) -> FloatArray:
    """Return the sums of each column without each row in turn."""
    return np.asarray(cells.sum(axis=0, dtype=np.float64) - cells)


def _mean(sums: Iterable[tuple[FloatArray, FloatArray]], size: int) -> FloatArray:
    """Return the mean over products of errors over pairs, both (size, products); NaN where no product has a pair."""
    total, defined = np.zeros(size), np.zeros(size)
    for errors, pairs in sums:
        total += np.divide(errors, pairs, out=np.zeros_like(errors), where=pairs > 0).sum(axis=1)
        defined += np.count_nonzero(pairs, axis=1)
    found: FloatArray = np.full(size, np.nan)
    np.divide(total, defined, out=found, where=defined > 0)
    return found


def _blocks(
    errors: FloatArray, group: IndexArray, product: IndexArray, shape: tuple[int, int]
) -> Iterator[tuple[Cells, Cells]]:
    """Yield sums of errors and numbers of pairs by group and product, float of `shape`, so many products at a time."""
    for first in range(0, shape[1], PRODUCTS):
        width = min(PRODUCTS, shape[1] - first)
        inside = (product >= first) & (product < first + width)
        cell = group[inside] * width + product[inside] - first
        cells = shape[0] * width
        top, bottom = np.bincount(cell, errors[inside], cells), np.bincount(cell, minlength=cells)
        kind: type[np.floating[Any]] = np.float32 if max(top.max(), bottom.max()) * shape[0] < EXACT else np.float64
        yield np.asarray(top.reshape(-1, width), kind), np.asarray(bottom.reshape(-1, width), kind)


def error(rows: pd.DataFrame) -> Terms:
    """How far the count of a pair is off."""
    return np.abs(_difference(rows)), np.asarray(_pairs(rows), dtype=np.float64)


def bias(rows: pd.DataFrame) -> Terms:
    """How many too many a pair has; too few are negative."""
    return _difference(rows), np.asarray(_pairs(rows), dtype=np.float64)


def exact(rows: pd.DataFrame) -> Terms:
    """Of all pairs, those that are counted exactly."""
    pairs = _pairs(rows)
    return floats(pairs & (rows["n_true"] == rows["n_pred"]), pairs)


def false_gaps(rows: pd.DataFrame) -> Terms:
    """Of all pairs whose product is there, those where none is said to be."""
    there = rows["n_true"] > 0
    return floats(there & (rows["n_pred"] == 0), there)


def hidden_gaps(rows: pd.DataFrame) -> Terms:
    """Of all pairs whose product is said to be there, those where none is."""
    said = rows["n_pred"] > 0
    return floats(said & (rows["n_true"] == 0), said)


def _pairs(rows: pd.DataFrame) -> "pd.Series[bool]":
    return (rows["n_true"] > 0) | (rows["n_pred"] > 0)


def _difference(rows: pd.DataFrame) -> FloatArray:
    return np.asarray(rows["n_pred"] - rows["n_true"], dtype=np.float64)
