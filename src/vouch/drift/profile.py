"""What a set of photographs shows to a model: embeddings, scores, labels, and what its policy makes of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from vouch.drift.permutation import FloatArray, IntArray
from vouch.errors import DataError, Problem, refuse_any, so_many
from vouch.tables import PROBABILITY


@dataclass(frozen=True)
class Column:
    """Values of one kind, float64 (n,), and the place of the photograph that each is about, intp (n,)."""

    values: FloatArray
    photograph: IntArray


@dataclass(frozen=True)
class Profile:
    """Photographs as a model sees them.

    Attributes
    ----------
    names : sample id of each photograph
    group : intp (photographs,), place of each photograph's group in `groups`
    groups : their names
    embeddings : float64 (photographs, d), or none where the network gives none
    scores : what the network says, calibrated
    labels : place of the predicted class among `classes`
    performance : what would show that the model does worse, without a label: confidence, coverage, size of the sets
    """

    names: tuple[str, ...]
    group: IntArray
    groups: tuple[str, ...]
    embeddings: FloatArray | None
    scores: Mapping[str, Column]
    labels: Column
    classes: tuple[str, ...]
    performance: Mapping[str, Column]


def of_classes(rows: pd.DataFrame, classes: Sequence[str], embeddings: FloatArray | None) -> Profile:
    """Return the profile of a classifier's calibrated and decided rows, one per photograph, with `group`."""
    every = np.arange(len(rows))
    group, groups = pd.factorize(rows["group"])
    told = classes[-1:] if len(classes) == 2 else classes  # of two classes one says all
    scores = {name: _column(rows[PROBABILITY + name], every) for name in told}
    performance = {"confidence": _column(rows["confidence"], every), "coverage": _column(rows["accept"], every)}
    if "set_size" in rows and rows["set_size"].notna().all():
        performance["set size"] = _column(rows["set_size"], every)
    if "gate" in rows:
        scores["gate"] = performance["gate"] = _column(rows["gate"], every)
    codes = pd.Index(list(classes)).get_indexer(pd.Index(rows["class_pred"].astype(object)))
    return Profile(
        tuple(rows["sample_id"].astype(str)),
        group.astype(np.intp),
        tuple(str(name) for name in groups),
        embeddings,
        scores,
        Column(codes.astype(np.float64), every),
        tuple(classes),
        performance,
    )


def of_boxes(rows: pd.DataFrame, samples: pd.DataFrame, classes: Sequence[str]) -> Profile:
    """Return the profile of a detector's calibrated and decided detections.

    Parameters
    ----------
    rows : one row per detection: sample_id, class_pred, confidence, accept
    samples : every photograph, those without a detection too: sample_id, group
    """
    group, groups = pd.factorize(samples["group"])
    place = pd.Index(samples["sample_id"]).get_indexer(pd.Index(rows["sample_id"])).astype(np.intp)
    every = np.arange(len(samples))
    accepted = rows["accept"].to_numpy(bool)
    confidence = _column(rows["confidence"], place)
    detections, answers = (
        _column(pd.Series(np.bincount(some, minlength=len(samples))), every) for some in (place, place[accepted])
    )
    codes = pd.Index(list(classes)).get_indexer(pd.Index(rows["class_pred"].astype(object)))
    return Profile(
        tuple(samples["sample_id"].astype(str)),
        group.astype(np.intp),
        tuple(str(name) for name in groups),
        None,
        {"confidence": confidence, "detections per photograph": detections},
        Column(codes.astype(np.float64), place),
        tuple(classes),
        {
            "confidence": confidence,
            "share accepted": _column(rows["accept"], place),
            "accepted detections per photograph": answers,
        },
    )


def _column(values: "pd.Series[Any]", photograph: IntArray) -> Column:
    return Column(values.to_numpy(np.float64), photograph)


def kept(one: Profile, photographs: IntArray) -> Profile:
    """Return the profile of some photographs alone, in rising order; groups without one are no groups."""
    place = np.full(len(one.names), -1)
    place[photographs] = np.arange(len(photographs))
    group, groups = pd.factorize(one.group[photographs])
    return replace(
        one,
        names=tuple(one.names[index] for index in photographs),
        group=group.astype(np.intp),
        groups=tuple(one.groups[index] for index in groups),
        embeddings=None if one.embeddings is None else one.embeddings[photographs],
        scores={name: _kept(column, place) for name, column in one.scores.items()},
        labels=_kept(one.labels, place),
        performance={name: _kept(column, place) for name, column in one.performance.items()},
    )


def _kept(column: Column, place: IntArray) -> Column:
    there = place[column.photograph] >= 0
    return Column(column.values[there], place[column.photograph[there]])


def thinned(one: Profile, most: int, rng: np.random.Generator) -> Profile:
    """Return at most `most` photographs of each group, chosen at random."""
    order = rng.permutation(len(one.names))
    turn = pd.Series(one.group[order]).groupby(one.group[order]).cumcount().to_numpy()
    return kept(one, np.sort(order[turn < most]))


def median_size(one: Profile) -> int:
    """Return the middle number of photographs of a group."""
    return int(np.median(np.bincount(one.group)))


def refuse_few(one: Profile, who: str, *, least_groups: int, least_photographs: int) -> None:
    """Return when there is enough to compare.

    Raises
    ------
    DataError
        Naming what there is too little of: silence about a handful of photographs would read as "no drift".
    """
    found = {"group": (len(one.groups), least_groups), "photograph": (len(one.names), least_photographs)}
    remedy = "gather more: of so few nothing can be said"
    problems = [
        Problem(who, f"at least {so_many(least, what)}", f"{so_many(count, what)}, too few to say", remedy)
        for what, (count, least) in found.items()
        if count < least
    ]
    refuse_any(DataError, problems)
