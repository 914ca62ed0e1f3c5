"""`vouch params`: what holds, where it comes from, and why."""

import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from rich.console import Console

from vouch.commands import params as command
from vouch.errors import ParamsError

DATASET = """
scan:
  max_megapixels: 50.0 # a header that claims more is refused
"""
DETECT = """
train_detector:
  batch: 16
gate:
  rules: # each is a verdict
    recall:
      limit: 0.9
      min_groups: 20 # from fewer an interval errs
  metrics: # in the order of the page
  - recall
  - ece
drift:
  level: 0.05 # chance of an alarm
"""
PARAMS = """
pipeline:
  models:
    m: {task: detect, judged_as: m}
    variant: {task: detect, judged_as: m}
datasets:
  d:
    scan: {}
  m:
    split: {}
models:
  m:
    train_detector: {}
    gate:
      rules:
        recall:
          limit: 0.95 # asked by the fleet
  variant:
    gate: {}
"""


@pytest.fixture
def said(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets/dataset.yaml").write_text(DATASET)
    (tmp_path / "presets/detect.yaml").write_text(DETECT)
    (tmp_path / "params.yaml").write_text(PARAMS)
    monkeypatch.setattr(command, "Console", lambda: Console(width=120))
    command._commented.cache_clear()

    def run(*words):
        with suppress(ParamsError):  # these sections are made up
            command.params(*words)
        return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

    return run


def test_every_parameter_has_its_value_its_place_and_its_reason(said):
    lines = said("variant", "gate")
    assert lines[0] == "models.variant.gate"
    assert "rules.recall.limit 0.95 models.m asked by the fleet" in lines
    assert "rules.recall.min_groups 20 presets/detect.yaml from fewer an interval errs" in lines
    assert "metrics recall, ece presets/detect.yaml in the order of the page" in lines


def test_a_name_of_a_data_set_and_a_model_has_the_sections_of_both(said):
    assert said("m", "gate")[0] == "models.m.gate"
    assert [line for line in said("m") if line.startswith("datasets.m.")] == ["datasets.m.split"]


def test_all_sections_are_those_that_the_stages_and_commands_of_a_model_read(said):
    titles = [line for line in said("m") if line.startswith("models.m.")]
    assert titles == ["models.m.train_detector", "models.m.gate", "models.m.drift"]
    titles = [line for line in said("variant") if line.startswith("models.variant.")]
    assert titles == ["models.variant.gate", "models.variant.drift"]  # it is not trained
    assert "max_megapixels 50.0 presets/dataset.yaml a header that claims more is refused" in said("d")


@pytest.mark.parametrize(
    ("words", "message"),
    [(("n",), "NAME: expected a model, data set or system"), (("m", "gaet"), "perhaps `gate` was meant")],
)
def test_what_there_is_not_is_named(said, words, message):
    with pytest.raises(ParamsError, match=message):
        command.params(*words)


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ("bundle: {version: 1.0.0, licence: x}", r"params\.yaml: models\.m\.bundle\.licence: expected a known key"),
        ("bundle: {version: 1}", r"params\.yaml: models\.m\.bundle\.version: expected .*string, got 1"),
        ("bundel: {version: 1.0.0}", r"models\.m\.bundel: expected a section that a stage .*, got one that none does"),
    ],
    ids=["an unknown key", "a wrong value", "a section that nothing reads"],
)
def test_what_a_stage_would_refuse_is_shown_and_then_said(said, capsys, own, message):
    Path("params.yaml").write_text(PARAMS.replace("    train_detector: {}", f"    {own}"))
    with pytest.raises(ParamsError, match=message):
        command.params("m", own.partition(":")[0])
    assert "version" in capsys.readouterr().out


def test_without_presets_params_yaml_says_all(said):
    shutil.rmtree("presets")
    assert [line for line in said("m") if line.startswith("models.m.")] == ["models.m.train_detector", "models.m.gate"]


def test_a_section_that_its_stage_takes_ends_well(said, capsys):
    Path("params.yaml").write_text(PARAMS.replace("    train_detector: {}", "    bundle: {version: 1.0.0}"))
    command.params("m", "bundle")
    assert "1.0.0" in capsys.readouterr().out
