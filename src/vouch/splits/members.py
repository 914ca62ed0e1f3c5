"""What lies in each split, counted; and what of the data set and its lock do not fit each other."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from vouch.errors import Problem, so_many
from vouch.paths import SPLITS
from vouch.splits import bridges
from vouch.splits.components import Graph, build_graph, find_components
from vouch.tables import GROUP, STRATUM, group_columns, stratum_columns

Line = tuple[str, str, tuple[int, ...]]  # heading, what, how many in each of SPLITS


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
    samples: pd.DataFrame, clusters: pd.DataFrame, lock: Mapping[str, str], split: Mapping[str, str], dataset: str
) -> Iterator[Problem]:
    """Yield what of a lock and a data set does not fit: unknown and missing groups, straddling samples, stale lists.

    Parameters
    ----------
    samples, clusters : DataFrame
        As in `tables`, without the samples that are in no split.
    lock : mapping
        Group to split.
    split : mapping
        Sample to split, as the lists of the splits have it; empty where they were not written.
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
    yield from _stale(graph, samples, lock, split, dataset)


def _straddling(samples: pd.DataFrame, graph: Graph, lock: Mapping[str, str]) -> Iterator[Problem]:
    places = [SPLITS.index(lock[str(node)]) if str(node) in lock else -1 for node in graph.nodes]
    found = bridges.find_bridges(samples, graph, find_components(graph), np.array(places, dtype=np.int8))
    for bridge in found:
        yield bridges.describe(bridge, samples, graph)


def _stale(
    graph: Graph, samples: pd.DataFrame, lock: Mapping[str, str], split: Mapping[str, str], dataset: str
) -> Iterator[Problem]:
    """Samples whose list is not that of their groups."""
    if not split:
        return
    ids = samples["sample_id"].to_numpy()
    wrong: dict[tuple[str, str], list[str]] = {}
    for sample, node in zip(graph.sample_of.tolist(), graph.node_of.tolist(), strict=True):
        wanted, listed = lock.get(str(graph.nodes[node])), split.get(ids[sample], "no split")
        if wanted is not None and wanted != listed:
            wrong.setdefault((wanted, listed), []).append(str(ids[sample]))
    for (wanted, listed), names in sorted(wrong.items()):
        got = f"{so_many(len(set(names)), 'photograph')} in {listed}, the first {min(names)}"
        yield Problem(
            f"data/splits/{dataset}",
            f"photographs in {wanted}, as the lock says",
            got,
            f"run `dvc repro split@{dataset}`",
        )
