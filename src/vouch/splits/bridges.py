"""Samples that would join two locked splits: which ones to set aside so that no locked group moves."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vouch.errors import Problem
from vouch.paths import SPLITS
from vouch.splits.components import Components, Graph

SEALED = SPLITS.index("val_test")


@dataclass(frozen=True)
class Bridge:
    """A sample whose groups or near-duplicates lie in different locked splits."""

    sample: int
    witnesses: tuple[tuple[int, int], ...]  # (node, split) of one locked group of each split that it joins


def find_bridges(
    samples: pd.DataFrame, graph: Graph, components: Components, split_of_node: NDArray[np.int8]
) -> list[Bridge]:
    """Return the samples that must go for every component to touch one locked split at most.

    Parameters
    ----------
    samples, graph, components
        As `build_graph` and `find_components` returned them.
    split_of_node : int8 array (n_nodes,)
        Position in SPLITS, -1 for a group that the lock does not name.

    Notes
    -----
    Samples are joined one by one, those that the lock knows entirely first (of these, val_test's first: it is
    sealed, so it keeps what it has), then by `sample_id`; one that would join two splits is left out. So the answer
    depends neither on the order of the rows nor on the rest of the data.
    """
    known = split_of_node >= 0
    flags = np.zeros((len(components.names), len(SPLITS)), dtype=bool)
    flags[components.of_node[known], split_of_node[known]] = True
    broken = flags.sum(axis=1) > 1
    if not broken.any():
        return []
    involved = np.flatnonzero(broken[components.of_sample])
    elements = _elements(graph, involved)
    ids = samples["sample_id"].to_numpy()
    order = sorted(involved.tolist(), key=lambda sample: (_age(elements[sample], split_of_node), ids[sample]))
    return _join_in_order(order, elements, split_of_node)


def describe(bridge: Bridge, samples: pd.DataFrame, graph: Graph) -> Problem:
    """Return the problem that names a bridge's record and the groups that it joins."""
    joined = ", ".join(f"{graph.nodes[node]} is in {SPLITS[split]}" for node, split in bridge.witnesses)
    near = " (through a near-duplicate)" if graph.cluster_of[bridge.sample] >= 0 else ""
    remedy = "correct its group, remove it, or set `bridge: quarantine` to leave it out of every split"
    return Problem(str(samples["sample_id"].iloc[bridge.sample]), "groups of one split", joined + near, remedy)


def _elements(graph: Graph, involved: NDArray[np.int64]) -> dict[int, list[int]]:
    """Nodes of each involved sample, then its cluster, numbered behind the nodes."""
    chosen = np.isin(graph.sample_of, involved)
    elements: dict[int, list[int]] = {int(sample): [] for sample in involved}
    for sample, node in zip(graph.sample_of[chosen].tolist(), graph.node_of[chosen].tolist(), strict=True):
        elements[sample].append(node)
    for sample in involved.tolist():
        if graph.cluster_of[sample] >= 0:
            elements[sample].append(len(graph.nodes) + int(graph.cluster_of[sample]))
    return elements


def _age(elements: list[int], split_of_node: NDArray[np.int8]) -> int:
    """0: known to the lock and in val_test; 1: known to the lock; 2: new."""
    splits = [int(split_of_node[element]) for element in elements if element < len(split_of_node)]
    if min(splits) < 0:
        return 2
    return 0 if SEALED in splits else 1


def _join_in_order(order: list[int], elements: dict[int, list[int]], split_of_node: NDArray[np.int8]) -> list[Bridge]:
    parent: dict[int, int] = {}
    witness: dict[int, tuple[int, int]] = {}  # of each root that touches a locked split

    def root(element: int) -> int:
        if element not in parent:
            parent[element] = element
            if element < len(split_of_node) and split_of_node[element] >= 0:
                witness[element] = (element, int(split_of_node[element]))
        while parent[element] != element:
            parent[element] = element = parent[parent[element]]
        return element

    bridges = []
    for sample in order:
        roots = sorted({root(element) for element in elements[sample]})
        seen = {witness[item][1]: witness[item] for item in reversed(roots) if item in witness}
        if len(seen) > 1:
            bridges.append(Bridge(sample, tuple(sorted(seen.values(), key=lambda pair: pair[1]))))
            continue
        for item in roots[1:]:
            parent[item] = roots[0]
        if seen:
            witness[roots[0]] = next(iter(seen.values()))
    return bridges
