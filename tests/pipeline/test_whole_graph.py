"""The whole graph on a few dozen photographs: it runs, says no, and then has nothing more to do."""

import json

import pandas as pd
import pytest

from pipeline import workspace
from vouch.tables import DETECTION, ROWS

pytestmark = pytest.mark.slow
UP_TO_DATE = "Data and pipelines are up to date."


def test_every_output_of_every_stage_exists(tiny):
    stages = workspace.locked(tiny)
    assert len(stages) == 19
    missing = [out["path"] for stage in stages.values() for out in stage["outs"] if not (tiny / out["path"]).exists()]
    assert missing == []


def test_a_model_of_one_epoch_fails_its_gate_by_name_and_the_graph_goes_on(tiny):
    verdict = json.loads((tiny / "metrics/driver/gate.json").read_text())
    assert verdict["passed"] is False
    assert verdict["rules"]["recall[stream=cabin]"]["passed"] is False
    assert verdict["rules"]["export_boxes"]["passed"] is True
    page = (tiny / "reports/driver/index.html").read_text()
    assert "recall" in page
    assert "driver" in (tiny / "reports/index.html").read_text()


def test_the_verdict_becomes_an_exit_code_only_when_asked(tiny):
    shown = workspace.vouch(tiny, "gate", "driver")
    enforced = workspace.vouch(tiny, "gate", "driver", "--enforce")
    assert (shown.returncode, enforced.returncode) == (0, 1)
    assert "stands against a release" in enforced.stdout


def test_a_waiver_with_a_reason_lets_a_failed_rule_pass_until_its_day(mine):
    verdict = json.loads((mine / "metrics/driver/gate.json").read_text())
    failed = [name for name, rule in verdict["rules"].items() if not rule["passed"]]
    waivers = {name: {"reason": "a tiny test", "expires": "2999-12-31"} for name in failed}
    workspace.change(mine, {"models.driver.gate.waivers": waivers})
    workspace.done(mine, "dvc", "repro", "gate@driver")
    assert workspace.vouch(mine, "gate", "driver", "--enforce").returncode == 0


def test_the_waist_has_a_row_for_every_photograph_of_a_split(tiny):
    for side, split in (("candidate", "val_calib"), ("candidate", "val_test"), ("baseline", "val_test")):
        rows = pd.read_parquet(tiny / f"data/predictions/driver/{side}/{split}.parquet")
        members = pd.read_csv(tiny / f"data/splits/driver/{split}.csv")
        assert {*ROWS, *DETECTION} <= set(rows.columns)
        assert set(rows["sample_id"]) == set(members["sample_id"])
        assert rows["score"].between(0, 1).all()


def test_a_second_run_has_nothing_to_do(tiny):
    assert UP_TO_DATE in workspace.done(tiny, "dvc", "repro")


def test_dvc_adds_nothing_to_gitignore_and_the_checkout_stays_clean(tiny):
    changed = workspace.done(tiny, "git", "log", "--format=", "--name-only", "HEAD~1..HEAD").split()
    assert {name.split("/")[0] for name in changed} == {"dvc.lock", "metrics", "splits"}
    assert workspace.done(tiny, "git", "status", "--porcelain") == ""


def test_a_failed_run_leaves_the_checkout_clean(mine):
    workspace.change(mine, {"models.driver.decide.objective.target": 2.0})
    workspace.commit(mine)
    failed = workspace.run(mine, "dvc", "repro")
    assert failed.returncode != 0
    assert "parameters refused: 1 problem" in failed.stdout
    assert workspace.done(mine, "git", "status", "--porcelain") == ""


def test_in_a_clone_without_data_the_lock_is_seen_to_be_in_step(tiny, tmp_path):
    clone = workspace.clone(tiny, tmp_path / "clone")
    assert UP_TO_DATE in workspace.done(clone, "dvc", "repro", "--dry", "--allow-missing")
    workspace.change(clone, {"models.driver.predict.batch": 2})
    assert UP_TO_DATE not in workspace.run(clone, "dvc", "repro", "--dry", "--allow-missing").stdout


@pytest.mark.parametrize("stage", ["gate", "render", "train_detector"])
def test_a_python_without_the_packages_is_refused_in_one_line(tiny, stage):
    words = ("env", "PYTHONPATH=src", workspace.BARE_PYTHON, "-S", "-m", f"vouch.stages.{stage}", "driver", "driver")
    refused = workspace.run(tiny, *words)
    assert refused.returncode == 1
    assert refused.stdout.splitlines() == [
        f"vouch: {workspace.BARE_PYTHON} lacks the locked packages; run `make setup` and put .venv/bin first on PATH"
    ]
