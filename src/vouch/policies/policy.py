"""The policy of a model: exactly one rule that turns calibrated confidence into accept or not.

policy.json carries one `kind` and that kind's keys, no others, so two policies cannot hide in one file.
This module applies policies and needs numpy and pandas alone, because serving imports it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vouch.errors import BundleError, Problem, refuse_any

Policy = dict[str, Any]

GUARANTEES = ("none", "marginal", "pac", "certified")
SHARED = ("kind", "feasible", "guarantee", "alpha", "delta", "objective", "evidence", "infeasible")
KEYS = {"operating_point": ("thresholds",)}  # what each kind has beside the shared keys


def accept(policy: Policy, confidence: npt.ArrayLike, class_pred: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Return which predictions the policy accepts; every other one is an abstention.

    Parameters
    ----------
    policy : dict
        As policy.json stores it; its kind decides the rule.
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
        When the policy is not exactly one valid policy.
    """
    validate_policy(policy)
    return _accept_operating_point(policy["thresholds"], np.asarray(confidence, dtype=np.float64), class_pred)


def validate_policy(policy: object) -> None:
    """Return when this is exactly one policy of a known kind with usable values.

    Raises
    ------
    BundleError
        Listing an unknown kind, keys of another policy, missing keys and values out of range.
    """
    if not isinstance(policy, Mapping) or policy.get("kind") not in KEYS:
        got = repr(policy.get("kind") if isinstance(policy, Mapping) else policy)[:80]
        raise BundleError([Problem("policy.json: kind", f"one of {sorted(KEYS)}", got, _REMEDY)])
    refuse_any(BundleError, _key_problems(policy) or _value_problems(policy))


_REMEDY = "run decide again"


def _accept_operating_point(
    thresholds: Mapping[str, float | None], confidence: npt.NDArray[np.float64], class_pred: npt.ArrayLike
) -> npt.NDArray[np.bool_]:
    codes, names = pd.factorize(np.asarray(class_pred, dtype=object))
    # A class that was never decided on, and a null class (code -1), meet a threshold that nothing reaches.
    levels = [thresholds.get(name) for name in names]
    limits = np.array([np.inf if level is None else level for level in levels] + [np.inf])
    return confidence >= limits[codes]


def _key_problems(policy: Mapping[str, Any]) -> list[Problem]:
    expected = {*SHARED, *KEYS[policy["kind"]]}
    where = "policy.json"
    problems = [
        Problem(f"{where}: {key}", "no key of another policy", repr(policy[key])[:80], "keep exactly one policy")
        for key in set(policy) - expected
    ]
    return problems + [Problem(f"{where}: {key}", "a value", "nothing", _REMEDY) for key in expected - set(policy)]


def _value_problems(policy: Mapping[str, Any]) -> list[Problem]:
    problems = []
    if not isinstance(policy["feasible"], bool):
        problems.append(Problem("policy.json: feasible", "true or false", repr(policy["feasible"]), _REMEDY))
    if policy["guarantee"] not in GUARANTEES:
        problems.append(
            Problem("policy.json: guarantee", f"one of {GUARANTEES}", repr(policy["guarantee"])[:80], _REMEDY)
        )
    return problems + _threshold_problems(policy["thresholds"])


def _threshold_problems(thresholds: object) -> list[Problem]:
    where = "policy.json: thresholds"
    if not isinstance(thresholds, Mapping):
        return [Problem(where, "a threshold for each class", repr(thresholds)[:80], _REMEDY)]
    return [
        Problem(f"{where}.{name}", "null or a number in [0, 1]", repr(level)[:80], _REMEDY)
        for name, level in thresholds.items()
        if level is not None
        and not (isinstance(level, int | float) and not isinstance(level, bool) and 0 <= level <= 1)
    ]
