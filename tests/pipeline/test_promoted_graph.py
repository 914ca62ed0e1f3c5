"""A person makes the current bundle the baseline: an event outside the graph that git and DVC record."""

import json

import pytest

from pipeline import workspace

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def promoted(tiny, tmp_path_factory):
    """A copy in which the bundle was promoted and the graph has run again, and the stages that ran."""
    folder = workspace.copy(tiny, tmp_path_factory.mktemp("promoted") / "workspace")
    said = workspace.vouch(folder, "promote", "driver", "--despite", "a tiny test")
    assert said.returncode == 0, said.stdout
    ran = workspace.repro(folder)
    workspace.commit(folder)
    return folder, ran


def test_a_failed_gate_refuses_a_promotion_without_a_reason(tiny):
    refused = workspace.vouch(tiny, "promote", "driver")
    assert refused.returncode == 1
    assert "fails its gate" in refused.stdout
    assert workspace.done(tiny, "git", "status", "--porcelain") == ""


def test_the_verdict_on_a_new_policy_does_not_promote_the_bundle_of_the_old_one(mine):
    workspace.change(mine, {"models.driver.decide.objective.target": 0.0002})
    assert "bundle@driver" not in workspace.repro(mine, "gate@driver")
    workspace.commit(mine)
    before = workspace.contents(mine / "registry")
    refused = workspace.vouch(mine, "promote", "driver", "--despite", "a tiny test")
    enforced = workspace.vouch(mine, "gate", "driver", "--enforce")
    for one in (refused, enforced):
        assert one.returncode == 1
        assert "bundle@driver: expected code, parameters, inputs and outputs as dvc.lock records them" in one.stdout
        assert "run `dvc repro gate@driver bundle@driver`" in one.stdout
    assert workspace.done(mine, "git", "status", "--porcelain") == ""
    assert workspace.contents(mine / "registry") == before
    assert workspace.repro(mine, "bundle@driver") == {"bundle@driver"}
    promoted = workspace.vouch(mine, "promote", "driver", "--despite", "a tiny test")
    assert promoted.returncode == 0, promoted.stdout


def test_a_verdict_beside_numbers_of_an_earlier_policy_is_refused(mine):
    workspace.change(mine, {"models.driver.decide.objective.target": 0.0002})
    for stage in ("decide@driver", "gate@driver", "bundle@driver"):  # every hash fits, test.json is the old one
        workspace.done(mine, "dvc", "repro", "--single-item", stage)
    assert workspace.vouch(mine, "gate", "driver").returncode == 0
    for words in (("gate", "driver", "--enforce"), ("promote", "driver", "--despite", "a tiny test")):
        refused = workspace.vouch(mine, *words)
        assert refused.returncode == 1
        assert "compare@driver: expected code, parameters, inputs and outputs" in refused.stdout
        assert "1 more like it: evaluate@driver" in refused.stdout


def test_in_a_clone_without_data_a_verdict_is_enforced_and_nothing_called_stale(tiny, tmp_path):
    clone = workspace.clone(tiny, tmp_path / "clone")
    enforced = workspace.vouch(clone, "gate", "driver", "--enforce")
    assert enforced.returncode == 1
    assert "stands against a release: recall[stream=cabin]" in enforced.stdout
    assert "not here, and so not compared" in enforced.stdout
    workspace.change(clone, {"models.driver.decide.objective.target": 0.0002})
    assert "decide@driver: expected" in workspace.vouch(clone, "gate", "driver", "--enforce").stdout


def test_exactly_the_comparison_and_its_pages_run_again(promoted):
    pages = {"report@driver", "index"}
    assert promoted[1] == {"predict_baseline@driver", "compare@driver", "gate@driver", *pages}


def test_a_model_compared_with_itself_is_not_worse_by_anything(promoted):
    comparison = json.loads((promoted[0] / "metrics/driver/comparison.json").read_text())
    deltas = {entry.get("delta") for strata in comparison.values() for entry in strata.values()}
    assert deltas == {0.0, None}  # none where a stratum has nothing to measure
    assert comparison["map50"]["all"]["delta"] == 0.0
    assert comparison["overall"]["all"]["verdict"] == "not_worse"
    rules = json.loads((promoted[0] / "metrics/driver/gate.json").read_text())["rules"]
    assert rules["not_worse"]["observed"] == 0.0


def test_the_comparison_is_shown_as_a_table(promoted):
    shown = workspace.vouch(promoted[0], "compare", "driver")
    assert shown.returncode == 0, shown.stdout
    assert {"map50", "overall"} <= set(shown.stdout.split())


def test_the_promotion_is_in_git(promoted):
    tracked = workspace.done(promoted[0], "git", "ls-files", "registry", "*.gitignore").split()
    assert "registry/driver/bundle.dvc" in tracked
    assert ".gitignore" in tracked
    assert "driver" not in workspace.read_params(promoted[0])["pipeline"]["unpromoted"]


def test_another_clone_takes_the_baseline_from_the_shared_cache(promoted, tmp_path):
    clone = workspace.clone(promoted[0], tmp_path / "clone")
    (clone / ".dvc/config.local").write_bytes((promoted[0] / ".dvc/config.local").read_bytes())
    workspace.done(clone, "dvc", "checkout", "--quiet")
    assert "Data and pipelines are up to date." in workspace.done(clone, "dvc", "repro")
    before, after = (workspace.contents(folder / "registry/driver/bundle") for folder in (promoted[0], clone))
    assert before == after != {}
