"""Photographs that are there twice: the same pixels, or so alike that one in train gives the other away."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from vouch.quality.checks import make_issues
from vouch.quality.hashes import pair_batches
from vouch.tables import CLUSTERS

COMPARED = 1 << 14  # pairs of thumbnails compared at a time: 34 MB
THUMBNAIL_BYTES = 256
FOLDED = 1 << 22  # pairs held before they are folded into clusters: 20,000 frames of a parked car are 200,000,000 pairs


@dataclass(frozen=True)
class Duplicates:
    """What was found."""

    findings: list[pd.DataFrame]
    clusters: pd.DataFrame  # sample_id, cluster: the smallest sample_id in it
    counts: dict[str, int]  # pictures and pairs


def find_duplicates(
    scan: pd.DataFrame,
    contents: pd.DataFrame,
    home: NDArray[np.int64],
    *,
    radius_bits: int,
    min_correlation: float,
) -> Duplicates:
    """Find exact and near duplicates, within and across groups, and those whose labels contradict each other.

    Parameters
    ----------
    scan : DataFrame
        Decoded photographs, as in `tables.SCAN`, sorted by `sample_id`.
    contents : DataFrame
        `objects` and `classes` of each, as `labels.contents` returned them.
    home : int array (n,)
        Component of each over its group keys.
    radius_bits : int
        Pictures whose hashes differ in more bits are not near, 0..15.
    min_correlation : float
        Pictures whose thumbnails correlate less are not near either: dark and plain pictures share hashes by chance.

    Notes
    -----
    A pair is reported on its later sample, naming the first earlier one; a contradiction on both, because nobody can
    know which label is right. Exact copies take part in the near search through the first of them.
    """
    ids = scan["sample_id"].to_numpy(dtype=object)
    first = _first_copy(scan)
    pairs = _confirmed_pairs(scan, first, radius_bits, min_correlation)
    near = _gather(pairs, home, pd.factorize(contents["classes"])[0])
    return Duplicates(
        findings=[*_exact_findings(ids, first, home, contents), *_near_findings(ids, near)],
        clusters=_clusters(ids, near.roots[first]),
        counts={
            "exact_copies": int((first != np.arange(len(ids))).sum()),
            "exact_copies_across_groups": int((home != home[first]).sum()),
            "near_pairs": near.n_pairs,
            "near_pairs_across_groups": near.n_across,
        },
    )


def find_copies(
    scan: pd.DataFrame, home: NDArray[np.int64], aside: NDArray[np.bool_]
) -> tuple[list[pd.DataFrame], dict[str, int]]:
    """Find the exact copies among all photographs: those that are set aside are reported here, all are counted.

    Parameters
    ----------
    scan : DataFrame
        Decoded photographs, as in `tables.SCAN`, sorted by `sample_id`.
    home : int array (n,)
        Component of each over its group keys.
    aside : bool array (n,)
        Which were set aside for another reason; no photograph that is kept counts as a copy of one of them.
    """
    order = np.lexsort((np.arange(len(aside)), aside))
    first = np.empty(len(order), dtype=np.int64)
    first[order] = order[_first_copy(scan.iloc[order])]
    ids = scan["sample_id"].to_numpy(dtype=object)
    copy, across = first != np.arange(len(ids)), home != home[first]
    findings = [
        make_issues(pd.Series(ids[flag]), name, "same pixels as " + pd.Series(ids[first[flag]], dtype="str"))
        for name, flag in (("exact_duplicate", copy & aside), ("exact_across_groups", across & aside))
    ]
    return findings, {"exact_copies": int(copy.sum()), "exact_copies_across_groups": int(across.sum())}


def partner(detail: str, known: Collection[str]) -> str | None:
    """Return the other photograph that a finding of a duplicate or contradiction names, None where it names none.

    >>> partner("1 can; same pixels as a/with b.jpg with 1 cup with lid", {"a/with b.jpg"})
    'a/with b.jpg'
    """
    for words in ("looks like ", "same pixels as "):
        told = detail.partition(words)[2]
        if told in known:
            return told
        for end in (place for place in range(len(told)) if told.startswith(" with ", place)):
            if told[:end] in known:
                return told[:end]
    return None


@dataclass(frozen=True)
class _Near:
    """What the near pairs say of each sample; the pairs themselves are too many to keep."""

    partner: dict[str, NDArray[np.int64]]  # check to the first partner of each sample, n where there is none
    roots: NDArray[np.int64]  # smallest position in each sample's cluster
    n_pairs: int
    n_across: int


def _first_copy(scan: pd.DataFrame) -> NDArray[np.int64]:
    """Position of the first sample with the same pixels."""
    codes, _ = pd.factorize(scan["sha256"])
    _, first = np.unique(codes, return_index=True)
    return first[codes].astype(np.int64)


def _confirmed_pairs(
    scan: pd.DataFrame, first: NDArray[np.int64], radius_bits: int, min_correlation: float
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Near pairs of originals by hash whose thumbnails agree too."""
    originals = np.flatnonzero(first == np.arange(len(first)))
    joined = b"".join(scan["thumbnail"].iloc[originals])
    luma = np.frombuffer(joined, dtype=np.uint8).reshape(len(originals), THUMBNAIL_BYTES)
    hashes = scan["phash"].to_numpy(dtype=np.uint64)[originals]
    for left, right in pair_batches(hashes, radius=radius_bits):
        for begin in range(0, len(left), COMPARED):
            one, other = left[begin : begin + COMPARED], right[begin : begin + COMPARED]
            alike = correlation(luma[one], luma[other]) >= min_correlation
            yield originals[one[alike]], originals[other[alike]]


def correlation(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return Pearson's correlation of row i with row i, 0 where either row is flat.

    Parameters
    ----------
    first, second : uint8 array (n, 256)
        Thumbnails, luma.

    Returns
    -------
    float64 array (n,)
        In [-1, 1].
    """
    # sums stay below 2^24 (256 * 255^2 = 16.6 million), so float32 holds them exactly, in any order of addition
    one, other = first.astype(np.float32), second.astype(np.float32)
    sums = [np.einsum("ij,ij->i", a, b).astype(np.float64) for a, b in ((one, other), (one, one), (other, other))]
    total_one, total_other = one.sum(axis=1, dtype=np.float64), other.sum(axis=1, dtype=np.float64)
    n = first.shape[1]
    covariance = n * sums[0] - total_one * total_other
    variances = (n * sums[1] - total_one**2) * (n * sums[2] - total_other**2)
    return np.where(variances > 0, covariance / np.sqrt(np.maximum(variances, 1)), 0.0)


def _gather(
    pairs: Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]], home: NDArray[np.int64], said: NDArray[np.int64]
) -> _Near:
    """Note the pairs; `said` is a code of the classes in each sample, -1 where nobody looked."""
    n = len(home)
    partner = {name: np.full(n, n) for name in ("near_duplicate", "near_across_groups", "contradicting_near")}
    roots, edges, n_pairs, n_across = np.arange(n), np.empty((2, 0), dtype=np.int64), 0, 0
    for left, right in pairs:
        across = home[left] != home[right]
        conflict = (said[left] >= 0) & (said[right] >= 0) & (said[left] != said[right])
        np.minimum.at(partner["near_duplicate"], right, left)
        np.minimum.at(partner["near_across_groups"], right[across], left[across])
        np.minimum.at(partner["contradicting_near"], right[conflict], left[conflict])
        np.minimum.at(partner["contradicting_near"], left[conflict], right[conflict])
        n_pairs, n_across = n_pairs + len(left), n_across + int(across.sum())
        edges = np.hstack([edges, [left, right]])
        if edges.shape[1] > FOLDED:
            roots, edges = _fold(roots, edges), np.empty((2, 0), dtype=np.int64)
    return _Near(partner, _fold(roots, edges), n_pairs, n_across)


def _fold(roots: NDArray[np.int64], edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """Smallest position in each sample's cluster once `edges` are added to the clusters that `roots` names."""
    n = len(roots)
    left, right = np.hstack([edges, [roots, np.arange(n)]])
    graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(n, n))
    _, labels = connected_components(graph, directed=False)
    _, smallest = np.unique(labels, return_index=True)
    return smallest[labels].astype(np.int64)


def _exact_findings(
    ids: NDArray[np.object_], first: NDArray[np.int64], home: NDArray[np.int64], contents: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    copy = first != np.arange(len(ids))
    for name, flag in (("exact_duplicate", copy), ("exact_across_groups", home != home[first])):
        yield make_issues(pd.Series(ids[flag]), name, "same pixels as " + pd.Series(ids[first[flag]], dtype="str"))
    looked = contents["objects"].notna().to_numpy()
    yield _contradictions(ids[looked], first[looked], contents["objects"].to_numpy(dtype=object)[looked])


def _contradictions(ids: NDArray[np.object_], first: NDArray[np.int64], said: NDArray[np.object_]) -> pd.DataFrame:
    """Name each copy of which another says something else, and the first such other."""
    sayings: dict[int, dict[str, str]] = {}  # copies of one picture: what is said of it, and of which of them first
    for name, copy_of, what in zip(ids, first, said, strict=True):
        sayings.setdefault(copy_of, {}).setdefault(what, name)
    names, details = [], []
    for name, copy_of, what in zip(ids, first, said, strict=True):
        others = [(other, twin) for other, twin in sayings[copy_of].items() if other != what]
        for other, twin in others[:1]:
            names.append(name)
            details.append(f"{what or 'nothing'}; same pixels as {twin} with {other or 'nothing'}")
    return make_issues(pd.Series(names, dtype="str"), "contradicting_exact", pd.Series(details, dtype="str"))


def _near_findings(ids: NDArray[np.object_], near: _Near) -> Iterator[pd.DataFrame]:
    for name, partner in near.partner.items():
        flag = partner < len(ids)
        yield make_issues(pd.Series(ids[flag]), name, "looks like " + pd.Series(ids[partner[flag]], dtype="str"))


def _clusters(ids: NDArray[np.object_], roots: NDArray[np.int64]) -> pd.DataFrame:
    """Clusters of at least two samples."""
    shared = np.bincount(roots, minlength=len(ids))[roots] > 1
    return pd.DataFrame({"sample_id": ids[shared], "cluster": ids[roots[shared]]}, columns=CLUSTERS, dtype="str")
