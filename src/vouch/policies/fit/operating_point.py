"""The operating point: one threshold on calibrated confidence for each class, chosen on val_calib.

Thresholds lie midway between neighbouring confidences of the class (0 counts as one), so the last bit of a float never
decides; a class without any confidence has no threshold and is never accepted.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, assert_never

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field

from vouch.errors import DataError, Problem, refuse_any, so_many
from vouch.params import Section
from vouch.policies.apply.kinds import accept
from vouch.policies.apply.policy import Policy
from vouch.policies.fit.candidate_thresholds import below
from vouch.policies.fit.group_correlation import hit_correlation
from vouch.policies.fit.params import Correlation, Share, Walks
from vouch.policies.fit.recall_bound import RecallCurve, recall_curve
from vouch.tables import STRATUM, stratum_columns

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]


class Objective(Section):
    """What the thresholds of an operating point are for."""

    level: Literal["class", "all"]  # a threshold for each class, or one for all classes together
    delta: Share  # probability that a lower bound lies above the truth, each class on its own

    @property
    def delta_each(self) -> float:
        """The part of delta that one walk has."""
        return self.delta


class RecallObjective(Objective):
    """The highest thresholds that still reach a recall."""

    metric: Literal["recall"]
    target: Share
    bound: Literal["value", "low"]  # what reaches the target: the recall, or its lower bound
    walks: Walks

    @property
    def delta_each(self) -> float:
        """The part of delta that one walk has."""
        return self.delta / self.walks


class PrecisionObjective(Objective):
    """The lowest thresholds that still reach a precision: as much recall as it allows."""

    metric: Literal["precision"]
    target: Share


class F1Objective(Objective):
    """The thresholds with the largest F1."""

    metric: Literal["f1"]


class OperatingPoint(Section):
    """One threshold for each class of a detector."""

    kind: Literal["operating_point"]
    objective: Annotated[RecallObjective | PrecisionObjective | F1Objective, Field(discriminator="metric")]
    strata: tuple[str, ...]  # the target must also hold in each value of these, without their prefix
    min_truths: Annotated[int, Field(ge=1)]  # a stratum with fewer truths of a class says nothing about it
    intraclass_floor: Correlation


def fit_operating_point(rows: pd.DataFrame, asked: OperatingPoint) -> Policy:
    """Return the operating-point policy of a model.

    Parameters
    ----------
    rows : table
        The waist's columns: `group`, `stratum_*`, `class_true`, `class_pred`, `correct`; and `confidence`, calibrated,
        in [0, 1]. A class's truths are the rows with that `class_true`, misses included.
    asked : OperatingPoint

    Returns
    -------
    dict
        policy.json. `infeasible` says why, by class. Such a class keeps every right detection (its threshold lies below
        the least sure of them): what a detector never finds no threshold brings back, and lower ones only add false
        alarms. Where no truth of the class was seen, or no right detection, its threshold is null: it abstains.

    Raises
    ------
    DataError
        Listing every stratum that is asked for and that the rows do not carry.
    """
    refuse_any(DataError, _missing_strata(rows, asked.strata))
    classes = sorted({*rows["class_true"].dropna(), *rows["class_pred"].dropna()})
    planned = _correlation_at(rows, asked)
    policy = _policy(asked, *_thresholds(rows, classes, asked, planned)) | {"intraclass_correlation": planned}
    accepted = accept(policy["thresholds"], rows["confidence"], rows["class_pred"])
    correlation = _intraclass_correlation(rows, accepted, asked)
    evidence = {name: _evidence(rows, accepted, name, asked, correlation) for name in classes}
    return {**policy, "intraclass_correlation": correlation, "evidence": evidence}


def _thresholds(
    table: pd.DataFrame, classes: Sequence[str], asked: OperatingPoint, correlation: float
) -> tuple[dict[str, float | None], dict[str, str]]:
    """Return the threshold of each class, and why it is infeasible where it is; "*" where nothing was seen."""
    each = asked.objective.level == "class"
    parts = [(name,) for name in classes] if each else [tuple(classes)] if classes else []
    thresholds: dict[str, float | None] = {}
    infeasible = {} if classes else {"*": "no truth and no detection was seen"}
    for names in parts:
        threshold, reason = _threshold(table, names, asked, correlation)
        thresholds |= dict.fromkeys(names, threshold)
        infeasible |= dict.fromkeys(names, reason) if reason else {}
    return thresholds, infeasible


def _policy(asked: OperatingPoint, thresholds: dict[str, float | None], infeasible: dict[str, str]) -> Policy:
    """Return policy.json without what the thresholds do on these rows; only a recall is certified."""
    recall = asked.objective if isinstance(asked.objective, RecallObjective) else None
    certified = recall is not None and recall.bound == "low" and not infeasible
    return {
        "kind": asked.kind,
        "feasible": not infeasible,
        "infeasible": infeasible,
        "guarantee": "certified" if certified else "none",
        "alpha": None if recall is None else 1 - recall.target,
        "delta": None if recall is None else recall.delta,
        "objective": _described(asked),
        "thresholds": thresholds,
        "evidence": {},
    }


def _intraclass_correlation(table: pd.DataFrame, accepted: npt.NDArray[np.bool_], asked: OperatingPoint) -> float:
    """Return how alike the rows of a group are: the misses among truths or the false alarms among what is accepted."""
    right = table["correct"].to_numpy(dtype=bool) & accepted
    truths = table["class_true"].notna().to_numpy(dtype=bool)
    return max(
        asked.intraclass_floor,
        *(hit_correlation(table["group"][of], right[of]) for of in (truths, np.asarray(accepted, dtype=bool))),
    )


def _correlation_at(table: pd.DataFrame, asked: OperatingPoint) -> float:
    """Return the intraclass correlation of misses where just the target is found, all classes and strata together."""
    truths = table[table["class_true"].notna()]
    sure = np.where(truths["correct"].to_numpy(dtype=bool), truths["confidence"].to_numpy(dtype=np.float64), -1.0)
    if not len(sure):
        return asked.intraclass_floor
    target = 1.0 if isinstance(asked.objective, F1Objective) else asked.objective.target
    level = np.quantile(sure, 1 - target, method="lower")
    return max(asked.intraclass_floor, hit_correlation(truths["group"], (sure >= level) & (sure >= 0)))


def _missing_strata(rows: pd.DataFrame, strata: Sequence[str]) -> list[Problem]:
    carried = ", ".join(column.removeprefix(STRATUM) for column in stratum_columns(rows)) or "none"
    remedy = "name a stratum of the data set"
    missing = [name for name in strata if STRATUM + name not in rows.columns]
    return [Problem(f"decide.strata: {name}", f"one of {carried}", name, remedy) for name in missing]


def _threshold(
    table: pd.DataFrame, names: tuple[str, ...], asked: OperatingPoint, correlation: float
) -> tuple[float | None, str]:
    """Return the threshold of these classes together, and why it is infeasible, or an empty reason."""
    truths = table[table["class_true"].isin(names)]
    seen = np.unique(table.loc[table["class_pred"].isin(names), "confidence"])
    if truths.empty:
        return None, "no truth was seen, so nothing is known about its recall"
    if len(seen) == 0:
        return None, "the detector never names it"
    match asked.objective:
        case RecallObjective() as recall:
            return _recall_threshold(_strata(truths, asked), seen, recall, correlation)
        case PrecisionObjective() as precision:
            return _precision_threshold(table, names, seen, precision.target)
        case F1Objective():
            level = _best_f1(table, names, seen)
            return (below(level, seen), "") if level is not None else (None, "no detection of it is right")
        case _:
            assert_never(asked.objective)


def _recall_threshold(
    strata: Mapping[str, pd.DataFrame], seen: FloatArray, objective: RecallObjective, correlation: float
) -> tuple[float | None, str]:
    levels, failures = [], []
    for where, part in strata.items():
        curve = _curve(part, objective.delta_each, correlation)
        level = curve.strictest(objective.target, bound=objective.bound)
        if level is None:
            recall, low = curve.at(0.0)
            failures.append(
                f"{where}: recall {recall:.4f} (low {low:.4f}) of {so_many(len(part), 'truth')} with every detection"
            )
        else:
            levels.append(level)
    if not failures:
        return below(min(levels), seen), ""
    truths = strata["all"]
    right = truths.loc[truths["correct"], "confidence"]
    reason = f"the detector misses them at any threshold (target {objective.target}): {'; '.join(failures)}"
    return (below(float(right.min()), seen) if len(right) else None), reason


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


def _strata(truths: pd.DataFrame, asked: OperatingPoint) -> dict[str, pd.DataFrame]:
    """Return the truths altogether and in each stratum that has enough of them."""
    parts = {"all": truths}
    for name in asked.strata:
        for value, part in truths.groupby(STRATUM + name, sort=True):
            if len(part) >= asked.min_truths:
                parts[f"{name}={value}"] = part
    return parts


def _curve(truths: pd.DataFrame, delta: float, correlation: float) -> RecallCurve:
    hit = truths["correct"].to_numpy(dtype=bool)
    return recall_curve(truths["confidence"].to_numpy(), hit, truths["group"], correlation=correlation, delta=delta)


def _evidence(
    table: pd.DataFrame, accepted: npt.NDArray[np.bool_], name: str, asked: OperatingPoint, correlation: float
) -> Mapping[str, Any]:
    """Return what val_calib says about a class at its threshold; a share of nothing is null."""
    truths = (table["class_true"] == name).to_numpy(dtype=bool, na_value=False)
    predicted = (table["class_pred"] == name).to_numpy(dtype=bool, na_value=False) & accepted
    lowest = table["confidence"].to_numpy()[predicted].min() if predicted.any() else None
    strata = _strata(table[truths], asked) if truths.any() else {}
    found = {
        where: _recall_record(part, lowest, asked.objective.delta_each, correlation) for where, part in strata.items()
    }
    precision = float(table["correct"].to_numpy(dtype=bool)[predicted].mean()) if predicted.any() else None
    nothing = {"recall": None, "low": None, "n_truths": 0, "n_groups": 0}
    overall = found.pop("all", nothing)
    return {**overall, "precision": precision, "n_accepted": int(predicted.sum()), "strata": found}


def _recall_record(
    truths: pd.DataFrame, lowest: float | None, delta: float, correlation: float
) -> dict[str, float | int]:
    curve = _curve(truths, delta, correlation)
    recall, low = curve.at(lowest)
    return {"recall": recall, "low": low, "n_truths": curve.n_truths, "n_groups": curve.n_groups}


def _described(asked: OperatingPoint) -> dict[str, Any]:
    objective = asked.objective
    described: dict[str, Any] = objective.model_dump(exclude={"delta"})
    if isinstance(objective, RecallObjective):
        described |= {"strata": list(asked.strata), "min_truths": asked.min_truths}
    return described
