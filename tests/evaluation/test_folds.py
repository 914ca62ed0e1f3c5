"""Folds for trainings: each group is held out once, and no part shares a group with another."""

import numpy as np
import pandas as pd
import pytest

from vouch.errors import DataError
from vouch.evaluation.folds import folds


def members(**sizes):
    rows = [(f"{group}/{number}", group) for group, size in sizes.items() for number in range(size)]
    return pd.DataFrame(rows, columns=["sample_id", "group"])


def kinds(**shown):
    return pd.DataFrame([(group, one) for group, some in shown.items() for one in some], columns=["group", "class"])


def made(table, shown=None, count=5, share=0.2, seed=1):
    nothing = kinds() if shown is None else shown
    return folds(table, nothing, count=count, share=share, rng=np.random.default_rng(seed))


def test_each_group_is_held_out_once_and_lies_in_one_part_of_each_fold():
    table = members(**{f"g{number:02}": number % 4 + 1 for number in range(17)})
    found = made(table)
    assert len(found) == 5
    assert sorted(group for fold in found for group in fold.held_out) == sorted(table["group"].unique())
    for fold in found:
        parts = [*fold.train, *fold.val_select, *fold.held_out]
        assert sorted(parts) == sorted(table["group"].unique())
        assert fold.train
        assert fold.val_select


def test_folds_hold_nearly_as_many_photographs():
    sizes = {f"g{number:02}": size for number, size in enumerate((9, 8, 7, 6, 5, 4, 3, 2, 1))}
    # the largest first, each to the lightest: 9 + 4 + 3, 8 + 5 + 2, 7 + 6 + 1
    assert [sum(sizes[group] for group in fold.held_out) for fold in made(members(**sizes), count=3)] == [16, 15, 14]


def test_fewer_groups_than_folds_are_held_out_one_by_one():
    assert [fold.held_out for fold in made(members(a=3, b=2, c=1, d=1), count=10)] == [("a",), ("b",), ("c",), ("d",)]


def test_what_chooses_the_checkpoint_is_as_large_a_share_as_val_select_is():
    table = members(**{f"g{number:02}": 2 for number in range(30)})
    assert [len(fold.val_select) for fold in made(table, share=0.25)] == [6] * 5  # of 24 that are not held out


def test_both_parts_show_every_class_where_groups_allow_it():
    """Groups of one class each: of `a` and `b` two, of which one is to choose and one to teach."""
    shown = kinds(a1=["a"], a2=["a"], a3=["a"], b1=["b"], b2=["b"], b3=["b"])
    classes = dict(zip(shown["group"], shown["class"], strict=True))
    for fold in made(members(a1=2, a2=2, a3=2, b1=2, b2=2, b3=2), shown, count=6, share=0.1):
        assert {classes[group] for group in fold.train} == {classes[group] for group in fold.val_select} == {"a", "b"}


def test_the_seed_decides_which_groups_choose_and_nothing_else_does():
    table = members(**{f"g{number:02}": 1 for number in range(20)})
    shuffled = table.sample(frac=1, random_state=3)
    assert made(table) == made(table) == made(shuffled) != made(table, seed=2)


def test_two_groups_are_refused_with_what_to_do():
    with pytest.raises(DataError, match=r"train and val_select: expected 3 groups.*got 2; bring photographs"):
        made(members(a=30, b=30))
