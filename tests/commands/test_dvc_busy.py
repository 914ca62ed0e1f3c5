"""Where a command meets another DVC it says which one, and what to do."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines import of_one_detector
from vouch import cli
from vouch.commands import dvc_busy, importing, rebuild
from vouch.commands.dvc_busy import RWLOCK, at_work, refusal
from vouch.errors import WorkspaceError

SAID = "ERROR: failed to reproduce 'a': 'm.json' is busy, it is being blocked by:"


def note(pid, command="/opt/bin/dvc repro gate@m"):
    RWLOCK.parent.mkdir(parents=True, exist_ok=True)
    one = {"pid": pid, "cmd": command}
    RWLOCK.write_text(json.dumps({"write": {"a": one}, "read": {"b": [one, one]}}))


@pytest.fixture
def other(tmp_path, monkeypatch):
    """Another process, which lives as long as the test."""
    monkeypatch.chdir(tmp_path)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        yield process
        process.kill()


def test_the_process_that_works_is_named_and_one_that_has_ended_is_not(other):
    assert at_work() == ()
    note(other.pid)
    assert at_work() == (f"dvc repro gate@m (process {other.pid})",)
    other.kill()
    other.wait()
    assert at_work() == ()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"write": {"a": 1}, "read": {"b": [{"pid": "x"}]}}', '{"write": []}'])
def test_a_note_of_another_form_names_nobody(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    RWLOCK.parent.mkdir(parents=True)
    RWLOCK.write_text(text)
    assert at_work() == ()


def test_who_is_at_work_is_told_with_what_to_do(other):
    note(other.pid)
    for said in (SAID, "ERROR: Unable to acquire lock. Most likely another DVC process is running"):
        problem = refusal("dvc add x", said, "fix it")
        assert problem.expected == "no other DVC at work in this checkout"
        assert problem.got == f"dvc repro gate@m (process {other.pid})"
        assert problem.remedy.startswith("wait until it is done, then repeat")
    RWLOCK.unlink()
    assert f"remove {RWLOCK}" in refusal("dvc add x", SAID, "fix it").remedy
    plain = refusal("dvc add x", "ERROR: no space", "fix it")
    assert (plain.expected, plain.got, plain.remedy) == ("success", "ERROR: no space", "fix it")


def test_a_command_that_refuses_while_dvc_works_says_so(other):
    content = {"pipeline": of_one_detector(), "datasets": {"d": {}}, "models": {"m": {}}}
    Path("params.yaml").write_text(json.dumps(content))
    assert "at work" not in CliRunner().invoke(cli.app, ["compare", "m"]).output
    note(other.pid)
    said = CliRunner().invoke(cli.app, ["compare", "m"])
    assert isinstance(said.exception, WorkspaceError)
    assert f"dvc repro gate@m (process {other.pid}) is at work in this checkout" in said.output


STAGE = """stages:
  slow:
    cmd: touch started; while [ ! -e done ]; do sleep .1; done; echo 1 > out.txt
    outs:
    - out.txt
"""


def test_a_real_dvc_that_runs_a_stage_is_met_by_a_build_beside_it(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    subprocess.run(["dvc", "init", "--quiet", "--no-scm"], check=True)
    Path("dvc.yaml").write_text(STAGE)
    content = {"pipeline": of_one_detector(), "datasets": {"d": {}}, "models": {"m": {}}}
    Path("params.yaml").write_text(json.dumps(content))
    with subprocess.Popen(["dvc", "repro"], stdout=subprocess.DEVNULL) as running:
        try:
            for _ in range(1200):
                if Path("started").exists():
                    break
                time.sleep(0.1)
            assert at_work() == (f"dvc repro (process {running.pid})",)
            with pytest.raises(
                WorkspaceError, match=rf"got dvc repro \(process {running.pid}\); wait until it is done"
            ):
                rebuild.rebuild()
        finally:
            Path("done").touch()
    assert running.returncode == 0
    assert at_work() == ()


def test_a_checkout_that_fails_is_a_named_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    content = {"pipeline": of_one_detector(), "datasets": {"d": {}}, "models": {"m": {}}}
    Path("params.yaml").write_text(json.dumps(content))
    Path("data/sources").mkdir(parents=True)
    Path("data/sources/d.dvc").write_text("outs: []")
    with pytest.raises(
        WorkspaceError,
        match=r"dvc checkout data/sources/d\.dvc: expected success, got ERROR: you are not inside of a DVC",
    ):
        rebuild.rebuild()


def test_an_import_that_meets_one_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failed = subprocess.CompletedProcess([], 255, "", "ERROR: Unable to acquire lock.")
    monkeypatch.setattr(dvc_busy.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(WorkspaceError, match="dvc add data/sources/d: expected no other DVC at work"):
        importing.track("d")
