"""What must stay together: connected components over all group keys and near-duplicate clusters."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from vouch.tables import CLUSTERS, GROUP, group_columns


@dataclass(frozen=True)
class Graph:
    """Samples, the group nodes that they carry, and the near-duplicate clusters that they lie in."""

    nodes: NDArray[np.object_]  # "<key>=<value>", sorted
    sample_of: NDArray[np.int64]  # one entry an incidence: sample sample_of[k] carries node node_of[k]
    node_of: NDArray[np.int64]
    cluster_of: NDArray[np.int64]  # one entry a sample, -1 where it is in no cluster


@dataclass(frozen=True)
class Components:
    """Connected components, numbered in the order of their names."""

    names: NDArray[np.object_]  # the lexicographically smallest node of each
    of_node: NDArray[np.int64]
    of_sample: NDArray[np.int64]


def no_clusters() -> pd.DataFrame:
    """Return the table of near-duplicates of a data set in which none are known."""
    return pd.DataFrame(columns=list(CLUSTERS), dtype="str")


def build_graph(samples: pd.DataFrame, clusters: pd.DataFrame) -> Graph:
    """Return the graph whose components no split may cut.

    Parameters
    ----------
    samples : DataFrame
        `sample_id` and `group_*` columns; a null or empty value carries no node, and a sample without any node
        becomes a group of its own, "sample=<sample_id>".
    clusters : DataFrame
        `sample_id`, `cluster`; samples that are not in `samples` are ignored.
    """
    names: list[NDArray[np.object_]] = []
    sample_of: list[NDArray[np.int64]] = []
    node_of: list[NDArray[np.int64]] = []
    grouped = np.zeros(len(samples), dtype=bool)
    for column in group_columns(samples):
        codes, values = pd.factorize(samples[column].replace("", None))
        carrying = np.flatnonzero(codes >= 0)
        node_of.append(codes[carrying].astype(np.int64) + sum(map(len, names)))
        sample_of.append(carrying)
        names.append((column.removeprefix(GROUP) + "=" + pd.Series(values, dtype="str")).to_numpy(dtype=object))
        grouped[carrying] = True
    alone = np.flatnonzero(~grouped)
    node_of.append(np.arange(len(alone)) + sum(map(len, names)))
    sample_of.append(alone)
    names.append(("sample=" + samples["sample_id"].iloc[alone].astype("str")).to_numpy(dtype=object))
    nodes, rank = np.unique(np.concatenate(names), return_inverse=True)
    return Graph(nodes, np.concatenate(sample_of), rank[np.concatenate(node_of)], _cluster_of(samples, clusters))


def find_components(graph: Graph) -> Components:
    """Return the connected components of a graph in O(samples + nodes)."""
    n_nodes, n_clusters = len(graph.nodes), int(graph.cluster_of.max(initial=-1)) + 1
    anchor = np.empty(len(graph.cluster_of), dtype=np.int64)
    anchor[graph.sample_of[::-1]] = graph.node_of[::-1]  # the first node of each sample
    linked = graph.node_of != anchor[graph.sample_of]
    clustered = np.flatnonzero(graph.cluster_of >= 0)
    left = np.concatenate([anchor[graph.sample_of[linked]], anchor[clustered]])
    right = np.concatenate([graph.node_of[linked], n_nodes + graph.cluster_of[clustered]])
    n_vertices = n_nodes + n_clusters
    edges = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(n_vertices, n_vertices))
    _, labels = connected_components(edges, directed=False)
    _, first, of_node = np.unique(labels[:n_nodes], return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))  # nodes are sorted, so the first node names its component
    of_node = rank[of_node]
    return Components(graph.nodes[np.sort(first)], of_node, of_node[anchor])


def _cluster_of(samples: pd.DataFrame, clusters: pd.DataFrame) -> NDArray[np.int64]:
    cluster_of = np.full(len(samples), -1, dtype=np.int64)
    if len(clusters):
        places = pd.Index(samples["sample_id"]).get_indexer(pd.Index(clusters["sample_id"]))
        codes, _ = pd.factorize(clusters["cluster"])
        cluster_of[places[places >= 0]] = codes[places >= 0]
    return cluster_of
