"""What a trivial bundle says: it looks at no photograph, and any model must beat it."""

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt
from numpy import float64

Contents = dict[str, Any]  # name of a bundle's JSON file, without its ending, to what it holds

UNDECIDED = {
    "feasible": False,
    "guarantee": "none",
    "objective": None,
    "evidence": {},
    "intraclass_correlation": 1.0,  # nothing is known of it
}
LOOKS_AT_NOTHING = {"infeasible": {"*": "a trivial baseline looks at nothing"}, "alpha": 0.5, "delta": 0.5}
AS_SAID = {"kind": "scalar", "floor": 0.0, "global": {"method": "identity"}, "classes": {}}
DIGITS = 6  # decimals of a share


def finds_nothing(classes: Sequence[str]) -> Contents:
    """Return the files of a detector that finds nothing."""
    policy = UNDECIDED | {
        "kind": "operating_point",
        "infeasible": dict.fromkeys(classes, "a trivial baseline finds nothing"),
        "thresholds": dict.fromkeys(classes),
        "alpha": None,
        "delta": None,
    }
    return {"labels": {"classes": [*classes]}, "calibrator": AS_SAID, "policy": policy}


def says_the_prior(classes: Sequence[str], counts: npt.NDArray[float64]) -> Contents:
    """Return the files of a classifier that says of every photograph how often each class is.

    Parameters
    ----------
    counts : float64 array, shape (classes,)
        Photographs of train; a class that it lacks is not impossible, so each has one more.
    """
    shares = (counts + 1) / (counts + 1).sum()
    policy = UNDECIDED | LOOKS_AT_NOTHING | {"kind": "threshold", "positive": None, "threshold": None}
    calibrator = {"kind": "multiclass", "classes": [*classes], "map": {"method": "identity"}, "gate": None}
    prior = {"prior": [round(float(share), DIGITS) for share in shares]}
    return {"labels": {"classes": [*classes]}, "calibrator": calibrator, "policy": policy, "prior": prior}


def names_nothing(products: Sequence[str]) -> Contents:
    """Return the files of an embedder that names none of these products."""
    decided = {"kind": "open_set", "rule": "thresholds", "similarity": None, "margin": None}
    policy = UNDECIDED | LOOKS_AT_NOTHING | decided
    return {"labels": {"classes": [*products]}, "calibrator": AS_SAID, "policy": policy}
