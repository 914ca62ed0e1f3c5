"""The operating point: one threshold on calibrated confidence for each class, chosen on val_calib.

Thresholds lie midway between neighbouring confidences of the class (0 counts as one), so the last bit of a float never
decides; a class without any confidence has no threshold and is never accepted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vouch.errors import DataError, Problem, refuse_any
from vouch.evaluation.metrics.shares import intraclass_correlation
from vouch.policies.apply.policy import Policy, accept
from vouch.policies.fit.candidate_thresholds import below
from vouch.policies.fit.recall_bound import RecallCurve, recall_curve
from vouch.tables import STRATUM, stratum_columns

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Objective:
    """What the thresholds are for."""

    metric: str  # recall: the highest threshold that still reaches `target`; precision: the lowest; f1: the largest F1
    level: str  # class: a threshold for each class; all: one for all classes together
    delta: float  # probability that a lower bound lies above the truth, each class on its own
    strata: tuple[str, ...]  # the target must also hold in each value of these, without their prefix
    min_truths: int  # a stratum with fewer truths of a class says nothing about it
    intraclass_floor: float  # rows of a group are taken to be at least so alike, whatever val_calib shows
    target: float = 1.0  # of the recall or precision; f1 has none
    bound: str = "value"  # value: the recall reaches the target; low: its lower bound does; only recall has one


def fit_operating_point(rows: pd.DataFrame, confidence: FloatArray, objective: Objective) -> Policy:
    """Return the operating-point policy of a model.

    Parameters
    ----------
    rows : table
        The waist's columns: `group`, `stratum_*`, `class_true`, `class_pred`, `correct`. A class's truths are the rows
        with that `class_true`, misses included.
    confidence : float64 array, shape (n,), in [0, 1]
        Calibrated.
    objective : Objective

    Returns
    -------
    dict
        policy.json. `infeasible` says why, by class. Such a class keeps every right detection (its threshold lies below
        the least sure of them): what a detector never finds no threshold brings back, and lower ones only add false
        alarms. Where no truth of the class was seen, or no right detection, its threshold is null: it abstains.

    Raises
    ------
    DataError
        Listing every stratum of the objective that the rows do not carry.
    """
    refuse_any(DataError, _missing_strata(rows, objective.strata))
    table = rows.assign(confidence=confidence)
    classes = sorted({*table["class_true"].dropna(), *table["class_pred"].dropna()})
    parts = [(name,) for name in classes] if objective.level == "class" else [tuple(classes)] if classes else []
    planned = _likeness_at(table, objective)
    thresholds: dict[str, float | None] = {}
    infeasible = {} if classes else {"*": "no truth and no detection was seen"}
    for names in parts:
        threshold, reason = _threshold(table, names, objective, planned)
        thresholds |= dict.fromkeys(names, threshold)
        infeasible |= dict.fromkeys(names, reason) if reason else {}
    certified = objective.metric == "recall" and objective.bound == "low" and not infeasible
    policy: Policy = {
        "kind": "operating_point",
        "feasible": not infeasible,
        "infeasible": infeasible,
        "guarantee": "certified" if certified else "none",
        "alpha": 1 - objective.target if objective.metric == "recall" else None,
        "delta": objective.delta if objective.metric == "recall" else None,
        "objective": _described(objective),
        "thresholds": thresholds,
        "intraclass_correlation": planned,
        "evidence": {},
    }
    accepted = accept(policy, table["confidence"], table["class_pred"])
    likeness = _likeness(table, accepted, objective)
    evidence = {name: _evidence(table, accepted, name, objective, likeness) for name in classes}
    return {**policy, "intraclass_correlation": likeness, "evidence": evidence}


def _likeness(table: pd.DataFrame, accepted: npt.NDArray[np.bool_], objective: Objective) -> float:
    """Return how alike the rows of a group are: the misses among truths or the false alarms among what is accepted."""
    right = table["correct"].to_numpy(dtype=bool) & accepted
    truths = table["class_true"].notna().to_numpy(dtype=bool)
    return max(
        objective.intraclass_floor,
        *(_correlation(table["group"][of], right[of]) for of in (truths, np.asarray(accepted, dtype=bool))),
    )


def _likeness_at(table: pd.DataFrame, objective: Objective) -> float:
    """Return how alike the misses of a group are where just the target is found, all classes and strata together."""
    truths = table[table["class_true"].notna()]
    sure = np.where(truths["correct"].to_numpy(dtype=bool), truths["confidence"].to_numpy(dtype=np.float64), -1.0)
    if not len(sure):
        return objective.intraclass_floor
    level = np.quantile(sure, 1 - objective.target, method="lower")
    return max(objective.intraclass_floor, _correlation(truths["group"], (sure >= level) & (sure >= 0)))


def _correlation(group: "pd.Series[str]", right: npt.NDArray[np.bool_]) -> float:
    codes, names = pd.factorize(group)
    hits, rows = (np.bincount(codes, weights=of, minlength=len(names)) for of in (right, np.ones(len(right))))
    return intraclass_correlation(hits.astype(np.float64), rows.astype(np.float64))


def _missing_strata(rows: pd.DataFrame, strata: Sequence[str]) -> list[Problem]:
    carried = ", ".join(column.removeprefix(STRATUM) for column in stratum_columns(rows)) or "none"
    remedy = "name a stratum of the data set"
    missing = [name for name in strata if STRATUM + name not in rows.columns]
    return [Problem(f"decide.strata: {name}", f"one of {carried}", name, remedy) for name in missing]


def _threshold(
    table: pd.DataFrame, names: tuple[str, ...], objective: Objective, likeness: float
) -> tuple[float | None, str]:
    """Return the threshold of these classes together, and why it is infeasible, or an empty reason."""
    truths = table[table["class_true"].isin(names)]
    seen = np.unique(table.loc[table["class_pred"].isin(names), "confidence"])
    if truths.empty:
        return None, "no truth was seen, so nothing is known about its recall"
    if len(seen) == 0:
        return None, "the detector never names it"
    if objective.metric == "precision":
        return _precision_threshold(table, names, seen, objective.target)
    if objective.metric == "f1":
        level = _best_f1(table, names, seen)
        return (below(level, seen), "") if level is not None else (None, "no detection of it is right")
    return _recall_threshold(truths, seen, objective, likeness)


def _recall_threshold(
    truths: pd.DataFrame, seen: FloatArray, objective: Objective, likeness: float
) -> tuple[float | None, str]:
    levels, failures = [], []
    for where, part in _strata(truths, objective).items():
        curve = _curve(part, objective.delta, likeness)
        level = curve.strictest(objective.target, bound=objective.bound)
        if level is None:
            recall, low = curve.at(0.0)
            failures.append(f"{where}: recall {recall:.4f} (low {low:.4f}) of {len(part)} truths with every detection")
        else:
            levels.append(level)
    if failures:
        reason = f"the detector misses them at any threshold (target {objective.target}): {'; '.join(failures)}"
        right = truths.loc[truths["correct"], "confidence"]
        return (below(float(right.min()), seen) if len(right) else None), reason
    return below(min(levels), seen), ""


def _precision_threshold(
    table: pd.DataFrame, names: tuple[str, ...], seen: FloatArray, target: float
) -> tuple[float | None, str]:
    """Return the lowest threshold whose accepted detections are right often enough: as much recall as that allows."""
    precision = _hits(table, names, seen) / _kept(table, names, seen)
    reached = np.flatnonzero(precision >= target - 1e-12)
    if len(reached):
        return below(float(seen[reached[0]]), seen), ""
    return None, f"no threshold has a precision of {target}: the highest is {precision.max():.4f}"


def _kept(table: pd.DataFrame, names: tuple[str, ...], levels: FloatArray) -> IntArray:
    """Return how many detections of these classes have at least each confidence."""
    detections = np.sort(table.loc[table["class_pred"].isin(names), "confidence"].to_numpy())
    return len(detections) - np.searchsorted(detections, levels)


def _hits(table: pd.DataFrame, names: tuple[str, ...], levels: FloatArray) -> IntArray:
    """Return how many of them are right."""
    return _kept(table[table["correct"].to_numpy(dtype=bool)], names, levels)


def _best_f1(table: pd.DataFrame, names: tuple[str, ...], seen: FloatArray) -> float | None:
    """Return the highest of the confidences that give the largest 2 hits / (truths + detections)."""
    hits = _hits(table, names, seen)
    if not hits.any():
        return None
    f1 = 2 * hits / (table["class_true"].isin(names).sum() + _kept(table, names, seen))
    return float(seen[np.flatnonzero(f1 == f1.max())[-1]])


def _strata(truths: pd.DataFrame, objective: Objective) -> dict[str, pd.DataFrame]:
    """Return the truths altogether and in each stratum that has enough of them."""
    parts = {"all": truths}
    for name in objective.strata:
        for value, part in truths.groupby(STRATUM + name, sort=True):
            if len(part) >= objective.min_truths:
                parts[f"{name}={value}"] = part
    return parts


def _curve(truths: pd.DataFrame, delta: float, likeness: float) -> RecallCurve:
    hit = truths["correct"].to_numpy(dtype=bool)
    return recall_curve(truths["confidence"].to_numpy(), hit, truths["group"], correlation=likeness, delta=delta)


def _evidence(
    table: pd.DataFrame, accepted: npt.NDArray[np.bool_], name: str, objective: Objective, likeness: float
) -> Mapping[str, Any]:
    """Return what val_calib says about a class at its threshold; a share of nothing is null."""
    truths = (table["class_true"] == name).to_numpy(dtype=bool, na_value=False)
    predicted = (table["class_pred"] == name).to_numpy(dtype=bool, na_value=False) & accepted
    lowest = table["confidence"].to_numpy()[predicted].min() if predicted.any() else None
    strata = _strata(table[truths], objective) if truths.any() else {}
    found = {where: _recall_record(part, lowest, objective.delta, likeness) for where, part in strata.items()}
    precision = float(table["correct"].to_numpy(dtype=bool)[predicted].mean()) if predicted.any() else None
    nothing = {"recall": None, "low": None, "n_truths": 0, "n_groups": 0}
    overall = found.pop("all", nothing)
    return {**overall, "precision": precision, "n_accepted": int(predicted.sum()), "strata": found}


def _recall_record(truths: pd.DataFrame, lowest: float | None, delta: float, likeness: float) -> dict[str, float | int]:
    curve = _curve(truths, delta, likeness)
    recall, low = curve.at(lowest)
    return {"recall": recall, "low": low, "n_truths": curve.n_truths, "n_groups": curve.n_groups}


def _described(objective: Objective) -> dict[str, Any]:
    described: dict[str, Any] = {"metric": objective.metric, "level": objective.level}
    if objective.metric == "precision":
        described |= {"target": objective.target}
    if objective.metric == "recall":
        described |= {"target": objective.target, "bound": objective.bound}
        described |= {"strata": list(objective.strata), "min_truths": objective.min_truths}
    return described
