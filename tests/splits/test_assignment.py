import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splits.asking import asked
from vouch.errors import DataError, LeakageError, Problem
from vouch.paths import SPLITS
from vouch.splits.assignment import assign, list_aside, quarantined, summarise
from vouch.splits.components import build_graph, find_components

NO_BOXES = pd.DataFrame({"sample_id": pd.Series([], dtype="str"), "class_name": pd.Series([], dtype="str")})
NO_CLUSTERS = pd.DataFrame({"sample_id": pd.Series([], dtype="str"), "cluster": pd.Series([], dtype="str")})


def table(drivers, vehicles=None, start=0, label=None):
    n = len(drivers)
    frame = pd.DataFrame(
        {
            "sample_id": [f"s{start + i:04d}" for i in range(n)],
            "label": label if label is not None else ["can"] * n,
            "group_driver": drivers,
            "group_vehicle": vehicles if vehicles is not None else [None] * n,
        }
    )
    return frame.astype({name: "str" for name in frame.columns})


def split(samples, locked=None, clusters=NO_CLUSTERS, *, quarantine=False, seed=1, boxes=NO_BOXES):
    said = asked(0.7, 0.1, 0.1, 0.1, seed=seed, bridge="quarantine" if quarantine else "refuse")
    return assign(samples, boxes, clusters, locked or {}, said)


def mapping(found):
    return dict(zip(found.lock["group"], found.lock["split"], strict=True))


groups = st.integers(0, 30).map(str) | st.none()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(groups, groups), min_size=40, max_size=60), st.lists(st.integers(0, 40), max_size=10))
def test_no_group_and_no_near_duplicate_straddles_splits(rows, near):
    samples = table([row[0] for row in rows], [row[1] for row in rows])
    chosen = sorted({f"s{number:04d}" for number in near if number < len(rows)})
    clusters = pd.DataFrame({"sample_id": chosen, "cluster": ["c"] * len(chosen)}, dtype="str")
    components = find_components(build_graph(samples, clusters))
    if len(components.names) < 4:
        with pytest.raises(DataError):
            split(samples, clusters=clusters)
        return
    found = split(samples, clusters=clusters)
    joined = found.table.merge(samples, on="sample_id")
    assert len(joined) == len(samples)
    for key in ("group_driver", "group_vehicle", "group"):
        assert (joined.dropna(subset=key).groupby(key)["split"].nunique() == 1).all()
    assert joined.loc[joined["sample_id"].isin(chosen), "split"].nunique() <= 1
    assert set(joined["split"]) == set(SPLITS)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(groups, groups), min_size=50, max_size=80), st.integers(0, 5))
def test_growing_data_never_moves_a_group_and_never_leaks(rows, seed):
    samples = table([row[0] for row in rows], [row[1] for row in rows])
    try:
        before = split(samples.iloc[:35], seed=seed)
    except DataError:
        return
    after = split(samples, mapping(before), quarantine=True, seed=seed)
    assert mapping(before).items() <= mapping(after).items()
    joined = after.table.merge(samples, on="sample_id")
    for key in ("group_driver", "group_vehicle"):
        assert (joined.dropna(subset=key).groupby(key)["split"].nunique() == 1).all()
        nodes = f"{key.removeprefix('group_')}=" + joined[key].dropna()
        assert nodes.map(mapping(after)).equals(joined.loc[nodes.index, "split"].rename(key))
    assert len(after.table) + len(after.aside) == len(samples)


def test_the_order_of_the_rows_changes_nothing():
    samples = table([str(i % 23) for i in range(200)], [str(i % 46) if i % 3 else None for i in range(200)])
    first, again = split(samples), split(samples.sample(frac=1, random_state=3))
    assert first.table.equals(again.table)
    assert first.lock.equals(again.lock)


def test_groups_that_vanish_stay_locked_and_return_to_their_split():
    samples = table([f"{i % 20:02d}" for i in range(100)])
    first = split(samples)
    gone = samples[samples["group_driver"] != "03"]
    second = split(gone, mapping(first))
    assert second.lock.equals(first.lock)
    assert split(samples, mapping(second)).table.equals(first.table)


def test_a_group_that_joins_a_locked_one_goes_to_its_split():
    locked = {"driver=a": "val_test", "driver=b": "train", "driver=c": "val_select", "driver=d": "val_calib"}
    samples = table(["a", "b", "c", "d", "new"], ["v1", None, None, None, "v1"])
    found = mapping(split(samples, locked))
    assert (found["driver=new"], found["vehicle=v1"]) == ("val_test", "val_test")


BRIDGED = {"driver=a": "val_test", "driver=b": "train", "driver=c": "val_select", "driver=d": "val_calib"}


def test_a_bridge_is_refused_by_the_name_of_its_record():
    samples = table(["a", "b", "c", "d", "b"], ["v1", "v2", None, None, "v1"])
    with pytest.raises(LeakageError) as refused:
        split(samples, {**BRIDGED, "vehicle=v1": "val_test"})
    assert [problem.where for problem in refused.value.problems] == ["s0004"]
    assert "driver=b is in train, driver=a is in val_test" in str(refused.value)


def test_a_bridge_is_set_aside_and_counted_when_asked():
    samples = table(["a", "b", "c", "d", "b", "e", "e"], ["v1", "v2", None, None, "v1", "v1", "v2"])
    found = split(samples, {**BRIDGED, "vehicle=v1": "val_test"}, quarantine=True)
    assert [problem.where for problem in found.aside] == ["s0004", "s0006"]
    assert set(found.table["sample_id"]) == {"s0000", "s0001", "s0002", "s0003", "s0005"}
    assert mapping(found)["driver=e"] == "val_test"
    assert BRIDGED.items() <= mapping(found).items()
    assert "2 that would join two splits" in summarise(found, n_quarantined=0, dataset="d")


def test_a_near_duplicate_of_a_sealed_photograph_is_set_aside_and_not_the_sealed_one():
    samples = table(["b", "a", "c", "d", "b"])
    clusters = pd.DataFrame({"sample_id": ["s0000", "s0001"], "cluster": ["s0000", "s0000"]})
    found = split(samples, BRIDGED, clusters, quarantine=True)
    assert [problem.where for problem in found.aside] == ["s0000"]
    assert "near-duplicate" in found.aside[0].got
    assert found.table.set_index("sample_id").loc["s0001", "split"] == "val_test"


def test_the_answer_to_a_bridge_does_not_depend_on_the_order_of_the_rows():
    generator = np.random.default_rng(2)
    samples = table([str(n) for n in generator.integers(0, 25, 120)], [str(n) for n in generator.integers(0, 60, 120)])
    locked = {f"driver={n}": SPLITS[n % 4] for n in range(25)}
    first = split(samples, locked, quarantine=True)
    again = split(samples.iloc[::-1], locked, quarantine=True)
    assert len(first.aside) > 5
    assert first.aside == again.aside
    assert first.table.equals(again.table)


@pytest.mark.parametrize("seed", range(8))
def test_six_groups_fill_four_splits(seed):
    samples = table([f"{i % 6}" for i in range(60)])
    found = split(samples, seed=seed)
    assert found.table.groupby("split")["group"].nunique().to_dict() == {
        "train": 3,
        "val_calib": 1,
        "val_select": 1,
        "val_test": 1,
    }


def test_three_groups_cannot_fill_four_splits_and_the_empty_one_is_named():
    with pytest.raises(DataError) as refused:
        split(table(["a", "b", "c"] * 5))
    assert len(refused.value.problems) == 1
    assert "3 independent groups in all" in refused.value.problems[0].got
    assert refused.value.problems[0].where in {f"split {name}" for name in SPLITS}


def test_no_groups_at_all_names_every_split():
    with pytest.raises(DataError) as refused:
        split(table([]))
    assert len(refused.value.problems) == 4


def test_a_locked_split_whose_groups_are_gone_is_filled_by_new_groups_first():
    locked = {"driver=a": "train", "driver=b": "val_select", "driver=c": "val_calib", "driver=gone": "val_test"}
    found = split(table(["a"] * 9 + ["b", "c", "new"]), locked)
    assert mapping(found)["driver=new"] == "val_test"


def test_a_component_of_more_than_a_twentieth_is_reported():
    samples = table([str(i) for i in range(100)], ["bus"] * 10 + [None] * 90)
    found = split(samples)
    assert found.largest == ("driver=0", 0.1)
    assert "chained to driver=0 hold 10.0%" in summarise(found, n_quarantined=0, dataset="d")
    assert "chained" not in summarise(split(table([str(i) for i in range(100)])), n_quarantined=0, dataset="d")


def test_samples_aside_are_listed_with_their_reasons():
    issues = pd.DataFrame(
        {
            "sample_id": ["b", "b", "b", "a"],
            "check": ["truncated", "box_small", "box_small", "dark"],
            "severity": ["quarantine", "quarantine", "quarantine", "warn"],
        }
    )
    listed = list_aside(quarantined(issues), (Problem("a", "x", "d=1 is in train, d=2 is in val_test", "y"),))
    assert listed.to_numpy().tolist() == [
        ["a", "bridge: d=1 is in train, d=2 is in val_test"],
        ["b", "box_small truncated"],
    ]
    assert list_aside(quarantined(issues.iloc[3:]), ()).empty


def test_the_lock_table_is_sorted_and_names_every_group_of_the_data():
    samples = table([f"{i % 12}" for i in range(60)], [f"{i % 24}" for i in range(60)])
    found = split(samples)
    assert found.lock["group"].tolist() == sorted(
        {f"driver={i}" for i in range(12)} | {f"vehicle={i}" for i in range(24)}
    )
    assert found.table["sample_id"].is_monotonic_increasing
