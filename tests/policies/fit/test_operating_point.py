import json

import numpy as np
import pandas as pd
import pytest

from policies.asked import operating_point
from vouch.errors import DataError
from vouch.policies.apply.kinds import accept
from vouch.policies.apply.policy import Policy, validate_policy
from vouch.policies.fit.operating_point import OperatingPoint, fit_operating_point

VALUE = operating_point("recall", target=0.75)


def rows(*entries: tuple[str | None, str | None, float], stream: str = "cabin") -> tuple[pd.DataFrame, np.ndarray]:
    """Build rows from (class_true, class_pred, confidence), each in a group of its own."""
    table = pd.DataFrame(entries, columns=["class_true", "class_pred", "score"]).astype(
        {"class_true": object, "class_pred": object}
    )
    table["correct"] = [true is not None and true == pred for true, pred, _ in entries]
    table["group"] = [f"{stream}{index}" for index in range(len(table))]
    table["stratum_stream"] = stream
    return table, table["score"].to_numpy()


def fit(table: pd.DataFrame, confidence: np.ndarray, asked: OperatingPoint) -> Policy:
    return fit_operating_point(table.assign(confidence=confidence), asked)


PHONES = (
    ("phone", "phone", 0.9),
    ("phone", "phone", 0.8),
    (None, "phone", 0.7),
    ("phone", "phone", 0.6),
    (None, "phone", 0.5),
    ("phone", None, 0.0),
)


def test_the_highest_threshold_that_reaches_the_recall_lies_midway_to_the_next_confidence() -> None:
    policy = fit(*rows(*PHONES), VALUE)
    # 3 of 4 truths are needed: down to .6; the next confidence is the false alarm's .5
    assert policy["thresholds"] == {"phone": pytest.approx(0.55)}
    assert policy["feasible"] is True
    assert policy["guarantee"] == "none"
    assert policy["infeasible"] == {}
    assert policy["alpha"] == pytest.approx(0.25)
    evidence = policy["evidence"]["phone"]
    assert evidence["recall"] == pytest.approx(0.75)
    assert evidence["precision"] == pytest.approx(0.75)
    assert (evidence["n_truths"], evidence["n_groups"], evidence["n_accepted"]) == (4, 4, 4)
    validate_policy(json.loads(json.dumps(policy)))


def test_float_noise_never_decides() -> None:
    table, confidence = rows(*PHONES, ("phone", "phone", 0.9 - 3e-16), (None, "phone", 0.6 - 1e-12))
    policy = fit(table, confidence, VALUE)
    noise = np.random.default_rng(0).uniform(-2e-10, 2e-10, len(confidence))
    accepted = accept(policy["thresholds"], confidence, table["class_pred"])
    assert (accept(policy["thresholds"], np.clip(confidence + noise, 0, 1), table["class_pred"]) == accepted).all()


def test_a_target_out_of_reach_keeps_every_right_detection_and_says_why() -> None:
    table, confidence = rows(*PHONES)
    policy = fit(table, confidence, operating_point("recall", target=0.9))
    assert policy["feasible"] is False
    assert "misses them at any threshold" in policy["infeasible"]["phone"]
    assert "0.7500" in policy["infeasible"]["phone"]
    assert policy["thresholds"]["phone"] == pytest.approx(0.55)  # between the least sure hit, .6, and a false alarm, .5
    assert accept(policy["thresholds"], confidence, table["class_pred"]).sum() == 4


def test_a_class_that_is_never_right_abstains() -> None:
    table, confidence = rows((None, "phone", 0.9), ("phone", None, 0.0))
    policy = fit(table, confidence, operating_point("recall", target=0.9))
    assert policy["thresholds"]["phone"] is None
    assert not accept(policy["thresholds"], confidence, table["class_pred"]).any()


def test_a_class_never_true_or_never_predicted_has_no_threshold_and_makes_the_policy_infeasible() -> None:
    table, confidence = rows(*PHONES, (None, "ghost", 0.99), ("cone", None, 0.0))
    policy = fit(table, confidence, VALUE)
    assert policy["thresholds"]["ghost"] is None
    assert policy["thresholds"]["cone"] is None
    assert policy["thresholds"]["phone"] == pytest.approx(0.55)
    assert sorted(policy["infeasible"]) == ["cone", "ghost"]
    assert policy["feasible"] is False
    assert policy["evidence"]["ghost"] == {
        "recall": None,
        "low": None,
        "n_truths": 0,
        "n_groups": 0,
        "precision": None,
        "n_accepted": 0,
        "strata": {},
    }
    assert not accept(policy["thresholds"], np.ones(1), ["ghost"]).any()


@pytest.mark.parametrize("level", ["class", "all"])
@pytest.mark.parametrize("metric", ["recall", "precision", "f1"])
def test_nothing_seen_at_all_is_infeasible_not_a_crash(level: str, metric: str) -> None:
    table, confidence = rows((None, None, 0.0))
    policy = fit(table, confidence, operating_point(metric, level, strata=("stream",), target=0.9, bound="low"))
    assert policy["feasible"] is False
    assert policy["thresholds"] == {}
    assert policy["infeasible"]
    validate_policy(policy)


def test_every_stratum_with_enough_truths_must_reach_the_target() -> None:
    cabin, of_cabin = rows(*[("phone", "phone", 0.9)] * 8)
    rear, of_rear = rows(("phone", "phone", 0.4), ("phone", "phone", 0.3), ("phone", "phone", 0.2), stream="rear")
    front, of_front = rows(("phone", None, 0.0), stream="front")  # one truth, missed: too few to say anything
    table = pd.concat([cabin, rear, front], ignore_index=True)
    confidence = np.concatenate([of_cabin, of_rear, of_front])
    overall = operating_point("recall", min_truths=2, target=0.6)
    assert fit(table, confidence, overall)["thresholds"]["phone"] == pytest.approx(0.65)
    each = operating_point("recall", strata=("stream",), min_truths=2, target=0.6)
    policy = fit(table, confidence, each)
    assert policy["thresholds"]["phone"] == pytest.approx(0.25)  # 2 of rear's 3 are needed
    strata = policy["evidence"]["phone"]["strata"]
    assert sorted(strata) == ["stream=cabin", "stream=rear"]
    assert strata["stream=rear"]["recall"] == pytest.approx(2 / 3)
    one = operating_point("recall", strata=("stream",), target=0.6)
    policy = fit(table, confidence, one)
    assert "stream=front: recall 0.0000" in policy["infeasible"]["phone"]


def test_the_lower_bound_is_stricter_on_the_model_than_the_value_and_certifies() -> None:
    entries = [("phone", "phone", 0.2 + 0.7 * index / 400) for index in range(400)]
    table, confidence = rows(*entries)
    value = fit(table, confidence, operating_point("recall", target=0.95))
    low = fit(table, confidence, operating_point("recall", target=0.95, bound="low"))
    assert low["thresholds"]["phone"] < value["thresholds"]["phone"]
    assert low["guarantee"] == "certified"
    assert low["evidence"]["phone"]["low"] >= 0.95
    assert value["guarantee"] == "none"
    # .95 ** 59 <= .05: alpha .05, delta .05 needs 59 rows without a miss; 50 are not enough
    few = fit(*rows(*entries[:50]), operating_point("recall", target=0.95, bound="low"))
    assert few["feasible"] is False
    assert few["guarantee"] == "none"
    enough = fit(*rows(*entries[:59]), operating_point("recall", target=0.95, bound="low"))
    assert enough["feasible"] is True


def test_level_all_takes_one_threshold_for_every_class() -> None:
    table, confidence = rows(*PHONES, ("cone", "cone", 0.3), ("cone", "cone", 0.2))
    policy = fit(table, confidence, operating_point("recall", "all", target=0.6))
    # 4 of 6 truths: .9 .8 .6 .3; the next lower confidence is .2
    assert policy["thresholds"] == {"cone": pytest.approx(0.25), "phone": pytest.approx(0.25)}


def test_the_lowest_threshold_that_keeps_the_precision_lies_below_it() -> None:
    policy = fit(*rows(*PHONES), operating_point("precision", target=0.75))
    # .9 .8 right, .7 wrong, .6 right: 3 of 4; with .5, wrong, it is 3 of 5
    assert policy["thresholds"] == {"phone": pytest.approx(0.55)}
    assert policy["feasible"] is True
    assert policy["guarantee"] == "none"
    strict = fit(*rows(*PHONES), operating_point("precision", target=0.8))
    assert strict["thresholds"] == {"phone": pytest.approx(0.75)}


def test_a_precision_equals_a_slow_search_over_classes_together() -> None:
    rng = np.random.default_rng(3)
    entries = [("can" if rng.random() < sure else None, "can", float(sure)) for sure in rng.random(150)]
    entries += [("cup" if rng.random() < sure else None, "cup", float(sure)) for sure in rng.random(150)]
    table, confidence = rows(*entries)
    policy = fit(table, confidence, operating_point("precision", "all", target=0.7))
    assert policy["thresholds"]["can"] == policy["thresholds"]["cup"]
    right = table["correct"].to_numpy()
    lowest = min(level for level in confidence if right[confidence >= level].mean() >= 0.7)
    assert (accept(policy["thresholds"], confidence, table["class_pred"]) == (confidence >= lowest)).all()


def test_a_precision_out_of_reach_abstains_and_says_why() -> None:
    policy = fit(*rows((None, "phone", 0.9), ("phone", "phone", 0.4)), operating_point("precision", target=0.9))
    assert policy["thresholds"] == {"phone": None}
    assert "the highest is 0.5" in policy["infeasible"]["phone"]


def test_f1_equals_a_slow_search() -> None:
    generator = np.random.default_rng(1)
    confidence = np.round(generator.random(300), 2)
    entries = []
    for value in confidence:
        right = generator.random() < value
        entries.append(("phone" if right else None, "phone", float(value)))
    table, confidence = rows(*entries, *[("phone", None, 0.0)] * 20)
    policy = fit(table, confidence, operating_point("f1"))
    truths = (table["class_true"] == "phone").sum()

    def f1(threshold: float) -> float:
        kept = table["class_pred"].notna() & (confidence >= threshold)
        return float(2 * (kept & table["correct"]).sum() / (truths + kept.sum()))

    chosen = policy["thresholds"]["phone"]
    assert f1(chosen) == pytest.approx(max(f1(value) for value in np.arange(0, 1.01, 0.005)))
    assert policy["guarantee"] == "none"
    assert policy["alpha"] is None


def test_f1_without_one_right_detection_is_infeasible() -> None:
    policy = fit(*rows((None, "phone", 0.9), ("phone", None, 0.0)), operating_point("f1"))
    assert policy["thresholds"]["phone"] is None
    assert policy["infeasible"]["phone"] == "no detection of it is right"


def test_a_stratum_that_the_rows_do_not_carry_is_refused() -> None:
    with pytest.raises(DataError, match=r"weather.*expected one of stream"):
        fit(*rows(*PHONES), operating_point("recall", strata=("weather",), target=0.9))


def test_the_order_of_rows_does_not_matter() -> None:
    table, confidence = rows(*PHONES, ("cone", "cone", 0.3), ("cone", "cone", 0.2))
    mixed = table.sample(frac=1, random_state=0)
    first = fit(table, confidence, VALUE)
    assert fit(mixed, mixed["score"].to_numpy(), VALUE) == first
