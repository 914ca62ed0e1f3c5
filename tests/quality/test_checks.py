import pandas as pd
import pytest

from vouch.quality import checks

ALL_WARN = {name: "quarantine" if "quarantine" in check.levels else "warn" for name, check in checks.CHECKS.items()}


def test_every_check_must_have_a_severity_that_makes_sense():
    checks.check_severities(ALL_WARN)
    wrong = {**ALL_WARN, "truncated": "warn", "few_groups": "quarantine", "dark": "maybe", "pretty": "warn"}
    del wrong["blurred"]
    with pytest.raises(ValueError, match="blurred: missing") as refused:
        checks.check_severities(wrong)
    for said in ("truncated: block or quarantine", "few_groups: block or warn", "got maybe", "pretty: unknown check"):
        assert said in str(refused.value)


def test_a_finding_outside_the_closed_list_is_an_error():
    found = [checks.make_issues(pd.Series(["a"]), "pretty", pd.Series(["x"]))]
    with pytest.raises(KeyError):
        checks.grade(found, ALL_WARN)


def test_issues_are_sorted_and_each_is_there_once():
    found = [
        checks.make_issues(pd.Series(["b", "a"]), "dark", pd.Series(["x", "y"])),
        checks.make_issues(pd.Series(["a", "b"]), "bright", pd.Series(["z", "w"])),
        checks.make_issues(pd.Series(["b"]), "dark", pd.Series(["x"])),
    ]
    issues = checks.grade(found, {"dark": "quarantine", "bright": "block"})
    assert issues.to_numpy().tolist() == [
        ["a", "bright", "block", "z"],
        ["a", "dark", "quarantine", "y"],
        ["b", "bright", "block", "w"],
        ["b", "dark", "quarantine", "x"],
    ]
    assert checks.quarantined(issues) == {"a", "b"}
    assert [problem.where for problem in checks.problems(issues)] == ["a [bright]", "b [bright]"]


def test_a_summary_says_each_check_with_its_first_finding_the_gravest_first():
    found = [
        checks.make_issues(pd.Series(["b", "a"]), "dark", pd.Series(["luma 3", "luma 5"])),
        checks.make_issues(
            pd.Series(["c"]), "contradicting_exact", pd.Series(["1 can; same pixels as d with 1 glass"])
        ),
    ]
    issues = checks.grade(found, {"dark": "warn", "contradicting_exact": "quarantine"})
    assert checks.summarise(issues).splitlines() == [
        "validate: quarantined 1, findings 3",
        "  quarantine contradicting_exact 1: c: 1 can; same pixels as d with 1 glass",
        "  warn dark 2: a: luma 5, …",
    ]
    assert checks.summarise(issues[:0]) == "validate: quarantined 0, findings 0"


def test_details_of_other_rows_are_refused():
    ids = pd.Series(["b"], index=[1])
    with pytest.raises(ValueError, match="size_mismatch"):
        checks.make_issues(ids, "size_mismatch", pd.Series(["64 x 48"]))
