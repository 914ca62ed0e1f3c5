"""What a policy.json must be before it decides: exactly one policy, of a known kind, with usable values."""

from collections.abc import Callable, Mapping
from typing import Any

from vouch.errors import BundleError, Problem, refuse_any

GUARANTEES = ("none", "marginal", "pac", "certified")
SCORES = ("confidence", "gate")
VARIANTS = ("rank", "dkw", "clopper_pearson")
FOR_READERS = ("objective", "evidence", "infeasible")
SHARED = ("kind", "feasible", "guarantee", "alpha", "delta", *FOR_READERS, "intraclass_correlation")
KEYS = {  # what each kind has beside the shared keys
    "operating_point": ("thresholds",),
    "threshold": ("positive", "threshold"),
    "gate": ("positive", "threshold"),
    "scrc": ("positive", "score", "variant", "xi", "lam1", "tie", "lam2", "jitter_seed"),
}
FOUND = {"threshold": ("threshold",), "gate": ("threshold",), "scrc": ("xi", "lam1", "tie", "lam2")}  # if feasible

REMEDY = "run decide again"


def validate_policy(policy: object) -> None:
    """Return when this is exactly one policy of a known kind with usable values.

    Raises
    ------
    BundleError
        Listing an unknown kind, keys of another policy, missing keys and values out of range.
    """
    kind = policy.get("kind") if isinstance(policy, Mapping) else None
    if not isinstance(policy, Mapping) or not isinstance(kind, str) or kind not in KEYS:
        got = repr(policy.get("kind") if isinstance(policy, Mapping) else policy)[:80]
        raise BundleError([Problem("policy.json: kind", f"one of {sorted(KEYS)}", got, REMEDY)])
    refuse_any(BundleError, _key_problems(policy) or _value_problems(policy))


def _key_problems(policy: Mapping[str, Any]) -> list[Problem]:
    expected = {*SHARED, *KEYS[policy["kind"]]}
    where = "policy.json"
    problems = [
        Problem(f"{where}: {key}", "no key of another policy", repr(policy[key])[:80], "keep exactly one policy")
        for key in set(policy) - expected
    ]
    return problems + [Problem(f"{where}: {key}", "a value", "nothing", REMEDY) for key in expected - set(policy)]


def _value_problems(policy: Mapping[str, Any]) -> list[Problem]:
    problems = [
        *_unless(isinstance(policy["feasible"], bool), policy, "feasible", "true or false"),
        *_unless(policy["guarantee"] in GUARANTEES, policy, "guarantee", f"one of {GUARANTEES}"),
        *_unless(_is_share(policy["intraclass_correlation"]), policy, "intraclass_correlation", "a number in [0, 1]"),
    ]
    for key in FOR_READERS:
        problems += _unless(policy[key] is None or isinstance(policy[key], Mapping), policy, key, "null or a mapping")
    reasons = policy["infeasible"]
    if isinstance(reasons, Mapping) and not all(isinstance(reason, str) for reason in reasons.values()):
        problems.append(Problem("policy.json: infeasible", "reasons in words", repr(reasons)[:80], REMEDY))
    if policy["kind"] == "operating_point":
        for key in ("alpha", "delta"):
            problems += _unless(policy[key] is None or _is_risk(policy[key]), policy, key, "null or between 0 and 1")
        return problems + _threshold_problems(policy["thresholds"])
    problems += _exit_problems(policy)
    return problems + (_scrc_problems(policy) if policy["kind"] == "scrc" else [])


def _unless(valid: bool, policy: Mapping[str, Any], key: str, expected: str) -> list[Problem]:
    return [] if valid else [Problem(f"policy.json: {key}", expected, repr(policy[key])[:80], REMEDY)]


def _exit_problems(policy: Mapping[str, Any]) -> list[Problem]:
    problems = []
    for key in ("alpha", "delta"):
        problems += _unless(_is_risk(policy[key]), policy, key, "a number between 0 and 1")
    named = policy["positive"] is None or (isinstance(policy["positive"], str) and policy["positive"] != "")
    problems += _unless(named, policy, "positive", "null or a class")
    expected, valid = _if_feasible(policy["feasible"])
    for key in FOUND[policy["kind"]]:
        problems += _unless(valid(policy[key]), policy, key, expected)
    return problems


def _if_feasible(feasible: object) -> tuple[str, Callable[[object], bool]]:
    """Return what a threshold must be, in words and as a test."""
    if feasible is False:
        return "null, as nothing is accepted", lambda value: value is None
    return "a number in [0, 1]", _is_share


def _scrc_problems(policy: Mapping[str, Any]) -> list[Problem]:
    seed = policy["jitter_seed"]
    whole = isinstance(seed, int) and not isinstance(seed, bool) and seed >= 0
    return [
        *_unless(policy["score"] in SCORES, policy, "score", f"one of {SCORES}"),
        *_unless(policy["variant"] in VARIANTS, policy, "variant", f"one of {VARIANTS}"),
        *_unless(whole, policy, "jitter_seed", "a whole number from 0"),
    ]


def _threshold_problems(thresholds: object) -> list[Problem]:
    where = "policy.json: thresholds"
    if not isinstance(thresholds, Mapping):
        return [Problem(where, "a threshold for each class", repr(thresholds)[:80], REMEDY)]
    return [
        Problem(f"{where}.{name}", "null or a number in [0, 1]", repr(level)[:80], REMEDY)
        for name, level in thresholds.items()
        if level is not None and not _is_share(level)
    ]


def _is_risk(value: object) -> bool:
    return _is_share(value) and value not in (0, 1)


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
