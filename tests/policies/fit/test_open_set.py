import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from policies.asked import open_set
from policies.toy_crops import KNOWN, crops, independent
from vouch.errors import DataError, ParamsError
from vouch.policies.apply.policy import Policy, decided, validate_policy
from vouch.policies.fit.fitted import fit_policy
from vouch.policies.fit.open_set import calibrated_products, fit_open_set
from vouch.policies.fit.unknown_risk import levels
from vouch.policies.fit.usefulness import of_little_use

BY_THRESHOLDS, BY_P_VALUE = open_set("thresholds"), open_set("p_value")


def walked(score: np.ndarray, margin: np.ndarray, rows: pd.DataFrame, declared: list[float], d: float, delta: float):
    """Walk one margin by the plain binomial test, of rows in groups of their own; return who is accepted at the end."""
    unknown, best = rows["class_true"].isna().to_numpy(), None
    for level in declared:
        accepted = (score >= level) & (margin >= d)
        if binom.cdf((accepted & unknown).sum(), unknown.sum(), 0.05) > delta:
            break
        best = accepted
    return best


def test_thresholds_are_those_of_the_walks_by_hand() -> None:
    rows = independent(0)
    similarity, margin = rows["similarity"].to_numpy(), rows["margin"].to_numpy()
    declared = [round(1 - 0.005 * index, 3) for index in range(401)]
    walks = {d: walked(similarity, margin, rows, declared, d, 0.025) for d in (0.0, 0.1)}
    right = {d: int((accepted & rows["correct"]).sum()) for d, accepted in walks.items()}
    best = max(right, key=lambda d: right[d])
    policy = fit_open_set(rows, BY_THRESHOLDS)
    assert decided(policy, rows)["accept"].tolist() == walks[best].tolist()
    assert right[0.0] != right[0.1]
    assert (policy["feasible"], policy["guarantee"], policy["infeasible"]) == (True, "certified", {})
    validate_policy(json.loads(json.dumps(policy)))


def test_the_margin_that_lets_most_known_crops_bear_their_name_is_taken() -> None:
    rows = independent(3)
    only = {d: fit_open_set(rows, open_set("thresholds", margins=(d,), delta=0.025)) for d in (0.0, 0.1)}
    right = {d: policy["evidence"]["known_right"] for d, policy in only.items()}
    both = fit_open_set(rows, BY_THRESHOLDS)
    best = max(right, key=lambda d: right[d])
    assert both["evidence"]["known_right"] == right[best]
    assert (both["similarity"], both["margin"]) == (only[best]["similarity"], only[best]["margin"])


def test_p_is_that_of_the_walk_by_hand() -> None:
    rows = independent(1)
    own = {name: [] for name in KNOWN}
    for row in rows.to_dict("records"):
        if isinstance(row["class_true"], str):
            own[row["class_true"]].append(row["similarity"] if row["class_pred"] == row["class_true"] else -1.0)
    p = np.array(
        [
            (1 + sum(one <= row["similarity"] for one in own[row["class_pred"]])) / (1 + len(own[row["class_pred"]]))
            for row in rows.to_dict("records")
        ]
    )
    declared = [1 - 0.005 * index for index in range(200)]
    expected = walked(p, np.zeros(len(p)), rows, declared, 0.0, 0.05)
    policy = fit_open_set(rows, BY_P_VALUE)
    found = decided(policy, rows)
    assert found["p_value"].to_numpy() == pytest.approx(p)
    assert found["accept"].tolist() == expected.tolist()
    assert policy["calibration"] == {name: sorted(values) for name, values in own.items()}
    assert not {"similarity", "margin"} & set(policy)
    validate_policy(json.loads(json.dumps(policy)))


def test_the_evidence_counts_what_the_policy_does() -> None:
    rows = independent(0)
    policy = fit_open_set(rows, BY_THRESHOLDS)
    accept = decided(policy, rows)["accept"].to_numpy()
    unknown, evidence = rows["class_true"].isna().to_numpy(), policy["evidence"]
    assert (evidence["known"], evidence["unknown"], evidence["unknown_groups"]) == (400, 400, 400)
    assert evidence["unknown_effective"] == 400  # each in a group of its own
    assert evidence["unknown_accepted"] == (accept & unknown).sum()
    assert evidence["known_accept_rate"] == pytest.approx(accept[~unknown].mean())
    assert evidence["known_right"] == (accept & rows["correct"]).sum()
    assert evidence["unknown_accept_high"] <= 0.05
    by_product = evidence["unknown_products"]
    assert by_product["u1"]["n"] == (rows["product"] == "u1").sum()
    assert sum(one["accepted"] for one in by_product.values()) == evidence["unknown_accepted"]
    assert "unknown_products" not in fit_open_set(rows.drop(columns="product"), BY_THRESHOLDS)["evidence"]
    assert policy["objective"]["margins"] == [0.0, 0.1]


@pytest.mark.parametrize("asked", [BY_THRESHOLDS, BY_P_VALUE])
def test_the_value_alone_allows_more_and_promises_nothing(asked: Any) -> None:
    rows = independent(2)
    certified = fit_open_set(rows, asked)
    loose = fit_open_set(rows, open_set(asked.rule, bound="value"))
    assert loose["guarantee"] == "none"
    assert certified["evidence"]["unknown_accepted"] < loose["evidence"]["unknown_accepted"] <= 20
    assert loose["evidence"]["known_right"] >= certified["evidence"]["known_right"]


def test_crops_that_resemble_their_group_allow_less() -> None:
    rows = independent(0)
    together = rows.assign(group=[f"g{index // 8}" for index in range(len(rows))])
    together.loc[400:, "similarity"] = np.sort(rows["similarity"][400:])  # groups of far and of near crops
    alone = rows.assign(similarity=together["similarity"])
    found, other = fit_open_set(together, BY_THRESHOLDS), fit_open_set(alone, BY_THRESHOLDS)
    assert found["evidence"]["unknown_effective"] < 120 < other["evidence"]["unknown_effective"]
    assert found["evidence"]["unknown_accepted"] < other["evidence"]["unknown_accepted"]


@pytest.mark.parametrize("asked", [BY_THRESHOLDS, BY_P_VALUE])
def test_too_few_unknown_crops_are_no_certificate_and_the_reason_says_how_many_are_needed(asked: Any) -> None:
    policy = fit_open_set(independent(0, unknown=50), asked)
    needed = 72 if asked.rule == "thresholds" else 59  # ln .025 / ln .95, ln .05 / ln .95
    assert (
        f"{needed} independent ones even if none is accepted; there are 50 unknown crops in 50 groups, worth 50.0"
        in (policy["infeasible"]["*"])
    )
    assert (policy["feasible"], policy["guarantee"]) == (False, "none")
    assert not decided(policy, independent(0))["accept"].any()
    validate_policy(json.loads(json.dumps(policy)))


def test_unknown_crops_that_look_exactly_like_a_product_make_it_infeasible() -> None:
    rows = independent(0)
    rows.loc[400:500, ["similarity", "margin"]] = (1.0, 1.0)
    policy = fit_open_set(rows, BY_THRESHOLDS)
    assert "101 of 400 unknown crops in 400 groups look exactly like a product" in policy["infeasible"]["*"]
    assert (policy["similarity"], policy["margin"]) == (None, None)


@pytest.mark.parametrize("asked", [BY_THRESHOLDS, BY_P_VALUE])
def test_known_crops_alone_or_unknown_ones_alone_are_refused(asked: Any) -> None:
    rows = independent(0)
    with pytest.raises(
        DataError, match=r"val_calib: expected crops of products that the gallery does not know, got 400"
    ):
        fit_open_set(rows[:400], asked)
    with pytest.raises(DataError, match=r"val_calib: expected crops of products that the gallery knows"):
        fit_open_set(rows[400:], asked)
    with pytest.raises(DataError) as refused:
        fit_open_set(rows[:0], asked)
    assert len(refused.value.problems) == 2


def test_every_bad_row_is_listed_before_anything_is_used() -> None:
    rows = independent(0)
    rows.loc[3, "similarity"], rows.loc[5, "margin"], rows.loc[7, "group"] = np.nan, -1, None
    with pytest.raises(DataError) as refused:
        fit_open_set(rows, BY_THRESHOLDS)
    wheres = [problem.where for problem in refused.value.problems]
    assert wheres == ["row 3: similarity", "row 5: margin", "rows: group"]
    with pytest.raises(DataError, match="rows: correct"):
        fit_open_set(independent(0).drop(columns="correct"), BY_THRESHOLDS)


def test_an_empty_gallery_names_nothing() -> None:
    n = 200
    rows = crops([-1.0] * n, [0.0] * n, ["p0"] * 100 + ["u0"] * 100, [None] * n, [f"g{i}" for i in range(n)])
    for asked in (BY_THRESHOLDS, BY_P_VALUE):
        policy = fit_open_set(rows, asked)
        assert not decided(policy, rows)["accept"].any()
        assert policy["evidence"]["known_accept_rate"] == 0
        assert "it names 0.000 of the known crops of val_calib, less than 0.5" in of_little_use(policy)[0]


@pytest.mark.parametrize("asked", [BY_THRESHOLDS, BY_P_VALUE])
def test_neither_the_order_of_rows_nor_float_noise_decides(asked: Any) -> None:
    rows = independent(4)
    rows["similarity"] = rows["similarity"].round(3)
    policy = fit_open_set(rows, asked)
    assert fit_open_set(rows.sample(frac=1, random_state=0), asked) == policy
    if asked.rule == "thresholds":
        moved = rows["similarity"] + np.random.default_rng(0).uniform(-2e-10, 2e-10, len(rows))
        noisy = decided(policy, rows.assign(similarity=moved.clip(-1, 1)))
        assert noisy["accept"].tolist() == decided(policy, rows)["accept"].tolist()


def test_levels_are_declared_without_a_crop() -> None:
    assert levels(open_set("thresholds", step=0.1)) == pytest.approx(np.linspace(1, -1, 21))
    assert levels(open_set("p_value", step=0.1)) == pytest.approx(np.linspace(1, 0.1, 10))
    assert levels(open_set("p_value", step=0.03))[-1] >= 0.03


def test_walks_and_margins_share_delta() -> None:
    assert open_set("thresholds", walks=5).delta_each == pytest.approx(0.05 / 5 / 2)
    assert open_set("p_value", walks=5).delta_each == pytest.approx(0.01)
    policies = [fit_open_set(independent(0), open_set("thresholds", walks=walks)) for walks in (1, 50)]
    assert policies[1]["evidence"]["unknown_accepted"] < policies[0]["evidence"]["unknown_accepted"]
    assert [policy["delta"] for policy in policies] == [0.05, 0.05]


def test_products_that_nobody_photographed_for_val_calib_have_no_calibration_crops() -> None:
    rows = crops([0.9, 0.5], [0.1, 0.1], ["p0", "p1"], ["p0", "p2"], ["a", "b"])
    assert calibrated_products(rows) == {"p0": [0.9], "p1": [-1.0]}


def test_the_kind_asked_for_is_fitted() -> None:
    policy: Policy = fit_policy(independent(0), BY_THRESHOLDS)
    assert policy == fit_open_set(independent(0), BY_THRESHOLDS)


@pytest.mark.parametrize(
    "changes",
    [
        {"margins": ()},
        {"margins": (0.1, 0.0)},
        {"margins": (-0.1,)},
        {"step": 0},
        {"max_unknown_accept": 0},
    ],
)
def test_what_no_policy_can_be_asked_for_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ParamsError):
        open_set("thresholds", **changes)
