"""A name is never a command: DVC's own shell, `make`, the command line and a stage are given hostile ones."""

import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline import workspace
from pipeline.graph import ROOT
from wrong_names import HOSTILE

pytestmark = pytest.mark.slow
COMMANDS = {what: word for what, word in HOSTILE.items() if "PWN" in word}  # each would make a file PWN
ENDS_QUOTES = "quote"  # ends the quotes of dvc.yaml: only what runs before DVC can refuse it
OF_MAKE = {"make's own shell": "$(shell touch PWN)", "make's own way": "$(eval $(shell touch PWN))"}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A workspace in which nothing has run, and which `make` takes for set up."""
    folder = workspace.make(tmp_path_factory.mktemp("prepared"), tmp_path_factory.mktemp("cache"))
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copyfile(ROOT / name, folder / name)
    (folder / ".venv").mkdir()
    (folder / ".venv/.set-up").touch()
    return folder


@pytest.fixture
def mine(prepared, tmp_path):
    return workspace.copy(prepared, tmp_path / "mine")


def call_the_data_set(folder: Path, word: str) -> None:
    content = workspace.read_params(folder)
    content["datasets"] = {word: next(iter(content["datasets"].values()))}
    content["pipeline"] |= {road: [word] for road in ("datasets", "rendered")}
    with (folder / "params.yaml").open("w", encoding="utf-8") as stream:
        YAML(typ="safe").dump(content, stream)


def made(folder: Path) -> list[str]:
    """What a word has made, but for outputs of DVC that are called after it."""
    return [path.name for path in folder.rglob("*") if path.name == "PWN"]


@pytest.mark.parametrize("what", sorted(set(COMMANDS) - {ENDS_QUOTES}))
def test_a_bare_repro_hands_a_name_to_its_stage_as_one_word(mine, what):
    call_the_data_set(mine, COMMANDS[what])
    said = workspace.run(mine, "dvc", "repro", "--keep-going")
    assert said.returncode != 0
    assert made(mine) == []
    if what != "newline":  # of which DVC makes three commands, the first of which does not end: a shell runs none
        assert "NAME: expected a name of at most 64" in said.stdout


def test_make_refuses_params_yaml_before_dvc_runs(mine):
    tried = [("repro", word) for word in COMMANDS.values()]
    tried += [(target, COMMANDS[ENDS_QUOTES]) for target in ("check", "verify")]
    for target, word in tried:
        call_the_data_set(mine, word)
        said = workspace.run(mine, "make", target)
        assert said.returncode != 0
        assert "params.yaml: datasets: expected a name" in said.stdout
        assert "dvc repro" not in said.stdout
    assert made(mine) == []


@pytest.mark.parametrize("target", ["repro", "starter"])
def test_make_takes_a_model_as_one_word(mine, target):
    for word in (COMMANDS | OF_MAKE).values():
        said = workspace.run(mine, "make", target, f"MODEL={word}")
        assert said.returncode != 0
        assert "MODEL: expected a name of at most 64" in said.stdout
    assert made(mine) == []


def test_make_takes_the_first_step_of_a_recipe_as_one_word(mine):
    for word in (COMMANDS["next command"], *OF_MAKE.values()):
        said = workspace.run(mine, "make", "starter", "MODEL=driver", f"FIRST={word}")
        assert "FIRST: expected the number of a step" in said.stdout
    assert made(mine) == []


def test_a_command_and_a_stage_refuse_what_ends_the_quotes(mine):
    call_the_data_set(mine, HOSTILE[ENDS_QUOTES])
    stage = workspace.run(mine, "env", "PYTHONPATH=src", "python", "-m", "vouch.stages.scan", "driver")
    for said in (stage, workspace.vouch(mine, "compare", "driver")):
        assert said.returncode == 1
        assert said.stdout.startswith("vouch: parameters refused")
    assert made(mine) == []
