import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_curve

from evaluation.metrics.test_open_set_metrics import crops, rows_of, value
from evaluation.photographs import copied
from vouch.evaluation.metrics import open_set_curves
from vouch.evaluation.metrics.intervals import expanded_tail, group_weights

WEIGHTS = group_weights(25, replicates=200, rng=np.random.default_rng(0))
SHARES = ["unknown_accepted", "named_rightly"]


def curve_of(rows, weights=WEIGHTS):
    table = open_set_curves.oscr_curve(rows, weights=weights, level=0.95)
    return table[table["kind"] == "threshold"]


def policy_of(rows, weights=WEIGHTS):
    table = open_set_curves.oscr_curve(rows, weights=weights, level=0.95)
    assert table["kind"].tolist().count("policy") == 1
    return table.iloc[-1]


def by_hand():
    # known right, known wrong, unknown, known right, unknown; the policy refuses the first by its margin
    return rows_of(
        ["a", "b", None, "a", None],
        ["a", "c", "a", "a", "b"],
        [0.9, 0.8, 0.7, 0.6, 0.5],
        [False, True, True, True, False],
        [0, 0, 1, 1, 0],
    )


def test_the_curve_by_hand():
    table = curve_of(by_hand(), group_weights(2, replicates=200, rng=np.random.default_rng(0)))
    # .8 accepts one more known crop, under another name: no step
    assert table[SHARES].to_numpy() == pytest.approx(
        np.array([(0, 0), (0, 1 / 3), (1 / 2, 1 / 3), (1 / 2, 2 / 3), (1, 2 / 3)])
    )
    assert table["threshold"].iloc[1:].tolist() == [0.9, 0.7, 0.6, 0.5]
    assert np.isnan(table["threshold"].iloc[0])


def test_the_policy_s_point_is_what_it_accepts_wherever_the_curve_lies():
    policy = policy_of(by_hand(), group_weights(2, replicates=200, rng=np.random.default_rng(0)))
    assert policy[SHARES].tolist() == pytest.approx([1 / 2, 1 / 3])
    refused = policy_of(crops(0).assign(accept=False))
    assert refused[[*SHARES, "low", "high"]].tolist() == [0, 0, 0, 0]
    rows = crops(1)  # accepted above .5, without a margin: a point of the curve
    above = curve_of(rows)
    accepted = rows["class_true"].isna() & (rows["similarity"] > 0.5)
    assert policy_of(rows)["unknown_accepted"] == pytest.approx(accepted.sum() / rows["class_true"].isna().sum())
    at = np.interp(policy_of(rows)["named_rightly"], above["named_rightly"], above["unknown_accepted"])
    assert policy_of(rows)["unknown_accepted"] == pytest.approx(at, abs=0.01)


@pytest.mark.parametrize("decimals", [6, 1])
@pytest.mark.parametrize("unknown", [0.1, 0.8])
def test_the_area_under_the_curve_is_oscr(decimals, unknown):
    rows = crops(2, decimals=decimals, unknown=unknown)
    table = curve_of(rows)
    assert np.trapezoid(table["named_rightly"], table["unknown_accepted"]) == pytest.approx(value(rows, "oscr"))
    assert table[SHARES].iloc[-1].tolist() == pytest.approx([1, value(rows, "top1")])
    assert (table[SHARES].diff().iloc[1:] >= 0).all(axis=None)
    assert not table[SHARES].duplicated().any()


def test_where_every_name_is_right_it_is_scikit_learns_roc_curve():
    rows = crops(3, decimals=2).assign(correct=lambda table: table["class_true"].notna())
    fpr, tpr, limits = roc_curve(rows["class_true"].notna(), rows["similarity"], drop_intermediate=False)
    every = {limit: point for limit, *point in zip(limits[1:], fpr[1:], tpr[1:], strict=True)}
    found = curve_of(rows).iloc[1:]
    assert 20 < len(found) < len(every)
    expected = np.array([every[limit] for limit in found["threshold"]])
    assert found[SHARES].to_numpy() == pytest.approx(expected)


def test_the_band_is_percentiles_of_rows_copied_by_hand():
    rows, weights = crops(4, size=120, groups=8), group_weights(8, replicates=200, rng=np.random.default_rng(1))
    table = curve_of(rows, weights)
    middle = table.iloc[len(table) // 2]

    def named(drawn):
        known = copied(rows, drawn).dropna(subset="class_true")
        return (known["correct"] & (known["similarity"] >= middle["threshold"])).mean()

    tail = expanded_tail(0.95, 8)
    assert [middle["low"], middle["high"]] == pytest.approx(
        np.quantile([named(drawn) for drawn in weights], [tail, 1 - tail])
    )
    assert middle["low"] < middle["named_rightly"] < middle["high"]


def test_known_crops_of_one_group_have_no_band():
    table = curve_of(crops(5, groups=1), group_weights(1, replicates=200, rng=np.random.default_rng(0)))
    assert table[["low", "high"]].isna().all(axis=None)
    assert table[SHARES].notna().all(axis=None)


def test_crops_are_ranked_by_what_the_policy_decides_by():
    rows = crops(6)
    other = crops(7)["similarity"].to_numpy()
    pd.testing.assert_frame_equal(curve_of(rows.assign(p_value=other)), curve_of(rows.assign(similarity=other)))


@pytest.mark.parametrize("unknown", [0.0, 1.0])
def test_without_known_or_without_unknown_crops_there_is_no_curve(unknown):
    table = open_set_curves.oscr_curve(crops(8, unknown=unknown), weights=WEIGHTS, level=0.95)
    assert list(table.columns) == open_set_curves.OSCR
    assert table.empty


def test_similarities_by_hand():
    rows = rows_of(["a", "b", None, "a", None], ["a", "c", "a", "a", "b"], [1.0, 0.975, 0.9251, 0.95, 0.93])
    table = open_set_curves.similarities(rows)
    bins = [(0.925, 0.95), (0.95, 0.975), (0.975, 1.0)]
    for kind, n in (("right", [0, 1, 1]), ("wrong", [0, 0, 1]), ("unknown", [2, 0, 0])):
        part = table[table["kind"] == kind]
        assert list(zip(part["start"], part["stop"], strict=True)) == bins
        assert part["n"].tolist() == n
        assert part["share"].tolist() == pytest.approx(np.array(n) / sum(n))


def test_no_crop_is_lost_and_a_kind_without_crops_has_no_row():
    rows = crops(9).assign(similarity=lambda table: table["similarity"].clip(-1, 1))
    table = open_set_curves.similarities(rows)
    right = (rows["class_true"] == rows["class_pred"]).sum()
    unknown = rows["class_true"].isna().sum()
    expected = {"right": right, "unknown": unknown, "wrong": len(rows) - right - unknown}
    assert table.groupby("kind")["n"].sum().to_dict() == expected
    assert set(open_set_curves.similarities(rows.dropna(subset="class_true"))["kind"]) == {"right", "wrong"}
    assert open_set_curves.similarities(rows.head(0)).empty


@pytest.mark.parametrize("task", ["detect", "classify"])
def test_other_tasks_have_the_header_alone(task):
    rows = crops(10).drop(columns="similarity")
    for table, columns in (
        (open_set_curves.OSCR_CURVES[task](rows, weights=WEIGHTS, level=0.95), open_set_curves.OSCR),
        (open_set_curves.SIMILARITIES[task](rows), open_set_curves.SIMILARITY),
    ):
        assert (list(table.columns), len(table)) == (columns, 0)
    assert open_set_curves.OSCR_CURVES["identify"] is open_set_curves.oscr_curve
    assert open_set_curves.SIMILARITIES["identify"] is open_set_curves.similarities
