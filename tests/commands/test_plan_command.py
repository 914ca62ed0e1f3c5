import json

import pytest
import typer
from ruamel.yaml import YAML
from typer.testing import CliRunner

from stages.test_gate import write
from vouch import io, paths
from vouch.commands.plan import plan
from vouch.errors import ParamsError, WorkspaceError
from vouch.stages.gate import run

APP = typer.Typer()
APP.command()(plan)
DETECTOR = {
    "kind": "operating_point",
    "objective": {"metric": "f1", "level": "class", "delta": 0.05},
    "strata": [],
    "min_truths": 20,
    "intraclass_floor": 0.05,
}
EXITS = {"kind": "threshold", "positive": "ill", "alpha": 0.02, "delta": 0.05, "walks": 1, "unit": "group", "steps": 1}
NUMBERS = ("--groups", "40", "--per-group", "8", "--icc", ".05")


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "240")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    write()
    decided_by(DETECTOR)
    return tmp_path


def decided_by(section, **evidence):
    """Give driver this section `decide`, and its policy this evidence."""
    content = YAML(typ="safe", pure=True).load(paths.Path("params.yaml"))
    content["pipeline"] = {"models": {"driver": {"dataset": "driving", "evidence": "test"}}}
    content["models"]["driver"]["decide"] = section
    YAML().dump(content, paths.Path("params.yaml"))
    policy = {"intraclass_correlation": 0.05, "evidence": evidence}
    io.write_json(paths.model("driver", "policy.json"), policy)


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


def test_what_is_known_before_any_training_comes_first_though_nothing_is_built():
    paths.metrics("driver", "export").unlink()
    shown = invoke()
    assert isinstance(shown.exception, WorkspaceError)
    assert shown.output.startswith("known before any training: run `dvc repro split@driving`, then")


def test_json_and_markdown_hold_the_same_chances():
    found = json.loads(invoke("--json").output)
    assert [line["name"] for line in found["rules"]] == ["recall[stream=cabin]", "recall[stream=rear]", "no_regression"]
    assert found["underpowered"] == (found["together"]["steps"][2] < 0.5)
    lines = invoke("--markdown").output.splitlines()
    assert lines[2].startswith("| recall[stream=cabin] | recall value >= 0.95 | 30 |")
    assert lines[-1].startswith("| all together |")


def test_the_plan_s_compliant_chance_is_that_of_gate_json():
    run("driver", "driving", "test", "labels.json")
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


def test_the_chance_of_a_certificate_is_told_where_exits_are_certified():
    assert json.loads(invoke("--json").output)["certificate"] is None
    decided_by(EXITS | {"intraclass_floor": 0.05}, positives=1200, exits=2000, misses=12, groups=400, effective=1100.0)
    found = json.loads(invoke("--json").output)["certificate"]
    assert found["n_groups"] == 400
    assert list(found["by_risk"]) == ["0.005", "0.01", "0.015", "0.02"]
    assert sorted(found["by_risk"].values(), reverse=True) == list(found["by_risk"].values())
    assert "Another val_calib of 400 groups with answered cases would certify the exits for 0.02" in invoke().output


OPEN_SET = {"kind": "open_set", "rule": "thresholds", "max_unknown_accept": 0.05, "bound": "high", "delta": 0.05}
OPEN_SET |= {"walks": 1, "step": 0.01, "margins": [0.0], "intraclass_floor": 0.05}


def test_the_chance_of_a_certificate_is_told_of_unknown_crops():
    decided_by(OPEN_SET, unknown=639, unknown_groups=62, unknown_effective=400.0, unknown_accepted=13)
    found = json.loads(invoke("--json").output)["certificate"]
    assert (found["about"], found["n_groups"], found["n_cases"]) == ("unknown crops", 62, 639)
    assert list(found["by_risk"]) == ["0.0125", "0.025", "0.0375", "0.05"]
    said = invoke().output
    assert (
        "Another val_calib of 62 groups with unknown crops would certify thresholds as loose as these for 0.05" in said
    )
    decided_by(OPEN_SET | {"bound": "value"}, unknown=639, unknown_groups=62)
    assert json.loads(invoke("--json").output)["certificate"] is None


@pytest.mark.parametrize("text", ["[]", "null", "{}", '{"evidence": []}'])
def test_a_policy_that_is_none_is_refused_by_name(text):
    paths.model("driver", "policy.json").write_text(text)
    refused = invoke().exception
    assert isinstance(refused, WorkspaceError)
    assert "models/driver/policy.json: expected a policy with `evidence`" in str(refused)


def test_before_data_exist_nothing_is_said_of_a_certificate():
    decided_by(EXITS | {"intraclass_floor": 0.05})
    assert "certificate" not in json.loads(invoke("--json", *NUMBERS).output)
