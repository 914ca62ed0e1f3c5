import pandas as pd
import pytest

from vouch.splits.components import build_graph
from vouch.splits.told import told

SHARED = pd.DataFrame(
    {
        "sample_id": ["1", "2", "3", "4", "5"],
        "group_driver": ["a", "b", "new", "other", "free"],
        "group_car": ["x", "y", "y", "z", None],
    },
    dtype="str",
)
NO_CLUSTERS = pd.DataFrame(columns=["sample_id", "cluster"], dtype="str")


@pytest.mark.parametrize(
    ("group", "split", "said"),
    [
        ("driver=b", "train", "driver=b: expected a group that no split holds yet, got in val_test, which is sealed"),
        ("driver=a", "val_test", "got in train; leave it: locked groups never move"),
        ("driver=fre", "train", "got none of this name; perhaps `driver=free` was meant"),
        ("driver=new", "train", "expected no photograph in common with a group outside train, got some with driver=b"),
    ],
)
def test_a_group_that_may_not_go_where_it_is_told_is_named(group, split, said):
    locked = {"driver=a": "train", "driver=b": "val_test"}
    (problem,) = told(locked, [group], split, build_graph(SHARED, NO_CLUSTERS))
    assert said in str(problem)


def test_a_new_group_goes_where_it_is_told_and_one_that_is_tied_to_a_split_may_join_it():
    locked = {"driver=a": "train", "driver=b": "val_test"}
    graph = build_graph(SHARED, NO_CLUSTERS)
    assert told(locked, ["driver=free", "driver=other", "car=z"], "train", graph) == []
    assert told(locked, ["driver=new"], "val_test", graph) == []
    near = pd.DataFrame({"sample_id": ["2", "5"], "cluster": ["2", "2"]}, dtype="str")
    assert [one.where for one in told(locked, ["driver=free"], "train", build_graph(SHARED, near))] == ["driver=free"]
