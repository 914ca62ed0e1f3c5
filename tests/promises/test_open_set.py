"""The open-set policy keeps its word on fresh crops of the same unknown products. Bounds are three sigma wide."""

import numpy as np
import pytest
from scipy.special import ndtr

from policies.asked import open_set
from policies.toy_crops import crops
from vouch.policies.apply.policy import decided
from vouch.policies.fit.open_set import fit_open_set

ALPHA, DELTA, DRAWS = 0.05, 0.05, 120
MOST = DRAWS * DELTA + 3 * np.sqrt(DRAWS * DELTA * (1 - DELTA))
MIDDLE, WIDTH = 0.4, 0.15  # of the similarity of unknown crops
RULES = {rule: open_set(rule, max_unknown_accept=ALPHA, delta=DELTA, step=0.01) for rule in ("thresholds", "p_value")}


def store_sizes(rng, groups, size):
    return np.repeat(np.arange(groups), 1 + rng.poisson(size - 1, groups))


def normal(rng, group, alike):
    """Standard normal of each crop, `alike` the correlation of two of a group."""
    return np.sqrt(alike) * rng.normal(size=group.max() + 1)[group] + np.sqrt(1 - alike) * rng.normal(size=len(group))


def world(rng, groups, size, alike):
    """Known crops of every store, right nine times of ten, and unknown ones whose similarity and margin are known."""
    known, unknown = store_sizes(rng, groups, size), store_sizes(rng, groups, size)
    near = MIDDLE + 0.35 + WIDTH * normal(rng, known, alike)
    far = MIDDLE + WIDTH * normal(rng, unknown, alike)
    margin = ndtr(np.concatenate([normal(rng, known, alike) + 0.5, normal(rng, unknown, alike)]))
    said = rng.choice(["p0", "p1"], len(margin))
    true = np.where(rng.random(len(known)) < 0.9, said[: len(known)], "p2")
    product = np.concatenate([true, np.repeat("u0", len(unknown))])
    similarity = np.clip(np.concatenate([near, far]), -1, 1)
    names = [f"g{index}" for index in np.concatenate([known, unknown])]
    return crops(similarity, margin, product, said, names)


def accepted_truly(policy, fresh):
    """Return the share of unknown crops accepted: exactly by the normal distribution, or of very many fresh ones."""
    if policy["rule"] == "thresholds":
        return (1 - ndtr((policy["similarity"] - MIDDLE) / WIDTH)) * (1 - policy["margin"])
    return decided(policy, fresh)["accept"].mean()


@pytest.mark.parametrize(("groups", "size", "alike"), [(150, 1.0, 0.0), (25, 8.0, 0.05), (60, 5.0, 0.3)])
@pytest.mark.parametrize("rule", RULES)
def test_unknown_crops_are_accepted_more_often_than_allowed_in_no_more_draws_than_delta(rule, groups, size, alike):
    rng = np.random.default_rng([groups, int(10 * alike)])
    fresh = world(np.random.default_rng(5), 20_000, 1.0, 0.0)
    fresh = fresh[fresh["class_true"].isna()]
    broken, named = 0, []
    for _ in range(DRAWS):
        policy = fit_open_set(world(rng, groups, size, alike), RULES[rule])
        broken += policy["feasible"] and accepted_truly(policy, fresh) > ALPHA
        named.append(policy["evidence"]["known_accept_rate"])
    assert broken <= MOST
    assert np.mean(named) > 0.3  # a policy that names nothing keeps its word too


def never_far_enough(rng, groups, size, alike):
    """Unknown crops of which a share just above alpha looks like a product at every threshold but the strictest.

    Groups differ in their share (beta distribution, `alike` the correlation of two crops of a group), so every policy
    that accepts more than nothing of them breaks its word.
    """
    rate = 1.02 * ALPHA
    group = np.repeat(np.arange(groups), size)
    if alike > 0:
        rate = rng.beta(rate * (1 - alike) / alike, (1 - rate) * (1 - alike) / alike, groups)[group]
    like = rng.random(len(group)) < rate
    similarity = np.concatenate([np.full(20, 0.9), np.where(like, rng.uniform(0.7, 0.95, len(group)), 0.1)])
    names = ["known"] * 20 + [f"g{index}" for index in group]
    product = ["p0"] * 20 + ["u0"] * len(group)
    return crops(similarity, np.full(len(names), 0.5), product, ["p0"] * len(names), names)


def broken_of_the_impossible(groups, size, alike, *, apart=False):
    rng, count = np.random.default_rng(3), 0
    for _ in range(DRAWS):
        rows = never_far_enough(rng, groups, size, alike)
        rows = rows.assign(group=np.arange(len(rows)).astype(str)) if apart else rows
        policy = fit_open_set(rows, RULES["thresholds"])
        count += policy["feasible"] and policy["similarity"] < 0.7
    return count


@pytest.mark.parametrize(("groups", "size", "alike"), [(200, 1, 0.0), (25, 12, 0.3), (25, 12, 0.9), (60, 8, 0.3)])
def test_a_share_just_above_the_limit_is_seldom_certified(groups, size, alike):
    assert broken_of_the_impossible(groups, size, alike) <= MOST


def test_taking_the_crops_of_a_group_for_independent_would_break_it():
    assert broken_of_the_impossible(60, 8, 0.5, apart=True) > MOST


def test_the_choice_among_margins_costs_no_more_than_delta():
    rng, broken, taken = np.random.default_rng(8), 0, set()
    margins = (0.0, 0.1, 0.2, 0.3, 0.4)
    asked = open_set("thresholds", max_unknown_accept=ALPHA, delta=DELTA, margins=margins, step=0.01)
    for _ in range(DRAWS):
        policy = fit_open_set(world(rng, 200, 1.0, 0.0), asked)
        broken += accepted_truly(policy, None) > ALPHA
        taken.add(round(policy["margin"], 1))
    assert len(taken) > 2  # so that there is a choice
    assert broken <= MOST


def test_a_known_crop_drawn_like_those_of_val_calib_is_seldom_below_p():
    # what conformal p-values promise by themselves: P(p < epsilon) <= epsilon, on average over val_calib
    rng, p, below = np.random.default_rng(2), 0.2, []
    for _ in range(60):
        similarity = rng.normal(0.7, 0.05, 101)
        product = ["p0"] * 101
        rows = crops(similarity.clip(-1, 1), [0.5] * 101, product, product, [f"g{i}" for i in range(101)])
        calibration = {"p0": sorted(rows["similarity"][:100].tolist())}
        policy = {"kind": "open_set", "rule": "p_value", "p": p, "calibration": calibration}
        policy |= {"feasible": True, "infeasible": {}, "guarantee": "none", "alpha": 0.05, "delta": 0.05}
        policy |= {"objective": {}, "evidence": {}, "intraclass_correlation": 0.05}
        fresh = rows.assign(similarity=rng.normal(0.7, 0.05, 101).clip(-1, 1))
        below.append(1 - decided(policy, fresh)["accept"].mean())
    assert np.mean(below) <= p + 3 * np.std(below) / np.sqrt(60)
    assert np.mean(below) >= p - 1 / 101 - 3 * np.std(below) / np.sqrt(60)  # exact, so it is not far below either
