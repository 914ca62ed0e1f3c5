"""What every command does with the names that it is given before it does anything."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines import of_one_detector
from vouch.cli import app
from vouch.errors import ParamsError
from wrong_names import HOSTILE

COMMANDS = {
    "new": ("new", "{}", "photographs"),
    "params": ("params", "{}"),
    "import": ("import", "{}", "photographs", "--format", "yolo"),
    "undo": ("import", "{}", "--undo"),
    "assign": ("split", "assign", "{}", "k=v", "--to", "train"),
    "review-labels": ("review-labels", "{}", "-o", "review"),
    "export": ("manifest", "export", "{}", "-o", "out.jsonl"),
    "predict": ("predict", "{}", "a.jpg"),
    "gate": ("gate", "{}"),
    "check": ("check", "{}"),
    "plan": ("plan", "{}"),
    "compare": ("compare", "{}"),
    "promote": ("promote", "{}", "--despite", "a test"),
    "deploy": ("deploy", "{}", "out", "--to", "triton"),
    "drift": ("drift", "{}", "photographs"),
}
NAMELESS = {"add", "evaluate-counts"}  # files alone


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = {"pipeline": of_one_detector(), "datasets": {"d": {}}, "models": {"m": {}}}
    Path("params.yaml").write_text(json.dumps(content))
    return tmp_path


def refused(*words):
    """Run a command that must refuse its parameters and write nothing; return what it says."""
    before = {path: path.read_bytes() for path in Path().rglob("*")}
    error = CliRunner().invoke(app, list(words)).exception
    assert isinstance(error, ParamsError), error
    assert {path: path.read_bytes() for path in Path().rglob("*")} == before
    return str(error)


def test_every_command_is_here():
    named = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert (named - NAMELESS) | {"export", "undo", "assign"} == set(COMMANDS)


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_a_hostile_name_is_refused_by_every_command(workspace, words):
    for word in (*HOSTILE.values(), "a" * 65):
        if word.startswith("-"):
            continue  # an option of its own, see below
        said = refused(*(word if part == "{}" else part for part in words))
        assert "expected a name of at most 64" in said


def test_a_name_like_an_option_is_refused(workspace):
    assert "MODEL_OR_SYSTEM: expected a name" in refused("gate", "--", "-rf")


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_wrong_roads_are_refused_by_every_command(workspace, words):
    content = json.loads(Path("params.yaml").read_text())
    content["pipeline"]["detectors"]["m"]["start"] = "$(touch PWN)"
    Path("params.yaml").write_text(json.dumps(content))
    said = refused(*(part.replace("{}", "m") for part in words))
    assert "params.yaml: pipeline.detectors.m.start: expected a path in the repository" in said


def test_where_there_is_no_params_yaml_a_bundle_can_be_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error = CliRunner().invoke(app, ["predict", "m", "a.jpg", "--bundle", "none"]).exception
    assert error is not None
    assert "params.yaml" not in str(error)
