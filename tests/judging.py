"""Rows through the three steps before metrics: calibrated, decided, numbered."""

from typing import Any

import pandas as pd

from vouch.calibration.apply.calibrator import calibrated, fitted_from
from vouch.evaluation.metrics.numbering import numbered
from vouch.policies.apply.policy import decided
from vouch.tasks import Task


def judged(rows: pd.DataFrame, *, task: Task, calibrator: dict[str, Any], policy: dict[str, Any]) -> pd.DataFrame:
    """Return the rows as evaluate has them."""
    found = decided(policy, calibrated(calibrator, rows))
    return numbered(found, task=task, floor=fitted_from(calibrator), positive=policy.get("positive"))
