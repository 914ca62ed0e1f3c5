"""Promise 6: a required stratum without support fails the gate by name, however well the rest does."""

import numpy as np
import pytest

from evaluation.setting import SETTING
from judging import judged
from policies.made import accepting, phones, unchanged
from vouch.evaluation.gates.judging import judge
from vouch.evaluation.gates.rules import Rule
from vouch.evaluation.metrics.definitions.table import METRICS
from vouch.evaluation.metrics.intervals import group_weights
from vouch.evaluation.metrics.measures import MEASURES, missing_columns
from vouch.evaluation.metrics.strata import every_stratum, strata_masks
from vouch.evaluation.metrics.table import metrics_table

CALIBRATOR = unchanged()
POLICY = accepting({"phone": 0.3})


def judge_rows(rows):
    return judged(rows, task="detect", calibrator=CALIBRATOR, policy=POLICY)


def perfect(streams, groups=30):
    """A model that finds every truth, in the given streams."""
    size = groups * len(streams)
    stream = np.repeat(streams, groups)
    return phones([True] * size, np.arange(size) % groups, stream=stream, score=0.9, hits=1023)


DETECTION = [name for name in sorted(MEASURES) if not missing_columns(judge_rows(perfect(["cabin"])), name)]


def failures(rows, metric):
    rows = judge_rows(rows)
    weights = group_weights(rows["group"].nunique(), replicates=200, rng=np.random.default_rng(0))
    masks = strata_masks(rows, every_stratum(rows))
    test = metrics_table(rows, names=[metric], masks=masks, weights=weights, setting=SETTING)
    limit = 0.0 if METRICS[metric].direction > 0 else 1.0  # which any number keeps
    rule = Rule(source="test", metric=metric, limit=limit, bound="value", each="stream", min_groups=20)
    verdict = judge({"rule": rule}, {"test": test}, required={"stream": ("cabin", "front", "rear")}, waivers={})
    return verdict["passed"], [name for name, one in verdict["rules"].items() if not one["passed"]]


@pytest.mark.parametrize("metric", DETECTION)
def test_with_every_required_stratum_the_gate_passes(metric):
    assert failures(perfect(["cabin", "front", "rear"]), metric) == (True, [])


@pytest.mark.parametrize("metric", DETECTION)
def test_an_absent_stratum_fails_by_name(metric):
    assert failures(perfect(["cabin", "rear"]), metric) == (False, ["rule[stream=front]"])


@pytest.mark.parametrize("metric", DETECTION)
def test_a_stratum_of_too_few_groups_fails_by_name(metric):
    rows = perfect(["cabin", "front", "rear"])
    thin = rows[(rows["stratum_stream"] != "front") | (rows["group"] < "g019")]
    assert failures(thin, metric) == (False, ["rule[stream=front]"])


@pytest.mark.parametrize("metric", ["map50", "map50_95", "recall"])
def test_a_stratum_of_empty_photographs_fails_by_name(metric):
    rows = perfect(["cabin", "front", "rear"])
    front = rows["stratum_stream"] == "front"
    rows.loc[front, ["class_true", "class_pred"]] = None
    rows.loc[front, ["score", "correct", "hits"]] = [0.0, False, 0]
    assert failures(rows, metric) == (False, ["rule[stream=front]"])
