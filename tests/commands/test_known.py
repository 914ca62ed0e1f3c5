"""A word that names nothing is told with what there is and the nearest, by every command alike."""

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from pipelines import of_one_detector
from vouch.cli import app
from vouch.commands.known import listed_photographs, refuse_unknown
from vouch.errors import DataError, ParamsError, VouchError

COMMANDS = {
    "import": ("dataset", "import", "{}", "photographs", "--format", "yolo"),
    "undo": ("dataset", "import", "{}", "--undo"),
    "assign": ("dataset", "split", "assign", "{}", "k=v", "--to", "train"),
    "review-labels": ("dataset", "review-labels", "{}", "-o", "review"),
    "export": ("dataset", "manifest", "export", "{}", "-o", "out.jsonl"),
    "predict": ("model_or_system", "predict", "{}", "photographs/a.jpg"),
    "gate": ("model_or_system", "gate", "{}"),
    "plan": ("model_or_system", "plan", "{}", "--groups", "9", "--per-group", "2", "--icc", "0"),
    "compare": ("model_or_system", "compare", "{}"),
    "promote": ("model", "promote", "{}"),
    "deploy": ("model", "deploy", "{}", "out", "--to", "triton"),
    "drift": ("model", "drift", "{}", "photographs"),
}
SAID = {
    "model": "MODEL: expected the name of a model of params.yaml: roadwork, got {}, which is none; {}",
    "model_or_system": (
        "MODEL_OR_SYSTEM: expected the name of a model or system of params.yaml: roadwork, got {}, which is none; {}"
    ),
    "dataset": "DATASET: expected the name of a data set of params.yaml: sites, got {}, which is none; {}",
}
DRIFT = {
    "level": 0.05, "permutations": 159, "bins": 5, "components": 3, "sample": 100, "folds": 3, "least_groups": 8,
    "least_photographs": 20, "examples": 2, "seed": 1,
    "effects": {"ks": 0.15, "psi": 0.1, "auc": 0.6, "kernel_ratio": 2.0, "labels": 0.1, "performance": 0.05},
}  # fmt: skip
RIGHT = {"model": "roadwork", "model_or_system": "roadwork", "dataset": "sites"}


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sections = {"datasets": {"sites": {}}, "models": {"roadwork": {}}}
    Path("params.yaml").write_text(json.dumps({"pipeline": of_one_detector("roadwork", "sites"), **sections}))
    Path("photographs").mkdir()
    Image.new("RGB", (8, 8)).save("photographs/a.jpg")


def refusal(*words):
    error = CliRunner().invoke(app, list(words)).exception
    assert isinstance(error, VouchError), error
    return str(error)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_an_unknown_name_is_told_with_the_nearest_and_with_what_there_is(workspace, command):
    kind, *words = command
    near = RIGHT[kind][:-1]
    said = refusal(*(near if word == "{}" else word for word in words))
    assert said.splitlines()[0] == "parameters refused: 1 problem"
    assert SAID[kind].format(near, f"perhaps `{RIGHT[kind]}` was meant; or `vouch new` makes one") in said
    far = refusal(*("zzz" if word == "{}" else word for word in words))
    assert SAID[kind].format("zzz", "name one of these; or `vouch new` makes one") in far


def test_where_there_is_none_that_is_said(workspace):
    Path("params.yaml").write_text("datasets: {}")
    for named in ({"dataset": "d"}, {"model": "m"}):
        with pytest.raises(ParamsError, match=r"of params\.yaml: there is none, got"):
            refuse_unknown(named)


def test_of_very_many_names_a_dozen_are_listed(workspace):
    Path("params.yaml").write_text(json.dumps({"datasets": {f"d{index:03}": {} for index in range(300)}}))
    with pytest.raises(ParamsError, match=r"d010, d011, \.\.\., got zz"):
        refuse_unknown({"dataset": "zz"})


def test_a_bundle_of_elsewhere_may_be_of_any_model_but_must_be_there(workspace):
    Path("bundel").mkdir()
    said = refusal("predict", "nobody", "photographs/a.jpg", "--bundle", "bundle")
    assert "bundle: expected a bundle, got no such folder; perhaps `bundel` was meant" in said


@pytest.mark.parametrize(
    "words", [("predict", "photographs"), ("drift", "photographs"), ("deploy", "x", "--to", "triton")]
)
def test_a_model_that_is_not_built_says_how_to_build_it(workspace, words):
    command, *rest = words
    if command == "drift":
        content = json.loads(Path("params.yaml").read_text())
        content["models"]["roadwork"]["drift"] = DRIFT
        Path("params.yaml").write_text(json.dumps(content))
    said = refusal(command, "roadwork", *rest)
    assert "models/roadwork/bundle: expected a bundle, got no such folder; run `make repro MODEL=roadwork`" in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--to", "tritn"), "--to: expected one of openvino, triton, tensorrt, got tritn; perhaps `triton` was meant"),
        (
            ("--to", "tensorrt", "--precision", "half"),
            "expected one of float32, bfloat16, float16, got half",
        ),
        ((), "vouch deploy: expected MODEL FOLDER --to SERVER, or --lint FOLDER, got no --to; say what is lacking"),
    ],
)
def test_a_misspelt_choice_of_a_server_is_told_with_the_nearest(workspace, words, says):
    assert says in refusal("deploy", "roadwork", "x", *words)


@pytest.mark.parametrize("where", ["", "folder", "file"])
def test_what_is_no_bundle_names_the_one_that_lies_in_it(workspace, where):
    Path("folder/bundle").mkdir(parents=True)
    Path("file").write_bytes(b"")
    said = refusal("predict", "roadwork", "photographs/a.jpg", "--bundle", where or "folder/bundle")
    got, remedy = {
        "": ("a folder without one", "name a bundle, as models/M/bundle is one"),
        "folder": ("a folder without one", "perhaps `folder/bundle` was meant"),
        "file": ("a file", "name a bundle, as models/M/bundle is one"),
    }[where]
    if where == "folder":
        Path("folder/bundle/manifest.json").write_text("{}")
        said = refusal("predict", "roadwork", "photographs/a.jpg", "--bundle", where)
    assert f"expected a bundle, a folder with manifest.json, got {got}; {remedy}" in said


def test_a_link_that_leads_nowhere_is_no_photograph(workspace):
    Path("photographs/b.jpg").symlink_to("nowhere.jpg")
    said = refusal("predict", "roadwork", "photographs/b.jpg")
    assert "photographs/b.jpg: expected a photograph, or a folder of them, got a link that leads nowhere" in said


def test_a_system_in_the_place_of_a_model_is_called_so(workspace):
    content = json.loads(Path("params.yaml").read_text())
    content["pipeline"]["systems"] = {"roads": {}}
    Path("params.yaml").write_text(json.dumps(content))
    with pytest.raises(ParamsError, match=r"got roads, which is a system; name one of these"):
        refuse_unknown({"model": "roads"})
    with pytest.raises(ParamsError, match=r"got roadwork, which is a model; name one of these"):
        refuse_unknown({"dataset": "roadwork"})


def test_every_missing_photograph_is_named_before_anything_is_opened(workspace):
    said = refusal("predict", "roadwork", "photographs/b.jpg", "photos/c", "photographs/a.jpg")
    assert said.splitlines() == [
        "data refused: 2 problems",
        "  photographs/b.jpg: expected a photograph, or a folder of them, got no such file; perhaps `a.jpg` was meant",
        "  photos/c: expected a photograph, or a folder of them, got no such file; correct it: "
        "there is no folder photos",
    ]


def test_a_folder_without_photographs_is_named(workspace):
    Path("empty").mkdir()
    with pytest.raises(DataError, match=r"empty: expected photographs .*, got none in this folder"):
        listed_photographs([Path("empty"), Path("photographs")])
    assert listed_photographs([Path("photographs")]) == [Path("photographs/a.jpg")]


def test_a_missing_folder_or_table_of_groups_is_named_by_drift(workspace):
    content = json.loads(Path("params.yaml").read_text())
    content["models"]["roadwork"]["drift"] = DRIFT
    Path("params.yaml").write_text(json.dumps(content))
    said = refusal("drift", "roadwork", "photograph", "--groups", "group.csv")
    table = "a folder of photographs, or a prediction table"
    assert f"photograph: expected {table}, got no such file; perhaps `photographs` was meant" in said
    nothing = "got no such file; correct it: nothing in . is called alike"
    assert f"group.csv: expected a CSV of image and group, {nothing}" in said
