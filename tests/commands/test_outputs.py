"""Where commands write: never on what they read, never over what stands there, and known before anything is computed.

In these workspaces there is no bundle, no manifest and no readable photograph: a command that computed before it looked
at its outputs would fail for another reason.
"""

import os
import re
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from deployment.bundles import build, photographs
from full_disk import full_disk
from pipelines import of_one_detector
from vouch import io, paths
from vouch.cli import app
from vouch.errors import DataError, WorkspaceError
from vouch.vision.images.source import File, read_image

SECTION = {
    "level": 0.05, "permutations": 159, "bins": 5, "components": 3, "sample": 100, "folds": 3, "least_groups": 8,
    "least_photographs": 20, "examples": 2, "seed": 1,
    "effects": {"ks": 0.15, "psi": 0.1, "auc": 0.6, "kernel_ratio": 2.0, "labels": 0.1, "performance": 0.05},
}  # fmt: skip
TAXONOMY = {"classes": ["can"], "group_keys": ["session"], "strata": {}}
PARAMS = {
    "pipeline": of_one_detector(),
    "datasets": {"d": {"ingest": TAXONOMY}},
    "models": {"m": {"drift": SECTION}},
}
OUTPUTS = {  # parameter: the command, its option, and a suffix that may be written, none where it is a folder
    ("predict", "output"): (["predict", "m", "photos/a.png"], "--output", ".png"),
    ("predict", "csv"): (["predict", "m", "photos/a.png"], "--csv", ".csv"),
    ("predict", "json"): (["predict", "m", "photos/a.png"], "--json", ".json"),
    ("evaluate-counts", "json"): (
        ["evaluate-counts", "--predictions", "photos/a.png", "--ground-truth", "photos/a.png"],
        "--json",
        ".json",
    ),
    ("data fingerprint", "output"): (["data", "fingerprint", "d"], "-o", ".json"),
    ("drift", "json"): (["drift", "m", "photos"], "--json", ".json"),
    ("drift", "page_folder"): (["drift", "m", "photos"], "--page", ""),
    ("deploy", "folder"): (["deploy", "m", "--to", "openvino", "--photographs", "photos", "--"], None, ""),
    ("review-labels", "output"): (["review-labels", "d"], "-o", ""),
    ("curate dedupe", "output"): (["curate", "dedupe", "photos/a.png"], "-o", ".csv"),
    ("curate taxonomy", "output"): (["curate", "taxonomy", "--pack", "photos/a.png"], "-o", ".json"),
    ("curate taxonomy", "map_output"): (
        ["curate", "taxonomy", "--pack", "photos/a.png", "--labels", "photos/a.png"],
        "--map-output",
        ".json",
    ),
    ("curate coverage", "json"): (
        ["curate", "coverage", "photos/a.png", "--taxonomy", "photos/a.png", "--wanted", "photos/a.png"],
        "--json",
        ".json",
    ),
    ("curate holdout", "output"): (
        ["curate", "holdout", "photos/a.png", "--taxonomy", "photos/a.png", "--model", "m"],
        "-o",
        ".csv",
    ),
    ("curate holdout", "left_out"): (
        ["curate", "holdout", "photos/a.png", "--taxonomy", "photos/a.png", "--model", "m", "-o", "../../kept.csv"],
        "--left-out",
        ".csv",
    ),
    ("curate retrain", "output"): (
        ["curate", "retrain", "photos/a.png", "--model", "m", "--scores", "photos/a.png", "--most", "1"],
        "-o",
        ".csv",
    ),
    ("curate bundle", "output"): (["curate", "bundle", "photos/a.png", "--model", "m"], "-o", ""),
    ("manifest export", "output"): (["manifest", "export", "d", "--format", "jsonl"], "-o", ".jsonl"),
    ("manifest export", "coco"): (["manifest", "export", "d", "--format", "coco"], "-o", ".json"),
    ("manifest export", "yolo"): (["manifest", "export", "d", "--format", "yolo"], "-o", ""),
}
INPUTS = {
    ("add", "file"),
    ("new", "path"),
    ("import", "path"), ("import", "manifest"), ("import", "annotations"), ("predict", "images"), ("predict", "bundle"),
    ("drift", "path"), ("drift", "groups"), ("deploy", "bundle"), ("deploy", "photographs"), ("deploy", "lint"),
    ("review-labels", "apply"), ("evaluate-counts", "predictions"), ("evaluate-counts", "ground_truth"),
    ("gallery add", "photographs"),
    ("curate suggest", "rows"), ("curate suggest", "catalogue"), ("curate suggest", "scores"),
    ("curate suggest", "taxonomy"), ("curate suggest", "wanted"),
    ("curate normalize", "rows"), ("curate dedupe", "rows"),
    ("curate taxonomy", "pack"), ("curate taxonomy", "previous"), ("curate taxonomy", "labels"),
    ("curate taxonomy", "stated"), ("curate coverage", "taxonomy"), ("curate coverage", "wanted"),
    ("curate coverage", "rows"), ("curate coverage", "label_map"), ("curate holdout", "rows"),
    ("curate holdout", "taxonomy"), ("curate holdout", "label_map"),
    ("curate retrain", "candidates"), ("curate retrain", "scores"), ("curate retrain", "taxonomy"),
    ("curate retrain", "label_map"), ("curate bundle", "chosen"), ("curate bundle", "scores"),
    ("curate check", "folder"), ("curate import", "folder"),
    # a table that people edit too: cells are filled and rows added, and no other byte changes
    ("curate manifest", "rows"), ("curate manifest", "taxonomy"), ("curate manifest", "wanted"),
    ("curate resolve", "rows"), ("curate resolve", "photographs"),
}  # fmt: skip
OVERWRITES = {"predict", "drift", "manifest", "evaluate-counts", "data", "curate"}
FOLDER_ALONE = ["curate", "bundle"]  # a new folder is never written over
LOCAL = {
    "data/sources/d/render/labels": "dear",
    "models/m/bundle/manifest": "dear",
    "photos/a": "dear",
    "mine/a": "dear",
}


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A repository with sources, a bundle and a person's photographs, of which none can be read."""
    root = tmp_path / "checkout"
    root.mkdir()
    monkeypatch.chdir(root)
    io.write_json(Path("params.yaml"), PARAMS)  # JSON is YAML
    Path(".dvc").mkdir()
    for name, content in LOCAL.items():
        for suffix in {suffix for _, _, suffix in OUTPUTS.values()}:
            io.write_text(Path(f"{name}{suffix}"), content)
    Path("empty").mkdir()
    Path("link").symlink_to("photos")
    os.mkfifo("pipe.png")
    return root


def held(root):
    """Everything below a folder: files with bytes, links with where they lead, and the names of all else."""
    return {
        str(path): path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else None
        for path in root.rglob("*")
    }


def invoke(words, option, place, *more):
    named = [str(place)] if option is None else [option, str(place)]
    at = words.index("--") if "--" in words else len(words)
    return CliRunner().invoke(app, [*words[:at], *more, *words[at:], *named])


def refused(words, option, place, *more):
    """Return the refusal's words of a command that must refuse an output by its option's name."""
    result = invoke(words, option, place, *more)
    assert result.exit_code != 0
    assert isinstance(result.exception, WorkspaceError), repr(result.exception)
    named = {"-o": "--output", None: "FOLDER"}.get(option, option)
    assert all(problem.where.startswith(f"{named} ") for problem in result.exception.problems)
    return str(result.exception)


def prepare(place, suffix):
    """Return the place for a case, made where it has to be made."""
    path = Path(place.format(suffix=suffix))
    if place.startswith("hard"):
        path.hardlink_to(Path("photos/a.png"))
    elif place.startswith("soft"):
        path.symlink_to(Path("mine", f"a{suffix}").absolute())
    return path


PLACES = {  # of any output, whatever --overwrite says
    "": "a folder|no folder, or an empty one",
    ".": "a folder|no folder, or an empty one",
    "..": "a folder|no folder, or an empty one",
    "mine": "a folder|no folder, or an empty one",
    "link": "a link|no folder, or an empty one",
    "soft{suffix}": "a link|no folder, or an empty one",
    "data/sources/d/render": "which the repository writes itself",
    "data/sources/d/render/labels{suffix}": "which the repository writes itself",
    "data/new{suffix}": "which the repository writes itself",
    "models/m/bundle/manifest{suffix}": "which the repository writes itself",
    "registry/new/x{suffix}": "which the repository writes itself",
    "mine/a.png/x{suffix}": "something else at",
    "n" * 250 + "{suffix}": "File name too long",
    "\udcff{suffix}": "expected a UTF-8 name, got bytes that are none",
    "../checkout/splits/x{suffix}": "which the repository writes itself",
}


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("parameter", OUTPUTS)
def test_an_output_that_may_not_be_written_is_refused_and_every_byte_stays(workspace, parameter, place, overwrite):
    words, option, suffix = OUTPUTS[parameter]
    path = prepare(place, suffix)
    more = ["--overwrite"] if overwrite and words[0] in OVERWRITES and words[:2] != FOLDER_ALONE else []
    before = held(workspace)
    said = refused(words, option, path, *more)
    assert any(words in said for words in PLACES[place].split("|")), said
    assert held(workspace) == before


@pytest.mark.parametrize("parameter", [key for key, (_, _, suffix) in OUTPUTS.items() if suffix])
def test_what_stands_in_the_place_is_replaced_on_demand_alone(workspace, parameter):
    words, option, suffix = OUTPUTS[parameter]
    before = held(workspace)
    assert "give --overwrite to replace it" in refused(words, option, f"mine/a{suffix}")
    assert not isinstance(invoke(words, option, f"mine/a{suffix}", "--overwrite").exception, WorkspaceError)
    assert held(workspace) == before  # there was nothing to compute with


@pytest.mark.parametrize("parameter", [key for key in OUTPUTS if key[0] in ("predict", "drift", "deploy")])
def test_an_output_is_never_an_input_or_in_one(workspace, parameter):
    words, option, suffix = OUTPUTS[parameter]
    if words[0] == "predict":
        words = [*words, "photos"]
    more = ["--overwrite"] if words[0] in OVERWRITES else []
    before = held(workspace)
    for place in (f"photos/new{suffix}", f"link/new{suffix}", f"photos/deep/down/new{suffix}"):
        assert "a place in the input photos" in refused(words, option, place, *more)
    if option == "--output":
        assert "got the input photos/a.png" in refused(words, option, "photos/a.png", *more)
        prepare("hard.png", suffix)
        assert "got the input photos/a.png" in refused(words, option, "hard.png", *more)
        Path("hard.png").unlink()
    if option == "--json":
        table = ["drift", "m", "mine/a.csv", "--groups", "mine/a.json"]
        assert "got the input mine/a.json" in refused(table, option, "mine/a.json", *more)
    assert held(workspace) == before


@pytest.mark.parametrize(
    ("words", "option", "place", "forms"),
    [
        (*OUTPUTS["predict", "output"][:2], "x.zzz", ".jpg or .jpeg or .tif or .tiff or .png or .webp or .bmp"),
        (*OUTPUTS["predict", "output"][:2], "x.hdf", ".png"),
        (*OUTPUTS["predict", "output"][:2], "x", ".png"),
        (*OUTPUTS["predict", "csv"][:2], "x.xlsx", ".csv or .parquet"),
        (*OUTPUTS["drift", "json"][:2], "x.html", ".json"),
        (*OUTPUTS["manifest export", "output"][:2], "x.json", ".jsonl"),
        (*OUTPUTS["manifest export", "coco"][:2], "x.jsonl", ".json"),
        (["manifest", "export", "d", "--format", "csv"], "-o", "x.jsonl", ".csv"),
    ],
)
def test_a_form_that_the_suffix_does_not_name_is_refused(workspace, words, option, place, forms):
    before = held(workspace)
    said = refused(words, option, place)
    assert f"a name that ends in {forms}" in said or f" or {forms}" in said
    assert held(workspace) == before


def test_two_outputs_never_share_a_place(workspace):
    words = ["predict", "m", "photos/a.png", "--output", "x.png"]
    for place in ("x.png", "../checkout/x.png"):
        assert "--output x.png: expected a place apart" in str(invoke(words, "--csv", place).exception)
    words = ["drift", "m", "photos", "--page", "page"]
    assert "--json page/x.json: expected a place apart" in str(invoke(words, "--json", "page/x.json").exception)


def test_every_problem_is_named_at_once(workspace):
    words = ["predict", "m", "photos", "--output", "data/x.zzz"]
    assert len(invoke(words, "--csv", "photos").exception.problems) == 4  # a form, two places, a folder that is read


@pytest.mark.parametrize("words", [["predict", "m"], ["drift", "m"]])
def test_photographs_whose_names_no_table_can_hold_are_listed_before_predicting(workspace, words):
    for name in (b"photos/\xff.png", b"photos/deep/\xfe\xe4.png"):
        Path(os.fsdecode(name)).parent.mkdir(exist_ok=True)
        Path(os.fsdecode(name)).write_bytes(b"x")
    found = CliRunner().invoke(app, [*words, "photos"]).exception
    assert isinstance(found, WorkspaceError)
    assert [one.where for one in found.problems] == [r"photos/\udcff.png", r"photos/deep/\udcfe\udce4.png"]


def test_a_place_that_may_not_be_written_is_named(workspace, monkeypatch):
    real = os.access
    monkeypatch.setattr("os.access", lambda path, mode: Path(path).name != "empty" and real(path, mode))  # root may all
    for words, option, suffix in OUTPUTS.values():
        assert "expected permission to write" in refused(words, option, f"empty/deep/new{suffix}")
    assert not any(Path("empty").iterdir())


def kinds(hint):
    """Return a type hint's parts, `list[Path] | None` to Path among others."""
    return {hint}.union(*(kinds(part) for part in get_args(hint)))


def parameters(group, name=""):
    """Yield (command, parameter) for every path that the command line takes."""
    for below in group.registered_groups:
        yield from parameters(below.typer_instance, f"{name}{below.name} ")
    for command in group.registered_commands:
        for parameter, hint in get_type_hints(command.callback).items():
            if Path in kinds(hint):
                yield f"{name}{command.name or command.callback.__name__}", parameter


def test_every_path_of_every_command_is_known_as_an_input_or_tested_as_an_output():
    known = INPUTS | OUTPUTS.keys() - {("manifest export", "coco"), ("manifest export", "yolo")}
    assert set(parameters(app)) == known


def test_no_output_of_a_stage_lies_where_a_person_may_write():
    outs = re.findall(r"^ +- (\w+)/[^ ]*\$\{", (Path(__file__).parents[2] / "dvc.yaml").read_text(), re.MULTILINE)
    written = set(outs) - {"presets", "src"}  # parameters and code
    assert written >= {"data", "metrics", "models", "plots", "reports", "splits"}
    assert written <= paths.OWNED


@pytest.fixture
def ready(tmp_path, monkeypatch):
    """A workspace with a bundle that answers, of each kind, and photographs."""
    monkeypatch.chdir(tmp_path)
    for task in ("detect", "classify"):
        build(paths.model(task, "bundle"), task)
    Path("photos").mkdir()
    photographs(Path("photos"))
    return tmp_path


def test_answers_are_written_in_the_form_that_the_suffix_names(ready):
    forms = {".jpg": "JPEG", ".JPEG": "JPEG", ".png": "PNG", ".webp": "WEBP", ".bmp": "BMP", ".tif": "TIFF"}
    for suffix, form in forms.items():
        assert invoke(["predict", "detect", "photos/0.jpg"], "-o", f"out/x{suffix}").exit_code == 0
        with Image.open(f"out/x{suffix}") as picture:
            assert picture.format == form
    for suffix in (".csv", ".PARQUET"):
        assert invoke(["predict", "classify", "photos"], "--csv", f"out/x{suffix}").exit_code == 0
    assert len(pd.read_parquet("out/x.PARQUET")) == len(pd.read_csv("out/x.csv")) == 5
    Path("out/x.csv").write_text("old")
    assert invoke(["predict", "classify", "photos"], "--csv", "out/x.csv", "--overwrite").exit_code == 0
    assert Path("out/x.csv").read_text().startswith("image,class_pred")


@pytest.mark.parametrize(
    ("words", "place", "text"),
    [
        (["predict", "classify", "photos"], "x.png", "expected one photograph to draw, got 5"),
        (["predict", "classify", "just.png"], "x.webp", "expected at most 16383 pixels a side"),
        (["predict", "detect", "photos"], "x.png", "expected one photograph to draw, got 5"),
        (["predict", "detect", "long.png"], "x.webp", "at most 16383 pixels a side"),
    ],
)
def test_an_answer_that_cannot_be_drawn_is_refused_before_another_output_is_written(ready, words, place, text):
    Image.new("RGB", (16400, 600)).save("long.png")
    Image.new("RGB", (8, 16380)).save("just.png")  # words below it make it too high
    result = invoke([*words, "--csv", "x.csv"], "-o", place)
    assert isinstance(result.exception, DataError)
    assert text in str(result.exception)
    assert not Path("x.csv").exists()


def test_a_classifier_s_answer_is_drawn_as_words_below_the_photograph(ready):
    assert invoke(["predict", "classify", "photos/0.jpg"], "-o", "x.png").exit_code == 0
    photograph = read_image(File(Path("photos/0.jpg")))[..., ::-1]
    height, width = photograph.shape[:2]
    with Image.open("x.png") as drawn:
        left = (drawn.width - width) // 2
        assert np.array_equal(np.asarray(drawn.crop((left, 0, left + width, height))), photograph)
        band = np.asarray(drawn.crop((0, height, *drawn.size)).convert("L"))
    assert band.max() == 255
    assert (band < 128).sum() > 100  # ink


@pytest.mark.parametrize(
    ("words", "option", "place"),
    [
        (["predict", "detect", "photos/0.jpg"], "-o", "x.png"),
        (["predict", "classify", "photos/0.jpg"], "-o", "x.png"),
        (["predict", "classify", "photos"], "--csv", "x.csv"),
        (["predict", "classify", "photos"], "--csv", "x.parquet"),
        (["deploy", "detect", "--to", "triton", "--"], None, "served"),
    ],
)
def test_a_full_disk_leaves_nothing_half_written(ready, words, option, place):
    before = held(ready)
    with full_disk():
        result = invoke(words, option, place)
    assert isinstance(result.exception, OSError)
    assert result.exception.errno  # `cli.main` names it by this: tests/test_errors.py
    assert held(ready) == before


def test_links_in_a_circle_and_a_thousand_folders_are_named(workspace):
    Path("itself.csv").symlink_to("itself.csv")
    assert "a link" in refused(["predict", "m", "photos/a.png"], "--csv", "itself.csv", "--overwrite")
    result = invoke(["predict", "m", "photos/a.png"], "--csv", "d/" * 1000 + "a.csv")
    assert isinstance(result.exception, WorkspaceError)
    assert "at most 200 folders deep" in str(result.exception)
