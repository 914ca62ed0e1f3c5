"""`vouch add`: sections of an example come into params.yaml, and nothing that was there changes."""

import difflib
import re
import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from pipeline.graph import EXAMPLES, ROOT, with_examples
from vouch.cli import app

WHOLE = [name for name in EXAMPLES if name != "roadwork_dino_pretrained"]  # it takes the place of another's start
COMMENT = re.compile(r"(?<=\S) +# .*$")


@pytest.fixture(autouse=True)
def checkout(tmp_path, monkeypatch):
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    shutil.copytree(ROOT / "presets", tmp_path / "presets")
    monkeypatch.chdir(tmp_path)


def add(path):
    return CliRunner().invoke(app, ["add", str(path)])


def refused(path):
    """Return what is said of a file that is refused, nothing written."""
    before = Path("params.yaml").read_bytes()
    result = add(path)
    assert Path("params.yaml").read_bytes() == before
    assert result.exception is not None, result.output
    return str(result.exception)


def comments(lines):
    return {found.group().strip() for line in lines if (found := COMMENT.search(line))}


def example(name):
    return ROOT / f"examples/{name}.params.yaml"


@pytest.mark.parametrize("name", WHOLE)
def test_an_example_comes_with_its_comments_and_every_line_stays(name):
    before = Path("params.yaml").read_text(encoding="utf-8").splitlines()
    result = add(example(name))
    assert result.exit_code == 0, result.output
    after = Path("params.yaml").read_text(encoding="utf-8").splitlines()
    assert YAML(typ="safe").load("\n".join(after)) == with_examples([name])
    gone = [line[2:] for line in difflib.ndiff(before, after) if line.startswith("- ")]
    assert all(": {}" in line or ": []" in line for line in gone), gone  # the first of a kind opens its section
    new = [line for line in example(name).read_text().splitlines() if line.startswith(" " * 4)]  # below a list's name
    assert comments(new) <= comments(after)


def test_what_comes_next_is_said():
    assert add(example("roadwork_dino")).output.endswith("build it:\n  make repro MODEL=roadwork_dino\n")
    said = add(example("trashnet")).output
    assert "vouch import trashnet PATH" in said
    assert said.endswith("make repro MODEL=trashnet\n")


def test_given_twice_nothing_changes():
    add(example("roadwork_dino"))
    first = Path("params.yaml").read_bytes()
    again = add(example("roadwork_dino"))
    assert again.exit_code == 0
    assert "in it already" in again.output
    assert Path("params.yaml").read_bytes() == first


def test_everything_that_contradicts_is_said_at_once(tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text("models:\n  driver:\n    train_detector:\n      epochs: 99\n      size_px: 64\n  new: {}\n")
    said = refused(own)
    assert "models.driver.train_detector.epochs: expected 99, as the file says, got 3" in said
    assert "models.driver.train_detector.size_px: expected 64" in said


@pytest.mark.parametrize(
    ("there", "given"), [("true", "1"), ("1", "true"), ("[0]", "[false]"), ("[{a: 1}]", "[{a: true}]")]
)
def test_a_truth_value_and_a_number_are_two_values(there, given):
    text = Path("params.yaml").read_text(encoding="utf-8")
    assert text.count("\nmodels:\n") == 1
    Path("params.yaml").write_text(text.replace("\nmodels:\n", f"\nmodels:\n  m:\n    x: {there}\n"), encoding="utf-8")
    Path("own.yaml").write_text(f"models:\n  m:\n    x: {given}\n")
    assert "params.yaml: models.m.x: expected" in refused("own.yaml")


def test_an_example_that_takes_the_place_of_another_says_where():
    add(example("roadwork_dino"))
    assert "pipeline.frozen.roadwork_dino.start" in refused(example("roadwork_dino_pretrained"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("modles:\n  m: {}\n", "params.yaml: modles"),
        ("models: [\n", "own.yaml"),
        ("- models\n", "own.yaml"),
        ("# nothing yet\n", "own.yaml"),
        ("pipeline:\n  models:\n    m: 3\n", "pipeline"),
        ("pipeline:\n  datasets:\n  - nowhere\n", "nowhere"),
        ("pipeline: 3\n", "params.yaml: pipeline"),
        ("models:\n  a b: {}\n", "'a b'"),
        ("models:\n  m: {a: 1, a: 2}\n", "own.yaml"),
        ("models: !!python/object:os.system {}\n", "own.yaml"),
        ("\udcff", "own.yaml"),
    ],
)
def test_a_file_of_anything_else_is_refused(tmp_path, content, said):
    own = tmp_path / "own.yaml"
    own.write_text(content, errors="surrogateescape")
    assert said in refused(own)


def test_a_file_that_is_not_there_is_named():
    assert "nowhere.yaml" in refused("nowhere.yaml")


def test_a_name_that_is_a_number_is_refused_before_anything_is_written():
    Path("more.yaml").write_text("datasets:\n  2024: {}\n")
    assert "datasets.2024: expected a name that is text, got 2024; put it in quotes" in refused("more.yaml")
