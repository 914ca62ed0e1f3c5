"""What a policy that keeps its promise may still be: of little use. Warnings, with the figures of val_calib."""

from collections.abc import Mapping
from typing import Any

LEAST_ANSWERED = 0.1  # of photographs: below it nine of ten go to a person, and the system saves none of the work
LEAST_NAMED = 0.5  # of known crops: below it more stay unknown than bear a name
LEAST_RECALL = 0.5  # of a class's objects: below it more are missed than found, so somebody looks at all photographs
LEAST_PRECISION = 0.5  # of what is accepted of a class: below it more is wrong than right, so somebody looks at all


def of_little_use(policy: Mapping[str, Any]) -> list[str]:
    """Return in what a feasible policy is of little use, as val_calib shows it; what is infeasible says so itself.

    Parameters
    ----------
    policy : mapping
        As policy.json holds it. `coverage` of its evidence is of an exit policy, `known_accept_rate` of an open-set
        one; a detector has evidence by class.
    """
    evidence = policy["evidence"] or {}  # written for readers: a policy may carry none
    if "thresholds" not in policy:
        return _of_exits(evidence) if policy["feasible"] else []
    named = {name: one for name, one in evidence.items() if name not in (policy["infeasible"] or {})}
    return [said for name, one in named.items() for said in _of_class(name, one)]


def _of_exits(evidence: Mapping[str, Any]) -> list[str]:
    named = evidence.get("known_accept_rate")
    if named is not None and named < LEAST_NAMED:
        return [
            f"it names {named:.3f} of the known crops of val_calib, less than {LEAST_NAMED:g}: more stay unknown than "
            "bear a name"
        ]
    answered = evidence.get("coverage")
    if answered is None or answered >= LEAST_ANSWERED:
        return []
    return [
        f"it answers {answered:.3f} of the photographs of val_calib, less than {LEAST_ANSWERED:g}: nearly all go to a "
        "person"
    ]


def _of_class(name: str, evidence: Mapping[str, Any]) -> list[str]:
    found, right, said = evidence.get("recall"), evidence.get("precision"), []
    if found is not None and found < LEAST_RECALL:
        said.append(
            f"{name}: recall on val_calib is {found:.3f}, less than {LEAST_RECALL:g}: more are missed than found"
        )
    if right is not None and right < LEAST_PRECISION:
        said.append(
            f"{name}: precision on val_calib is {right:.3f}, less than {LEAST_PRECISION:g}: more is accepted "
            "wrongly than rightly"
        )
    return said
