"""The policy of a model: exactly one rule that turns calibrated rows into accept or not.

operating_point  one threshold on calibrated confidence for each class (detection)
threshold        one on the calibrated largest probability of a classifier
gate             one on its calibrated gate
scrc             selective conformal risk control: who is answered, and with how large a set of classes

policy.json carries one `kind` and that kind's keys, no others, so two policies cannot hide in one file.
This module applies policies and needs numpy and pandas alone, because serving imports it.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vouch.errors import BundleError, Problem
from vouch.policies.apply.selective import exits
from vouch.policies.apply.validity import REMEDY, validate_policy

__all__ = ["Policy", "accept", "decided", "validate_policy"]

Policy = dict[str, Any]


def decided(policy: Policy, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with `accept`, the policy's decision; whatever is not accepted is an abstention.

    Parameters
    ----------
    policy : dict
        As policy.json stores it; its kind decides the rule.
    rows : table
        Calibrated. Detection: `confidence`, `class_pred`. Classification: `selective.exits` says what, and adds
        `selected`, `prediction_set` and `set_size`.

    Returns
    -------
    table
        `accept` bool.

    Raises
    ------
    BundleError
        When the policy is not exactly one valid policy.
    DataError
        Listing what a classifier's rows lack, or carry that is no probability.
    """
    validate_policy(policy)
    if policy["kind"] == "operating_point":
        return rows.assign(accept=accept(policy, rows["confidence"], rows["class_pred"]))
    return exits(policy, rows)


def accept(policy: Policy, confidence: npt.ArrayLike, class_pred: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Return which predictions an operating point accepts; every other one is an abstention.

    Parameters
    ----------
    policy : dict
        As policy.json stores it, of kind operating_point.
    confidence : float64 array, shape (n,), in [0, 1]
        Calibrated.
    class_pred : object array, shape (n,)
        Predicted classes; null is never accepted.

    Returns
    -------
    bool array, shape (n,)

    Raises
    ------
    BundleError
        When the policy is not exactly one valid policy, or of another kind.
    """
    validate_policy(policy)
    if policy["kind"] != "operating_point":
        raise BundleError([Problem("policy.json: kind", "operating_point", policy["kind"], REMEDY)])
    codes, names = pd.factorize(np.asarray(class_pred, dtype=object))
    # A class that was never decided on, and a null class (code -1), meet a threshold that nothing reaches.
    levels = [policy["thresholds"].get(name) for name in names]
    limits = np.array([np.inf if level is None else level for level in levels] + [np.inf])
    accepted: npt.NDArray[np.bool_] = np.asarray(confidence, dtype=np.float64) >= limits[codes]
    return accepted
