"""Choose and fit the calibrator of several classes: the method with the least grouped cross-validated log loss.

As in `scalar_selection` the loss is a proper score, never ECE. The penalty of matrix and Dirichlet scaling is chosen by
the same folds: of those within 0.0001 nats of the best one, the strongest.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from vouch.calibration.apply.calibrator import Calibrator, calibrated
from vouch.calibration.apply.multiclass import as_predicted, gate_score
from vouch.calibration.apply.multiclass_maps import apply_multiclass, n_parameters, parameters
from vouch.calibration.apply.probabilities import (
    IntArray,
    classes_of,
    labels,
    matrix,
    population_problems,
)
from vouch.calibration.apply.scalar_maps import FloatArray, Map
from vouch.calibration.fit.candidates import candidates
from vouch.calibration.fit.grouped_folds import grouped_folds
from vouch.calibration.fit.log_loss import log_loss_of_classes
from vouch.calibration.fit.multiclass_fits import FITS
from vouch.calibration.fit.params import Multiclass
from vouch.calibration.fit.scalar_fits import fit_platt
from vouch.calibration.fit.scalar_selection import TIE_NATS, best
from vouch.errors import DataError, refuse_any
from vouch.tables import GATE_LOGIT, LOGIT

Tell = Callable[[str], None]  # takes what is fitted now, for whoever waits


def silent(now: str) -> None:
    """Say nothing."""


def labelled(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that a calibrator may learn from: those with a label.

    Raises
    ------
    DataError
        Listing every logit that is NaN or infinite, every label that has no logit, every row without a group, and
        labels of one class only.
    """
    refuse_any(DataError, population_problems(rows, classes_of(rows)))
    return rows[rows["class_true"].notna().to_numpy(dtype=bool)].reset_index(drop=True)


def fit_multiclass(rows: pd.DataFrame, asked: Multiclass, *, tell: Tell = silent) -> Calibrator:
    """Return a calibrator with the map that was chosen, and Platt's map of the gate where rows have one.

    The gate learns whether the calibrated answer is right.

    Parameters
    ----------
    rows : table
        `logit_<class>`, `class_true`, `correct`, `group` and perhaps `gate_logit`, as `labelled` returns them.
    asked : Multiclass

    Returns
    -------
    dict
        `kind`, `classes`, `map`, `gate`, and for the reader `cross_validation` (log loss in nats by method),
        `candidates` (what the rows are worth, and the methods left out for it) and `population` (rows, groups and rows
        of each class). With one group alone, or rows that can teach no method, the map is the identity and carries a
        `reason`.
    """
    classes = classes_of(rows)
    curve, losses, tried = _fit_map(rows, classes, asked, tell)
    calibrator: Calibrator = {**as_predicted(classes), "map": curve, "gate": None}
    if GATE_LOGIT in rows:
        right = calibrated(calibrator, rows)["correct"].to_numpy(dtype=bool)
        calibrator["gate"] = fit_platt(gate_score(rows), right)
    by_class = {name: int((rows["class_true"] == name).sum()) for name in classes}
    counted = {"n_rows": len(rows), "n_groups": int(rows["group"].nunique()), "classes": by_class}
    return {**calibrator, "cross_validation": losses, "candidates": tried, "population": counted}


def out_of_fold(rows: pd.DataFrame, asked: Multiclass, *, tell: Tell = silent) -> pd.DataFrame:
    """Return the rows as calibrated by a calibrator that was chosen and fitted without the row's group.

    The figures to report on the split that the calibrator is fitted on, as in `scalar_selection.out_of_fold`.
    """
    folds = grouped_folds(rows["group"], asked.folds)
    if not folds:  # one group alone: nothing can be learned without it
        return calibrated(as_predicted(classes_of(rows)), rows)
    parts = []
    for number, held in enumerate(folds, 1):
        outer = partial(_told_within, tell, f"for the figures of fold {number} of {len(folds)}")
        parts.append(calibrated(fit_multiclass(rows[~held], asked, tell=outer), rows[held]))
    return pd.concat(parts).sort_index()


def cross_validate(
    logits: FloatArray,
    truth: IntArray,
    group: "pd.Series[Any]",
    methods: Sequence[str],
    *,
    folds: int,
    tell: Tell = silent,
) -> dict[str, FloatArray]:
    """Return for each method the log loss (nats a row) of each of its maps on rows whose groups it has not seen."""
    totals: dict[str, FloatArray] = {}
    held_out = grouped_folds(group, folds)
    for number, held in enumerate(held_out, 1):
        for method in methods:
            tell(f"{method} without fold {number} of {len(held_out)}")
            curves = FITS[method](logits[~held], truth[~held])
            losses = [log_loss_of_classes(apply_multiclass(curve, logits[held]), truth[held]) for curve in curves]
            totals[method] = totals.get(method, 0.0) + np.array(losses) * held.sum() / len(held)
    return totals


def simplest(losses: FloatArray) -> int:
    """Return the first place within 0.0001 nats of the least loss: a method's maps are in order, simplest first."""
    return int(np.flatnonzero(losses <= losses.min() + TIE_NATS)[0])


def _told_within(tell: Tell, outer: str, now: str) -> None:
    tell(f"{outer}: {now}")


def _fit_map(
    rows: pd.DataFrame, classes: Sequence[str], asked: Multiclass, tell: Tell
) -> tuple[Map, dict[str, float], dict[str, Any]]:
    if rows["group"].nunique() < 2:
        return {"method": "identity", "reason": f"{len(rows)} labelled rows in one group; 2 are needed"}, {}, {}
    tried = candidates(rows, asked.methods, n_parameters(len(classes)), asked)
    if not tried.methods:
        return {"method": "identity", "reason": tried.reason}, {}, tried.report
    logits, truth = matrix(rows, classes, LOGIT), labels(rows, classes)
    paths = cross_validate(logits, truth, rows["group"], tried.methods, folds=asked.folds, tell=tell)
    places = {method: simplest(losses) for method, losses in paths.items()}
    losses = {method: float(path[places[method]]) for method, path in paths.items()}
    chosen = best(losses, parameters(len(classes)))
    tell(f"{chosen} on all folds")
    return FITS[chosen](logits, truth)[places[chosen]], losses, tried.report
