"""What the values of a policy.json must be, as checks that a kind of policy names for its keys."""

from collections.abc import Callable, Mapping
from typing import Any

from vouch.errors import Problem

Check = Callable[[Mapping[str, Any], str], list[Problem]]  # the problems of one key of a policy

REMEDY = "run decide again"


def must(be: str, valid: Callable[[Any], bool]) -> Check:
    """Return the check that a value is what these words say and this test finds."""

    def problems(policy: Mapping[str, Any], key: str) -> list[Problem]:
        return [] if valid(policy[key]) else [Problem(f"policy.json: {key}", be, repr(policy[key])[:80], REMEDY)]

    return problems


def one_of(*names: str) -> Check:
    """Return the check that a value is one of these names."""
    return must(f"one of {names}", lambda value: value in names)


def share_if_feasible(policy: Mapping[str, Any], key: str) -> list[Problem]:
    """List the problem of a number in [0, 1], which an infeasible policy lacks."""
    return (null if policy["feasible"] is False else share)(policy, key)


def thresholds(policy: Mapping[str, Any], key: str) -> list[Problem]:
    """List the problems of the thresholds of classes."""
    found, where = policy[key], f"policy.json: {key}"
    if not isinstance(found, Mapping):
        return [Problem(where, "a threshold for each class", repr(found)[:80], REMEDY)]
    return [
        Problem(f"{where}.{name}", "null or a number in [0, 1]", repr(level)[:80], REMEDY)
        for name, level in found.items()
        if level is not None and not _is_share(level)
    ]


def reasons(policy: Mapping[str, Any], key: str) -> list[Problem]:
    """List the problems of the reasons why something is out of reach."""
    found = policy[key]
    if isinstance(found, Mapping) and not all(isinstance(reason, str) for reason in found.values()):
        return [Problem(f"policy.json: {key}", "reasons in words", repr(found)[:80], REMEDY)]
    return for_readers(policy, key)


def is_within(value: object, low: float, high: float) -> bool:
    """Whether a value of JSON is a number in a range, its ends among them; no truth value is one."""
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _is_share(value: object) -> bool:
    return is_within(value, 0, 1)


def _is_risk(value: object) -> bool:
    return _is_share(value) and value not in (0, 1)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


true_or_false = must("true or false", lambda value: isinstance(value, bool))
null = must("null, as nothing is accepted", lambda value: value is None)
share = must("a number in [0, 1]", _is_share)
risk = must("a number between 0 and 1", _is_risk)
risk_or_null = must("null or between 0 and 1", lambda value: value is None or _is_risk(value))
whole_number = must("a whole number from 0", _is_whole)
class_or_null = must("null or a class", lambda value: value is None or (isinstance(value, str) and value != ""))
for_readers = must("null or a mapping", lambda value: value is None or isinstance(value, Mapping))
