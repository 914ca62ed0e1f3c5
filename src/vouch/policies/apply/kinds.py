"""The kinds of policy: what each says in policy.json, and which predictions it accepts.

operating_point  one threshold on calibrated confidence for each class of a detector
threshold        a classifier's exits: where the calibrated largest probability (`confidence`) reaches `threshold`
gate             where the calibrated `gate` does
scrc             selects where `score` reaches `lam1`, answers {c : p_c >= 1 - lam2}, exits where that is one class
open_set         a crop bears the name of its nearest product, by one of the rules of `open_set`, or is unknown

An exit is a photograph that the system answers alone. Serving imports this module, so it needs numpy and pandas alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vouch.errors import DataError, refuse_any
from vouch.policies.apply import checks, open_set
from vouch.policies.apply.checks import Check
from vouch.policies.apply.rows import class_names, probabilities, row_problems
from vouch.tasks import Task

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
Policy = Mapping[str, Any]
Decision = Callable[[Policy, pd.DataFrame], pd.DataFrame]
Rule = Callable[[Policy, pd.DataFrame], tuple[BoolArray, BoolArray]]  # selected (n,), and the sets (n, classes)

DIGITS = 9  # decimals of a selection score: nearer ones may be equal on another machine, so only the jitter parts them
JITTER = 10**12  # steps of the jitter, as many as policy.json has decimals
SLACK = 1e-12  # a probability may miss its set by float noise


@dataclass(frozen=True)
class Form:
    """What policy.json says of one kind, and how it decides; of a kind with rules, what each rule adds or replaces."""

    task: Task
    keys: Mapping[str, Check]  # beside those of every kind
    score: str  # the column that decides, or the key of policy.json that names it
    limit: str  # the key with what that column must reach: a number, or one for each class
    decide: Decision  # adds `accept` to rows that carry what it reads
    rules: Mapping[str, "Form"] = field(default_factory=dict)  # by `rule` of policy.json


def form_of(policy: Policy) -> Form:
    """Return the form of a policy's kind, or of its rule where the kind has several; the rule must be known."""
    form = FORMS[policy["kind"]]
    return form.rules[policy["rule"]] if form.rules else form


def score_column(policy: Policy) -> str:
    """Return the column that a policy decides by."""
    score = form_of(policy).score
    named = policy.get(score)
    return named if isinstance(named, str) else score


def accept(thresholds: Mapping[str, float | None], confidence: npt.ArrayLike, class_pred: npt.ArrayLike) -> BoolArray:
    """Return which detections reach the threshold of their class; every other one is an abstention.

    Parameters
    ----------
    thresholds : mapping
        Of each class, in [0, 1]; null, or a class that is absent: nothing of it is accepted.
    confidence : float64 array, shape (n,), in [0, 1]
        Calibrated.
    class_pred : object array, shape (n,)
        Predicted classes; null is never accepted.

    Returns
    -------
    bool array, shape (n,)
    """
    codes, names = pd.factorize(np.asarray(class_pred, dtype=object))
    # A class that was never decided on, and a null class (code -1), meet a threshold that nothing reaches.
    levels = [thresholds.get(name) for name in names]
    limits = np.array([np.inf if level is None else level for level in levels] + [np.inf])
    accepted: BoolArray = np.asarray(confidence, dtype=np.float64) >= limits[codes]
    return accepted


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


def _by_class(policy: Policy, rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(accept=accept(policy["thresholds"], rows["confidence"], rows["class_pred"]))


def _exits(policy: Policy, rows: pd.DataFrame, *, rule: Rule) -> pd.DataFrame:
    """Return the rows with `selected`, `accept`, `prediction_set` and `set_size`.

    Where a row is not selected the set is every class, because nothing is promised there. `accept`: selected, with a
    set of one class.
    """
    refuse_any(DataError, row_problems(rows, score_column(policy)))
    chosen, members = rule(policy, rows)
    members = members | ~chosen[:, None]
    size = members.sum(axis=1)
    return rows.assign(
        selected=chosen,
        accept=chosen & (size == 1),
        prediction_set=_joined(members, class_names(rows)),
        set_size=size.astype(np.float64),
    )


def _threshold(policy: Policy, rows: pd.DataFrame) -> tuple[BoolArray, BoolArray]:
    answer = rows["class_pred"].to_numpy(dtype=object)[:, None] == np.array(class_names(rows), dtype=object)[None, :]
    if not policy["feasible"]:
        return np.zeros(len(rows), dtype=bool), answer
    return rows[score_column(policy)].to_numpy(dtype=np.float64) >= policy["threshold"], answer


def _scrc(policy: Policy, rows: pd.DataFrame) -> tuple[BoolArray, BoolArray]:
    if not policy["feasible"]:
        return np.zeros(len(rows), dtype=bool), np.ones((len(rows), len(class_names(rows))), dtype=bool)
    chosen = selected(
        rows[score_column(policy)].to_numpy(dtype=np.float64),
        rows["sample_id"],
        lam1=policy["lam1"],
        tie=policy["tie"],
        seed=policy["jitter_seed"],
    )
    return chosen, in_set(probabilities(rows), policy["lam2"])


def _joined(members: BoolArray, names: list[str]) -> npt.NDArray[np.object_]:
    kinds, kind_of = np.unique(members, axis=0, return_inverse=True)
    joined = ["|".join(name for name, inside in zip(names, kind, strict=True) if inside) for kind in kinds]
    return np.array(joined, dtype=object)[kind_of.reshape(-1)]


def _by_rule(policy: Policy, rows: pd.DataFrame) -> pd.DataFrame:
    return form_of(policy).decide(policy, rows)


OPEN_SET: Mapping[str, Check] = {
    "alpha": checks.risk,
    "delta": checks.risk,
    "rule": checks.one_of("thresholds", "p_value"),
}
EXITS = {"alpha": checks.risk, "delta": checks.risk, "positive": checks.class_or_null}
FORMS = {
    "operating_point": Form(
        task="detect",
        keys={"alpha": checks.risk_or_null, "delta": checks.risk_or_null, "thresholds": checks.thresholds},
        score="confidence",
        limit="thresholds",
        decide=_by_class,
    ),
    "threshold": Form(
        task="classify",
        keys={**EXITS, "threshold": checks.share_if_feasible},
        score="confidence",
        limit="threshold",
        decide=partial(_exits, rule=_threshold),
    ),
    "gate": Form(
        task="classify",
        keys={**EXITS, "threshold": checks.share_if_feasible},
        score="gate",
        limit="threshold",
        decide=partial(_exits, rule=_threshold),
    ),
    "scrc": Form(
        task="classify",
        keys={
            **EXITS,
            "score": checks.one_of("confidence", "gate"),
            "variant": checks.one_of("rank", "dkw", "clopper_pearson"),
            **dict.fromkeys(("xi", "lam1", "tie", "lam2"), checks.share_if_feasible),
            "jitter_seed": checks.whole_number,
        },
        score="score",
        limit="lam1",
        decide=partial(_exits, rule=_scrc),
    ),
    "open_set": Form(
        task="identify",
        keys=OPEN_SET,
        score="similarity",
        limit="similarity",
        decide=_by_rule,
        rules={
            "thresholds": Form(
                task="identify",
                keys={**OPEN_SET, **open_set.THRESHOLDS},
                score="similarity",
                limit="similarity",
                decide=open_set.named_by_thresholds,
            ),
            "p_value": Form(
                task="identify",
                keys={**OPEN_SET, **open_set.P_VALUES},
                score=open_set.P_VALUE,
                limit="p",
                decide=open_set.named_by_p_value,
            ),
        },
    ),
}
