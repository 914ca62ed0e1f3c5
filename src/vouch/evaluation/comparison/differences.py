"""Candidate against baseline on the same photographs, under the same group weights.

Whatever makes a group hard makes it hard for both sides, so the difference varies far less than either side does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import Field

from vouch import paths
from vouch.errors import DataError, Problem, refuse_any
from vouch.evaluation.comparison.intervals import ends, unmoved
from vouch.evaluation.comparison.significance import SignArray, contributions, flip_signs, flipped_p, holm, least_p
from vouch.evaluation.metrics.definitions.metric import OVERALL, Direction
from vouch.evaluation.metrics.definitions.table import METRICS, ComparedName
from vouch.evaluation.metrics.intervals import IntArray, group_weights, point
from vouch.evaluation.metrics.measures import by_chance, refuse_unmeasurable
from vouch.evaluation.metrics.params import Bootstrap
from vouch.evaluation.metrics.strata import strata_masks
from vouch.evaluation.metrics.table import applies, measured

JUMPS = ("effective", "percentile")  # intervals of metrics that jump, or stay, when a group is left out


class Comparing(Bootstrap):
    """What is compared, by strata beside the whole, and the loss that does not matter."""

    margins: dict[ComparedName, Annotated[float, Field(ge=0.0)]]  # in the metric's own unit
    strata: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Difference:
    """Candidate less baseline; null where one of them is undefined.

    `p_holm` is corrected over all metrics and strata of the comparison; with so many of them and so few groups it
    cannot be below `least_p_holm`.
    """

    candidate: float | None
    baseline: float | None
    delta: float | None
    low: float | None
    high: float | None
    standard_error: float | None
    p: float | None
    p_holm: float | None
    least_p_holm: float | None
    margin: float
    verdict: str
    n_rows: int
    n_groups: int


@dataclass(frozen=True)
class Resampling:
    """How surprising a difference is told, for every metric and stratum alike."""

    weights: IntArray  # int32, shape (replicates, groups), of `intervals.group_weights`: for the intervals
    signs: SignArray  # int8, shape (patterns, groups), of `significance.flip_signs`: for the p-values
    level: float  # 1 - alpha of `better` and `worse`, over all metrics and strata together (Holm); of each interval
    correlation: float  # of right answers within a group, in [0, 1], where both sides are perfect and it does not show


def resampled(asked: Bootstrap, n_groups: int, *, patterns: int, correlation: float) -> Resampling:
    """Draw the weights of groups and `patterns` of signs, one after the other from one generator."""
    rng = np.random.default_rng(asked.seed)
    weights = group_weights(n_groups, replicates=asked.replicates, rng=rng)
    return Resampling(weights, flip_signs(n_groups, patterns=patterns, rng=rng), asked.level, correlation)


def overlap(candidate: pd.DataFrame, baseline: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return both sides' rows on the samples that both have.

    Raises
    ------
    DataError
        When they share no sample, or a shared sample belongs to different groups.
    """
    groups = [side.drop_duplicates("sample_id").set_index("sample_id")["group"] for side in (candidate, baseline)]
    shared = groups[0].index.intersection(groups[1].index)
    if shared.empty:
        raise DataError([Problem("val_test", "samples that both sides predicted", "none", "predict both sides again")])
    moved = shared[(groups[0][shared] != groups[1][shared]).to_numpy(dtype=bool)]
    if len(moved):
        raise DataError(
            [
                Problem(f"sample {name}", "one group", f"{groups[0][name]} and {groups[1][name]}", "predict both again")
                for name in moved
            ]
        )
    first, second = (side[side["sample_id"].isin(shared)] for side in (candidate, baseline))
    return first, second


def compare(
    candidate: pd.DataFrame,
    baseline: pd.DataFrame,
    *,
    margins: Mapping[str, float],
    strata: Sequence[Sequence[str]],
    resampling: Resampling,
) -> dict[str, dict[str, Any]]:
    """Return {metric: {stratum: Difference}} and, under `overall`, one verdict a stratum.

    The difference of a calibration error also has `candidate_by_chance` and `baseline_by_chance`: the values that
    perfectly calibrated models with these confidences would show, null where they are not known.

    Parameters
    ----------
    candidate, baseline : table
        Rows of the same samples: `overlap`, then calibrated, decided and numbered each.
    margins : map of str to float >= 0
        The metrics to compare and, in their own unit, the loss that does not matter.
    strata : sequence of sequences of str
        As `strata.strata_masks` takes them, beside the whole.
    resampling : Resampling

    Raises
    ------
    DataError
        Naming each metric that a side lacks a column for, or the groups that only one side was judged on.
    """
    refuse_unmeasurable(candidate, list(margins), side="candidate, ")
    refuse_unmeasurable(baseline, list(margins), side="baseline, ")
    _refuse_other_groups(candidate, baseline)
    sides = _cut(candidate, baseline, strata)
    family = {
        (name, stratum): difference(*pair, name=name, margin=margin, resampling=resampling)
        for stratum, pair in sides.items()
        for name, margin in margins.items()
        if applies(name, stratum)
    }
    found: dict[str, dict[str, Any]] = {name: {} for name in (*margins, OVERALL)}
    for (name, stratum), one in decided(family, resampling.level).items():
        found[name][stratum] = asdict(one) | _by_chance(name, sides[stratum], resampling.correlation)
    for stratum in sides:
        verdicts = [found[name][stratum]["verdict"] for name in margins if stratum in found[name]]
        found[OVERALL][stratum] = {"verdict": overall(verdicts)}
    return found


def _by_chance(name: str, pair: tuple[pd.DataFrame, pd.DataFrame], correlation: float) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for side, rows in zip(paths.SIDES, pair, strict=True):
        found |= by_chance(rows, name, correlation, f"{side}_by_chance")
    return found


def _refuse_other_groups(candidate: pd.DataFrame, baseline: pd.DataFrame) -> None:
    """Refuse sides whose groups are not numbered alike: labels were added between the two predictions."""
    apart = sorted({*candidate["group"]} ^ {*baseline["group"]})
    remedy = "predict both sides again, with the same labels"
    refuse_any(DataError, [Problem(f"group {name}", "judged rows on both sides", "on one", remedy) for name in apart])


def _cut(
    candidate: pd.DataFrame, baseline: pd.DataFrame, strata: Sequence[Sequence[str]]
) -> dict[str, tuple[pd.DataFrame, pd.DataFrame]]:
    """Cut both sides by the strata of their union, so that a class only one side predicts is a stratum of both."""
    masks = strata_masks(pd.concat([candidate, baseline], ignore_index=True), strata)
    size = len(candidate)
    return {name: (candidate[mask[:size]], baseline[mask[size:]]) for name, mask in masks.items()}


def difference(
    candidate: pd.DataFrame, baseline: pd.DataFrame, *, name: str, margin: float, resampling: Resampling
) -> Difference:
    """Return one metric's paired difference with its interval and p-value; the verdict waits for Holm's correction."""
    weights, signs = resampling.weights, resampling.signs
    sides = [measured(rows, name, weights.shape[1]) for rows in (candidate, baseline)]
    first, second = (None if np.isnan(value) else value for value in map(point, sides))
    n_rows = int(min(side.support.sum() for side in sides))
    n_groups = int(min(np.count_nonzero(side.support) for side in sides))
    nothing = (None,) * 6
    undefined = Difference(first, second, None, *nothing, margin, "unknown", n_rows, n_groups)
    if first is None or second is None:
        return undefined
    alone = replace(undefined, delta=first - second)
    if n_groups < 2:
        return alone
    deltas = sides[0].values(weights) - sides[1].values(weights)
    if np.isnan(deltas).all():  # each replicate lacks what one side needs
        return alone
    added = contributions(
        *sides,
        delta=first - second,
        deltas=deltas,
        weights=weights,
        smooth=METRICS[name].interval not in JUMPS,
    )
    p, least = flipped_p(added, signs[:, : len(added)]), least_p(len(added), len(signs))
    kept = deltas[~np.isnan(deltas)]
    asked = {"level": resampling.level, "correlation": resampling.correlation}
    if _same(candidate, baseline):
        found: tuple[float, float, float] | None = (0.0, 0.0, 0.0)
    elif np.ptp(kept) == 0:
        found = unmoved(sides, float(kept[0]), METRICS[name].interval, **asked)
    else:
        found = ends(sides, kept, **asked)
    low, high, error = found or (None, None, None)
    return replace(alone, low=low, high=high, standard_error=error, p=p, least_p_holm=least)


def _same(candidate: pd.DataFrame, baseline: pd.DataFrame) -> bool:
    """Whether both sides made the same decisions with the same confidence: then the difference is 0 for certain."""
    return candidate.reset_index(drop=True).equals(baseline.reset_index(drop=True))


def decided(family: Mapping[tuple[str, str], Difference], level: float) -> dict[tuple[str, str], Difference]:
    """Return the differences, by metric and stratum, with p-values corrected over all of them, and verdicts."""
    tested = [key for key, one in family.items() if one.p is not None]
    corrected = dict(family)
    adjusted = (holm(np.array([getattr(family[key], of) for key in tested])) for of in ("p", "least_p_holm"))
    for key, p, least in zip(tested, *adjusted, strict=True):
        corrected[key] = replace(family[key], p_holm=float(p), least_p_holm=float(least))
    return {key: replace(one, verdict=verdict(one, METRICS[key[0]].direction, level)) for key, one in corrected.items()}


def verdict(found: Difference, direction: Direction, level: float) -> str:
    """Say better, not_worse, worse, few_groups or unknown.

    better, worse: shown to be so by the corrected p and by the interval, which lies on one side of 0 as a whole; a loss
    that is within the margin for certain is no worse. not_worse: the interval's bad end is within the margin; that all
    of a stratum's metrics are needs no correction. few_groups: neither, and no p of so few groups could have shown it.
    unknown: the evidence allows more than one of these, or one side is undefined.
    """
    if found.delta is None:
        return "unknown"
    if found.n_groups < 2:
        return "few_groups"
    if found.low is None or found.high is None or found.p_holm is None or found.least_p_holm is None:
        return "unknown"
    ends = sorted((direction * found.low, direction * found.high))
    shown = found.p_holm <= 1 - level
    if shown and direction * found.delta > 0 and ends[0] > 0:
        return "better"
    if ends[0] >= -found.margin:
        return "not_worse"
    if shown and ends[1] < 0:
        return "worse"
    return "few_groups" if found.least_p_holm > 1 - level else "unknown"


def overall(verdicts: Sequence[str]) -> str:
    """Say the verdict over several metrics: the first of worse, few_groups, unknown and better that any of them has."""
    for decisive in ("worse", "few_groups", "unknown", "better"):
        if decisive in verdicts:
            return decisive
    return "not_worse" if verdicts else "unknown"
