"""Promise 5: intervals resample groups, and so hold the truth as often as they say, where rows depend on each other."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evaluation.setting import SETTING
from judging import judged
from policies.made import accepting, unchanged
from vouch.evaluation.comparison.differences import Resampling, compare
from vouch.evaluation.comparison.significance import flip_signs
from vouch.evaluation.metrics.definitions.table import METRICS
from vouch.evaluation.metrics.intervals import estimate, group_weights
from vouch.evaluation.metrics.measures import MEASURES
from vouch.evaluation.metrics.shares import intraclass_correlation

CALIBRATOR = unchanged()
POLICY = accepting({"phone": 0.3})
LEVEL, GROUPS, EACH, TRIALS, REPLICATES = 0.95, 70, 8, 120, 250
THREE_SIGMA = 3 * np.sqrt(LEVEL * (1 - LEVEL) / TRIALS)


def clustered(rng, groups=GROUPS, each=EACH):
    """Truths and false alarms; an easy group has more hits, surer hits and less sure false alarms."""
    ease = np.repeat(rng.normal(0, 1, groups), each)
    group = np.repeat(np.arange(groups), each)
    found = rng.random(groups * each) < 1 / (1 + np.exp(-(1.5 + 1.2 * ease)))
    score = 1 / (1 + np.exp(-(1.0 + ease + rng.normal(0, 1, groups * each))))
    truths = table(group, np.where(found, score, 0.0), found, there=True, said=found)
    wrong = rng.random(groups * each) < 0.5
    alarm = 1 / (1 + np.exp(-(-0.5 - ease + rng.normal(0, 1, groups * each))))
    return pd.concat([truths, table(group, alarm, ~wrong, there=False, said=wrong)[wrong]], ignore_index=True)


def table(group, score, correct, *, there, said):
    correct = correct & there
    return pd.DataFrame(
        {
            "sample_id": np.arange(len(group)).astype(str),
            "group": [f"g{number:05d}" for number in group],
            "class_true": "phone" if there else None,
            "class_pred": np.where(said, "phone", None),
            "score": score,
            "correct": correct,
            "hits": np.where(correct, 1, 0).astype(np.uint16),
        }
    )


def interval(rows, name, rng, setting=SETTING):
    rows = judged(rows, task="detect", calibrator=CALIBRATOR, policy=POLICY)
    groups = rows["group"].nunique()
    measure = MEASURES[name](rows, groups)
    return estimate(
        measure, group_weights(groups, replicates=REPLICATES, rng=rng), setting, method=METRICS[name].interval
    )


@pytest.fixture(scope="module")
def truth():
    rows = judged(
        clustered(np.random.default_rng(1), groups=20_000), task="detect", calibrator=CALIBRATOR, policy=POLICY
    )
    ones = np.ones((1, 20_000), dtype=np.int32)
    return {name: MEASURES[name](rows, 20_000).values(ones)[0] for name in ("recall", "map50", "ece")}


@pytest.fixture(scope="module")
def coverage(truth):
    """How often intervals hold the truth, by metric and by what is resampled: groups, or rows as if each were one."""
    rng = np.random.default_rng(20)
    held = dict.fromkeys([*((name, "group") for name in truth), ("recall", "row"), ("map50", "row")], 0)
    for _ in range(TRIALS):
        by_group = clustered(rng)
        by_row = by_group.assign(group=[f"r{number:05d}" for number in range(len(by_group))])
        for name, unit in held:
            found = interval(by_group if unit == "group" else by_row, name, rng)
            held[name, unit] += found.low <= truth[name] <= found.high
    return {key: count / TRIALS for key, count in held.items()}


@pytest.mark.parametrize("name", ["recall", "map50"])
def test_group_intervals_hold_the_truth_as_often_as_they_say(coverage, name):
    assert coverage[name, "group"] == pytest.approx(LEVEL, abs=THREE_SIGMA)


@pytest.mark.parametrize("name", ["recall", "map50"])
def test_row_intervals_would_not(coverage, name):
    assert coverage[name, "row"] < LEVEL - THREE_SIGMA


def test_intervals_of_a_biased_metric_hold_the_truth_at_least_as_often_as_they_say(coverage):
    assert coverage["ece", "group"] >= LEVEL - THREE_SIGMA


def test_the_interval_of_ece_holds_zero_when_confidence_is_right():
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(TRIALS):
        score = rng.random(GROUPS * EACH)
        said = np.ones(len(score), dtype=bool)
        rows = table(np.repeat(np.arange(GROUPS), EACH), score, rng.random(len(score)) < score, there=True, said=said)
        held += interval(rows, "ece", rng).low == 0.0
    assert held / TRIALS >= LEVEL - THREE_SIGMA


def test_a_share_of_one_is_not_taken_for_certain():
    # One group in fifty fails as a whole: with 30 groups every second sample sees none of them fail. What is known of
    # the correlation comes from 30 other groups, as from val_calib.
    rng = np.random.default_rng(3)
    below, held = 0, 0
    for _ in range(TRIALS):
        elsewhere = intraclass_correlation(8.0 * (rng.random(30) < 0.98), np.full(30, 8.0))
        setting = replace(SETTING, correlation=max(SETTING.correlation, elsewhere))
        found = np.repeat(rng.random(30) < 0.98, 8)
        rows = table(np.repeat(np.arange(30), 8), np.where(found, 0.9, 0.0), found, there=True, said=found)
        one = interval(rows, "recall", rng, setting)
        below += one.low <= 0.98
        held += one.low <= 0.98 <= one.high
    assert below == TRIALS
    assert held / TRIALS >= LEVEL - THREE_SIGMA


def test_two_equal_models_are_called_different_no_more_often_than_alpha():
    # two models of the same quality, luck apart, on the same hard and easy groups; Holm over three metrics
    rng = np.random.default_rng(4)
    margins = {"recall": 0.01, "precision": 0.01, "map50": 0.01}
    different = 0
    for _ in range(TRIALS):
        state = rng.integers(2**32)
        sides = []
        for luck in (0, 1):
            hardness = np.random.default_rng(state).normal(0, 1, GROUPS)
            own = np.random.default_rng([int(state), luck])
            chance = 1 / (1 + np.exp(-(1.0 + np.repeat(hardness, EACH))))
            found = own.random(GROUPS * EACH) < chance
            group = np.repeat(np.arange(GROUPS), EACH)
            score = np.where(found, own.random(GROUPS * EACH), 0.0)
            wrong = table(group, own.random(GROUPS * EACH), found, there=False, said=np.ones(len(found), dtype=bool))
            rows = pd.concat([table(group, score, found, there=True, said=found), wrong[::3]], ignore_index=True)
            sides.append(judged(rows, task="detect", calibrator=CALIBRATOR, policy=POLICY))
        weights = group_weights(GROUPS, replicates=REPLICATES, rng=rng)
        signs = flip_signs(GROUPS, patterns=REPLICATES, rng=rng)
        how = Resampling(weights=weights, signs=signs, level=LEVEL, correlation=0.05)
        found = compare(*sides, margins=margins, strata=[], resampling=how)
        different += min(found[name]["all"]["p_holm"] for name in margins) <= 1 - LEVEL
    assert different / TRIALS <= (1 - LEVEL) + THREE_SIGMA
