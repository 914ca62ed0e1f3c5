from report.made_up import cell, rule
from vouch.report import strata
from vouch.report.headlines import headlines

NO_RULES = {"rules": {}}


def test_cells_of_a_rule_carry_its_status_and_others_none():
    test = {"recall": {"all": cell(0.9), "stream=rear": cell(0.8), "stream=cabin": cell(0.9)}}
    gate = {"rules": {"r": rule(stratum="stream=rear", passed=False, reason="too low")}}
    whole, stream = strata.table(test, gate)["blocks"]
    assert [row["cells"][0]["status"] for row in whole["rows"]] == [None]
    assert {row["name"]: row["cells"][0]["status"] for row in stream["rows"]} == {"cabin": None, "rear": "failed"}


def test_a_comma_in_a_class_name_does_not_make_a_crossed_stratum():
    test = {"recall": {"all": cell(0.9), "class=can, opened": cell(0.8)}}
    assert strata.by_key(test) == {"all": ["all"], "class": ["class=can, opened"]}
    assert strata.crossed(test, NO_RULES) == []


def test_a_required_stratum_that_was_never_measured_stands_in_the_figure():
    test = {"recall": {"all": cell(0.9), "stream=cabin": cell(0.95)}}
    missing = rule(stratum="stream=rear", passed=False, observed=None, reason="no evidence: test has no recall")
    (figure,) = strata.figures(test, {"rules": {"r": missing}})
    assert "stream rear no evidence" in figure["svg"]  # the words of its label
    assert ">no evidence</text>" in figure["svg"]  # and drawn


def test_shade_follows_badness_in_both_directions_and_missing_cells_have_none():
    def crossed(metric, first, second):
        test = {
            metric: {
                "all": cell(0.5),
                "stream=a,scenario=day": cell(first),
                "stream=a,scenario=night": cell(second),
                "stream=b,scenario=day": cell(None),
            }
        }
        (table,) = strata.crossed(test, {"rules": {"r": rule(metric=metric)}})
        return [[each["shade"] for each in row["cells"]] for row in table["rows"]]

    assert crossed("recall", 0.9, 0.7) == [[0, 100], [None, None]]
    assert crossed("ece", 0.2, 0.1) == [[100, 0], [None, None]]
    assert crossed("recall", 0.99, 0.98) == [[0, 20], [None, None]]  # a hundredth is not painted as a gulf


def test_headlines_are_the_whole_set_in_the_order_of_the_page():
    test = {"zebra": {"all": cell(0.1)}, "ece_before": {"all": cell(0.1)}, "recall": {"all": cell(0.9)}}
    found = headlines(test | {"map50": {"stream=a": cell(0.5)}}, {"recall": {"all": {"delta": 0.2}}})
    assert [each["metric"].title for each in found] == ["Recall", "Zebra"]
    assert found[0]["change"] == {"delta": 0.2}
