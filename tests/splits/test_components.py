import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from vouch.splits.components import build_graph, find_components, no_clusters

NO_CLUSTERS = pd.DataFrame({"sample_id": pd.Series([], dtype="str"), "cluster": pd.Series([], dtype="str")})


def table(rows):
    """Rows of (driver, vehicle)."""
    columns = {"group_driver": [row[0] for row in rows], "group_vehicle": [row[1] for row in rows]}
    frame = pd.DataFrame({"sample_id": [f"s{i}" for i in range(len(rows))], **columns})
    return frame.astype({name: "str" for name in frame.columns})


def slow_components(samples, clusters):
    """Merge sets until nothing merges: the definition, in O(n^3)."""
    near = dict(zip(clusters["sample_id"], clusters["cluster"], strict=True))
    sets = []
    for row in samples.itertuples():
        keys = [("driver", row.group_driver), ("vehicle", row.group_vehicle), ("near", near.get(row.sample_id))]
        sets.append(({row.sample_id}, {key for key in keys if isinstance(key[1], str) and key[1] != ""}))
    merged = True
    while merged:
        merged = False
        for i in range(len(sets)):
            for j in range(i):
                if sets[i][1] & sets[j][1]:
                    sets[j] = (sets[i][0] | sets[j][0], sets[i][1] | sets[j][1])
                    del sets[i]
                    merged = True
                    break
            if merged:
                break
    return {frozenset(members) for members, _ in sets}


def as_sets(samples, of_sample):
    return {frozenset(part) for _, part in samples["sample_id"].groupby(of_sample)}


names = st.sampled_from([None, "", "a", "b", "c", "d", "e", "f", "g", "h"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(names, names), min_size=1, max_size=14), st.lists(st.sampled_from("xyz-----"), max_size=14))
def test_components_are_those_of_the_definition(rows, marks):
    samples = table(rows)
    chosen = [(f"s{i}", mark) for i, mark in enumerate(marks[: len(rows)]) if mark != "-"]
    clusters = pd.DataFrame(chosen, columns=["sample_id", "cluster"], dtype="str")
    found = find_components(build_graph(samples, clusters))
    assert as_sets(samples, found.of_sample) == slow_components(samples, clusters)


def test_a_component_is_named_by_its_smallest_node_and_numbered_in_order():
    samples = table([("d9", "v1"), ("d2", "v1"), ("d3", "v2"), (None, "v0"), (None, None)])
    graph = build_graph(samples, NO_CLUSTERS)
    found = find_components(graph)
    assert graph.nodes.tolist() == [
        "driver=d2",
        "driver=d3",
        "driver=d9",
        "sample=s4",
        "vehicle=v0",
        "vehicle=v1",
        "vehicle=v2",
    ]
    assert found.names.tolist() == ["driver=d2", "driver=d3", "sample=s4", "vehicle=v0"]
    assert found.of_sample.tolist() == [0, 0, 1, 3, 2]
    assert found.of_node.tolist() == [0, 1, 0, 2, 3, 0, 1]


def test_the_same_value_of_two_keys_is_two_groups():
    found = find_components(build_graph(table([("1", None), (None, "1")]), NO_CLUSTERS))
    assert found.names.tolist() == ["driver=1", "vehicle=1"]


def test_near_duplicates_join_groups():
    samples = table([("d1", "v1"), ("d2", "v2"), ("d3", "v3")])
    clusters = pd.DataFrame({"sample_id": ["s0", "s2", "gone"], "cluster": ["s0", "s0", "s0"]})
    assert find_components(build_graph(samples, clusters)).names.tolist() == ["driver=d1", "driver=d2"]


def test_samples_without_any_key_are_groups_of_their_own():
    found = find_components(build_graph(pd.DataFrame({"sample_id": ["b", "a"]}), NO_CLUSTERS))
    assert found.names.tolist() == ["sample=a", "sample=b"]
    assert found.of_sample.tolist() == [1, 0]


def test_no_samples():
    found = find_components(build_graph(table([]), NO_CLUSTERS))
    assert found.of_sample.shape == (0,)
    assert found.of_sample.dtype == np.int64


def test_without_near_duplicates_only_keys_join():
    samples = pd.DataFrame({"sample_id": ["a", "b", "c"], "group_day": ["1", "1", "2"]})
    assert list(no_clusters().columns) == ["sample_id", "cluster"]
    assert find_components(build_graph(samples, no_clusters())).of_sample.tolist() == [0, 0, 1]
