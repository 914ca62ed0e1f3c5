import typer
from typer.testing import CliRunner

from vouch import io, paths
from vouch.commands.gate import gate

APP = typer.Typer()
APP.command()(gate)


def rule(*, passed=True, severity="block", waived_until=None):
    return {
        "passed": passed,
        "metric": "recall",
        "source": "test",
        "stratum": "stream=rear",
        "bound": "low",
        "op": ">=",
        "limit": 0.95,
        "observed": None,
        "n_groups": 3,
        "severity": severity,
        "reason": "" if passed else "no evidence at all",
        "waived_until": waived_until,
        "waiver_reason": "camera is replaced" if waived_until else None,
    }


def invoke(tmp_path, monkeypatch, one, *options):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    io.write_json(paths.metrics("driver", "gate"), {"passed": one["passed"], "rules": {"recall[stream=rear]": one}})
    return CliRunner().invoke(APP, ["driver", *options])


def test_a_failed_blocking_rule_is_shown_by_name_and_enforced(tmp_path, monkeypatch):
    shown = invoke(tmp_path, monkeypatch, rule(passed=False))
    assert shown.exit_code == 0
    assert "recall[stream=rear]" in shown.output
    assert "no evidence at all" in shown.output
    assert invoke(tmp_path, monkeypatch, rule(passed=False), "--enforce").exit_code == 1


def test_what_passed_or_only_warns_is_not_enforced(tmp_path, monkeypatch):
    assert invoke(tmp_path, monkeypatch, rule(), "--enforce").exit_code == 0
    assert invoke(tmp_path, monkeypatch, rule(passed=False, severity="warn"), "--enforce").exit_code == 0


def test_a_waiver_holds_until_its_day(tmp_path, monkeypatch):
    assert invoke(tmp_path, monkeypatch, rule(passed=False, waived_until="2999-12-31"), "--enforce").exit_code == 0
    late = invoke(tmp_path, monkeypatch, rule(passed=False, waived_until="2020-01-01"), "--enforce")
    assert late.exit_code == 1
    assert "its waiver ended on 2020-01-01" in late.output
