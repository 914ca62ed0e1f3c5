"""The threshold and gate policies: the loosest threshold of one score whose exits are certified."""

from typing import Any, Literal

import numpy as np
import pandas as pd

from vouch.errors import DataError, refuse_any
from vouch.policies.apply.kinds import FORMS
from vouch.policies.apply.policy import Policy
from vouch.policies.apply.rows import evidence_problems, row_problems
from vouch.policies.fit.candidate_thresholds import grid
from vouch.policies.fit.params import Exits
from vouch.policies.fit.risk_test import answer_correlation, cases_of, described, judge, loosest, shortfall, walk


class Threshold(Exits):
    """One threshold on the calibrated largest probability."""

    kind: Literal["threshold"]


class Gate(Exits):
    """One threshold on the calibrated gate."""

    kind: Literal["gate"]


def fit_sweep(rows: pd.DataFrame, asked: Threshold | Gate) -> Policy:
    """Return the policy that answers most rows and is certified to keep the risk.

    Parameters
    ----------
    rows : table
        Calibrated: `sample_id`, `group`, `class_true` (null: not labelled, left out), `class_pred`,
        `probability_<class>` and the score of the kind.
    asked : Threshold or Gate
        What is swept: `confidence`, or `gate`.

    Returns
    -------
    dict
        policy.json. Where no threshold is certified it is infeasible, says why, and abstains on everything.

    Raises
    ------
    DataError
        Listing missing columns, bad probabilities, unknown classes, and rows of one class only.
    """
    score = FORMS[asked.kind].score
    refuse_any(DataError, row_problems(rows, score) or evidence_problems(rows, asked.positive))
    labelled = rows[rows["class_true"].notna()]
    level = labelled[score].to_numpy(dtype=np.float64)
    thresholds = grid(level, steps=asked.steps)
    cases = cases_of(labelled, asked.positive)
    findings = list(walk(cases, (level >= threshold for threshold in thresholds), asked, delta=asked.delta_each))
    best = loosest(findings)
    nobody = judge(cases, np.zeros(len(labelled), dtype=bool), asked, delta=asked.delta_each)
    finding, exits = (nobody, 0) if best is None else (findings[best], int(np.sum(level >= thresholds[best])))
    return {
        "kind": asked.kind,
        **verdict({} if best is not None else {"*": shortfall(findings, asked, delta=asked.delta_each)}, "certified"),
        "alpha": asked.alpha,
        "delta": asked.delta,
        "objective": objective(asked),
        "intraclass_correlation": answer_correlation(labelled, asked.intraclass_floor),
        "positive": asked.positive,
        "threshold": None if best is None else float(thresholds[best]),
        "evidence": described(finding, asked, n=len(labelled), exits=exits),
    }


def verdict(infeasible: dict[str, str], guarantee: str) -> dict[str, Any]:
    """Return whether a policy is feasible, why not, and what it guarantees."""
    return {
        "feasible": not infeasible,
        "infeasible": infeasible,
        "guarantee": "none" if infeasible else guarantee,
    }


def objective(asked: Exits) -> dict[str, Any]:
    """Return what a policy was asked for."""
    metric = "selective_error" if asked.positive is None else "fnr_on_exits"
    return {"metric": metric, "unit": asked.unit, "steps": asked.steps, "walks": asked.walks}
