"""The exit policies of a classifier, applied: who is answered by the system alone, and with which set of classes.

threshold  exits where the calibrated largest probability (`confidence`) reaches `threshold`
gate       exits where the calibrated `gate` does
scrc       selects where `score` reaches `lam1`, answers {c : p_c >= 1 - lam2}, exits where that is one class

Serving imports this module, so it needs numpy and pandas alone.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vouch.errors import DataError, refuse_any
from vouch.policies.apply.rows import class_names, probabilities, row_problems

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

DIGITS = 9  # decimals of a selection score: nearer ones may be equal on another machine, so only the jitter parts them
JITTER = 10**12  # steps of the jitter, as many as policy.json has decimals
SLACK = 1e-12  # a probability may miss its set by float noise


def exits(policy: Mapping[str, Any], rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with `selected`, `accept`, `prediction_set` and `set_size` by a threshold, gate or scrc policy.

    Parameters
    ----------
    policy : dict
        Valid, of one of these kinds. An infeasible one selects nothing.
    rows : table
        Calibrated: `class_pred`, `probability_<class>`, the policy's score, and `sample_id` where scrc breaks a tie.

    Returns
    -------
    table
        `selected` bool. `prediction_set` text: its classes joined by "|", "" for none; every class where the row is not
        selected, because nothing is promised there. `set_size` float64. `accept` bool: selected, with one class.

    Raises
    ------
    DataError
        Listing missing columns, scores that are no numbers in [0, 1] and probabilities that do not sum to one.
    """
    score = score_column(policy)
    refuse_any(DataError, row_problems(rows, score))
    if policy["kind"] == "scrc":
        chosen, members = _scrc(policy, rows, score)
    else:
        chosen, members = _threshold(policy, rows, score)
    members = members | ~chosen[:, None]
    size = members.sum(axis=1)
    return rows.assign(
        selected=chosen,
        accept=chosen & (size == 1),
        prediction_set=_joined(members, class_names(rows)),
        set_size=size.astype(np.float64),
    )


def score_column(policy: Mapping[str, Any]) -> str:
    """Return the column that a policy sweeps or selects by."""
    return str(policy["score"]) if policy["kind"] == "scrc" else SCORE_OF[policy["kind"]]


SCORE_OF = {"threshold": "confidence", "gate": "gate"}


def _threshold(policy: Mapping[str, Any], rows: pd.DataFrame, score: str) -> tuple[BoolArray, BoolArray]:
    answer = rows["class_pred"].to_numpy(dtype=object)[:, None] == np.array(class_names(rows), dtype=object)[None, :]
    if not policy["feasible"]:
        return np.zeros(len(rows), dtype=bool), answer
    return rows[score].to_numpy(dtype=np.float64) >= policy["threshold"], answer


def _scrc(policy: Mapping[str, Any], rows: pd.DataFrame, score: str) -> tuple[BoolArray, BoolArray]:
    if not policy["feasible"]:
        return np.zeros(len(rows), dtype=bool), np.ones((len(rows), len(class_names(rows))), dtype=bool)
    chosen = selected(
        rows[score].to_numpy(dtype=np.float64),
        rows["sample_id"],
        lam1=policy["lam1"],
        tie=policy["tie"],
        seed=policy["jitter_seed"],
    )
    return chosen, in_set(probabilities(rows), policy["lam2"])


def selected(score: FloatArray, sample_id: "pd.Series[str]", *, lam1: float, tie: float, seed: int) -> BoolArray:
    """Return which rows lie above lam1, or on it with a jitter of at least `tie`."""
    level = np.round(score, DIGITS)
    chosen = level > lam1
    level_with = np.flatnonzero(level == lam1)
    chosen[level_with] = jitter(sample_id.iloc[level_with], seed) >= tie
    return chosen


def jitter(sample_id: "pd.Series[str]", seed: int) -> FloatArray:
    """Return a number in [0, 1) for each sample, from its name and the seed alone.

    It knows neither label nor score, and a fresh row draws its own the same way: what exchangeability asks.
    """
    digests = [blake2b(f"{seed}:{name}".encode(), digest_size=8).digest() for name in sample_id]
    return np.array([int.from_bytes(digest, "big") % JITTER for digest in digests], dtype=np.float64) / JITTER


def in_set(probability: FloatArray, lam2: float) -> BoolArray:
    """Return which classes each set holds, shape (n, classes): {c : p_c >= 1 - lam2}."""
    return probability >= 1 - lam2 - SLACK


def _joined(members: BoolArray, names: list[str]) -> npt.NDArray[np.object_]:
    kinds, kind_of = np.unique(members, axis=0, return_inverse=True)
    joined = ["|".join(name for name, inside in zip(names, kind, strict=True) if inside) for kind in kinds]
    return np.array(joined, dtype=object)[kind_of.reshape(-1)]
