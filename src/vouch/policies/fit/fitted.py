"""The policy of the kind that models.M.decide asks for."""

from typing import Annotated, assert_never

import pandas as pd
from pydantic import Field

from vouch.policies.apply.policy import Policy
from vouch.policies.fit.open_set import fit_open_set
from vouch.policies.fit.operating_point import OperatingPoint, fit_operating_point
from vouch.policies.fit.scrc import Scrc, fit_scrc
from vouch.policies.fit.threshold_sweep import Gate, Threshold, fit_sweep
from vouch.policies.fit.unknown_risk import OpenSet

Kind = Annotated[OperatingPoint | Threshold | Gate | Scrc | OpenSet, Field(discriminator="kind")]


def fit_policy(rows: pd.DataFrame, asked: Kind) -> Policy:
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
        case OpenSet():
            return fit_open_set(rows, asked)
        case _:
            assert_never(asked)
