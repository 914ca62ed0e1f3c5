import numpy as np
import pandas as pd
import pytest

from vouch.paths import SPLITS
from vouch.splits import balance

FRACTIONS = np.array([0.7, 0.1, 0.1, 0.1])


def made_up(n_groups, generator):
    """Groups of 5 to 40 photographs, each with its own taste for four labels (one rare) and one stratum value."""
    sizes = generator.integers(5, 40, n_groups)
    owner = np.repeat(np.arange(n_groups), sizes)
    taste = generator.dirichlet([2.0, 1.0, 0.5, 0.1], n_groups)
    label = np.array([generator.choice(4, p=taste[group]) for group in owner])
    light = generator.integers(0, 3, n_groups)[owner]
    samples = pd.DataFrame(
        {
            "sample_id": [f"{i:06d}" for i in range(len(owner))],
            "label": [f"c{code}" for code in label],
            "stratum_light": [f"l{code}" for code in light],
        }
    )
    names = np.array([f"g{i:05d}" for i in range(n_groups)], dtype=object)
    no_boxes = pd.DataFrame({"sample_id": pd.Series([], dtype="str"), "class_name": pd.Series([], dtype="str")})
    return balance.profile(samples, no_boxes, owner, names, seed=1)


def imbalance(profiles, splits):
    counts = np.stack([profiles.counts[splits == split].sum(axis=0) for split in range(len(SPLITS))])
    return np.abs(counts / profiles.counts.sum(axis=0) - FRACTIONS[:, None]).mean()


def new(profiles):
    return np.full(len(profiles.counts), -1, dtype=np.int8)


def place(profiles, locked, allowed=None):
    allowed = np.ones((len(locked), len(SPLITS)), dtype=bool) if allowed is None else allowed
    return balance.place(profiles, locked, fractions=FRACTIONS, allowed=allowed)


def test_labels_and_strata_are_shared_out_far_better_than_by_chance():
    generator = np.random.default_rng(0)
    profiles = made_up(120, generator)
    chance = [imbalance(profiles, generator.choice(4, 120, p=FRACTIONS)) for _ in range(50)]
    assert imbalance(profiles, place(profiles, new(profiles))) < min(chance) / 2


def test_the_bulk_is_shared_out_as_well_as_one_by_one(monkeypatch):
    profiles = made_up(1500, np.random.default_rng(1))
    singly = imbalance(profiles, place(profiles, new(profiles)))
    monkeypatch.setattr(balance, "HEAD", 100)
    monkeypatch.setattr(balance, "TAIL", 200)
    dealt = imbalance(profiles, place(profiles, new(profiles)))
    assert singly < 0.0015
    assert dealt < 0.003


def test_new_groups_make_up_for_what_the_locked_ones_lack(monkeypatch):
    monkeypatch.setattr(balance, "HEAD", 50)
    monkeypatch.setattr(balance, "TAIL", 50)
    profiles = made_up(600, np.random.default_rng(2))
    locked = new(profiles)
    locked[:200] = 0
    splits = place(profiles, locked)
    assert (splits[:200] == 0).all()
    assert imbalance(profiles, splits) < 0.01


def test_rows_of_the_profile_by_hand():
    samples = pd.DataFrame(
        {"sample_id": ["a", "b", "c"], "label": [None, "x", None], "stratum_light": ["day", "day", None]}
    )
    boxes = pd.DataFrame({"sample_id": ["a", "a", "c", "quarantined"], "class_name": ["can", "glass", "can", "can"]})
    names = np.array(["g1", "g2"], dtype=object)
    profiles = balance.profile(samples, boxes, np.array([0, 0, 1]), names, seed=1)
    assert profiles.counts.tolist() == [[1, 1, 1, 2, 2, 1], [1, 0, 0, 0, 1, 1]]  # can, glass, x, day, samples, 1
    assert (profiles.n_labels, profiles.strata) == (3, (slice(3, 4),))


def test_tickets_depend_on_name_and_seed_alone():
    assert balance.tickets(["a", "b"], seed=1)[1] == balance.tickets(["b"], seed=1)[0]
    assert balance.tickets(["a"], seed=1) != balance.tickets(["a"], seed=2)


@pytest.mark.parametrize("n_groups", [4, 5, 6, 9, 14])
def test_no_split_stays_empty(n_groups):
    for seed in range(20):
        profiles = made_up(n_groups, np.random.default_rng(seed))
        assert set(place(profiles, new(profiles))) == {0, 1, 2, 3}
