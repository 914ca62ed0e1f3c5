import json
from pathlib import Path

import pytest

from pipelines import of_a_system, of_one_detector
from vouch.commands.check_params import check_params
from vouch.errors import ParamsError
from wrong_names import HOSTILE


@pytest.fixture
def content(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = {"pipeline": of_one_detector(), "datasets": {"d": {}}, "models": {"m": {}}}
    Path("params.yaml").write_text(json.dumps(content))
    return content


def test_right_parameters_pass_and_so_does_a_model_of_theirs(content):
    check_params()
    check_params("")
    check_params("m")


@pytest.mark.parametrize("word", [*(word for word in HOSTILE.values() if word), "a" * 65])
def test_a_hostile_model_is_refused(content, word):
    with pytest.raises(ParamsError, match="MODEL: expected a name"):
        check_params(word)


def test_an_unknown_model_is_refused_with_those_that_are_known(content):
    with pytest.raises(
        ParamsError, match=r"MODEL_OR_SYSTEM: expected the name of a model or system of params\.yaml: m, got n, "
    ):
        check_params("n")


def test_a_system_may_be_named(content):
    Path("params.yaml").write_text(json.dumps(of_a_system()))
    check_params("s")


@pytest.mark.parametrize("text", ["{}", "a: 2020-99-99", "pipeline: {}", "[]"])
def test_parameters_without_roads_are_refused(content, text):
    Path("params.yaml").write_text(text)
    with pytest.raises(ParamsError):
        check_params()
