"""Drift is called no more often than stated where there is none, in groups that are alike. Bounds: three sigma."""

import numpy as np
import pytest

from vouch.drift.profile import Column, Profile
from vouch.drift.two_sample import Effects
from vouch.drift.verdict import Plan, judge

LEVEL, SEEDS = 0.05, 200
MOST = LEVEL + 3 * np.sqrt(LEVEL * (1 - LEVEL) / SEEDS)
ANY_EFFECT = Effects.model_construct(  # p alone decides
    ks=1e-9, psi=1e-9, auc=0.5 + 1e-9, kernel_ratio=1e-9, labels=1e-9, performance=1e-9
)
WORTH = Effects(ks=0.15, psi=0.1, auc=0.6, kernel_ratio=2.0, labels=0.1, performance=0.05)


def side(rng, groups, size, alike, shift=0.0):
    """Photographs whose embedding, score and label follow their group: two of one correlate by `alike`."""
    group = np.repeat(np.arange(groups), size)
    own, rest = rng.normal(size=(groups, 4))[group], rng.normal(size=(len(group), 4))
    embeddings = np.sqrt(alike) * own + np.sqrt(1 - alike) * rest + shift
    chance, every = 1 / (1 + np.exp(-2 * embeddings[:, 0])), np.arange(len(group))
    confidence = np.maximum(chance, 1 - chance)
    return Profile(
        tuple(map(str, every)),
        group,
        tuple(map(str, range(groups))),
        embeddings,
        {"work": Column(chance, every)},
        Column((chance > 0.5).astype(float), every),
        ("free", "work"),
        {"confidence": Column(confidence, every), "coverage": Column((confidence > 0.9).astype(float), every)},
    )


def alarms(effects, *, groups, size, alike, shift=0.0, seeds=SEEDS, apart=False):
    """How often of `seeds` drift is called; `apart` takes every photograph for its own group."""
    plan = Plan(
        level=LEVEL,
        permutations=159,
        bins=5,
        components=3,
        sample=1000,
        folds=3,
        least_groups=8,
        least_photographs=8,
        effects=effects,
    )
    called = 0
    for seed in range(seeds):
        rng = np.random.default_rng([7, seed])
        reference, window = side(rng, 2 * groups, size, alike), side(rng, groups, size, alike, shift)
        if apart:
            reference, window = as_single(reference), as_single(window)
        called += judge(reference, window, plan, rng).drifted
    return called / seeds


def as_single(one):
    return Profile(
        one.names,
        np.arange(len(one.names)),
        one.names,
        one.embeddings,
        one.scores,
        one.labels,
        one.classes,
        one.performance,
    )


@pytest.mark.parametrize(("groups", "size", "alike"), [(16, 3, 0.5), (10, 5, 0.9)])
def test_without_drift_it_is_called_no_more_often_than_the_level_even_where_any_effect_counts(groups, size, alike):
    assert alarms(ANY_EFFECT, groups=groups, size=size, alike=alike) <= MOST


def test_taking_the_photographs_of_a_group_for_independent_would_break_it():
    assert alarms(ANY_EFFECT, groups=10, size=5, alike=0.9, seeds=40, apart=True) > 3 * MOST


def test_a_shift_of_most_of_a_standard_deviation_is_caught():
    assert alarms(WORTH, groups=20, size=3, alike=0.5, shift=0.8, seeds=40) >= 0.95
