"""The policy of the kind that models.M.decide asks for."""

from typing import assert_never

import pandas as pd

from vouch.policies.apply.policy import Policy
from vouch.policies.fit.operating_point import fit_operating_point
from vouch.policies.fit.params import Gate, OperatingPoint, Scrc, Threshold
from vouch.policies.fit.scrc import fit_scrc
from vouch.policies.fit.threshold_sweep import fit_sweep


def fit_policy(rows: pd.DataFrame, asked: OperatingPoint | Threshold | Gate | Scrc) -> Policy:
    """Return the policy of the kind asked for, fitted on calibrated rows.

    Each of `walks` has an equal part of delta, so that all together keep it (Bonferroni); policy.json names delta and
    the number of walks.

    Raises
    ------
    DataError
        Listing what the rows lack for it.
    """
    match asked:
        case OperatingPoint():
            return fit_operating_point(rows, asked)
        case Threshold() | Gate():
            return fit_sweep(rows, asked)
        case Scrc():
            return fit_scrc(rows, asked)
        case _:
            assert_never(asked)
