"""What a reader is told of a comparison beside its figures."""

from dataclasses import replace

import numpy as np
import pytest

from drift.test_drift_verdict import PLAN, side
from vouch.drift import wording
from vouch.drift.two_sample import Result
from vouch.drift.verdict import Finding, judge

SHARE = Result("predicted class", "share moved", 0.246, 0.1, 0.04, 0.04)


@pytest.mark.parametrize(
    ("sure", "large", "word", "reason"),
    [
        (True, True, "moved", ""),
        (
            False,
            True,
            "may be chance",
            "Predicted classes, predicted class: share moved 0.246 is beyond 0.100, and chance is not ruled out: "
            "p of all 0.280 > 0.05",
        ),
        (
            True,
            False,
            "too small",
            "Predicted classes, predicted class: share moved 0.246 is more than chance (p of all 0.280), and within "
            "the limit of 0.100",
        ),
        (False, False, "as before", ""),
    ],
)
def test_the_condition_that_was_not_met_is_named(sure: bool, large: bool, word: str, reason: str) -> None:
    one = Finding("labels", SHARE, 0.28, sure=sure, large=large)
    assert wording.verdict(one) == word
    assert wording.unmet(one, 0.05) == reason
    assert one.moved == (sure and large)


def test_a_limit_that_chance_reaches_is_told_beside_the_one_asked_for() -> None:
    plain = Finding("labels", SHARE, 0.28, sure=False, large=True)
    assert wording.limit_of_chance(plain) == ""
    psi = replace(SHARE, variable="roadwork", measure="PSI", limit=1.063, asked=0.1)
    assert wording.limit_of_chance(Finding("score_stability", psi, 0.28, sure=False, large=False)) == (
        "Scores, their stability index, roadwork: the limit asked is 0.1; so few photographs reach 1.063 in one of 100 "
        "divisions by chance, so that is the limit"
    )


def test_few_photographs_make_chance_the_limit_of_the_stability_index_and_many_do_not() -> None:
    few = judge(side(10, 3), side(10, 3, seed=2), PLAN, np.random.default_rng(1))
    asked = {one.result.asked for one in few.findings if one.test == "score_stability"}
    assert asked == {0.1}
    assert all(one.result.limit > 0.1 for one in few.findings if one.test == "score_stability")
    others = {one.result.asked for one in few.findings if one.test != "score_stability"}
    assert others == {None}
    generous = PLAN.effects.model_copy(update={"psi": 50.0})
    found = judge(
        side(10, 3), side(10, 3, seed=2), PLAN.model_copy(update={"effects": generous}), np.random.default_rng(1)
    )
    assert {one.result.limit for one in found.findings if one.test == "score_stability"} == {50.0}
    assert {one.result.asked for one in found.findings} == {None}


def test_photographs_that_are_not_compared_are_counted_with_the_reason() -> None:
    found = judge(side(40, 6), side(60, 1, seed=2), PLAN, np.random.default_rng(1))
    assert wording.used(found) == [
        "compared: 60 of 60 new photographs, 40 of 240 of val_calib; at most 1 of a group, the middle size of the new "
        "groups, because groups of one and groups of fifty cannot change places"
    ]
    other = judge(side(60, 1), side(40, 6, seed=2), PLAN, np.random.default_rng(1))
    assert "40 of 240 new photographs, 60 of 60 of val_calib" in wording.used(other)[0]
    assert "the middle size of val_calib's groups" in wording.used(other)[0]
    wide = PLAN.model_copy(update={"sample": 100, "least_groups": 50})
    (thin, *_) = wording.used(judge(side(60, 3), side(60, 3, seed=2), wide, np.random.default_rng(1)))
    assert "at most 2 of a group, so that a sample of 100 holds 50 groups" in thin


def test_a_sample_of_the_embeddings_is_told_and_all_of_them_is_not() -> None:
    found = judge(side(40, 4), side(40, 4, seed=2), PLAN, np.random.default_rng(1))
    assert wording.used(found) == []
    small = PLAN.model_copy(update={"sample": 100})
    (said,) = wording.used(judge(side(40, 4), side(40, 4, seed=2), small, np.random.default_rng(1)))
    assert "chosen at random: 100 new photographs, 100 of val_calib" in said
