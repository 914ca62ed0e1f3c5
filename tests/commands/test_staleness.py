"""What DVC would run again, asked without running, writing or printing anything."""

import logging
import re

import pytest

from vouch import paths
from vouch.commands.staleness import refuse_stale
from vouch.errors import WorkspaceError


def stale(model="m"):
    with pytest.raises(WorkspaceError) as refused:
        refuse_stale(model)
    return {problem.where: problem for problem in refused.value.problems}


def test_what_is_as_recorded_is_not_stale_and_nothing_is_said_or_written(recorded, capfd):
    before = {path: path.read_bytes() for path in recorded.rglob("*") if path.is_file() and ".dvc" not in path.parts}
    level = logging.getLogger("dvc").level
    refuse_stale("m")
    after = {path: path.read_bytes() for path in recorded.rglob("*") if path.is_file() and ".dvc" not in path.parts}
    assert before == after
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("dvc").level == level


def test_every_stage_that_is_stale_is_named_with_the_command_that_helps(recorded):
    paths.model("m", "policy.json").write_text("{}")
    found = stale()
    assert found.keys() == {"decide@m", "gate@m", "bundle@m"}
    assert {problem.remedy for problem in found.values()} == {"run `dvc repro gate@m bundle@m`"}


def test_data_that_are_not_here_are_not_stale(recorded):
    paths.predictions("m", "candidate", "val_test").unlink()
    paths.model("m", "policy.json").unlink()
    refuse_stale("m")


def test_absent_data_that_were_made_anew_since_are(recorded):
    paths.predictions("m", "candidate", "val_test").unlink()
    before, decided = (recorded / "dvc.lock").read_text().split("  decide@m:")
    asked, made = decided.split("    outs:", 1)
    made = re.sub("[0-9a-f]{32}", "abcd" * 8, made, count=1)  # of a person who decided anew and pushed no more
    (recorded / "dvc.lock").write_text(f"{before}  decide@m:{asked}    outs:{made}")
    paths.model("m", "policy.json").unlink()
    assert stale().keys() == {"gate@m", "bundle@m"}


def test_a_model_that_the_graph_does_not_know_and_a_folder_without_dvc_are_refused_by_name(recorded, monkeypatch):
    assert "dvc repro gate@other bundle@other --dry" in stale("other")
    (recorded / "dvc.yaml").write_text("stages: [")
    assert "dvc repro gate@m bundle@m --dry" in stale()
    monkeypatch.chdir(recorded.parent)
    assert "dvc repro gate@m bundle@m --dry" in stale()
