import json
import os
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from deployment.bundles import build
from release import judged
from vouch import io, paths
from vouch.commands.release import promote
from vouch.errors import BundleError, ParamsError, WorkspaceError

APP = typer.Typer()
APP.command()(promote)
PARAMS = """
pipeline:
  models:
    m:
      dataset: d
      trained: m
      baseline: registry/m/bundle
  unpromoted:
    m:
      dataset: d
    other:
      dataset: d
"""


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A model that passed its gate."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    judged.make(tmp_path)
    (tmp_path / "params.yaml").write_text(PARAMS)
    return tmp_path


def contents(root):
    """Everything but DVC's own notes."""
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file() and ".dvc" not in path.parts}


def invoke(root, *options):
    """Promote; a refusal must have left everything as it was."""
    before = contents(root)
    said = CliRunner().invoke(APP, ["m", *options])
    assert said.exit_code == 0 or contents(root) == before
    return said


def test_a_promotion_that_nothing_would_read_is_refused_with_the_way_to_have_it(workspace):
    (workspace / "params.yaml").write_text(PARAMS.replace("registry/m/bundle", "models/source/bundle"))
    refused = invoke(workspace).exception
    assert isinstance(refused, ParamsError)
    said = str(refused)
    for words in ("got models/source/bundle", "vouch gate m --enforce", "baseline: registry/m/bundle"):
        assert words in said


@pytest.mark.parametrize(
    "content", [None, b"", b"[]", b"\xff", b"[" * 100_000, b'{"passed": true}', b'{"passed": true, "rules": {}}']
)
def test_no_verdict_and_a_malformed_one_are_refused_by_name_whatever_the_reason(workspace, content):
    path = paths.metrics("m", "gate")
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    for options in ((), ("--despite", "a good reason")):
        refused = invoke(workspace, *options).exception
        assert isinstance(refused, WorkspaceError)
        assert "metrics/m/gate.json" in str(refused)


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (judged.rule(passed=False), "recall[stream=rear]: no evidence at all"),
        (judged.rule(passed=False, waived_until="2020-01-01"), "its waiver ended on 2020-01-01"),
        (judged.rule(waived_until="2020-01-01"), "its waiver ended on 2020-01-01"),
        (judged.rule(severity="warn"), "no rule that blocks"),
    ],
)
def test_what_gate_enforce_objects_to_is_refused_without_a_reason(workspace, one, said):
    judged.write_verdict(workspace, one)
    for options in ((), ("--despite", " ")):
        refused = invoke(workspace, *options)
        assert (refused.exit_code, said in refused.output) == (1, True), refused.output


def test_a_bundle_of_another_policy_is_refused_whatever_the_reason(workspace):
    io.write_json(paths.model("m", "policy.json"), {"made": "anew"})
    judged.write_verdict(workspace, judged.rule())  # the gate ran again, bundle did not
    for options in ((), ("--despite", "a good reason")):
        refused = _promoted_without_dvc(workspace, *options)
        assert isinstance(refused, BundleError)
        assert "models/m/bundle/policy.json: expected the file that the gate judged" in str(refused)
        assert "run `dvc repro gate@m bundle@m`" in str(refused)


def _promoted_without_dvc(root, *options):
    """Promote where the registry holds this bundle already, so that hashes alone stand between."""
    build(root / "registry/m/bundle", "classify")
    return invoke(root, *options).exception


def test_what_dvc_would_run_again_is_refused_whatever_the_reason(workspace):
    judged.track(workspace)
    (workspace / "asked.txt").write_text("another policy")  # no hash that the verdict names shows it
    for options in ((), ("--despite", "a good reason")):
        refused = invoke(workspace, *options).exception
        assert isinstance(refused, WorkspaceError)
        assert "decide@m: expected code, parameters, inputs and outputs as dvc.lock records them" in str(refused)


def test_what_was_judged_is_promoted_and_a_promotion_that_was_ended_is_finished(workspace):
    judged.track(workspace)
    said = invoke(workspace)
    assert said.exit_code == 0, said.exception or said.output
    assert "m 0.1.0 is the baseline now" in said.output
    assert (
        "next: dvc repro report@m bundle@m && git add params.yaml dvc.lock metrics registry && git commit"
        in said.output
    )
    assert "m:\n      dataset: d\n    other" not in (workspace / "params.yaml").read_text()
    assert (workspace / "registry/m/bundle.dvc").is_file()
    (workspace / "registry/m/bundle.dvc").unlink()
    (workspace / "params.yaml").write_text(PARAMS)
    assert invoke(workspace).exit_code == 0
    assert (workspace / "registry/m/bundle.dvc").is_file()
    assert json.loads((workspace / "registry/m/bundle/manifest.json").read_text())["name"] == "m"
