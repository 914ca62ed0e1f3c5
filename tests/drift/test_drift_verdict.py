"""What is compared, and when it is called drift."""

import numpy as np
import pandas as pd
import pytest

from vouch.drift.profile import of_boxes, of_classes, refuse_few, thinned
from vouch.drift.two_sample import Effects
from vouch.drift.verdict import TESTS, Plan, as_json, judge
from vouch.errors import DataError

EFFECTS = Effects(ks=0.15, psi=0.1, auc=0.6, kernel_ratio=2.0, labels=0.1, performance=0.05)
PLAN = Plan(
    level=0.05,
    permutations=199,
    bins=10,
    components=4,
    sample=400,
    folds=5,
    least_groups=8,
    least_photographs=30,
    effects=EFFECTS,
)


def rows(groups, size, seed=1, shift=0.0):
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), size)
    level = rng.normal(shift, 1, groups)[group] + rng.normal(0, 1, len(group))
    chance = 1 / (1 + np.exp(-level))
    table = pd.DataFrame({"sample_id": [f"s{row}" for row in range(len(group))], "group": [f"g{one}" for one in group]})
    sure = np.maximum(chance, 1 - chance)
    said = np.where(chance > 0.5, "b", "a")
    return table.assign(
        probability_a=1 - chance,
        probability_b=chance,
        class_pred=said,
        confidence=sure,
        accept=sure > 0.8,
        set_size=1.0,
    ), np.column_stack([level, rng.normal(size=(len(group), 3))])


def side(*words, embedded=True, **more):
    table, embeddings = rows(*words, **more)
    return of_classes(table, ("a", "b"), embeddings if embedded else None)


def test_a_shift_is_drift_and_names_what_moved():
    found = judge(side(40, 4), side(20, 4, seed=2, shift=1.5), PLAN, np.random.default_rng(1))
    assert found.drifted
    moved = {(one.test, one.result.variable) for one in found.findings if one.moved}
    assert ("embedding_classifier", "embedding") in moved
    assert ("score_distribution", "b") in moved
    assert list(TESTS) == [one.test for one in found.worst()]
    assert as_json(found)["compared"]["new"] == {"given": 80, "photographs": 80, "groups": 20}


def test_large_but_uncertain_and_certain_but_small_are_no_drift():
    shifted = side(20, 4, seed=2, shift=1.5)
    most = Effects(ks=0.99, psi=99.0, auc=0.999, kernel_ratio=999.0, labels=0.99, performance=0.99)
    strict = PLAN.model_copy(update={"effects": most})
    found = judge(side(40, 4), shifted, strict, np.random.default_rng(1))
    assert min(one.adjusted for one in found.findings) < 0.05
    assert not found.drifted
    unsure = judge(side(10, 3, seed=3), side(10, 3, seed=4, shift=0.5), PLAN, np.random.default_rng(1))
    assert max(one.result.relative for one in unsure.findings) > 1
    assert not unsure.drifted


def test_without_embeddings_the_scores_are_tested_and_the_rest_is_named():
    found = judge(side(40, 4), side(20, 4, embedded=False), PLAN, np.random.default_rng(1))
    assert set(found.untested) == {name for name in TESTS if name.startswith("embedding")}
    assert {one.test for one in found.findings} == set(TESTS) - set(found.untested)
    assert all(one.adjusted == min(1.0, 4 * one.result.within) for one in found.findings)  # four share the level
    sure = dict(zip(found.window.names, found.window.performance["confidence"].values, strict=True))
    assert found.unusual[0] == min(sure, key=sure.get)


def test_groups_are_made_alike_before_they_are_divided():
    found = judge(side(40, 6), side(60, 1, seed=2), PLAN, np.random.default_rng(1))
    assert np.bincount(found.reference.group).tolist() == [1] * 40
    assert len(found.window.names) == 60


def test_too_few_to_say_is_refused_and_says_of_what():
    with pytest.raises(
        DataError, match=r"(?s)at least 30 photographs.*at least 8 groups|at least 8 groups.*at least 30"
    ):
        judge(side(40, 4), side(3, 4), PLAN, np.random.default_rng(1))
    refuse_few(side(8, 4), "x", least_groups=8, least_photographs=32)


def test_examples_are_of_different_groups():
    found = judge(side(40, 4), side(20, 4, seed=2), PLAN, np.random.default_rng(1))
    chosen = found.examples(6)
    group_of = dict(zip(found.window.names, found.window.group, strict=True))
    assert len({group_of[name] for name in chosen}) == 6
    assert chosen[0] == found.unusual[0]


def test_a_detector_is_compared_by_its_detections_and_by_photographs_without_any():
    samples = pd.DataFrame({"sample_id": ["a", "b", "c"], "group": ["g", "g", "h"]})
    found = pd.DataFrame(
        {
            "sample_id": ["a", "a", "c"],
            "class_pred": ["x", "y", "y"],
            "confidence": [0.9, 0.2, 0.6],
            "accept": [1, 0, 1],
        }
    )
    one = of_boxes(found, samples, ("x", "y"))
    assert one.scores["detections per photograph"].values.tolist() == [2, 0, 1]
    assert one.performance["accepted detections per photograph"].values.tolist() == [1, 0, 1]
    assert one.labels.values.tolist() == [0, 1, 1]
    assert one.group[one.scores["confidence"].photograph].tolist() == [0, 0, 1]
    fewer = thinned(one, 1, np.random.default_rng(1))
    assert len(fewer.names) == 2
    assert len(fewer.scores["confidence"].values) == int(fewer.scores["detections per photograph"].values.sum())


def test_a_detector_that_finds_nothing_has_too_few_to_ask_but_not_to_count():
    samples = pd.DataFrame({"sample_id": [f"s{n}" for n in range(60)], "group": [f"g{n // 3}" for n in range(60)]})
    none = pd.DataFrame({"sample_id": [], "class_pred": [], "confidence": [], "accept": []})
    every = pd.DataFrame({"sample_id": samples["sample_id"], "class_pred": "x", "confidence": 0.9, "accept": True})
    found = judge(of_boxes(every, samples, ("x",)), of_boxes(none, samples, ("x",)), PLAN, np.random.default_rng(1))
    assert found.drifted
    assert found.untested["labels"] == "one side has no value"
