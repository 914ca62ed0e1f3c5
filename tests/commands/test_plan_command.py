import json

import pytest
import typer
from typer.testing import CliRunner

from stages.test_gate import write
from vouch import io, paths
from vouch.commands.plan import plan
from vouch.errors import ParamsError, WorkspaceError
from vouch.stages.gate import run

APP = typer.Typer()
APP.command()(plan)
NUMBERS = ("--groups", "40", "--per-group", "8", "--icc", ".05")


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "240")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    write()
    text = paths.Path("params.yaml").read_text()
    io.write_text(paths.Path("params.yaml"), f"pipeline:\n  models:\n    driver:\n      dataset: driving\n{text}")
    return tmp_path


def invoke(*options):
    return CliRunner().invoke(APP, ["driver", *options])


def test_the_groups_at_hand_are_told_by_rule_and_together():
    shown = invoke()
    assert shown.exit_code == 0, shown.output
    for said in ("recall[stream=rear]", "all together", "no_regression: a model as good as the baseline", "not known"):
        assert said in shown.output


def test_in_a_clone_without_data_it_says_what_to_run():
    paths.plots("driver", "test/groups.parquet").unlink()
    refused = invoke().exception
    assert isinstance(refused, WorkspaceError)
    assert "run `make repro MODEL=driver`, or plan with --groups" in str(refused)


def test_json_and_markdown_hold_the_same_chances():
    found = json.loads(invoke("--json").output)
    assert [line["name"] for line in found["rules"]] == ["recall[stream=cabin]", "recall[stream=rear]", "no_regression"]
    assert found["underpowered"] == (found["together"]["steps"][2] < 0.5)
    lines = invoke("--markdown").output.splitlines()
    assert lines[2].startswith("| recall[stream=cabin] | recall value >= 0.95 | 30 |")
    assert lines[-1].startswith("| all together |")


def test_the_plan_s_compliant_chance_is_that_of_gate_json():
    run("driver", "driving")
    gate = io.read_json(paths.metrics("driver", "gate"))["power"]
    found = json.loads(invoke("--json").output)
    assert found["together"]["steps"][2] == gate["compliant"]
    assert found["together"]["passes"] == gate["passes"]


def test_intended_numbers_need_params_alone():
    for name in ("models", "metrics", "plots", "data"):
        paths.Path(name).rename(f"gone-{name}")
    shown = invoke(*NUMBERS)
    assert shown.exit_code == 0, shown.output
    assert "recall[stream=cabin]" in shown.output
    assert "only once a model is judged: near_duplicates, parity, no_regression" in shown.output


def test_half_of_the_numbers_are_refused():
    refused = invoke(*NUMBERS[:4])
    assert isinstance(refused.exception, ParamsError)
    assert "--icc" in str(refused.exception)
