"""Options that would change nothing beside the others are refused by name, and nothing is written."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines import of_one_detector
from vouch import io
from vouch.cli import app
from vouch.commands.unheeded import unheeded
from vouch.errors import VouchError


def test_what_was_given_is_named_and_nothing_else():
    given = {"--a": None, "--b": False, "--c": "", "--d": [], "--e": 0, "--f": 0.0, "--g": Path(), "--h": ["x"]}
    assert [one.where for one in unheeded(given, "x", "y")] == ["--e", "--f", "--g", "--h"]


UNDO, LINT = ("import", "d", "--undo"), ("deploy", "--lint", "served")
DEPLOY = ("deploy", "m", "served", "--to")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ((*UNDO, "--name", "batch"), ["--name"]),
        (("import", "d", "photographs", "--undo", "--format", "yolo"), ["--format", "PATH"]),
        ((*UNDO, "--group", "a=value:b", "--strata", "s=value:t"), ["--group", "--strata"]),
        ((*UNDO, "--split", "column:x"), ["--split"]),
        ((*UNDO, "--label-map", "a=b", "--unlabelled", "negative"), ["--label-map", "--unlabelled"]),
        ((*UNDO, "--manifest", "m.csv", "--ignore", "x"), ["--ignore", "--manifest"]),
        ((*UNDO, "--annotations", "a.json", "--images", "x"), ["--annotations", "--images"]),
        ((*UNDO, "--drop-crowds"), ["--drop-crowds"]),
        (("import", "d", "photographs", "--format", "yolo", "--annotations", "a.json"), ["--annotations"]),
        (("import", "d", "photographs", "--format", "csv", "--images", "x"), ["--images"]),
        (("import", "d", "photographs", "--format", "voc", "--drop-crowds"), ["--drop-crowds"]),
        (("plan", "m", "--json", "--markdown"), ["--json, --markdown"]),
        ((*DEPLOY, "triton", "--photographs", "photographs"), ["--photographs"]),
        ((*DEPLOY, "triton", "--tolerance", "0", "--box-tolerance-px", "0"), ["--box-tolerance-px", "--tolerance"]),
        ((*DEPLOY, "openvino", "--max-batch", "1", "--delay-us", "0"), ["--delay-us", "--max-batch"]),
        ((*DEPLOY, "tensorrt", "--delay-us", "5"), ["--delay-us"]),
        ((*LINT, "--max-batch", "4", "--to", "triton"), ["--max-batch", "--to"]),
        (("deploy", "m", "--lint", "served", "--precision", "float16"), ["--precision", "MODEL"]),
    ],
)  # fmt: skip
def test_an_option_that_another_one_leaves_without_effect_is_refused_by_name(tmp_path, monkeypatch, words, named):
    monkeypatch.chdir(tmp_path)
    io.write_json(Path("params.yaml"), {"pipeline": of_one_detector(), "datasets": {"d": {}}, "models": {"m": {}}})
    Path("photographs").mkdir()
    before = sorted(Path().rglob("*"))
    error = CliRunner().invoke(app, [*words]).exception
    assert isinstance(error, VouchError), error
    assert sorted(one.where for one in error.problems) == named
    assert sorted(Path().rglob("*")) == before
