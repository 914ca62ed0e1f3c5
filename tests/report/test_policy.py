import numpy as np
import pytest

from policies.asked import open_set, scrc, threshold
from policies.made import certified
from policies.toy_crops import independent
from policies.toy_rows import binary
from report import made_up
from vouch.policies.fit.open_set import fit_open_set
from vouch.policies.fit.scrc import fit_scrc
from vouch.policies.fit.threshold_sweep import fit_sweep
from vouch.report import policy

# As decide writes them, and as a person would say them
EVIDENCE = {"n": 3178, "exits": 2704, "coverage": 0.85, "positives": 1295, "misses": 9, "groups": 428}
EVIDENCE |= {"effective": 1108.785, "bound": 0.012642, "bound_rows": 0.012096, "bound_groups": 0.012642}
OBJECTIVE = {"metric": "fnr_on_exits", "unit": "group", "walks": 1, "levels": [0.9]}
RULE = {"xi": 0.85, "lam1": 0.967, "tie": None, "jitter_seed": 20261120}
CERTIFIED = certified("scrc", "roadwork", **RULE) | {"objective": OBJECTIVE, "evidence": EVIDENCE}


def test_a_certificate_is_told_with_its_misses_answers_groups_bound_and_level():
    assert policy.certificate(CERTIFIED) == (
        "The certificate: 9 misses among 1,295 answered photographs of roadwork in 428 groups of val_calib, worth "
        "1,109 independent ones; at level 0.05 the share of misses is at most 1.26 %, and 2 % are allowed. A rule with "
        "a larger share is certified in at most 5 of 100 draws of val_calib: approximately, as simulated, because "
        "photographs of a group are alike, if no other rule was tried on this val_calib before. That holds for "
        "photographs like those of val_calib, all together and not in each stratum."
    )


def test_a_certificate_of_every_class_counts_wrong_answers_and_shares_delta_among_levels():
    evidence = EVIDENCE | {"positives": None, "exits": 189, "misses": 1, "groups": 185}
    objective = {"metric": "selective_error", "unit": "row", "walks": 2, "levels": [0.5, 0.9]}
    said = policy.certificate(CERTIFIED | {"positive": None, "objective": objective, "evidence": evidence})
    assert said.startswith(
        "The certificate: 1 wrong answer among 189 answered photographs in 185 groups of val_calib; at level 0.0125 "
        "the share of wrong answers is at most"
    )
    assert (
        "draws of val_calib: exactly, as photographs are taken as independent, all 2 declared walks of this val_calib "
        "together, which share delta. That holds"
    ) in said


@pytest.mark.parametrize("changes", [{"guarantee": "marginal"}, {"guarantee": "none", "feasible": False}])
def test_what_is_not_certified_has_no_certificate(changes):
    assert policy.certificate(CERTIFIED | changes) == ""
    assert policy.certificate(made_up.evidence().policy) == ""


def test_facts_are_in_words_in_the_page_s_order():
    found = policy.facts(CERTIFIED)
    assert found[:4] == [
        ("Largest risk allowed (alpha)", "0.020"),
        ("Chance of a promise that does not hold (delta)", "0.050"),
        ("Class whose misses count", "roadwork"),
        ("Chosen by", "Misses among answers"),
    ]
    said = dict(found)
    assert said["What counts as one observation"] == "a photograph, less what it shares with its group"
    assert said["That bound, with photographs of a group alike"] == "0.013"
    assert said["Labelled photographs of val_calib"] == "3,178"
    assert said["Seed of the jitter"] == "20261120"


@pytest.mark.parametrize("unit", ["row", "group"])
def test_everything_that_an_exit_policy_says_has_words(unit):
    positive = np.random.default_rng(0).beta(0.25, 0.25, 400)
    rows = binary(positive, positive >= 0.5, np.arange(400))
    recipe = scrc(unit=unit, steps=4, event="positive", levels=(0.5, 0.9))
    for found in (fit_scrc(rows, recipe), fit_sweep(rows, threshold(unit=unit, steps=4))):
        assert found["feasible"]
        assert {name for name, _ in policy.facts(found)} <= set(policy.FACTS.values())
        assert "_" not in " ".join(value for _, value in policy.facts(found))
        assert policy.certificate(found)


@pytest.mark.parametrize("rule", ["thresholds", "p_value"])
def test_everything_that_an_open_set_policy_says_has_words(rule):
    found = fit_open_set(independent(0), open_set(rule))
    assert {name for name, _ in policy.facts(found)} <= set(policy.FACTS.values())
    assert len(policy.facts(found)) < 25  # no list of calibration crops
    assert policy.certificate(found)
    assert policy.certificate(fit_open_set(independent(0), open_set(rule, bound="value"))) == ""


def test_a_certificate_of_unknown_products_names_the_one_that_gets_a_name_most_often():
    told = {"gin": {"n": 40, "accepted": 3}, "rum": {"n": 160, "accepted": 4}}
    evidence = {"unknown": 200, "unknown_groups": 24, "unknown_effective": 151.6, "unknown_accepted": 7}
    evidence |= {"unknown_accept_high": 0.0487, "unknown_products": told}
    found = {"kind": "open_set", "guarantee": "certified", "alpha": 0.05, "delta": 0.05, "evidence": evidence}
    assert policy.certificate(found | {"objective": {"walks": 1, "margins": [0.0, 0.1]}}) == (
        "The certificate: 7 of 200 unknown crops in 24 groups of val_calib, worth 152 independent ones, got a name, "
        "most often gin with 3 of 40; at level 0.025 their share is at most 4.87 %, and 5 % are allowed. Thresholds "
        "with a larger share are certified in at most 5 of 100 draws of val_calib: approximately, as simulated, "
        "because crops of a group are alike, if no other rule was tried on this val_calib before. That holds for the "
        "unknown products of val_calib, all together; how others fare only val_test shows."
    )


def test_methods_that_the_rows_could_not_teach_are_named_with_what_they_need():
    needed = {"matrix": {"rows": 300.0, "events": 30.0}, "bbq": {"rows": 1500.0, "events": 150.0}}
    few = {"effective_rows": 250.4, "effective_events": 9.6, "left_out": needed}
    several = {"kind": "multiclass", "map": {"method": "platt"}, "candidates": few}
    assert policy.calibration({}, several)["left_out"] == (
        "Not tried, for want of rows or of wrong ones (right ones, where those are fewer): matrix (300, 30), bbq "
        "(1,500, 150); the rows are worth 250 independent ones, 10 of them of the rarer kind, and in brackets is what "
        "each method needs of both."
    )
    plain = {"method": "platt"}
    tried = {"global": {"effective_rows": 900.0, "effective_events": 90.0, "left_out": {}}, "classes": {"vehicle": few}}
    one_score = {"kind": "scalar", "global": plain, "classes": {"vehicle": plain}, "candidates": tried}
    assert policy.calibration({}, one_score)["left_out"].startswith(
        "Not tried for vehicle, for want of rows or of wrong ones"
    )
    assert policy.calibration({}, {"kind": "multiclass", "map": plain})["left_out"] == ""  # of an earlier release


def test_a_parameter_without_words_keeps_its_names():
    assert policy.facts({"kind": "open_set", "open_margin": 0.25}) == [("open margin", "0.250")]
