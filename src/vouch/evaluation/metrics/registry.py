"""The rows as metrics want them: calibrated, decided, numbered."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from vouch.calibration.apply.calibrator import Calibrator, calibrated
from vouch.calibration.apply.probabilities import PROBABILITY, label_problems
from vouch.errors import DataError, Problem, refuse_any
from vouch.policies.apply.policy import Policy, decided
from vouch.policies.apply.rows import class_names


def judged(rows: pd.DataFrame, *, calibrator: Calibrator, policy: Policy, positive: str | None = None) -> pd.DataFrame:
    """Return the rows as metrics want them: calibrated, decided, numbered.

    Photographs of a classification that nobody labelled are left out. Added are what `calibrated` and `decided` add,
    and

    * `calibrated`: the calibrator was made for scores like this one;
    * `group_index`: place of the group in sorted order, from 0;
    * `first`: one row of each sample;
    * where `positive`, or else the policy, names a positive class: `positive` (it is there), `said_positive` (it was
      answered) and `positive_probability`.

    Raises
    ------
    DataError
        When no photograph of a classification is labelled, or a label or the positive class is none of its classes.
    """
    found = decided(policy, calibrated(calibrator, rows))
    return prepared(found, floor=calibrator.get("floor", 0.0), positive=positive or policy.get("positive"))


def prepared(rows: pd.DataFrame, *, floor: float, positive: str | None) -> pd.DataFrame:
    """Return calibrated and decided rows with the last columns of `judged`.

    Parameters
    ----------
    floor : float
        The raw score from which on the calibrator was fitted.
    positive : str, optional
        The class of which misses and false alarms are counted.
    """
    names = class_names(rows)
    if names:
        rows = _labelled(rows, names)
    found = rows.assign(
        calibrated=rows["class_pred"].notna() & (rows["score"].to_numpy(dtype=np.float64) >= floor),
        group_index=pd.factorize(rows["group"], sort=True)[0],
        first=~rows["sample_id"].duplicated(),
    )
    if positive is None:
        return found
    if positive not in names:
        remedy = "name a class that the model has probabilities of"
        raise DataError([Problem("positive class", f"one of {names}", positive, remedy)])
    return found.assign(
        positive=rows["class_true"].to_numpy(dtype=object) == positive,
        said_positive=rows["class_pred"].to_numpy(dtype=object) == positive,
        positive_probability=rows[PROBABILITY + positive],
    )


def _labelled(rows: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    refuse_any(DataError, label_problems(rows, names))
    found = rows[rows["class_true"].notna().to_numpy(dtype=bool)]
    if found.empty:
        raise DataError([Problem("class_true", "labelled photographs", "none", "label photographs of this split")])
    return found
