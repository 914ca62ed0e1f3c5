"""Candidate against baseline on the same photographs, under the same group weights.

Whatever makes a group hard makes it hard for both sides, so the difference varies far less than either side does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vouch.errors import DataError, Problem, refuse_any
from vouch.evaluation.intervals import (
    FloatArray,
    IntArray,
    clopper_pearson_end,
    expanded_p,
    expanded_tail,
    point,
)
from vouch.evaluation.metrics import METRICS, refuse_unmeasurable
from vouch.evaluation.shares import effective_rows
from vouch.evaluation.strata import strata_masks
from vouch.evaluation.table import applies, measured

BoolArray = npt.NDArray[np.bool_]

OVERALL = "overall"  # the metric name under which the verdict over all metrics stands


@dataclass(frozen=True)
class Difference:
    """Candidate less baseline; null where one of them is undefined."""

    candidate: float | None
    baseline: float | None
    delta: float | None
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None
    margin: float
    verdict: str
    n_rows: int
    n_groups: int


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
    weights: IntArray,
    level: float,
    correlation: float,
) -> dict[str, dict[str, Any]]:
    """Return {metric: {stratum: Difference}} and, under `overall`, one verdict a stratum.

    Parameters
    ----------
    candidate, baseline : table
        Judged rows of the same samples: `overlap`, then `metrics.judged` on each.
    margins : map of str to float >= 0
        The metrics to compare and, in their own unit, the loss that does not matter.
    strata : sequence of sequences of str
        As `strata.strata_masks` takes them, beside the whole.
    weights : int32 array, shape (replicates, groups)
    level : float
        1 - alpha of `better`, Holm-corrected over the metrics of a stratum; other verdicts are read off one interval.
    correlation : float
        Of right answers within a group, in [0, 1], where both sides are perfect and their difference shows none.

    Raises
    ------
    DataError
        Naming each metric that a side lacks a column for, or the groups that only one side was judged on.
    """
    refuse_unmeasurable(candidate, list(margins), side="candidate, ")
    refuse_unmeasurable(baseline, list(margins), side="baseline, ")
    _refuse_other_groups(candidate, baseline)
    sides = _cut(candidate, baseline, strata)
    found: dict[str, dict[str, Any]] = {name: {} for name in margins}
    found[OVERALL] = {}
    for stratum, (first, second) in sides.items():
        differences = {
            name: difference(
                first, second, name=name, margin=margin, weights=weights, level=level, correlation=correlation
            )
            for name, margin in margins.items()
            if applies(name, stratum)
        }
        differences = _holm(differences, level)
        for name, one in differences.items():
            found[name][stratum] = asdict(one)
        found[OVERALL][stratum] = {"verdict": overall([one.verdict for one in differences.values()])}
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
    candidate: pd.DataFrame,
    baseline: pd.DataFrame,
    *,
    name: str,
    margin: float,
    weights: IntArray,
    level: float,
    correlation: float,
) -> Difference:
    """Return one metric's paired difference with its interval and p-value; the verdict waits for Holm's correction."""
    sides = [measured(rows, name, weights.shape[1]) for rows in (candidate, baseline)]
    values = [point(side) for side in sides]
    n_rows = int(min(side.support.sum() for side in sides))
    n_groups = int(min(np.count_nonzero(side.support) for side in sides))
    first, second = (None if np.isnan(value) else value for value in values)
    undefined = Difference(first, second, None, None, None, None, None, margin, "unknown", n_rows, n_groups)
    if first is None or second is None:
        return undefined
    if n_groups < 2:
        return replace(undefined, delta=first - second)
    deltas = sides[0].values(weights) - sides[1].values(weights)
    deltas = deltas[~np.isnan(deltas)]
    if not len(deltas):  # each replicate lacks what one side needs
        return replace(undefined, delta=first - second)
    if deltas.min() == deltas.max() and sides[0].share and not _same(candidate, baseline):
        # Both sides at 0 or 1 on every group: no replicate differs, and yet the next group may (0 of n events).
        worth = min(effective_rows(side.support, correlation) for side in sides)
        reach = clopper_pearson_end(0.0, worth, level=level)[1]
        low, high = max(-1.0, float(deltas[0]) - reach), min(1.0, float(deltas[0]) + reach)
    else:
        tail = expanded_tail(level, n_groups)
        low, high = (float(end) for end in np.quantile(deltas, [tail, 1 - tail]))
    return replace(undefined, delta=first - second, low=low, high=high, p=p_value(deltas, n_groups))


def _same(candidate: pd.DataFrame, baseline: pd.DataFrame) -> bool:
    """Whether both sides made the same decisions with the same confidence: then the difference is 0 for certain."""
    return candidate.reset_index(drop=True).equals(baseline.reset_index(drop=True))


def p_value(deltas: FloatArray, n_groups: int) -> float:
    """Return the two-sided p-value of no difference: 2 min(P(delta* <= 0), P(delta* >= 0)), never 0.

    Each share gets + 1 above and below the line (Davison, Hinkley 1997, section 4.2), and is read with the interval's
    expansion for few groups.
    """
    beyond = min(np.count_nonzero(deltas <= 0), np.count_nonzero(deltas >= 0))
    return expanded_p((beyond + 1) / (len(deltas) + 1), n_groups)


def holm(p: FloatArray) -> FloatArray:
    """Return Holm's step-down adjusted p-values (Holm 1979), in the order given.

    >>> holm(np.array([0.01, 0.04, 0.03])).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def _holm(differences: dict[str, Difference], level: float) -> dict[str, Difference]:
    """Fill in the adjusted p-values and, from them, the verdicts."""
    tested = {name: one.p for name, one in differences.items() if one.p is not None}
    adjusted = dict(zip(tested, holm(np.array(list(tested.values()))).tolist(), strict=True))
    corrected = {name: replace(one, p_holm=adjusted.get(name)) for name, one in differences.items()}
    return {name: replace(one, verdict=verdict(one, METRICS[name].better, level)) for name, one in corrected.items()}


def verdict(found: Difference, better: int, level: float) -> str:
    """Say better, not_worse, worse or unknown.

    better: superior after Holm's correction. The others are not corrected. not_worse: the interval's bad end is within
    the margin. worse: the whole interval is on the bad side. unknown: the evidence allows more than one of these, or
    there is none.
    """
    if found.delta is None or found.low is None or found.high is None or found.p_holm is None:
        return "unknown"
    ends = sorted((better * found.low, better * found.high))
    if found.p_holm <= 1 - level and better * found.delta > 0 and ends[0] > 0:
        return "better"
    if ends[0] >= -found.margin:
        return "not_worse"
    return "worse" if ends[1] < 0 else "unknown"


def overall(verdicts: Sequence[str]) -> str:
    """Say the verdict over several metrics: the first of worse, unknown and better that any of them has."""
    for decisive in ("worse", "unknown", "better"):
        if decisive in verdicts:
            return decisive
    return "not_worse" if verdicts else "unknown"
