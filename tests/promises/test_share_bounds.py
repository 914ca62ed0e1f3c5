"""Promise 5 near 1: the lower end of a share lies above the truth no oftener than it says, and a perfect one passes.

Nominal is .025. With the correlation of val_calib's rows, which are others, it is kept at .035 where rows of a group
are little alike and at .06 where they are much alike; percentiles of resampled groups reach .05 to .19.
"""

import numpy as np
import pandas as pd
import pytest

from vouch.evaluation.metrics import ratios
from vouch.evaluation.metrics.intervals import Setting, estimate, group_weights
from vouch.evaluation.metrics.ratios import ratio
from vouch.evaluation.metrics.shares import intraclass_correlation

LEVEL, FLOOR, DRAWS, MEAN_ROWS = 0.95, 0.05, 300, 7.4
AT_MOST = {0.0: 0.035, 0.1: 0.035, 0.3: 0.06}  # by the correlation of a group's rows


def world(rng, groups, share, alike):
    """Group sizes, of which some are three times others, and hits with this share and correlation."""
    sizes = 1 + rng.negative_binomial(2, 2 / (1 + MEAN_ROWS), groups)
    rates = np.full(groups, share)
    if alike:
        rates = rng.beta(share * (1 - alike) / alike, (1 - share) * (1 - alike) / alike, groups)
    return sizes, rng.binomial(sizes, rates)


def table(sizes, hits):
    """One row a truth."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    found = np.arange(len(group)) - np.repeat(np.cumsum(sizes) - sizes, sizes) < hits[group]
    return pd.DataFrame({"group_index": group, "class_true": 1.0, "correct": found, "accept": True})


def low_of(sizes, hits, correlation, weights):
    measure = ratio(table(sizes, hits), len(sizes), terms=ratios.recall, share=True)
    return estimate(measure, weights, Setting(LEVEL, correlation, 20), method="share").low


def too_high(groups, share, alike, *, elsewhere=True):
    """How often `low` lies above the share."""
    rng = np.random.default_rng([groups, int(1000 * share), int(10 * alike)])
    weights = group_weights(groups, replicates=200, rng=rng)
    count = 0
    for _ in range(DRAWS):
        of_calib = intraclass_correlation(*(part.astype(float) for part in world(rng, groups, share, alike)[::-1]))
        correlation = max(FLOOR, of_calib) if elsewhere else FLOOR
        count += low_of(*world(rng, groups, share, alike), correlation, weights) > share
    return count / DRAWS


@pytest.mark.parametrize("alike", AT_MOST)
@pytest.mark.parametrize("share", [0.95, 0.98, 0.99])
@pytest.mark.parametrize("groups", [10, 23, 120])
def test_low_lies_above_the_true_recall_no_more_often_than_it_says(groups, share, alike):
    limit = AT_MOST[alike]
    assert too_high(groups, share, alike) <= limit + 3 * np.sqrt(limit * (1 - limit) / DRAWS)


def test_where_val_calib_shows_nothing_the_misses_themselves_still_do():
    # the floor of .05 against a correlation of .3, of which the rows judged alone can tell
    assert too_high(120, 0.9, 0.3, elsewhere=False) <= 0.06 + 3 * np.sqrt(0.06 * 0.94 / DRAWS)


@pytest.mark.parametrize(("groups", "share"), [(50, 0.4), (120, 0.05)])
def test_of_few_hits_the_many_misses_tell_as_much(groups, share):
    # the other end of a share near 1: what chance leaves of the pairs of misses is taken off, and the rest speaks
    assert too_high(groups, share, 0.3, elsewhere=False) <= 0.06 + 3 * np.sqrt(0.06 * 0.94 / DRAWS)


@pytest.mark.parametrize(("groups", "at_least"), [(10, 0.92), (23, 0.96), (120, 0.99)])
def test_a_perfect_recall_can_pass(groups, at_least):
    sizes = np.resize([3, 5, 7, 8, 9, 13], groups)
    weights = group_weights(groups, replicates=200, rng=np.random.default_rng(0))
    lows = [low_of(sizes, sizes - (np.arange(groups) < misses), FLOOR, weights) for misses in (0, 1, 2)]
    assert lows[0] >= at_least
    assert lows == sorted(lows, reverse=True)  # and one miss more is never better news
