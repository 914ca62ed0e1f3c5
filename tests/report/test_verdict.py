import pytest

from report.made_up import cell, judged, power, rule
from vouch.report import verdict

NOTHING = "no evidence: test has no recall for stream=rear"
FEW = "too little evidence: 3 groups support recall for stream=rear, 20 are needed"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "passed"),
        ({"passed": False, "reason": "recall low is 0.9, must be >= 0.95"}, "failed"),
        ({"passed": False, "observed": None, "reason": NOTHING}, "no_evidence"),
        ({"passed": False, "observed": 0.99, "reason": FEW}, "no_evidence"),
        ({"passed": False, "reason": "x", "severity": "warn"}, "warning"),
        ({"passed": False, "reason": "x", "waived_until": "2027-01-31", "waiver_reason": "known"}, "waived"),
        ({"passed": True, "waived_until": "2027-01-31", "waiver_reason": "known"}, "passed"),
    ],
)
def test_status_says_what_a_reader_must_know(changes, status):
    assert verdict.status(rule(**changes)) == status


def test_rules_that_need_a_decision_come_first():
    gate = {
        "rules": {
            "a": rule(),
            "b": rule(passed=False, severity="warn"),
            "c": rule(passed=False, waived_until="2027-01-31", waiver_reason="known"),
            "d": rule(passed=False, observed=None, reason=NOTHING),
            "e": rule(passed=False, reason="too low"),
        }
    }
    assert [found.name for found in verdict.rules(judged(gate["rules"]))] == ["e", "d", "c", "b", "a"]


def test_a_rule_is_said_in_words():
    (found,) = verdict.rules(judged({"r": rule(metric="ece", op="<=", bound="high", limit=0.05, observed=0.0312)}))
    assert (found.title, found.judged, found.observed, found.limit) == (
        "Calibration error (ECE)",
        "upper bound",
        "0.031",
        "≤ 0.050",
    )


def test_a_rule_on_the_comparison_is_not_mistaken_for_the_metric():
    (found,) = verdict.rules(judged({"r": rule(source="comparison")}))
    assert found.title == "Recall, change since the baseline"
    assert verdict.on_test({"rules": {"r": rule(source="comparison")}}) == []


def test_a_rule_on_the_verdict_of_a_comparison_is_said_in_words():
    one = rule(source="comparison", bound="verdict", limit=0.0, observed=-1.0, passed=False, reason="x")
    (found,) = verdict.rules(judged({"r": one}))
    assert (found.judged, found.observed, found.limit) == ("verdict", "worse", "not worse")


def test_a_margin_that_the_groups_cannot_resolve_is_called_so():
    one = rule(source="comparison", limit=-0.01, observed=0.0, equal_passes=0.4, resolved_margin=0.02)
    (found,) = verdict.rules(judged({"r": one}))
    assert found.resolution.startswith("these groups cannot resolve this margin: a model equal")


def test_the_sentence_counts_what_broke_and_on_how_much_it_stands():
    rules = {"a": rule(), "b": rule(passed=False, observed=None, reason=NOTHING), "c": rule(passed=False, reason="x")}
    said = verdict.sentence({"rules": rules}, {"recall": {"all": cell(0.9, n_groups=1500)}})
    assert said.startswith("2 of 3 rules do not hold (1 for want of evidence). ")
    assert "1,500 groups" in said


def test_comparison_keeps_the_whole_set_apart_from_strata_and_the_overall_verdict_out_of_the_rows():
    row = {"candidate": 1.0, "baseline": 0.0, "delta": 1.0, "verdict": "better"}
    found = verdict.compared(
        {"recall": {"all": row, "stream=rear": row}, "overall": {"all": {"verdict": "unknown"}}},
    )
    assert found["verdict"] == "unknown"
    assert [each["where"] for each in found["whole"]] == ["all"]
    assert [each["where"] for each in found["strata"]] == ["stream=rear"]


def test_a_p_that_cannot_be_lower_is_marked_and_the_family_counted():
    row = {"candidate": 1.0, "baseline": 0.0, "delta": 1.0, "verdict": "few_groups", "least_p_holm": 0.06}
    found = verdict.compared({"recall": {"all": row | {"p_holm": 0.06}, "stream=rear": row | {"p_holm": 0.2}}})
    assert [each["least"] for each in found["whole"] + found["strata"]] == [True, False]
    assert found["family"] == 2


def test_the_sentence_says_when_nothing_was_judged_or_nothing_blocks():
    assert verdict.sentence({"rules": {}}, {}).startswith("There is no rule, so nothing was judged.")
    said = verdict.sentence({"rules": {"a": rule(severity="warn")}}, {})
    assert said.startswith("1 of 1 rules hold, none of them blocks.")


def test_a_gate_that_a_compliant_model_seldom_passes_is_called_underpowered():
    rules = {"r": rule()}
    weak = {"power": power(rules, compliant=0.113, passes=0.15, underpowered=True)}
    assert verdict.sight(weak) == (
        "Underpowered: a model with every truth 0.02 beyond its limit passes the rules on val_test in 11 % of draws of "
        "its groups. Fresh groups pass this model in 15 % of draws, were its truths what was observed."
    )
    assert verdict.sight(judged(rules)).startswith("A model with every truth")
    (found,) = verdict.rules(judged(rules))
    assert found.again == "88 %"
