import pytest
import typer
from typer.testing import CliRunner

from release import judged
from vouch import io, paths
from vouch.commands.gate import gate
from vouch.errors import WorkspaceError

APP = typer.Typer()
APP.command()(gate)


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    judged.make(tmp_path)
    return tmp_path


def invoke(one, *options):
    judged.write_verdict(paths.Path(), one)
    if "--enforce" in options:
        judged.track(paths.Path().absolute())
    return CliRunner().invoke(APP, ["m", *options])


def test_a_failed_blocking_rule_is_shown_by_name_and_enforced():
    shown = invoke(judged.rule(passed=False))
    assert shown.exit_code == 0
    assert "recall[stream=rear]" in shown.output
    assert "no evidence at all" in shown.output
    enforced = invoke(judged.rule(passed=False), "--enforce")
    assert (enforced.exit_code, enforced.exception.__class__) == (1, SystemExit)


def test_what_passed_is_not_enforced():
    enforced = invoke(judged.rule(), "--enforce")
    assert enforced.exit_code == 0, enforced.output
    assert "nothing stands against a release" in enforced.output


def test_why_a_policy_answers_nothing_stands_beside_the_rules_that_it_breaks():
    assert "infeasible" not in invoke(judged.rule(passed=False)).output
    path = paths.model("m", "policy.json")
    policy = io.read_json(path)
    nothing = {key: None for key in ("threshold", "xi", "lam1", "tie", "lam2") if key in policy}
    reason = {"feasible": False, "guarantee": "none", "infeasible": {"*": "the risk may be .0204, and .02 is asked"}}
    io.write_json(path, policy | nothing | reason)
    shown = " ".join(invoke(judged.rule(passed=False)).output.split())
    assert "the policy is infeasible: the risk may be .0204, and .02 is asked" in shown


def test_a_policy_that_is_feasible_and_of_little_use_is_named_with_its_figure():
    assert "little use" not in invoke(judged.rule()).output
    path = paths.model("m", "policy.json")
    io.write_json(path, io.read_json(path) | {"evidence": {"coverage": 0.0104}})
    shown = " ".join(invoke(judged.rule()).output.split())
    assert "the policy is of little use: it answers 0.010 of the photographs of val_calib" in shown


def test_a_margin_that_the_groups_cannot_resolve_is_named_also_where_it_is_kept():
    one = judged.rule(source="comparison", limit=-0.01, observed=-0.004, equal_passes=0.37, resolved_margin=0.0213)
    shown = " ".join(invoke(one).output.replace("│", " ").split())
    for said in ("cannot resolve this margin", "passes with 37%", "at a margin of 0.021"):
        assert all(word in shown for word in said.split())


def test_a_rule_on_the_verdict_of_a_comparison_says_what_it_asks():
    one = judged.rule(source="comparison", bound="verdict", limit=0, observed=0.0)
    assert "not worse" in invoke(one).output


def test_a_gate_in_which_no_rule_blocks_lets_nothing_through():
    enforced = invoke(judged.rule(severity="warn"), "--enforce")
    assert enforced.exit_code == 1
    assert "the gate has no rule that blocks" in enforced.output


def test_a_waiver_holds_through_its_last_day():
    assert invoke(judged.rule(passed=False, waived_until="2999-12-31"), "--enforce").exit_code == 0


def test_a_waiver_that_ended_is_enforced():
    late = invoke(judged.rule(passed=False, waived_until="2020-01-01"), "--enforce")
    assert late.exit_code == 1
    assert "its waiver ended on 2020-01-01" in late.output


def test_a_rule_that_reads_a_value_is_shown_as_a_sanity_check_with_what_that_means():
    assert "sanity check" not in invoke(judged.rule()).output
    shown = invoke(judged.rule(kind="sanity check", bound="value")).output
    assert "a sanity check reads the value as it came out, luck included" in shown.replace("\n", " ")


def test_a_calibration_error_is_shown_with_what_chance_alone_gives():
    ece = judged.rule(metric="ece", op="<=", bound="high", limit=0.05, observed=0.03, expected_by_chance=0.0166)
    assert "by chance alone a calibrated model's value is 0.0166" in " ".join(invoke(ece).output.split())


def test_a_malformed_verdict_is_refused_by_name():
    paths.metrics("m", "gate").write_text('{"passed": true, "rules": {}}')
    assert isinstance(CliRunner().invoke(APP, ["m"]).exception, WorkspaceError)


@pytest.mark.parametrize("path", [paths.model("m", "policy.json"), paths.predictions("m", "baseline", "val_test")])
def test_a_verdict_about_other_files_is_refused_and_one_whose_files_are_elsewhere_says_so(path):
    path.write_text("another")
    refused = CliRunner().invoke(APP, ["m"]).exception
    assert isinstance(refused, WorkspaceError)
    assert str(path) in str(refused)
    path.unlink()
    shown = CliRunner().invoke(APP, ["m"])
    assert shown.exit_code == 0
    assert f"not here, and so not compared with what was judged: {path}" in shown.output


def test_enforcing_asks_dvc_whether_the_verdict_followed_from_what_is_here(workspace):
    judged.track(workspace)
    io.write_text(workspace / "asked.txt", "another policy")  # no hash that the verdict names shows it
    assert CliRunner().invoke(APP, ["m"]).exit_code == 0
    refused = CliRunner().invoke(APP, ["m", "--enforce"]).exception
    assert isinstance(refused, WorkspaceError)
    assert "decide@m: expected code, parameters, inputs and outputs as dvc.lock records them" in str(refused)
