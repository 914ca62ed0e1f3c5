"""Presets: what a person decides over what the tool decides, and each value's place."""

import shutil
from typing import Annotated, Any

import pytest
from pydantic import Field

from vouch.errors import ParamsError
from vouch.params import Section, load, read_section, read_value
from vouch.presets import Layer, laid

DATASET = "scan: {max_megapixels: 50.0}\n"
DETECT = """
gate:
  rules:
    recall: {limit: 0.9, min_groups: 20}
    precision: {limit: 0.8, min_groups: 20}
  level: 0.95
train_detector: {batch: 16}
"""
PARAMS = """
pipeline:
  models:
    m: {task: detect, judged_as: m}
    variant: {task: detect, judged_as: m}
datasets:
  d: {scan: {}}
models:
  m:
    gate: {rules: {recall: {limit: 0.95}}}
    train_detector: {batch: 4}
  variant:
    gate: {level: 0.9}
    train_detector: {}
"""


class Rule(Section):
    limit: Annotated[float, Field(ge=0)]
    min_groups: int


class Gate(Section):
    rules: dict[str, Rule]
    level: float


@pytest.fixture
def path(tmp_path):
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets/dataset.yaml").write_text(DATASET)
    (tmp_path / "presets/detect.yaml").write_text(DETECT)
    (tmp_path / "params.yaml").write_text(PARAMS)
    return tmp_path / "params.yaml"


def test_a_section_is_laid_over_the_preset_of_its_task(path):
    gate = load(Gate, "models", "m", "gate", path=path)
    assert gate.rules["recall"] == Rule(limit=0.95, min_groups=20)
    assert gate.rules["precision"] == Rule(limit=0.8, min_groups=20)
    assert read_value("datasets", "d", "scan", "max_megapixels", path=path) == 50.0


def test_a_variant_is_judged_as_its_model_and_trained_as_itself(path):
    gate = load(Gate, "models", "variant", "gate", path=path)
    assert (gate.rules["recall"].limit, gate.level) == (0.95, 0.9)
    assert read_value("models", "variant", "train_detector", "batch", path=path) == 16


def test_every_value_knows_its_place(path):
    found = read_section("models", "variant", "gate", path=path)
    folder = path.parent
    assert found.where(("level",)) == f"{folder}/params.yaml: models.variant.gate"
    assert found.where(("rules", "recall", "limit")) == f"{folder}/params.yaml: models.m.gate"
    assert found.where(("rules", "recall", "min_groups")) == f"{folder}/presets/detect.yaml: gate"
    assert found.where(("rules", "recall", "nothing of the kind")) == f"{folder}/params.yaml: models.m.gate"


@pytest.mark.parametrize(
    ("below", "above", "result"),
    [
        ({"kind": "a", "x": 1}, {"kind": "b", "y": 2}, {"kind": "b", "y": 2}),
        ({"kind": "a", "x": 1}, {"kind": "a", "y": 2}, {"kind": "a", "x": 1, "y": 2}),
        ({"kind": "a", "x": 1}, {"y": 2}, {"kind": "a", "x": 1, "y": 2}),
        ({"x": 1}, {"kind": "b"}, {"x": 1, "kind": "b"}),
        ({"list": [1, 2]}, {"list": [3]}, {"list": [3]}),
        ({"x": {"y": 1}}, {"x": None}, {}),
        ({"x": 1}, {"x": None}, {"x": None}),
        ({"x": {"y": 1}}, {"x": 2}, {"x": 2}),
        ({"x": 2}, {"x": {"y": 1}}, {"x": {"y": 1}}),
        ({"x": 2}, {}, {"x": 2}),
    ],
)
def test_layers_merge_key_by_key_and_another_kind_takes_the_place(below, above, result):
    before = repr((below, above))
    assert laid([Layer("below", below), Layer("above", above)]).content == result
    assert repr((below, above)) == before


def test_what_another_kind_replaced_has_no_place_any_more():
    found = laid([Layer("below", {"loss": {"kind": "a", "x": 1}}), Layer("above", {"loss": {"kind": "b"}})])
    assert found.where(("loss", "x")) == "above"


def test_what_was_taken_away_is_missed_where_it_was(path):
    found = laid([Layer("below", {"rules": {"recall": {"limit": 0.9}}}), Layer("above", {"rules": None})])
    assert found.where(("rules",)) == found.where(("rules", "recall")) == "above"


def refused(path, text, *, file="params.yaml", keys=("models", "m", "gate")):
    (path.parent / file).write_text(text)
    with pytest.raises(ParamsError) as caught:
        load(Gate, *keys, path=path)
    return [str(problem).replace(f"{path.parent}/", "") for problem in caught.value.problems]


def test_a_preset_with_an_unknown_key_or_a_wrong_value_is_named_where_it_stands(path):
    text = DETECT.replace("level: 0.95", "level: 0.95\n  colour: red").replace("limit: 0.8", "limit: -1")
    unknown, low = refused(path, text, file="presets/detect.yaml")
    assert low.startswith("presets/detect.yaml: gate.rules.precision.limit: ")
    assert unknown.startswith("presets/detect.yaml: gate.colour: expected a known key")


def test_a_change_of_what_the_preset_lacks_names_what_it_has(path):
    (line,) = refused(path, PARAMS.replace("rules: {recall:", "rules: {recal:"))
    assert line.startswith("params.yaml: models.m.gate.rules.recal.min_groups: expected a value, got nothing; ")
    assert line.endswith("add the key, or respell recal: the preset has precision, recall")
    (line,) = refused(path, PARAMS.replace("gate: {rules:", "gate: {lvl: 1, rules:"))
    assert line.startswith("params.yaml: models.m.gate.lvl: expected a known key")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("    m: {task: detect, judged_as: m}\n", "", "pipeline.models.m"),
        ("m: {task: detect, judged_as: m}", "m: {task: detect}", "pipeline.models.m.judged_as"),
        ("  m:\n    gate", "  n:\n    gate", "models.m"),
    ],
)
def test_a_model_that_is_not_described_has_no_presets_and_no_section(path, old, new, words):
    (line,) = refused(path, PARAMS.replace(old, new))
    assert f"params.yaml: {words}: expected a section, got nothing" in line


def test_a_section_of_a_command_may_be_the_preset_s_alone(path):
    (path.parent / "presets/detect.yaml").write_text(DETECT + "drift: {level: 0.05}\n")
    assert read_section("models", "m", "drift", path=path).content == {"level": 0.05}
    with pytest.raises(ParamsError, match=r"models\.m\.curve"):
        read_section("models", "m", "curve", path=path)


def test_a_preset_that_is_no_file_is_named(path):
    (path.parent / "presets/detect.yaml").unlink()
    with pytest.raises(ParamsError, match=r"presets/detect\.yaml: expected a readable file, got No such file"):
        read_section("models", "m", "gate", path=path)


def test_without_presets_params_yaml_says_all(path):
    shutil.rmtree(path.parent / "presets")
    found: Any = read_section("models", "m", "gate", path=path)
    assert found.content == {"rules": {"recall": {"limit": 0.95}}}
