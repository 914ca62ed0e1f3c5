"""Promise 5 for photographs: group intervals of selective metrics hold the truth as often as they say."""

import numpy as np
import pytest

from evaluation.photographs import photographs
from evaluation.setting import SETTING
from vouch.evaluation.metrics.definitions.table import METRICS
from vouch.evaluation.metrics.intervals import estimate, group_weights, point
from vouch.evaluation.metrics.measures import MEASURES

LEVEL, GROUPS, EACH, TRIALS, REPLICATES = 0.95, 80, 10, 150, 300
THREE_SIGMA = 3 * np.sqrt(LEVEL * (1 - LEVEL) / TRIALS)
NAMES = ("accuracy", "augrc", "fnr_on_exits")


def held(rows, name, truth, weights):
    measure = MEASURES[name](rows, weights.shape[1])
    found = estimate(measure, weights, SETTING, method=METRICS[name].interval)
    return found.low <= truth[name] <= found.high


def weights_of(n_groups, rng):
    return group_weights(n_groups, replicates=REPLICATES, rng=rng)


@pytest.fixture(scope="module")
def truth():
    rows = photographs(10_000, size=300_000, groups=30_000, difficulty=1.5)
    n_groups = int(rows["group_index"].max()) + 1
    return {name: point(MEASURES[name](rows, n_groups)) for name in NAMES}


@pytest.fixture(scope="module")
def samples():
    return [photographs(seed, size=GROUPS * EACH, groups=GROUPS, difficulty=1.5) for seed in range(TRIALS)]


@pytest.mark.parametrize("name", NAMES)
def test_group_intervals_hold_the_truth_as_often_as_they_say(samples, truth, name):
    rng = np.random.default_rng(1)
    share = np.mean([held(rows, name, truth, weights_of(GROUPS, rng)) for rows in samples])
    assert share == pytest.approx(LEVEL, abs=THREE_SIGMA)


@pytest.mark.parametrize("name", NAMES)
def test_row_intervals_would_not(samples, truth, name):
    weights = weights_of(GROUPS * EACH, np.random.default_rng(2))
    by_row = np.arange(GROUPS * EACH)
    share = np.mean([held(rows.assign(group_index=by_row), name, truth, weights) for rows in samples])
    assert share < LEVEL - THREE_SIGMA
