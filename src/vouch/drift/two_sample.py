"""What is asked of two sets of photographs; every answer has a size, and a p that regrouping gives."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field
from scipy.stats import false_discovery_control

from vouch.drift import embedding_tests, permutation
from vouch.drift.permutation import BoolArray, FloatArray, IntArray
from vouch.drift.profile import Appearance, Column, kept
from vouch.params import Section

Share = Annotated[float, Field(gt=0, lt=1)]

PSI_NULL = 0.99  # quantile of the index under regrouping that it must exceed too: few photographs make it large
CHANCE = 0.5  # area of a classifier that tells nothing
NO_VALUE = "one side has no value"
Columns = Mapping[str, Column]


class Effects(Section):
    """The least difference worth an alarm; all but the kernel's are about a third of a standard deviation's shift."""

    ks: Share  # distance of two distribution functions
    psi: Annotated[float, Field(gt=0)]
    auc: Annotated[float, Field(gt=0.5, lt=1)]
    kernel_ratio: Annotated[float, Field(ge=1)]  # times what the reference's own parts differ by
    labels: Share  # share of predictions of another class
    performance: Annotated[float, Field(gt=0)]  # difference of means of confidences, shares, classes, counts


@dataclass(frozen=True)
class Answer:
    """One variable's answer; `within` is its p adjusted for all variables of the question.

    `discovery` is Benjamini and Hochberg's p among them; `interval` is of the effect; `means` of reference and window.
    """

    variable: str
    measure: str
    effect: float
    limit: float
    p: float
    within: float
    discovery: float | None = None
    interval: tuple[float, float] | None = None
    means: tuple[float, float] | None = None

    @property
    def relative(self) -> float:
        """The effect in units of the least that is worth an alarm; only a difference of means has two directions."""
        if self.measure == "AUC":
            return max(0.0, self.effect - CHANCE) / (self.limit - CHANCE)
        return (abs(self.effect) if self.measure == "difference" else max(0.0, self.effect)) / self.limit


Answers = list[Answer] | str  # or why the question cannot be asked


@dataclass(frozen=True)
class Compared:
    """Two sides and how their groups could be divided: `permutation.regroupings` as `masks`, the reference's first."""

    reference: Appearance
    window: Appearance
    masks: BoolArray

    def joined(self, first: Column, second: Column) -> tuple[FloatArray, IntArray]:
        """Return the values of both and the place of each one's group in `masks`."""
        beyond = self.window.group[second.photograph] + len(self.reference.groups)
        group = np.concatenate([self.reference.group[first.photograph], beyond])
        return np.concatenate([first.values, second.values]), group

    def embedded(self) -> tuple[FloatArray, IntArray]:
        """Return the embeddings of both and the place of each one's group in `masks`."""
        assert self.reference.embeddings is not None
        assert self.window.embeddings is not None
        group = np.concatenate([self.reference.group, self.window.group + len(self.reference.groups)])
        return np.concatenate([self.reference.embeddings, self.window.embeddings]), group


def compared(reference: Appearance, window: Appearance, *, permutations: int, rng: np.random.Generator) -> Compared:
    """Return two sides with random divisions of their groups."""
    counts = len(reference.groups), len(window.groups)
    return Compared(reference, window, permutation.regroupings(*counts, permutations=permutations, rng=rng))


def sampled(both: Compared, most: int, rng: np.random.Generator) -> Compared:
    """Return at most `most` photographs of each side, whole groups chosen at random."""
    if max(len(both.reference.names), len(both.window.names)) <= most:
        return both
    sides = []
    for one in (both.reference, both.window):
        order = rng.permutation(len(one.groups))
        chosen = order[np.cumsum(np.bincount(one.group)[order]) <= most]
        sides.append(kept(one, np.flatnonzero(np.isin(one.group, chosen))))
    return compared(sides[0], sides[1], permutations=len(both.masks) - 1, rng=rng)


def distributions(both: Compared, first: Columns, second: Columns, limit: float) -> Answers:
    """Ask of each variable how far its distribution functions are apart (Kolmogorov, Smirnov)."""
    pairs = list(_pairs(first, second))
    if not pairs:
        return NO_VALUE
    found = np.stack([permutation.ks_statistics(*both.joined(*pair), both.masks) for _, *pair in pairs])
    chances = [permutation.p_value(statistics) for statistics in found]
    rows = zip(pairs, found[:, 0], chances, permutation.family_p(found), false_discovery_control(chances), strict=True)
    return [
        Answer(name, "KS distance", float(effect), limit, p, float(within), float(discovery))
        for (name, *_), effect, p, within, discovery in rows
    ]


def stability(both: Compared, bins: int, least: float) -> Answers:
    """Ask of each score for its population stability index; its limit is never below what chance gives."""
    pairs = list(_pairs(both.reference.scores, both.window.scores))
    if not pairs:
        return NO_VALUE
    found = np.stack([permutation.psi_statistics(*both.joined(*pair), both.masks, bins=bins) for _, *pair in pairs])
    answers = []
    for (name, *_), statistics, within in zip(pairs, found, permutation.family_p(found), strict=True):
        limit = max(least, float(np.quantile(statistics[1:], PSI_NULL)))
        p = permutation.p_value(statistics)
        answers.append(Answer(name, "PSI", float(statistics[0]), limit, p, float(within)))
    return answers


def labels(both: Compared, limit: float) -> Answers:
    """Ask whether the shares of the predicted classes moved (Pearson's chi-square), and by how much."""
    if not len(both.reference.labels.values) or not len(both.window.labels.values):
        return NO_VALUE
    values, group = both.joined(both.reference.labels, both.window.labels)
    codes, n_codes = values.astype(np.intp), len(both.reference.classes)
    p = permutation.p_value(permutation.chi_square_statistics(codes, group, both.masks, n_codes))
    moved = permutation.share_distance(codes, group, both.masks, n_codes)
    return [Answer("predicted class", "share moved", moved, limit, p, p)]


def performance(both: Compared, limit: float) -> Answers:
    """Ask whether the means moved that would show a worse model without a label."""
    pairs = list(_pairs(both.reference.performance, both.window.performance))
    if not pairs:
        return NO_VALUE
    found = np.stack([permutation.mean_differences(*both.joined(*pair), both.masks) for _, *pair in pairs])
    answers = []
    for (name, one, other), row, within in zip(pairs, found, permutation.family_p(np.abs(found)), strict=True):
        means, p = (float(one.values.mean()), float(other.values.mean())), permutation.p_value(np.abs(row))
        answers.append(Answer(name, "difference", float(row[0]), limit, p, float(within), means=means))
    return answers


def directions(both: Compared, most: int, limit: float) -> tuple[Answers, tuple[float, ...]]:
    """Ask of each principal direction of the embeddings as of a score; return the variance that each holds too."""
    rows, variance = embedding_tests.directions(both.embedded()[0], most=most)
    first = len(both.reference.names)
    sides = [
        {f"direction {number}": Column(row, np.arange(len(row))) for number, row in enumerate(part.T, start=1)}
        for part in (rows[:first], rows[first:])
    ]
    return distributions(both, sides[0], sides[1], limit), tuple(variance.tolist())


def kernel(both: Compared, limit: float, rng: np.random.Generator) -> Answers:
    """Ask how far the embeddings are apart as a whole, in units of the reference's own parts."""
    found = embedding_tests.kernel_distance(*both.embedded(), both.masks, rng=rng)
    p = permutation.p_value(found.statistics)
    return [Answer("embedding", "MMD² ratio", found.ratio, limit, p, p)]


def classifier(
    both: Compared, most: int, folds: int, level: float, limit: float, rng: np.random.Generator
) -> tuple[Answers, tuple[str, ...]]:
    """Ask whether a classifier tells new from known; return the window's photographs too, surely told ones first."""
    rows, group = both.embedded()
    rows, _ = embedding_tests.directions(rows, most=most)
    told = embedding_tests.told_apart(rows, group, both.masks, folds=folds, level=1 - level, rng=rng)
    order = np.argsort(-told.seen[len(both.reference.names) :], kind="stable")
    p, auc = permutation.p_value(told.areas), float(told.areas[0])
    answer = Answer("embedding", "AUC", auc, limit, p, p, interval=(told.low, told.high))
    return [answer], tuple(both.window.names[index] for index in order)


def least_sure(one: Appearance) -> tuple[str, ...]:
    """Return the photographs by their least confidence, those without an answer last."""
    least = np.full(len(one.names), np.inf)
    confidence = one.performance["confidence"]
    np.minimum.at(least, confidence.photograph, confidence.values)
    return tuple(one.names[index] for index in np.argsort(least, kind="stable"))


def _pairs(first: Columns, second: Columns) -> Iterator[tuple[str, Column, Column]]:
    """Yield the variables that have a value on either side."""
    for name in [name for name in first if name in second]:
        if len(first[name].values) and len(second[name].values):
            yield name, first[name], second[name]
