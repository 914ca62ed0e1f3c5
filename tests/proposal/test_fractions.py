import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from made_folders import PRESETS
from vouch.errors import DataError
from vouch.proposal.fractions import LIMITS, certifiable, certifies, divided, in_several, rules
from vouch.tasks import TASKS


def data(sizes, *, boxes_each=1):
    """A data set of groups of these sizes, with as many boxes on each photograph."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    ids = [f"p{n:05}" for n in range(len(group))]
    samples = pd.DataFrame({"sample_id": ids, "label": None, "group_drive": [f"d{g:04}" for g in group]})
    samples = samples.astype({"sample_id": "str", "label": "str", "group_drive": "str"})
    boxes = pd.DataFrame({"sample_id": np.repeat(ids, boxes_each), "class_name": "cone"}).astype("str")
    return samples, boxes


def shares_of(sizes, **fields):
    return divided(*data(sizes, **fields), groups=len(sizes), meanings={}, unknown_products={})


def test_many_groups_are_shared_out_as_usual():
    shares = shares_of([3] * 200)
    assert tuple(shares.fractions.values()) == (0.6, 0.1, 0.15, 0.15)
    assert shares.groups == {"train": 120, "val_select": 20, "val_calib": 30, "val_test": 30}
    assert shares.photographs["train"] == 360


@pytest.mark.parametrize("sizes", [[5] * 4, [262, 153, 77, 64, 44, 22], [5] * 12, [100, *[5] * 25]])
def test_of_few_groups_each_split_has_one_and_val_test_most_of_what_train_can_spare(sizes):
    shares = shares_of(sizes)
    assert min(shares.groups.values()) >= 1
    assert sum(shares.groups.values()) == len(sizes)
    assert sum(shares.fractions.values()) == pytest.approx(1)
    assert shares.groups["val_test"] >= max(shares.groups["val_select"], shares.groups["val_calib"])
    if len(sizes) > 4:
        assert shares.photographs["train"] >= 0.5 * sum(sizes)
        assert shares.groups["val_test"] >= 2


def test_a_division_is_said_with_groups_and_photographs_of_each_split():
    said = shares_of([7, 1, 1, 1]).described()
    assert said == (
        "groups by split: train 1 (7 photographs), val_select 1 (1 photograph), val_calib 1 (1 photograph), "
        "val_test 1 (1 photograph), before near-duplicates join some"
    )


def test_fewer_groups_than_splits_cannot_be_divided():
    with pytest.raises(DataError):
        shares_of([5, 5, 5])


def test_rules_judge_a_value_where_groups_are_few_and_say_why():
    samples, boxes = data([5] * 12)
    shares = divided(samples, boxes, groups=12, meanings={}, unknown_products={})
    judged, said = rules("detect", shares, boxes)
    least = shares.groups["val_test"]
    assert judged["recall"] == judged["calibration"] == {"bound": "value", "min_groups": least}
    assert set(judged) == {"recall", "precision", "calibration", "not_worse"}
    assert said[0].startswith(f"val_test has {least} groups; from fewer than 20")
    assert said[1].startswith("judged by their intervals these could never pass on val_test as it is: recall >= 0.9 (")


def test_rules_judge_the_worst_end_where_it_can_be_reached():
    samples, boxes = data([1] * 400)
    judged, said = rules("classify", divided(samples, boxes, groups=400, meanings={}, unknown_products={}), boxes)
    assert judged == {name: {"bound": "worst", "min_groups": 20} for name in ("accuracy", "calibration", "not_worse")}
    assert said == []


def test_a_rule_that_a_perfect_model_could_not_pass_judges_the_value():
    samples, boxes = data([1] * 140)  # 21 in val_test: Clopper-Pearson from 21 of 21 begins at .025^(1/21) = .839
    judged, said = rules("classify", divided(samples, boxes, groups=140, meanings={}, unknown_products={}), boxes)
    assert judged["accuracy"] == {"bound": "value", "min_groups": 20}
    assert judged["calibration"]["bound"] == "worst"
    assert said == [
        "judged by their intervals these could never pass on val_test as it is: accuracy >= 0.9 (a "
        "perfect model's interval begins at 0.84)"
    ]


@pytest.mark.parametrize("alpha", [0.02, 0.05, 0.1, 0.2])
@pytest.mark.parametrize("misses", [0, 2, 5])
def test_of_groups_of_one_the_binomial_test_says_how_many_certify(alpha, misses):
    least = next(n for n in range(1, 2000) if binom.cdf(misses, n, alpha) <= 0.05)
    assert certifies(np.ones(least, np.intp), alpha, misses=misses)
    assert not certifies(np.ones(least - 1, np.intp), alpha, misses=misses)


def test_alpha_is_the_smallest_that_bears_two_wrong_answers():
    policy, why, certain = certifiable(shares_of([1] * 2000))  # 300 in val_calib; 127 answers: .05 wants 124
    assert (policy, certain) == ({"alpha": 0.05, "positive": None, "steps": 2}, True)
    assert why.startswith("127 answers of val_calib, half of what is asked for, in 127 groups, certify 0.05 of wrong")
    assert binom.cdf(2, 127, 0.05) <= 0.05 < binom.cdf(3, 127, 0.05)
    assert "with up to 2 wrong" in why
    assert certifiable(shares_of([1] * 800))[0]["alpha"] == 0.2  # 51 answers: .1 wants 61, with one wrong 46


def test_what_cannot_be_certified_is_said():
    policy, why, certain = certifiable(shares_of([1] * 120))  # 7 answers; even .2 wants 14
    assert (policy["alpha"], certain) == (0.2, False)
    assert "not even 0.2 without a wrong one" in why
    policy, why, certain = certifiable(shares_of([1] * 280))  # 17 answers; with one wrong .2 wants 22
    assert (policy["alpha"], certain) == (0.2, False)
    assert "certify 0.2 only with none wrong: " in why


def test_one_wrong_answer_is_allowed_for_where_the_binomial_test_allows_it():
    policy, why, certain = certifiable(shares_of([1] * 400))
    answers = int(why.partition(" ")[0])
    assert binom.cdf(1, answers, 0.2) <= 0.05 < binom.cdf(2, answers, 0.2)
    assert (policy["alpha"], certain) == (0.2, False)
    assert "certify 0.2 with one wrong at most: " in why


def test_groups_that_another_split_cuts_are_counted():
    groups = {"a": "x", "b": "x", "c": "y", "d": "y", "e": "z"}
    assert in_several(groups, {"a": "train", "b": "test", "c": "train", "d": "", "e": "val"}) == (3, 1)


@pytest.mark.parametrize("task", TASKS)
def test_the_limits_are_those_of_the_presets(task):
    rules = PRESETS[task]["gate"]["rules"]
    for name, limit in LIMITS[task].items():
        assert limit is None or rules[name]["limit"] == limit
