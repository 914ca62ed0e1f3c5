import pytest
from pydantic import ValidationError

from evaluation.gates.made_rules import NOT_WORSE, REQUIRED, WAIVER, rule
from vouch.evaluation.gates.rules import Rule, rule_faults, strata_of


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({"bound": "low"}, "Input should be 'value', 'worst' or 'verdict'"),
        ({"op": ">="}, "Extra inputs are not permitted"),
        ({"metric": "recal"}, "a metric: perhaps `recall` was meant"),
        ({"min_groups": ...}, "a rule of test says `min_groups`: fewer groups than this are no evidence"),
    ],
)
def test_a_rule_names_a_metric_that_is_measured_and_says_which_evidence_is_enough(written, words):
    asked = {"source": "test", "metric": "recall", "limit": 0.95, "bound": "value", "min_groups": 10} | written
    with pytest.raises(ValidationError) as refused:
        Rule(**{key: value for key, value in asked.items() if value is not ...})
    assert words in str(refused.value)


def test_what_ships_and_what_is_set_aside_rest_on_no_groups():
    assert Rule(source="export", metric="score_difference", limit=0.1, bound="value").min_groups == 0


def test_crossed_strata_are_every_combination_of_required_values():
    assert strata_of("stream,scenario", REQUIRED) == [
        "stream=cabin,scenario=night",
        "stream=rear,scenario=night",
    ]


def test_rules_that_could_never_fail_are_faults():
    rules = {"recall": rule(each="weather"), "map": rule(each="stream")}
    faults = rule_faults(rules, required=REQUIRED, waivers={"speed": WAIVER, "map[stream=rear]": WAIVER})
    assert faults == [
        "required scenario: no rule judges each scenario",
        "rule recall: each weather needs the values of weather under `required`",
        "waiver speed: no rule has this name",
    ]


def test_all_is_no_stratum_that_can_be_crossed():
    faults = rule_faults({"r": rule(each="all,stream")}, required={"stream": ("cabin",)}, waivers={})
    assert faults == ["rule r: each all,stream needs the values of all under `required`"]


def test_verdicts_that_would_share_a_name_are_faults_as_one_would_hide_the_other():
    rules = {"recall": rule(each="stream"), "recall[stream=rear]": rule(severity="warn")}
    assert rule_faults(rules, required={"stream": ("cabin", "rear")}, waivers={}) == [
        "rule recall[stream=rear]: two verdicts have this name"
    ]


def test_a_waiver_for_a_stratum_that_is_not_judged_is_a_fault():
    waivers = {"recall[stream=roof]": WAIVER, "recall": WAIVER}
    faults = rule_faults({"recall": rule(each="stream")}, required={"stream": ("rear",)}, waivers=waivers)
    assert faults == ["waiver recall[stream=roof]: no rule has this name"]


@pytest.mark.parametrize("changed", [{"source": "test"}, {"limit": -1}, {"limit": 0.5}])
def test_a_verdict_is_asked_of_a_comparison_in_one_of_two_ways(changed):
    (fault,) = rule_faults({"r": rule(**NOT_WORSE | changed)}, required={}, waivers={})
    assert fault.startswith("rule r: bound verdict goes with source comparison")
