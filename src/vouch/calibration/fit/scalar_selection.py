"""Choose and fit the calibrator: for each class the method with the least grouped cross-validated log loss.

The choice is by log loss, a proper score, never by ECE, which a map can lower by saying less.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from vouch.calibration.apply.calibrator import Calibrator, confidence, score_problems
from vouch.calibration.apply.scalar_maps import PARAMETERS, FloatArray, Map, apply_map
from vouch.calibration.fit.candidates import STEPS, candidates
from vouch.calibration.fit.grouped_folds import grouped_folds
from vouch.calibration.fit.log_loss import log_loss
from vouch.calibration.fit.params import Scalar
from vouch.calibration.fit.scalar_fits import FITS, BoolArray
from vouch.errors import DataError, Problem, refuse_any, so_many

LEARNT = {**PARAMETERS, "isotonic": STEPS}
TIE_NATS = 0.0001  # log losses this near are equal, the simpler map wins: far below any change worth acting on


def population(rows: pd.DataFrame, *, floor: float) -> pd.DataFrame:
    """Return the rows that a calibrator may learn from: something was predicted, with a score at or above the floor.

    Raises
    ------
    DataError
        Listing every row whose score is NaN or outside [0, 1], and every row without a group.
    """
    score = rows["score"].to_numpy(dtype=np.float64)
    ungrouped = np.flatnonzero(rows["group"].isna().to_numpy())
    problems = [Problem(f"row {row}: group", "a group", "nothing", "run predict again") for row in ungrouped]
    refuse_any(DataError, score_problems(score) + problems)
    return rows[rows["class_pred"].notna().to_numpy() & (score >= floor)].reset_index(drop=True)


def fit_calibrator(rows: pd.DataFrame, asked: Scalar) -> Calibrator:
    """Return a calibrator with a map for each class that has enough rows and groups, and a global one for the rest.

    Parameters
    ----------
    rows : table
        `score`, `correct`, `class_pred`, `group`, as `population` returns them.
    asked : Scalar

    Returns
    -------
    dict
        `kind`, `floor`, `global`, `classes`, and for the reader `cross_validation` (log loss in nats by method),
        `candidates` (what the rows are worth, and the methods left out for it) and `population` (rows, groups, right
        ones, and the map that is used). With too few rows altogether the global map is the identity and carries a
        `reason`.
    """
    shared, losses, tried = _fit_one(rows, asked)
    calibrator: Calibrator = {"kind": "scalar", "floor": asked.floor, "global": shared, "classes": {}}
    validation: dict[str, Any] = {"global": losses, "classes": {}}
    reports: dict[str, Any] = {"global": tried, "classes": {}}
    counted: dict[str, Any] = {"global": _count(rows), "classes": {}}
    for name, of_class in rows.groupby("class_pred", sort=True):
        own = shortage(of_class, asked) is None
        counted["classes"][name] = {**_count(of_class), "map": "own" if own else "global"}
        if own:
            fitted = _fit_one(of_class, asked)
            calibrator["classes"][name], validation["classes"][name], reports["classes"][name] = fitted
    return {**calibrator, "cross_validation": validation, "candidates": reports, "population": counted}


def out_of_fold(rows: pd.DataFrame, asked: Scalar) -> FloatArray:
    """Return for each row the confidence of a calibrator that was chosen and fitted without the row's group.

    These are the figures to report on the split that the calibrator is fitted on: the choice of methods is made again
    inside each fold, so neither coefficients nor choice have seen the row.

    Returns
    -------
    float64 array, shape (n,), in [0, 1]
    """
    score, class_pred = _scores(rows), rows["class_pred"].to_numpy(dtype=object)
    calibrated = score.copy()  # one group alone: nothing can be learned without it
    for held in grouped_folds(rows["group"], asked.folds):
        calibrator = fit_calibrator(rows[~held], asked)
        calibrated[held] = confidence(calibrator, score[held], class_pred[held])
    return calibrated


def cross_validate(rows: pd.DataFrame, methods: Sequence[str], *, folds: int) -> dict[str, float]:
    """Return the log loss (nats a row) of each method on rows whose groups it has not seen."""
    score, correct = _scores(rows), _right(rows)
    held_out = {method: np.zeros(len(rows)) for method in methods}
    for held in grouped_folds(rows["group"], folds):
        for method in methods:
            curve = FITS[method](score[~held], correct[~held])
            held_out[method][held] = apply_map(curve, score[held])
    return {method: log_loss(calibrated, correct) for method, calibrated in held_out.items()}


def best(losses: Mapping[str, float], parameters: Mapping[str, int] = PARAMETERS) -> str:
    """Return the method with the least loss; among those within 0.0001 nats of it the one with fewest parameters."""
    least = min(losses.values())
    return min((method for method in losses if losses[method] <= least + TIE_NATS), key=lambda name: parameters[name])


def _fit_one(rows: pd.DataFrame, asked: Scalar) -> tuple[Map, dict[str, float], dict[str, Any]]:
    reason = shortage(rows, asked)
    if reason is not None:
        return {"method": "identity", "reason": reason}, {}, {}
    tried = candidates(rows, asked.methods, LEARNT, asked)
    if not tried.methods:
        return {"method": "identity", "reason": tried.reason}, {}, tried.report
    losses = cross_validate(rows, tried.methods, folds=asked.folds)
    return FITS[best(losses)](_scores(rows), _right(rows)), losses, tried.report


def shortage(rows: pd.DataFrame, asked: Scalar) -> str | None:
    """Say why these rows cannot carry a map of their own; two groups are the least that folds of groups can divide.

    Parameters
    ----------
    rows : table
        One for each prediction, with its `group`.
    """
    groups, needed = rows["group"].nunique(), max(asked.min_groups, 2)
    if len(rows) >= asked.min_rows and groups >= needed:
        return None
    return f"{so_many(len(rows), 'prediction')} in {so_many(groups, 'group')}; {asked.min_rows} in {needed} are needed"


def _count(rows: pd.DataFrame) -> dict[str, int]:
    return {"n_rows": len(rows), "n_groups": int(rows["group"].nunique()), "n_correct": int(_right(rows).sum())}


def _scores(rows: pd.DataFrame) -> FloatArray:
    return rows["score"].to_numpy(dtype=np.float64)


def _right(rows: pd.DataFrame) -> BoolArray:
    return rows["correct"].to_numpy(dtype=bool)
