"""Labels are asked for where they teach most: exactly greedy, within quotas, and better than at random."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from vouch.curation.retraining.choosing import BLOCK, NONE, Pool, Terms, choose

BENCH = Path(__file__).parents[3] / "bench/choosing.py"


def pool(count, seed=1, wide=8):
    rng = np.random.default_rng(seed)
    looks = rng.normal(size=(count, wide))
    looks /= np.linalg.norm(looks, axis=1, keepdims=True)
    strata = np.stack([rng.integers(NONE, 2, count), rng.integers(2, 5, count)], axis=1)
    classes = rng.integers(0, 4, count)
    groups = np.stack([rng.integers(NONE, 40, count), rng.integers(40, 140, count)], axis=1)
    return Pool(rng.uniform(0, 1, count), classes, strata, groups, looks.astype(np.float32))


def terms(**more):
    usual = {
        "weak": np.array([0.9, 0.2, 0.5, 0.0]), "fair": 10.0, "diversity": 0.8,
        "per_class": 20, "per_stratum": 30, "per_group": 3,
    }  # fmt: skip
    return Terms(**{**usual, **more})


def plainly(candidates, asked, most):
    """The oracle: every gain of every candidate anew, for each choice."""
    chosen = []
    while len(chosen) < most:
        best, place = 0.0, None
        for one in range(len(candidates.value)):
            counts = [sum(candidates.classes[other] == candidates.classes[one] for other in chosen)]
            full = counts[0] >= asked.per_class or one in chosen
            for code in candidates.strata[one][candidates.strata[one] != NONE]:
                full |= sum(code in candidates.strata[other] for other in chosen) >= asked.per_stratum
            for code in candidates.groups[one][candidates.groups[one] != NONE]:
                full |= sum(code in candidates.groups[other] for other in chosen) >= asked.per_group
            alike = max((float(candidates.looks[one] @ candidates.looks[other]) for other in chosen), default=0.0)
            base = candidates.value[one] + asked.weak[candidates.classes[one]] / (1 + counts[0] / asked.fair)
            gain = base * (1 - asked.diversity * max(alike, 0.0))
            if not full and gain > best:
                best, place = gain, one
        if place is None:
            return chosen
        chosen.append(place)
    return chosen


@pytest.mark.parametrize("count", [1, 40, BLOCK + 150])
def test_each_choice_has_the_largest_gain_beside_those_before_it(count):
    candidates, asked = pool(count), terms()
    found = choose(candidates, asked, most=25, rng=np.random.default_rng(1))
    assert list(found.index) == plainly(candidates, asked, 25)
    assert (np.diff(found.gain) <= 1e-9).all()  # of 1e-7: looks are single precision


def test_what_was_computed_earlier_is_a_bound_also_where_all_are_much_alike(monkeypatch):
    monkeypatch.setattr("vouch.curation.retraining.choosing.BLOCK", 7)
    candidates, asked = pool(120, wide=2), terms(diversity=1.0)
    found = choose(candidates, asked, most=20, rng=np.random.default_rng(3))
    assert list(found.index) == plainly(candidates, asked, 20)


def test_quotas_hold_and_then_there_are_fewer():
    candidates = pool(600)
    asked = terms(per_class=6, per_stratum=9, per_group=2)
    found = choose(candidates, asked, most=500, rng=np.random.default_rng(1)).index
    assert np.bincount(candidates.classes[found]).max() == 6
    codes = candidates.strata[found]
    assert np.bincount(codes[codes != NONE]).max() == 9
    groups = candidates.groups[found]
    assert np.bincount(groups[groups != NONE]).max() <= 2
    assert len(found) < 500


def test_a_copy_and_what_teaches_nothing_are_not_asked_for():
    looks = np.array([[1, 0], [1, 0], [0, 1], [0, 0]], np.float32)
    zeros = np.zeros(4, np.int64)
    candidates = Pool(
        np.array([0.9, 0.8, 0.1, 0.0]), zeros, np.empty((4, 0), np.int64), np.empty((4, 0), np.int64), looks
    )
    asked = terms(weak=np.zeros(1), diversity=1.0)
    assert list(choose(candidates, asked, most=4, rng=np.random.default_rng(1)).index) == [0, 2]


def test_nothing_is_chosen_of_nothing():
    none = np.empty(0, np.int64)
    empty = Pool(
        np.empty(0), none, np.empty((0, 0), np.int64), np.empty((0, 0), np.int64), np.empty((0, 256), np.float32)
    )
    assert len(choose(empty, terms(weak=np.empty(0)), most=5, rng=np.random.default_rng(1)).index) == 0


def test_the_seed_decides_between_equals_and_nothing_else_does():
    count = 400
    zeros = np.zeros(count, np.int64)
    unstated = np.empty((count, 0), np.int64)
    equal = Pool(np.ones(count), zeros, unstated, unstated, np.zeros((count, 4), np.float32))
    asked = terms(weak=np.zeros(1), per_class=50)

    def chosen(seed):
        return list(choose(equal, asked, most=50, rng=np.random.default_rng(seed)).index)

    assert chosen(1) == chosen(1)
    assert chosen(1) != chosen(2)


def test_chosen_labels_teach_more_than_as_many_at_random(monkeypatch):
    monkeypatch.syspath_prepend(BENCH.parent)  # as `python bench/choosing.py` has it: it imports its neighbour sides.py
    specification = importlib.util.spec_from_file_location("bench_choosing", BENCH)
    bench = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(bench)
    before, chosen, random = np.mean([bench.worth(seed) for seed in range(4)], axis=0)
    assert before < random
    assert chosen > random + 0.05
