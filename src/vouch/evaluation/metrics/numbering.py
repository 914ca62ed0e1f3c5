"""Calibrated and decided rows with what every metric counts by: the last step before they are judged."""

from collections.abc import Sequence
from typing import assert_never

import numpy as np
import pandas as pd

from vouch.calibration.apply.probabilities import label_problems
from vouch.errors import DataError, Problem, refuse_any
from vouch.policies.apply.rows import class_names
from vouch.tables import PROBABILITY
from vouch.tasks import Task


def limited(rows: pd.DataFrame, limit: int | None) -> pd.DataFrame:
    """Return rows with `limited`: whether as many detections of their photograph are there as were let through.

    Without a limit the rows come back as they are.
    """
    if limit is None:
        return rows
    detections = rows["class_pred"].notna().groupby(rows["sample_id"], sort=False).transform("sum")
    return rows.assign(limited=detections >= limit)


def numbered(rows: pd.DataFrame, *, task: Task, floor: float, positive: str | None) -> pd.DataFrame:
    """Return calibrated and decided rows with the columns `tables.NUMBERED`.

    Photographs of a classification that nobody labelled are left out.

    Parameters
    ----------
    floor : float
        The raw score from which on the calibrator was fitted: `calibrator.fitted_from`.
    positive : str, optional
        The class of which misses and false alarms are counted.

    Raises
    ------
    DataError
        When no photograph of a classification is labelled, or a label or the positive class is none of its classes.
    """
    match task:
        case "detect":
            classes: Sequence[str] = ()
        case "classify":
            classes = class_names(rows)
            rows = _labelled(rows, classes)
        case "identify":
            classes = ()
        case _:
            assert_never(task)
    found = rows.assign(
        **{"class": rows["class_true"].where(rows["class_true"].notna(), rows["class_pred"])},
        calibrated=_calibrated(rows, task, floor),
        group_index=pd.factorize(rows["group"], sort=True)[0],
        first=~rows["sample_id"].duplicated(),
    )
    return found if positive is None else _with_positive(found, positive, classes)


def _calibrated(rows: pd.DataFrame, task: Task, floor: float) -> "pd.Series[bool]":
    """Return which rows the calibrator was fitted for: of crops those of known products, as val_select has no other."""
    said: pd.Series[bool] = rows["class_pred"].notna() & (rows["score"].to_numpy(dtype=np.float64) >= floor)
    return said & rows["class_true"].notna() if task == "identify" else said


def _labelled(rows: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    refuse_any(DataError, label_problems(rows, classes))
    found = rows[rows["class_true"].notna().to_numpy(dtype=bool)]
    if found.empty:
        raise DataError([Problem("class_true", "labelled photographs", "none", "label photographs of this split")])
    return found


def _with_positive(rows: pd.DataFrame, positive: str, classes: Sequence[str]) -> pd.DataFrame:
    if positive not in classes:
        remedy = "name a class that the model has probabilities of"
        raise DataError([Problem("positive class", f"one of {list(classes)}", positive, remedy)])
    return rows.assign(
        positive=rows["class_true"].to_numpy(dtype=object) == positive,
        said_positive=rows["class_pred"].to_numpy(dtype=object) == positive,
        positive_probability=rows[PROBABILITY + positive],
    )
