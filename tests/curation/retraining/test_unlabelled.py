"""What photographs to label have in common becomes quotas: of each class, each value of a stratum, each group."""

import numpy as np

from vouch.curation.retraining.choosing import choose
from vouch.curation.retraining.unlabelled import Gain, Unlabelled, pool_of

GAIN = Gain(
    unsure=1.0, weak=1.0, missed=0.5, diversity=0.0, class_share=1.0, stratum_share=1.0, per_group=2, level=0.95,
    correlation=0.05, seed=1,
)  # fmt: skip


def chosen(*groups):
    """Positions of the photographs chosen, of some that differ in their groups alone."""
    found = [Unlabelled(f"{place}.jpg", name="can", groups=one) for place, one in enumerate(groups)]
    looks = np.zeros((len(found), 4), np.float32)
    arrays, terms = pool_of(found, looks, {}, {}, GAIN, most=len(found))
    return choose(arrays, terms, most=len(found), rng=np.random.default_rng(1)).index


def test_a_street_gives_its_quota_however_many_visits_it_had():
    visits = [{"group_street": "elm", "group_session": f"elm_{visit}"} for visit in range(6)]
    found = chosen(*visits, {"group_street": "oak", "group_session": "oak_0"}, {})
    assert len([place for place in found if place < 6]) == 2
    assert {6, 7} <= set(found)  # another street, and a photograph that shares nothing


def test_each_leakage_key_counts_for_itself():
    same = {"group_street": "1", "group_session": "2"}
    assert len(chosen(same, {"group_street": "2", "group_session": "1"}, same, same)) == 3
