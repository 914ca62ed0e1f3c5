"""The open-set policy, fixed on val_calib: as many known crops named rightly as unknown products allow.

`unknown_risk` says which thresholds keep the share of unknown crops that bear a name below the limit; among those the
known crops choose. The promise is about fresh groups and unknown products like those of val_calib, all together. Six
products are no sample of all others: what is accepted of each stands in the evidence, and val_test holds others to
judge by.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vouch.errors import DataError, Problem, refuse_any, so_many
from vouch.evaluation.metrics.shares import effective_rows
from vouch.policies.apply.open_set import p_values, row_problems
from vouch.policies.apply.policy import Policy
from vouch.policies.fit.group_correlation import hit_correlation, miss_correlation
from vouch.policies.fit.unknown_risk import Crops, OpenSet, Pair, loosest, shortfall, upper_bound

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

NAMED_OTHERWISE = -1.0  # stands for the similarity to its own product, which no row has, of a crop named otherwise


def fit_open_set(rows: pd.DataFrame, asked: OpenSet) -> Policy:
    """Return the open-set policy of a model.

    Parameters
    ----------
    rows : table
        Crops of val_calib: `group`, `class_true` (null: the gallery does not know the product), `class_pred` (null: the
        gallery is empty), `correct`, `similarity`, `margin`; and where it is there `product`, by which the evidence
        tells unknown ones apart.
    asked : OpenSet

    Returns
    -------
    dict
        policy.json, with the keys of its rule alone. Where no thresholds keep the risk it is infeasible, says why, and
        names nothing.

    Raises
    ------
    DataError
        When there is no unknown crop (known ones alone say nothing of what is unknown) or no known one; and listing
        missing columns, values out of range and rows without a group.
    """
    refuse_any(DataError, row_problems(rows) + _evidence_problems(rows))
    calibration = calibrated_products(rows) if asked.rule == "p_value" else {}
    crops = _crops(rows, calibration, asked)
    pairs = [pair for margin in asked.margins_tried if (pair := loosest(crops, margin, asked)) is not None]
    best = max(pairs, key=lambda pair: (pair.correct, -pair.unknown, -pair.margin), default=None)
    accepted = np.zeros(len(rows), dtype=bool) if best is None else crops.accepted(best.level, best.margin)
    why = "" if best is not None else shortfall(crops, asked)
    return {
        "kind": asked.kind,
        "feasible": not why,
        "infeasible": {"*": why} if why else {},
        "guarantee": "certified" if asked.bound == "high" and not why else "none",
        "alpha": asked.max_unknown_accept,
        "delta": asked.delta,
        "objective": _objective(asked),
        "intraclass_correlation": _alike(rows, crops, accepted, asked.intraclass_floor),
        "rule": asked.rule,
        **_limits(crops, best, calibration, asked),
        "evidence": _evidence(rows, crops, accepted, asked),
    }


def calibrated_products(rows: pd.DataFrame) -> dict[str, list[float]]:
    """Return the calibration similarities of each product's known crops, rising; -1 of one that is named otherwise.

    Rows carry the similarity to the nearest product alone. A fresh crop named otherwise has no p-value of its own
    product either, so both sides are treated alike, as exchangeability asks.
    """
    known = rows[rows["class_true"].notna()]
    own = known["class_true"].to_numpy(dtype=object) == known["class_pred"].to_numpy(dtype=object)
    similarity = np.where(own, known["similarity"].to_numpy(dtype=np.float64), NAMED_OTHERWISE)
    parts = pd.Series(similarity).groupby(known["class_true"].to_numpy(dtype=object), sort=True)
    return {str(name): sorted(part.tolist()) for name, part in parts}


def _crops(rows: pd.DataFrame, calibration: Mapping[str, list[float]], asked: OpenSet) -> Crops:
    score, margin = (rows[column].to_numpy(dtype=np.float64) for column in ("similarity", "margin"))
    if asked.rule == "p_value":
        score, margin = p_values(calibration, score, rows["class_pred"]), np.zeros(len(rows))
    score = np.where(rows["class_pred"].notna().to_numpy(dtype=bool), score, -np.inf)  # nothing is said of nobody
    unknown = rows["class_true"].isna().to_numpy(dtype=bool)
    group = pd.factorize(rows["group"][unknown], sort=True)[0]
    limit = np.quantile(score[unknown], 1 - asked.max_unknown_accept, method="lower")
    correlation = max(asked.intraclass_floor, miss_correlation(group, score[unknown] > limit))
    return Crops(score, margin, rows["correct"].to_numpy(dtype=bool) & ~unknown, unknown, group, correlation)


def _limits(crops: Crops, best: Pair | None, calibration: Mapping[str, list[float]], asked: OpenSet) -> dict[str, Any]:
    """Return the keys of the rule."""
    level = None if best is None else best.level
    if asked.rule == "p_value":
        return {"p": level, "calibration": calibration}
    return {"similarity": level, "margin": None if best is None else best.margin}


def _objective(asked: OpenSet) -> dict[str, Any]:
    margins = {"margins": list(asked.margins)} if asked.rule == "thresholds" else {}
    return {
        "metric": "unknown_false_accept_rate",
        "target": asked.max_unknown_accept,
        "bound": asked.bound,
        "walks": asked.walks,
        "step": asked.step,
        **margins,
    }


def _alike(rows: pd.DataFrame, crops: Crops, accepted: BoolArray, floor: float) -> float:
    """Return how alike crops of a group are: known ones in being named rightly, unknown ones in being accepted."""
    known = ~crops.unknown
    judged = [(known, crops.correct), (known, crops.correct & accepted), (crops.unknown, accepted)]
    return max(floor, *(hit_correlation(rows["group"][of], hit[of]) for of, hit in judged))


def _evidence(rows: pd.DataFrame, crops: Crops, accepted: BoolArray, asked: OpenSet) -> dict[str, Any]:
    """Return what val_calib says of the policy."""
    known, sizes = ~crops.unknown, crops.sizes
    wrong = accepted & crops.unknown
    found = {
        "known": int(known.sum()),
        "known_accept_rate": float(accepted[known].mean()),
        "known_right": int((accepted & crops.correct).sum()),
        "unknown": int(crops.unknown.sum()),
        "unknown_groups": len(sizes),
        "unknown_effective": effective_rows(sizes, crops.correlation),
        "unknown_accepted": int(wrong.sum()),
        "unknown_accept_high": upper_bound(crops, accepted, asked.delta_each),
    }
    if "product" not in rows:
        return found
    parts = pd.Series(wrong[crops.unknown]).groupby(rows["product"][crops.unknown].to_numpy(dtype=object), sort=True)
    return {
        **found,
        "unknown_products": {str(name): {"n": len(one), "accepted": int(one.sum())} for name, one in parts},
    }


def _evidence_problems(rows: pd.DataFrame) -> list[Problem]:
    """List what else stands in the way of fixing thresholds."""
    needed = ("group", "class_true", "correct")
    absent = [column for column in needed if column not in rows]
    problems = [Problem(f"rows: {column}", "a column", "nothing", "run predict again") for column in absent]
    if absent:
        return problems
    ungrouped = int(rows["group"].isna().sum())
    if ungrouped:
        problems.append(Problem("rows: group", "a group for each", f"{ungrouped} without", "run predict again"))
    unknown = rows["class_true"].isna()
    remedy = "state products for val_calib that the gallery does not know"
    if not unknown.any():
        expected = "crops of products that the gallery does not know"
        problems.append(Problem("val_calib", expected, f"{so_many(len(rows), 'known crop')} alone", remedy))
    if unknown.all():
        expected = "crops of products that the gallery knows"
        problems.append(Problem("val_calib", expected, so_many(len(rows), "other"), "add photographs of them"))
    return problems
