"""What lies in each split, counted; and what of the data set and its lock do not fit each other."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from vouch.errors import Problem, so_many
from vouch.paths import SPLITS
from vouch.splits import bridges
from vouch.splits.components import Graph, build_graph, find_components
from vouch.tables import GROUP, STRATUM, group_columns, stratum_columns

Line = tuple[str, str, tuple[int, ...]]  # heading, what, how many in each of SPLITS
Lists = Mapping[str, Sequence[str]]  # split to the samples that its list has


def counted(samples: pd.DataFrame, boxes: pd.DataFrame, split: pd.Series) -> list[Line]:
    """Count photographs, groups, labels, strata and products of each split.

    Parameters
    ----------
    samples, boxes : DataFrame
        As in `tables`.
    split : Series
        Split of each sample by its id; samples without one do not count.
    """
    part = samples["sample_id"].map(split)
    lines: list[Line] = [("photographs", "all", _of(part.dropna()))]
    for column in group_columns(samples):
        distinct = samples.assign(part=part)[[column, "part"]].dropna().drop_duplicates()
        lines.append(("groups", column.removeprefix(GROUP), _of(distinct["part"])))
    lines += _values("labels", samples["label"], part)
    lines += _values("boxes", boxes["class_name"], boxes["sample_id"].map(split))
    for column in stratum_columns(samples):
        lines += _values(column.removeprefix(STRATUM), samples[column], part)
    if "product" in boxes:
        lines += _values("products", boxes["product"], boxes["sample_id"].map(split))
    return lines


def _values(heading: str, values: pd.Series, part: pd.Series) -> list[Line]:
    return [(heading, str(value), _of(found)) for value, found in part.groupby(values) if found.notna().any()]


def _of(part: pd.Series) -> tuple[int, ...]:
    counts = part.value_counts()
    return tuple(int(counts.get(name, 0)) for name in SPLITS)


def misfits(
    samples: pd.DataFrame, clusters: pd.DataFrame, lock: Mapping[str, str], lists: Lists, dataset: str
) -> Iterator[Problem]:
    """Yield what of a lock and a data set does not fit: unknown and missing groups, straddling samples, stale lists.

    Parameters
    ----------
    samples, clusters : DataFrame
        As in `tables`, without the samples that are in no split.
    lock : mapping
        Group to split.
    lists : mapping
        Split to its samples, of each list that is there: of one that is not, nothing is yielded.
    dataset : str
        Its name, for remedies.
    """
    graph = build_graph(samples, clusters)
    nodes = {str(node) for node in graph.nodes}
    remedy = f"run `dvc repro split@{dataset}`, or say where it goes: `vouch split assign {dataset} GROUP --to SPLIT`"
    yield from (
        Problem(name, "a group of the lock", "one that it lacks", remedy) for name in sorted(nodes - lock.keys())
    )
    remedy = "bring them back; where they are gone for good, the lock may keep it: it returns to its split"
    for name in sorted(lock.keys() - nodes):
        yield Problem(name, f"photographs of it in {lock[name]}", "none in the data set", remedy)
    yield from _straddling(samples, graph, lock)
    yield from repeated(lists, dataset)
    yield from _stale(graph, samples, lock, lists, dataset)
    yield from _gone(samples, lists, dataset)


def repeated(lists: Lists, dataset: str) -> Iterator[Problem]:
    """Yield each sample that is in the lists of several splits."""
    for sample, names in _listed(lists).items():
        if len(names) > 1:
            yield Problem(sample, "one split", " and ".join(names), f"run `dvc repro split@{dataset}`")


def _listed(lists: Lists) -> dict[str, list[str]]:
    """Return the splits of each sample, in the order of SPLITS."""
    listed: dict[str, list[str]] = {}
    for name in SPLITS:
        for sample in dict.fromkeys(lists.get(name, ())):
            listed.setdefault(sample, []).append(name)
    return listed


def _straddling(samples: pd.DataFrame, graph: Graph, lock: Mapping[str, str]) -> Iterator[Problem]:
    places = [SPLITS.index(lock[str(node)]) if str(node) in lock else -1 for node in graph.nodes]
    found = bridges.find_bridges(samples, graph, find_components(graph), np.array(places, dtype=np.int8))
    for bridge in found:
        yield bridges.describe(bridge, samples, graph)


def _stale(
    graph: Graph, samples: pd.DataFrame, lock: Mapping[str, str], lists: Lists, dataset: str
) -> Iterator[Problem]:
    """Samples whose list is not that of their groups; one in no list may be in the list that is absent."""
    ids, listed = samples["sample_id"].astype(str).to_numpy(), _listed(lists)
    wrong: dict[tuple[str, str], list[str]] = {}
    for sample, node in zip(graph.sample_of.tolist(), graph.node_of.tolist(), strict=True):
        wanted, found = lock.get(str(graph.nodes[node])), listed.get(ids[sample], [])
        if wanted is None or found == [wanted] or len(found) > 1 or (not found and wanted not in lists):
            continue
        wrong.setdefault((wanted, found[0] if found else "no split"), []).append(ids[sample])
    for (wanted, got), names in sorted(wrong.items()):
        expected = f"photographs in {wanted}, as the lock says"
        yield _of_lists(expected, f"{so_many(len(set(names)), 'photograph')} in {got}, the first {min(names)}", dataset)


def _gone(samples: pd.DataFrame, lists: Lists, dataset: str) -> Iterator[Problem]:
    """Samples that a list has, and that the data set lacks or sets aside."""
    kept = set(samples["sample_id"].astype(str))
    for name in SPLITS:
        gone = sorted(set(lists.get(name, ())) - kept)
        if gone:
            got = f"{so_many(len(gone), 'photograph')} that it lacks or sets aside, the first {gone[0]}"
            yield _of_lists(f"photographs of the data set in {name}", got, dataset)


def _of_lists(expected: str, got: str, dataset: str) -> Problem:
    return Problem(f"data/splits/{dataset}", expected, got, f"run `dvc repro split@{dataset}`")
