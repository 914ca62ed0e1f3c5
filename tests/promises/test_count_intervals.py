"""Promise 5: intervals of counts hold the truth about as often as they say where errors of a shop come together."""

import numpy as np
import pandas as pd
import pytest

from evaluation.setting import SETTING
from vouch.evaluation.metrics.definitions.table import METRICS
from vouch.evaluation.metrics.intervals import estimate, group_weights, point
from vouch.evaluation.metrics.measures import MEASURES

GROUPS, EACH, PRODUCTS, TRIALS = 30, 5, 12, 150
NAMES = ("count_mae", "count_mae_micro", "exact_count_rate", "count_bias")


def shops(rng, groups=GROUPS):
    """Five photographs of each shop; half of its errors come from how hard the shop is."""
    photograph, product = (one.ravel() for one in np.indices((groups * EACH, PRODUCTS)))
    there = rng.random(len(photograph)) < 0.5
    group = photograph // EACH
    off = rng.poisson(0.2 * rng.gamma(2.0, 0.5, groups)[group]) * np.where(rng.random(len(group)) < 0.6, -1, 1)
    true = 1 + rng.poisson(2, len(group))
    rows = {"class": product, "group_index": group, "n_true": true, "n_pred": np.maximum(true + off, 0)}
    return pd.DataFrame(rows)[there].assign(photograph=photograph[there])


@pytest.fixture(scope="module")
def held():
    """How often each metric's interval holds the truth, with shops for groups and with photographs."""
    rng = np.random.default_rng(7)
    whole = shops(rng, 20_000)
    truth = {name: point(MEASURES[name](whole, 20_000)) for name in NAMES}
    found = dict.fromkeys(((name, unit) for name in NAMES for unit in ("shop", "photograph")), 0)
    for _ in range(TRIALS):
        by_shop = shops(rng)
        by_photograph = by_shop.assign(group_index=by_shop["photograph"])
        for name, unit in found:
            rows, groups = (by_shop, GROUPS) if unit == "shop" else (by_photograph, GROUPS * EACH)
            weights = group_weights(groups, replicates=200, rng=rng)
            one = estimate(MEASURES[name](rows, groups), weights, SETTING, method=METRICS[name].interval)
            found[name, unit] += one.low <= truth[name] <= one.high
    return {key: count / TRIALS for key, count in found.items()}


@pytest.mark.parametrize("name", NAMES)
def test_intervals_by_shop_hold_the_truth(held, name):
    assert held[name, "shop"] >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / TRIALS)


def test_intervals_by_photograph_would_not(held):
    assert held["count_mae_micro", "photograph"] < held["count_mae_micro", "shop"] - 0.05
