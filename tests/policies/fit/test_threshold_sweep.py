import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from policies.asked import changed, gate, threshold
from policies.toy_rows import binary, world
from vouch.errors import DataError
from vouch.policies.apply.policy import decided, validate_policy
from vouch.policies.fit.threshold_sweep import Threshold, fit_sweep

RISK, GATE = threshold(steps=40), gate(steps=40)


def easy(n: int = 800) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    positive = generator.beta(0.4, 0.4, n)
    return binary(positive, generator.random(n) < positive, np.arange(n), gate=generator.random(n))


def by_hand(rows: pd.DataFrame, score: str, risk: Threshold) -> float | None:
    """Walk the rules one by one, strict to loose, over the same shares; return the score of the last row that exits."""
    falling = rows.sort_values(score, ascending=False)
    best = None
    for step in range(1, risk.steps + 1):
        exiting = falling.iloc[: int(np.ceil(len(rows) * step / risk.steps))]
        cases = exiting if risk.positive is None else exiting[exiting["class_true"] == risk.positive]
        misses = (cases["class_true"] != cases["class_pred"]).sum()
        if (1 - risk.alpha) ** len(cases) > risk.delta:
            continue
        if binom.cdf(misses, len(cases), risk.alpha) > risk.delta:
            break
        best = float(exiting[score].iloc[-1])
    return best


@pytest.mark.parametrize("positive", ["work", "free", None])
def test_the_threshold_is_that_of_the_walk_by_hand(positive: str | None) -> None:
    rows, risk = easy(), changed(RISK, positive=positive)
    policy = fit_sweep(rows, risk)
    last = by_hand(rows, "confidence", risk)
    assert last is not None
    exits = rows["confidence"] >= policy["threshold"]
    assert rows.loc[exits, "confidence"].min() == last
    assert (policy["feasible"], policy["guarantee"], policy["infeasible"]) == (True, "certified", {})
    evidence, right = policy["evidence"], rows["class_true"] == rows["class_pred"]
    cases = exits if positive is None else exits & (rows["class_true"] == positive)
    assert evidence["exits"] == exits.sum()
    assert evidence["coverage"] == pytest.approx(exits.mean())
    assert evidence["positives"] == (None if positive is None else cases.sum())
    assert evidence["misses"] == (cases & ~right).sum()
    assert evidence["groups"] == cases.sum()
    assert evidence["bound"] == evidence["bound_rows"] <= 0.05
    validate_policy(json.loads(json.dumps(policy)))


def test_the_gate_is_swept_by_its_own_column() -> None:
    rows = easy()
    right = rows["class_true"] == rows["class_pred"]
    rows["gate"] = np.where(right, 0.5 + rows["gate"] / 2, rows["gate"] / 2)  # knows every mistake
    policy = fit_sweep(rows, GATE)
    assert policy["kind"] == "gate"
    assert policy["evidence"]["exits"] > fit_sweep(rows, RISK)["evidence"]["exits"]
    assert decided(policy, rows)["accept"].tolist() == (rows["gate"] >= policy["threshold"]).tolist()
    with pytest.raises(DataError, match="rows: gate"):
        fit_sweep(rows.drop(columns="gate"), GATE)


def test_rows_that_resemble_their_group_are_answered_less_often() -> None:
    rows, _ = world(np.random.default_rng(0), 300, 8, 0.5)
    by_row = fit_sweep(rows, RISK)["evidence"]
    by_group = fit_sweep(rows, changed(RISK, unit="group"))["evidence"]
    assert by_group["exits"] < by_row["exits"]
    assert by_group["bound"] == by_group["bound_groups"] > by_group["bound_rows"]
    assert by_row["bound"] == by_row["bound_rows"] < by_row["bound_groups"]


@pytest.mark.parametrize("kind", ["threshold", "gate"])
def test_where_nothing_is_certified_the_policy_abstains_and_says_why(kind: str) -> None:
    few = easy(100)
    wrong = easy().assign(class_true=lambda rows: np.where(rows.index % 2 == 0, "work", "free"))
    for rows, word in ((few, "even without a miss 59 exits of work are needed"), (wrong, "misses of the")):
        policy = fit_sweep(rows, {"threshold": RISK, "gate": GATE}[kind])
        assert (policy["feasible"], policy["guarantee"], policy["threshold"]) == (False, "none", None)
        assert word in policy["infeasible"]["*"]
        assert policy["evidence"]["exits"] == 0
        validate_policy(json.loads(json.dumps(policy)))
        found = decided(policy, rows)
        assert not found["accept"].any()
        assert set(found["prediction_set"]) == {"free|work"}


def test_rows_without_a_label_say_nothing() -> None:
    rows = easy()
    more = pd.concat([rows, rows.assign(class_true=None, sample_id=rows["sample_id"] + "b")], ignore_index=True)
    assert fit_sweep(more, RISK) == fit_sweep(rows, RISK)


def test_the_order_of_rows_does_not_matter() -> None:
    rows, _ = world(np.random.default_rng(1), 300, 5, 0.3)
    mixed = rows.sample(frac=1, random_state=0)
    risk = changed(RISK, unit="group")
    assert fit_sweep(mixed, risk) == fit_sweep(rows, risk)


def test_float_noise_never_decides() -> None:
    rows = easy()
    rows["confidence"] = np.round(rows["confidence"], 2)
    policy = fit_sweep(rows, RISK)
    noise = np.random.default_rng(0).uniform(-2e-10, 2e-10, len(rows))
    moved = decided(policy, rows.assign(confidence=np.clip(rows["confidence"] + noise, 0, 1)))
    assert moved["accept"].tolist() == decided(policy, rows)["accept"].tolist()


def test_an_unknown_class_or_one_class_alone_or_no_label_is_refused() -> None:
    rows = easy()
    with pytest.raises(DataError, match=r"decide\.positive.*'free', 'work'.*got cone"):
        fit_sweep(rows, changed(RISK, positive="cone"))
    with pytest.raises(DataError, match="work alone"):
        fit_sweep(rows.assign(class_true="work"), RISK)
    with pytest.raises(DataError, match="no labelled row"):
        fit_sweep(rows.assign(class_true=None), RISK)


def test_every_bad_row_is_listed_before_anything_is_used() -> None:
    rows = easy()
    rows.loc[3, "class_true"] = "cone"
    rows.loc[4, "group"] = None
    rows.loc[5, "class_true"] = "barrier"
    with pytest.raises(DataError) as refused:
        fit_sweep(rows, RISK)
    assert [problem.where for problem in refused.value.problems] == [
        "row 3: class_true",
        "row 4: group",
        "row 5: class_true",
    ]
