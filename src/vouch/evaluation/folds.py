"""Folds of whole groups for trainings: what each holds out, what chooses its checkpoint, what shapes its weights."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from vouch.calibration.fit.grouped_folds import grouped_folds
from vouch.errors import DataError, Problem

LEAST_GROUPS = 3  # one to hold out, one to choose the checkpoint, one to learn from
LEAST_CLASSES = 2
TRIES = 100  # random orders of the groups that are not held out; the first few of each may choose the checkpoint


@dataclass(frozen=True)
class Fold:
    """Groups of one training; the three parts share none, and together are all groups."""

    train: tuple[str, ...]
    val_select: tuple[str, ...]
    held_out: tuple[str, ...]


def folds(
    members: pd.DataFrame, kinds: pd.DataFrame, *, count: int, share: float, rng: np.random.Generator
) -> tuple[Fold, ...]:
    """Return folds in which each group is held out exactly once, balanced by photographs.

    Parameters
    ----------
    members : table
        `sample_id` and `group`, one row a photograph.
    kinds : table
        `group` and `class`: which classes each group shows. What takes the place of val_select shows two if that can
        be, else a classifier could not be trained at all; then as many as there are remain to be learnt.
    count : int
        At least 3; with fewer groups, each is held out alone.
    share : float
        Of the photographs that are not held out, how many choose the checkpoint: at least one group, and not all.

    Raises
    ------
    DataError
        When there are fewer than three groups.
    """
    sizes = {str(name): int(size) for name, size in members["group"].value_counts().sort_index().items()}
    if len(sizes) < LEAST_GROUPS:
        remedy = "bring photographs of more groups, or take the model off pipeline.by_group"
        expected = f"{LEAST_GROUPS} groups at the least: to hold out, to choose a checkpoint, to learn from"
        raise DataError([Problem("train and val_select", expected, str(len(sizes)), remedy)])
    classes = {str(name): frozenset(part) for name, part in kinds.groupby("group")["class"]}
    found = []
    for held in grouped_folds(members["group"], count):
        held_out = tuple(sorted(members["group"][held].unique()))
        others = {group: size for group, size in sizes.items() if group not in held_out}
        worth = partial(_worth, sizes=others, share=share, classes=classes)
        chosen = max(_choices(others, rng), key=worth)
        found.append(Fold(tuple(sorted(others.keys() - chosen)), tuple(sorted(chosen)), held_out))
    return tuple(found)


def _choices(groups: Collection[str], rng: np.random.Generator) -> Iterator[frozenset[str]]:
    """Yield what may choose the checkpoint: the first groups of random orders, at least one and never all."""
    for _ in range(TRIES):
        order = rng.permutation(np.array(list(groups), dtype=object))
        for count in range(1, len(order)):
            yield frozenset(order[:count])


def _worth(
    chosen: frozenset[str], sizes: Mapping[str, int], share: float, classes: Mapping[str, frozenset[str]]
) -> tuple[int, int, float]:
    """Return how many parts can be told right from wrong, what there is to learn, and how near to the share it is."""
    learnt, asked = (
        len(frozenset().union(*(classes.get(group, frozenset()) for group in part)))
        for part in (sizes.keys() - chosen, chosen)
    )
    distance = abs(sum(sizes[group] for group in chosen) - share * sum(sizes.values()))
    return min(learnt, LEAST_CLASSES) + min(asked, LEAST_CLASSES), learnt, -distance
