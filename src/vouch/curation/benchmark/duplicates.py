"""Rows of a benchmark that show one photograph twice: the same web address, the same pixels, or nearly so."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from vouch.curation.benchmark.rows import Rows, changed
from vouch.curation.catalogue.urls import spelled
from vouch.errors import DataError, Problem, refuse_any
from vouch.quality.duplicates import find_duplicates

KEPT = ("labelled", "resolved", "suggested")  # of rows that show the same, the first of these stays; then the first row
URL, EXACT, NEAR = "url", "exact", "near"


@dataclass(frozen=True)
class Finding:
    """A row that shows what an earlier one shows, how it is known, and whether the two call it differently."""

    row_id: str
    other: str
    kind: str
    contradicts: bool


@dataclass(frozen=True)
class Deduplicated:
    """The table without its duplicates, every finding in the order of the rows, and the rows rejected now."""

    rows: Rows
    findings: tuple[Finding, ...]
    rejected: tuple[str, ...]


@dataclass(frozen=True)
class _Related:
    """For each row the first that has its url, its pixels, or is connected with it by any of these or by its look."""

    by_url: NDArray[np.int64]
    by_pixels: NDArray[np.int64]
    shown: NDArray[np.int64]


def dedupe(rows: Rows, scan: pd.DataFrame, *, radius_bits: int, min_correlation: float) -> Deduplicated:
    """Reject suggestions that show what another row shows; what a person resolved or labelled is never changed.

    Of rows with the same class and kind that show one photograph, one stays: a labelled one, else a resolved one, else
    the first. Where the same pixels or url are called differently, every suggestion among them goes: nobody can know
    which is right. Near duplicates that are called differently are found, and left to a person. Rejected rows are found
    too, so that a second call finds the same, and decide nothing: nor do they join what is alike to them alone.

    Parameters
    ----------
    rows : the benchmark
    scan : DataFrame
        One row for each row with a photograph, as in `tables.SCAN`, `sample_id` from `scanned_rows`, sorted by it.
    radius_bits, min_correlation : as in `quality.duplicates.find_duplicates`

    Raises
    ------
    DataError
        Listing every row whose photograph cannot be used, unless it is rejected.
    """
    refuse_any(DataError, _unusable(rows, scan))
    usable = scan[scan["sha256"] != ""].reset_index(drop=True)
    counting = np.array([status != "rejected" for status in rows.column("status")], dtype=np.bool_)
    limits = (radius_bits, min_correlation)
    found = _related(rows, usable, np.ones(len(rows), dtype=np.bool_), limits)
    deciding = found if counting.all() else _related(rows, usable, counting, limits)
    exact, shown = _joined(deciding.by_url, deciding.by_pixels), deciding.shown
    said = list(zip(rows.column("class"), rows.column("negative"), strict=True))
    contradicted = _contradicted(rows, exact, said)
    rejected = sorted(contradicted | _repeated(rows, shown, said, contradicted))
    findings = [
        Finding(rows.cell(one, "row_id"), rows.cell(other, "row_id"), kind, said[one] != said[other])
        for one, other, kind in _told(found)
    ]
    edits = {one: {"status": "rejected"} for one in rejected}
    return Deduplicated(changed(rows, edits), tuple(findings), tuple(rows.cell(one, "row_id") for one in rejected))


def scanned_rows(rows: Rows) -> tuple[list[str], list[str]]:
    """Return the `sample_id` (the row's place, so that order is the table's) and file of each row that has one."""
    held = [(f"{index:09d}", photograph) for index, photograph in enumerate(rows.column("photograph")) if photograph]
    return [name for name, _ in held], [photograph for _, photograph in held]


def _unusable(rows: Rows, scan: pd.DataFrame) -> Iterable[Problem]:
    broken = scan.loc[scan["sha256"] == "", ["sample_id", "problem"]]
    for sample_id, problem in broken.itertuples(index=False):
        index = int(sample_id)
        if rows.cell(index, "status") != "rejected":
            where = f"{rows.where(index)}: {rows.cell(index, 'photograph')}"
            yield Problem(where, "a photograph", problem.replace("_", " "), "bring it back, or reject the row")


def _related(rows: Rows, usable: pd.DataFrame, among: NDArray[np.bool_], limits: tuple[int, float]) -> _Related:
    """Return what connects the rows `among` all; every other row is alone."""
    index = usable["sample_id"].to_numpy(dtype=object).astype(np.int64)
    held = usable[among[index]].reset_index(drop=True)
    index = index[among[index]]
    by_url, by_pixels, by_look = _same_urls(rows, among), np.arange(len(rows)), np.arange(len(rows))
    by_pixels[index] = _first(index, pd.factorize(held["sha256"])[0].astype(np.int64))
    by_look[index] = index[_clusters(held, *limits)]
    return _Related(by_url, by_pixels, _joined(_joined(by_url, by_pixels), by_look))


def _same_urls(rows: Rows, among: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return for each of the rows the first with the same url."""
    found = np.arange(len(rows))
    urls = {str(index): url for index, url in enumerate(rows.column("url")) if url and among[index]}
    first: dict[str, int] = {}
    for name, url in spelled(urls).items():
        found[int(name)] = first.setdefault(url, int(name))
    return found


def _first(index: NDArray[np.int64], codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each the place, from `index` in rising order, of the first with its code."""
    _, first = np.unique(codes, return_index=True)
    return index[first][codes]


def _clusters(scan: pd.DataFrame, radius_bits: int, min_correlation: float) -> NDArray[np.int64]:
    """Return for each photograph the position of the first that looks like it."""
    n = len(scan)
    contents = pd.DataFrame({"objects": [None] * n, "classes": [None] * n})  # who calls it what is judged here
    found = find_duplicates(
        scan, contents, np.arange(n), radius_bits=radius_bits, min_correlation=min_correlation
    ).clusters
    places = pd.Series(np.arange(n), index=scan["sample_id"])
    first = np.arange(n)
    first[places[found["sample_id"]].to_numpy()] = places[found["cluster"]].to_numpy()
    return first


def _joined(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each row the first of those that either relation connects with it."""
    n = len(one)
    left, right = np.concatenate([np.arange(n)] * 2), np.concatenate([one, other])
    graph = coo_array((np.ones(2 * n, dtype=np.int8), (left, right)), shape=(n, n))
    _, labels = connected_components(graph, directed=False)
    return _first(np.arange(n), labels.astype(np.int64))


def _repeated(rows: Rows, shown: NDArray[np.int64], said: Sequence[tuple[str, str]], gone: Collection[int]) -> set[int]:
    """Return the suggestions whose photograph another row with the same class and kind, none of `gone`, shows."""
    together: dict[tuple[int, tuple[str, str]], list[tuple[int, int]]] = defaultdict(list)
    for index, status in enumerate(rows.column("status")):
        if status in KEPT and index not in gone:
            together[shown[index], said[index]].append((KEPT.index(status), index))
    suggested = KEPT.index("suggested")
    return {index for alike in together.values() for rank, index in sorted(alike)[1:] if rank == suggested}


def _contradicted(rows: Rows, exact: NDArray[np.int64], said: Sequence[tuple[str, str]]) -> set[int]:
    """Return the suggestions whose very photograph another row calls differently."""
    together: dict[int, list[int]] = defaultdict(list)
    for index, status in enumerate(rows.column("status")):
        if status in KEPT:
            together[exact[index]].append(index)
    mixed = (alike for alike in together.values() if len({said[index] for index in alike}) > 1)
    return {index for alike in mixed for index in alike if rows.cell(index, "status") == "suggested"}


def _told(found: _Related) -> list[tuple[int, int, str]]:
    """Return each row that shows what an earlier one shows, that one, and the plainest way in which it is known."""
    told = []
    by_url, by_pixels, shown = found.by_url, found.by_pixels, found.shown
    for index in np.flatnonzero(shown != np.arange(len(shown))):
        for kind, first in ((URL, by_url), (EXACT, by_pixels), (NEAR, shown)):
            if first[index] != index:
                told.append((int(index), int(first[index]), kind))
                break
    return told
