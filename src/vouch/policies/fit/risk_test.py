"""A promise about the final exit rule: fixed-sequence binomial tests, which know that rows of a group are alike.

The risk is a share of cases: with a positive class, its rows among the exits (false negatives on exits); without, all
exits (selective error). A rule is certified when "its risk is above alpha" is rejected at level delta. Rules are
declared without labels and walked from strict to loose up to the first that fails, so the whole walk has level delta
(fixed-sequence testing; Angelopoulos et al. arXiv:2110.01052; docs/decisions/007).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import betaincinv

from vouch.errors import so_many
from vouch.evaluation.metrics.shares import effective_rows, intraclass_correlation, lower_bound
from vouch.policies.fit.group_correlation import miss_correlation
from vouch.policies.fit.params import Exits

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Finding:
    """What the cases say of one rule."""

    cases: int
    misses: int
    groups: int  # that a case lies in
    effective: float  # independent cases worth as much, by `unit`
    enough: bool  # without any miss, so many would certify
    certified: bool
    bound: float  # Clopper-Pearson upper bound of the risk at level delta, by `unit`
    bound_rows: float  # were rows independent
    bound_groups: float


@dataclass(frozen=True)
class Cases:
    """The rows that a risk is about."""

    rows: npt.NDArray[np.intp]  # places of the cases in the table, shape (m,)
    group: npt.NDArray[np.intp]  # index of the group, shape (m,)
    missed: BoolArray  # shape (m,)
    correlation: float  # correlation of misses within a group, in [0, 1]


def cases_of(rows: pd.DataFrame, positive: str | None) -> Cases:
    """Return the cases of calibrated, labelled rows."""
    of_risk = np.ones(len(rows), dtype=bool) if positive is None else (rows["class_true"] == positive).to_numpy(bool)
    found = rows[of_risk]
    missed = (found["class_pred"] != found["class_true"]).to_numpy(dtype=bool)
    group = pd.factorize(found["group"], sort=True)[0]
    return Cases(np.flatnonzero(of_risk), group, missed, miss_correlation(group, missed))


def walk(cases: Cases, rules: Iterable[BoolArray], asked: Exits, *, delta: float) -> Iterator[Finding]:
    """Yield what is found of each rule (bool, shape (n,): who exits), up to the first that fails at level `delta`.

    A rule with too few cases to certify anything, were none missed, is passed over and ends nothing: that depends on
    the number of cases, and on the intraclass correlation estimated once over all of them, not on this rule's misses.
    """
    for rule in rules:
        finding = judge(cases, rule, asked, delta=delta)
        yield finding
        if finding.enough and not finding.certified:
            return


def loosest(findings: Iterable[Finding]) -> int | None:
    """Return the index of the last certified one, or None."""
    indices = [index for index, finding in enumerate(findings) if finding.certified]
    return indices[-1] if indices else None


def judge(cases: Cases, rule: BoolArray, asked: Exits, *, delta: float) -> Finding:
    """Return what the cases say of one rule at level `delta`."""
    inside = rule[cases.rows]
    group, missed = cases.group[inside], cases.missed[inside]
    sizes, counts = np.bincount(group).astype(np.float64), np.bincount(group, weights=missed).astype(np.float64)
    sizes, counts = sizes[sizes > 0], counts[sizes > 0]
    n, misses = len(group), int(missed.sum())
    worth = effective_rows(sizes, cases.correlation)
    of_rows = upper_bound(float(n), misses / max(n, 1), delta)
    of_groups = 1 - lower_bound(sizes - counts, sizes, correlation=cases.correlation, tail=delta) if n else 1.0
    effective, bound = (float(n), of_rows) if asked.unit == "row" else (worth, of_groups)
    enough = effective > 0 and (1 - asked.alpha) ** effective <= delta
    certified = enough and bound <= asked.alpha
    return Finding(n, misses, len(sizes), effective, enough, certified, bound, of_rows, of_groups)


def upper_bound(cases: float, share: float, delta: float) -> float:
    """Return the Clopper-Pearson upper bound of a share at level delta; 1 of nothing.

    It is at most alpha exactly when P(Binomial(cases, alpha) <= misses) <= delta. `cases` may be fractional.
    """
    misses = share * cases
    return 1.0 if cases <= 0 or share >= 1 else float(betaincinv(misses + 1, cases - misses, 1 - delta))


def described(finding: Finding, asked: Exits, *, n: int, exits: int) -> dict[str, Any]:
    """Return the evidence of a policy."""
    return {
        "n": n,
        "exits": exits,
        "coverage": exits / n if n else None,
        "positives": finding.cases if asked.positive is not None else None,
        "misses": finding.misses,
        "groups": finding.groups,
        "effective": finding.effective,
        "bound": finding.bound,
        "bound_rows": finding.bound_rows,
        "bound_groups": finding.bound_groups,
    }


def shortfall(findings: list[Finding], asked: Exits, *, delta: float) -> str:
    """Say why no rule of a walk is certified."""
    name = "exits" if asked.positive is None else f"exits of {asked.positive}"
    tested = [finding for finding in findings if finding.enough]
    if not tested:
        needed = int(np.ceil(np.log(delta) / np.log1p(-asked.alpha) - 1e-9))
        most = max(findings, key=lambda finding: finding.cases)
        independent, worth = "", ""
        if asked.unit == "group":
            independent, worth = "independent ", f", worth {most.effective:.1f} independent ones"
        return (
            f"too few: at alpha {asked.alpha:g} and delta {delta:.4g} even without a miss {needed} "
            f"{independent}{name} are needed, there are {most.cases} in {so_many(most.groups, 'group')}{worth}"
        )
    first = tested[0]
    return (
        f"{so_many(first.misses, 'miss')} of the {first.cases} most certain {name} in "
        f"{so_many(first.groups, 'group')}: the risk may be {first.bound:.4f}, more than {asked.alpha}"
    )


def answer_correlation(labelled: pd.DataFrame, floor: float) -> float:
    """Return the intraclass correlation of answers, over all labelled rows, right or wrong; at least `floor`."""
    cases = cases_of(labelled, None)
    sizes = np.bincount(cases.group).astype(np.float64)
    wrong = np.bincount(cases.group, weights=cases.missed, minlength=len(sizes)).astype(np.float64)
    return max(floor, intraclass_correlation(wrong, sizes))
