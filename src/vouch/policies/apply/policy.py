"""The policy of a model: exactly one rule that turns calibrated rows into accept or not.

policy.json carries one `kind` and that kind's keys (`kinds`), no others, so two policies cannot hide in one file.
This module applies policies and needs numpy and pandas alone, because serving imports it.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from vouch.errors import BundleError, Problem, refuse_any
from vouch.policies.apply import checks
from vouch.policies.apply.kinds import FORMS, form_of

Policy = dict[str, Any]

GUARANTEES = ("none", "marginal", "pac", "certified")
SHARED = {  # what every kind says
    "feasible": checks.true_or_false,
    "guarantee": checks.one_of(*GUARANTEES),
    "intraclass_correlation": checks.share,
    "objective": checks.for_readers,
    "evidence": checks.for_readers,
    "infeasible": checks.reasons,
}


def decided(policy: Policy, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with `accept`, the policy's decision; whatever is not accepted is an abstention.

    Parameters
    ----------
    policy : dict
        As policy.json stores it; its kind decides the rule. An infeasible one of a classifier accepts nothing.
    rows : table
        Calibrated. Detection: `confidence`, `class_pred`. Classification: `class_pred`, `probability_<class>`, the
        policy's score, and `sample_id`, by which scrc breaks a tie. Identification: `class_pred`, `similarity`,
        `margin`.

    Returns
    -------
    table
        `accept` bool. Classification: `selected` bool too; `prediction_set` text, its classes joined by "|", "" for
        none; `set_size` float64. Identification by p-values: `p_value` float64.

    Raises
    ------
    BundleError
        When the policy is not exactly one valid policy.
    DataError
        Listing what a classifier's rows lack, or carry that is no probability.
    """
    validate_policy(policy)
    return FORMS[policy["kind"]].decide(policy, rows)


def validate_policy(policy: object) -> None:
    """Return when this is exactly one policy of a known kind with usable values.

    Raises
    ------
    BundleError
        Listing an unknown kind, keys of another policy, missing keys and values out of range.
    """
    kind = policy.get("kind") if isinstance(policy, Mapping) else None
    if not isinstance(policy, Mapping) or not isinstance(kind, str) or kind not in FORMS:
        got = repr(policy.get("kind") if isinstance(policy, Mapping) else policy)[:80]
        raise BundleError([Problem("policy.json: kind", f"one of {sorted(FORMS)}", got, checks.REMEDY)])
    if FORMS[kind].rules:
        _refuse_unknown_rule(policy, FORMS[kind].rules)
    expected = {**SHARED, **form_of(policy).keys}
    wrong_keys = _key_problems(policy, {"kind", *expected})
    refuse_any(BundleError, wrong_keys or [problem for key in expected for problem in expected[key](policy, key)])


def _refuse_unknown_rule(policy: Mapping[str, Any], rules: Mapping[str, Any]) -> None:
    rule = policy.get("rule")
    if not isinstance(rule, str) or rule not in rules:
        problem = Problem("policy.json: rule", f"one of {sorted(rules)}", repr(rule)[:80], checks.REMEDY)
        raise BundleError([problem])


def _key_problems(policy: Mapping[str, Any], expected: set[str]) -> list[Problem]:
    problems = [
        Problem(f"policy.json: {key}", "no key of another policy", repr(policy[key])[:80], "keep exactly one policy")
        for key in sorted(set(policy) - expected)
    ]
    missing = sorted(expected - set(policy))
    return problems + [Problem(f"policy.json: {key}", "a value", "nothing", checks.REMEDY) for key in missing]
