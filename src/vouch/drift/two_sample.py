"""Two-sample tests of two sets of photographs; every result has an effect size and a permutation p."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field
from scipy.stats import false_discovery_control

from vouch.drift import embedding_tests, permutation
from vouch.drift.permutation import BoolArray, FloatArray, IntArray
from vouch.drift.profile import Column, Profile, kept
from vouch.params import Section

Share = Annotated[float, Field(gt=0, lt=1)]

PSI_NULL = 0.99  # quantile of the index under permutation of groups to exceed too: few photographs make it large
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
class Result:
    """One variable's result; `within` is its p adjusted for all variables of the test.

    `discovery` is Benjamini and Hochberg's p among them; `interval` is of the effect; `means` of reference and window.
    `asked` is the limit that was asked for where another applies, because chance alone reaches it with so few rows.
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
    asked: float | None = None

    @property
    def relative(self) -> float:
        """The effect in units of the least that is worth an alarm; only a difference of means has two directions."""
        if self.measure == "AUC":
            return max(0.0, self.effect - CHANCE) / (self.limit - CHANCE)
        return (abs(self.effect) if self.measure == "difference" else max(0.0, self.effect)) / self.limit


Results = list[Result] | str  # or why the test cannot be made


@dataclass(frozen=True)
class Compared:
    """Two sides, and divisions of their groups: `permutation.group_permutations` as `masks`, the reference's first."""

    reference: Profile
    window: Profile
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


def compared(reference: Profile, window: Profile, *, permutations: int, rng: np.random.Generator) -> Compared:
    """Return two sides with random divisions of their groups."""
    counts = len(reference.groups), len(window.groups)
    return Compared(reference, window, permutation.group_permutations(*counts, permutations=permutations, rng=rng))


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


def distributions(both: Compared, first: Columns, second: Columns, limit: float) -> Results:
    """Ask of each variable how far its distribution functions are apart (Kolmogorov, Smirnov)."""
    pairs = list(_pairs(first, second))
    if not pairs:
        return NO_VALUE
    found = np.stack([permutation.ks_statistics(*both.joined(*pair), both.masks) for _, *pair in pairs])
    chances = [permutation.p_value(statistics) for statistics in found]
    rows = zip(pairs, found[:, 0], chances, permutation.family_p(found), false_discovery_control(chances), strict=True)
    return [
        Result(name, "KS distance", float(effect), limit, p, float(within), float(discovery))
        for (name, *_), effect, p, within, discovery in rows
    ]


def stability(both: Compared, bins: int, least: float) -> Results:
    """Ask of each score for its population stability index; its limit is never below what chance gives."""
    pairs = list(_pairs(both.reference.scores, both.window.scores))
    if not pairs:
        return NO_VALUE
    found = np.stack([permutation.psi_statistics(*both.joined(*pair), both.masks, bins=bins) for _, *pair in pairs])
    results = []
    for (name, *_), statistics, within in zip(pairs, found, permutation.family_p(found), strict=True):
        by_chance = float(np.quantile(statistics[1:], PSI_NULL))
        limit, asked = (by_chance, least) if by_chance > least else (least, None)
        p = permutation.p_value(statistics)
        results.append(Result(name, "PSI", float(statistics[0]), limit, p, float(within), asked=asked))
    return results


def labels(both: Compared, limit: float) -> Results:
    """Ask whether the shares of the predicted classes moved (Pearson's chi-square), and by how much."""
    if not len(both.reference.labels.values) or not len(both.window.labels.values):
        return NO_VALUE
    values, group = both.joined(both.reference.labels, both.window.labels)
    codes, n_codes = values.astype(np.intp), len(both.reference.classes)
    p = permutation.p_value(permutation.chi_square_statistics(codes, group, both.masks, n_codes))
    moved = permutation.share_distance(codes, group, both.masks, n_codes)
    return [Result("predicted class", "share moved", moved, limit, p, p)]


def performance(both: Compared, limit: float) -> Results:
    """Ask whether the means moved that would show a worse model without a label."""
    pairs = list(_pairs(both.reference.performance, both.window.performance))
    if not pairs:
        return NO_VALUE
    found = np.stack([permutation.mean_differences(*both.joined(*pair), both.masks) for _, *pair in pairs])
    results = []
    for (name, one, other), row, within in zip(pairs, found, permutation.family_p(np.abs(found)), strict=True):
        means, p = (float(one.values.mean()), float(other.values.mean())), permutation.p_value(np.abs(row))
        results.append(Result(name, "difference", float(row[0]), limit, p, float(within), means=means))
    return results


def directions(both: Compared, most: int, limit: float) -> tuple[Results, tuple[float, ...]]:
    """Ask of each principal direction of the embeddings as of a score; return the variance that each holds too."""
    rows, variance = embedding_tests.directions(both.embedded()[0], most=most)
    first = len(both.reference.names)
    sides = [
        {f"direction {number}": Column(row, np.arange(len(row))) for number, row in enumerate(part.T, start=1)}
        for part in (rows[:first], rows[first:])
    ]
    return distributions(both, sides[0], sides[1], limit), tuple(variance.tolist())


def kernel(both: Compared, limit: float, rng: np.random.Generator) -> Results:
    """Ask how far the embeddings are apart as a whole, in units of the reference's own parts."""
    found = embedding_tests.kernel_distance(*both.embedded(), both.masks, rng=rng)
    p = permutation.p_value(found.statistics)
    return [Result("embedding", "MMD² ratio", found.ratio, limit, p, p)]


def classifier(
    both: Compared, most: int, folds: int, level: float, limit: float, rng: np.random.Generator
) -> tuple[Results, tuple[str, ...]]:
    """Test whether a classifier tells new from known; return the window's photographs too, the newest first."""
    rows, group = both.embedded()
    rows, _ = embedding_tests.directions(rows, most=most)
    found = embedding_tests.classifier_two_sample_test(rows, group, both.masks, folds=folds, level=1 - level, rng=rng)
    order = np.argsort(-found.seen[len(both.reference.names) :], kind="stable")
    p, auc = permutation.p_value(found.areas), float(found.areas[0])
    result = Result("embedding", "AUC", auc, limit, p, p, interval=(found.low, found.high))
    return [result], tuple(both.window.names[index] for index in order)


def least_sure(one: Profile) -> tuple[str, ...]:
    """Return the photographs by their least confidence, those without an result last."""
    least = np.full(len(one.names), np.inf)
    confidence = one.performance["confidence"]
    np.minimum.at(least, confidence.photograph, confidence.values)
    return tuple(one.names[index] for index in np.argsort(least, kind="stable"))


def _pairs(first: Columns, second: Columns) -> Iterator[tuple[str, Column, Column]]:
    """Yield the variables that have a value on either side."""
    for name in [name for name in first if name in second]:
        if len(first[name].values) and len(second[name].values):
            yield name, first[name], second[name]
