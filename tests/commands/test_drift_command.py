"""`vouch drift`, from photographs or a table to a verdict, an exit code, JSON and a page."""

import json
import os

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from typer.testing import CliRunner

from alarm import within
from pipelines import of_one_detector
from vouch import io, paths
from vouch.cli import app
from vouch.errors import DataError, ParamsError
from vouch.release import opening
from vouch.release.bundle import write_bundle
from vouch.vision import runtime
from vouch.vision.preprocess import Preprocess, to_json

SIZE, CLASSES = 32, ("free", "work")
PREPROCESS = Preprocess(SIZE, SIZE, task="classify")
POLICY = {"kind": "threshold", "positive": None, "threshold": 0.6, "feasible": True, "guarantee": "none"} | {
    "alpha": 0.1, "delta": 0.05, "objective": None, "evidence": None, "infeasible": None,
    "intraclass_correlation": 0.0
}  # fmt: skip
CALIBRATOR = {"kind": "multiclass", "classes": list(CLASSES), "map": {"method": "identity"}, "gate": None}
SECTION = {
    "level": 0.05, "permutations": 159, "bins": 5, "components": 3, "sample": 100, "folds": 3, "least_groups": 8,
    "least_photographs": 20, "examples": 2, "seed": 1,
    "effects": {"ks": 0.15, "psi": 0.1, "auc": 0.6, "kernel_ratio": 2.0, "labels": 0.1, "performance": 0.05},
}  # fmt: skip


def network(embeds):
    """A network that says `work` where the canvas is red; its embedding is the mean colour."""
    weights = np.zeros((2, 3, 1, 1), np.float32)
    weights[1, 0] = 8
    constants = {"weights": weights, "bias": np.array([0, -4], np.float32), "flat": np.array([0, -1])}
    nodes = [
        helper.make_node("GlobalAveragePool", ["images"], ["mean"]),
        helper.make_node("Conv", ["mean", "weights", "bias"], ["rows"]),
        helper.make_node("Reshape", ["rows", "flat"], ["output0"]),
        helper.make_node("Reshape", ["mean", "flat"], ["embedding"]),
    ]
    given = [("output0", 2), ("embedding", 3)][: 1 + embeds]
    graph = helper.make_graph(
        nodes[: 3 + embeds],
        "reds",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, SIZE, SIZE])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width]) for name, width in given],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def drives(folder, count, *, seed, red=128, frames=3):
    """Photographs of one colour per drive, one sub-folder per drive."""
    rng = np.random.default_rng(seed)
    for drive in range(count):
        colour = rng.normal((red, 120, 120), 25)
        (folder / f"drive_{drive:02d}").mkdir(parents=True)
        for frame in range(frames):
            shade = np.clip(colour + rng.normal(0, 8, 3), 0, 255).astype(np.uint8)
            Image.new("RGB", (16, 16), tuple(shade.tolist())).save(folder / f"drive_{drive:02d}" / f"{frame}.png")
    return sorted(folder.rglob("*.png"))


def build(root, *, embeds):
    onnx.save(network(embeds), root / "model.onnx")
    sample = {"output": opening.sample_output(runtime.load(root / "model.onnx", PREPROCESS))}
    contents = {"labels": {"classes": CLASSES}, "calibrator": CALIBRATOR, "policy": POLICY, "sample": sample}
    files = {f"{name}.json": io.dumps(one).encode() for name, one in contents.items()}
    files |= {
        "model.onnx": (root / "model.onnx").read_bytes(),
        "preprocess.json": io.dumps(to_json(PREPROCESS)).encode(),
    }
    write_bundle(paths.model("m", "bundle"), "m", "0.1.0", "classify", "trained", files)


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    content = {"pipeline": of_one_detector(), "datasets": {"d": {}}, "models": {"m": {"drift": SECTION}}}
    io.write_json(paths.model("m").parents[1] / "params.yaml", content)  # JSON is YAML
    build(tmp_path, embeds=True)
    images = drives(tmp_path / "known", 24, seed=1)
    names = [f"k/{image.parent.name}/{image.name}" for image in images]
    samples = pd.DataFrame({"sample_id": names, "image": [str(image) for image in images]})
    io.write_table(paths.manifest("d", "samples"), samples)
    io.write_table(
        paths.split("d", "val_calib"),
        pd.DataFrame({"sample_id": names, "group": [image.parent.name for image in images]}),
    )
    return tmp_path


def invoke(*words):
    return CliRunner().invoke(app, ["drift", "m", *map(str, words)])


def test_photographs_of_another_colour_are_drift_and_enforced(workspace):
    drives(workspace / "new", 12, seed=2, red=200)
    out = ("--json", workspace / "d.json", "--page", workspace / "page")
    shown = invoke(workspace / "new", *out)
    assert shown.exit_code == 0, shown.output
    assert "DRIFT: 36 photographs in 12 groups against 72 photographs in 24 groups of val_calib" in shown.output
    told = io.read_json(workspace / "d.json")
    assert told["drifted"]
    assert {one["test"] for one in told["findings"] if one["moved"]} >= {"embedding_classifier", "labels"}
    page = (workspace / "page/index.html").read_text()
    assert page.index("✗ DRIFT") < page.index("Seven two-sample tests")
    assert page.count("data:image/jpeg") == 2
    assert "//" not in page.replace("http://www.w3.org", "").replace("base64,", "")[: page.index("<img")]
    assert invoke(workspace / "new", "--enforce").exit_code == 1


def test_photographs_of_the_same_colours_are_not(workspace):
    drives(workspace / "new", 12, seed=3)
    shown = invoke(workspace / "new", "--enforce")
    assert shown.exit_code == 0, shown.output
    assert "no drift found" in shown.output
    assert "the sub-folders of" in shown.output


def test_groups_come_from_a_file_where_sub_folders_do_not_say_them(workspace):
    flat = workspace / "new"
    flat.mkdir()
    for image in drives(workspace / "by_drive", 12, seed=3):
        image.rename(flat / f"{image.parent.name}_{image.name}")
    lines = [f"{image.name},{image.name[:8]}\n" for image in sorted(flat.iterdir())]
    (workspace / "groups.csv").write_text("image,group\n" + "".join(lines))
    assert "36 photographs in 12 groups" in invoke(flat, "--groups", workspace / "groups.csv").output
    assert "each counts as its own group" in invoke(flat).output.replace("\n", " ")
    (workspace / "groups.csv").write_text("image,group\nstrange.png,a\n" + "".join(lines[2:]) + lines[2])
    found = invoke(flat, "--groups", workspace / "groups.csv").exception
    assert isinstance(found, DataError)
    assert len(found.problems) == 4  # two without a line, one line too many, one of no photograph


@pytest.mark.parametrize("name", ["pipe.csv", "pipe.parquet", "device.csv", "folder.csv"])
def test_groups_that_are_no_file_are_named_and_not_waited_for(workspace, name):
    drives(workspace / "new", 12, seed=3)
    os.mkfifo(workspace / "pipe.csv")
    os.mkfifo(workspace / "pipe.parquet")
    (workspace / "device.csv").symlink_to("/dev/zero")
    (workspace / "folder.csv").mkdir()
    with within(60):
        found = invoke(workspace / "new", "--groups", workspace / name).exception
    assert isinstance(found, DataError)
    assert [problem.got for problem in found.problems] == ["no regular file"]


def test_a_bundle_without_embeddings_is_judged_by_its_scores_and_says_so(workspace):
    build(workspace, embeds=False)
    drives(workspace / "new", 12, seed=2, red=200)
    shown = invoke(workspace / "new")
    assert "DRIFT" in shown.output
    assert shown.output.count("not tested: Embeddings") == 3


def test_a_table_is_compared_with_the_table_of_val_calib(workspace):
    rng = np.random.default_rng(1)
    columns = {"sample_id": [f"s{n}" for n in range(72)], "group": [f"g{n // 3}" for n in range(72)]}
    known = pd.DataFrame(columns | {"logit_free": 0.0, "logit_work": rng.normal(0, 2, 72)})
    io.write_table(paths.predictions("m", "candidate", "val_calib"), known)
    io.write_table(workspace / "same.parquet", known.assign(logit_work=rng.normal(0, 2, 72)))
    assert "no drift found" in invoke(workspace / "same.parquet").output
    shares = 1 / (1 + np.exp(-rng.normal(4, 2, 72)))  # calibrated already, as `vouch predict --csv` writes them
    moved = pd.DataFrame({"image": columns["sample_id"], "probability_free": 1 - shares, "probability_work": shares})
    moved.to_csv(workspace / "moved.csv", index=False)
    assert "DRIFT" in invoke(workspace / "moved.csv", "--enforce").output
    assert invoke(workspace / "moved.csv", "--enforce").exit_code == 1


BAD = {
    "no column": ({"logit_free": [0.0]}, "logit_work"),
    "NaN": ({"logit_free": [np.nan], "logit_work": [0.0]}, "finite"),
    "infinite": ({"logit_free": [np.inf], "logit_work": [0.0]}, "finite"),
    "no sum": ({"probability_free": [0.5], "probability_work": [0.6]}, "sum of 1"),
    "neither": ({"score": [0.5]}, "probability_free"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_table_that_is_none_is_refused(workspace, case):
    values, says = BAD[case]
    io.write_table(workspace / "bad.parquet", pd.DataFrame({"sample_id": ["a"], "group": ["g"]} | values))
    found = invoke(workspace / "bad.parquet").exception
    assert isinstance(found, DataError)
    assert says in str(found)


WRONG = {
    "semicolons": ("image;probability_free;probability_work\r\na;1;0\r\n", "x.csv:1: expected columns with commas"),
    "no name of a photograph": ("x,y\n1,2\n", "x.csv: expected a column sample_id or image, got x, y"),
    "no rows": ("image,probability_free,probability_work\n", "x.csv: expected rows, got none; write it again"),
    "another model's": (
        "image,class_pred,score\na,cone,1\n",
        "x.csv: expected a column probability_free, got none;",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_table_is_named_with_what_is_wrong(workspace, case):
    text, says = WRONG[case]
    (workspace / "x.csv").write_text(text)
    assert says in str(invoke(workspace / "x.csv").exception)


def test_what_cannot_be_read_is_refused_whole(workspace):
    (workspace / "empty").mkdir()
    assert "expected photographs" in str(invoke(workspace / "empty").exception)
    images = drives(workspace / "new", 12, seed=2)
    for broken in images[3], images[17]:
        broken.write_bytes(b"no photograph")
    assert [one.where for one in invoke(workspace / "new").exception.problems] == [str(images[3]), str(images[17])]
    (workspace / "x.csv").write_bytes(b"\xff\xfe\x00")
    assert isinstance(invoke(workspace / "x.csv").exception, DataError)
    assert isinstance(invoke(workspace / "nothing").exception, DataError)


def test_few_photographs_are_too_few_to_say_never_a_silent_pass(workspace):
    drives(workspace / "new", 3, seed=2)
    assert "too few to say" in str(invoke(workspace / "new").exception)


def test_an_unknown_model_is_named(workspace):
    found = CliRunner().invoke(app, ["drift", "nobody", str(workspace)]).exception
    assert isinstance(found, ParamsError)
    assert "nobody" in str(found)


@pytest.mark.parametrize("permutations", [1_000_001, 10**15])
def test_permutations_that_nobody_waits_for_are_refused(workspace, permutations):
    content = {
        "pipeline": of_one_detector(),
        "datasets": {"d": {}},
        "models": {"m": {"drift": SECTION | {"permutations": permutations}}},
    }
    (workspace / "params.yaml").write_text(json.dumps(content))
    refused = invoke(workspace / "known").exception
    assert isinstance(refused, ParamsError)
    assert "params.yaml: models.m.drift" in str(refused)


def test_permutations_that_cannot_decide_are_refused(workspace):
    content = {
        "pipeline": of_one_detector(),
        "datasets": {"d": {}},
        "models": {"m": {"drift": SECTION | {"permutations": 99}}},
    }
    io.write_json(workspace / "params.yaml", content)
    assert "140 permutations" in str(invoke(workspace / "known").exception)
