"""trtexec and nvidia-smi are stand-ins on PATH: they keep what they were told, and ONNX Runtime plays the engine."""

import json
import os
import sys

import pytest
import typer
from typer.testing import CliRunner

from deployment.bundles import SIDE_PX, build, photographs
from vouch import io
from vouch.commands.deploy import deploy
from vouch.deployment.parity import Tolerance
from vouch.deployment.tensorrt import Precision, deploy_tensorrt, refuse_half_precision
from vouch.errors import BundleError, DataError, ParamsError, WorkspaceError
from vouch.release.bundle import read
from vouch.vision.images.source import files

STRICT = Tolerance(output=1e-3, box_px=0.05)
DINOV3 = {"backbone": {"name": "vit_small_patch16_dinov3"}}
TRTEXEC = f"""#!{sys.executable}
import json, os, sys
from pathlib import Path
import numpy as np

version = os.environ.get("FAKE_VERSION", "101300")
print(f"&&&& RUNNING TensorRT.trtexec [TensorRT v{{version}}] [b35] # trtexec")
told = dict(one.lstrip("-").partition("=")[::2] for one in sys.argv[1:])
with open(os.environ["FAKE_TOLD"], "a") as stream:
    stream.write(json.dumps(sys.argv[1:]) + "\\n")
if "saveEngine" in told:
    if os.environ.get("FAKE_FAILURE"):
        print("[E] Error[4]: no kernel for this layer")
        sys.exit(1)
    Path(told["saveEngine"]).write_bytes(Path(told["onnx"]).read_bytes())
elif "loadEngine" in told:
    import onnxruntime

    name, file = told["loadInputs"].split(":")
    shape = [int(side) for side in told["shapes"].removeprefix(f"{{name}}:").split("x")]
    session = onnxruntime.InferenceSession(Path(told["loadEngine"]).read_bytes(), providers=["CPUExecutionProvider"])
    output = session.run(None, {{name: np.fromfile(file, np.float32).reshape(shape)}})[0]
    output = output + np.float32(os.environ.get("FAKE_ERROR", "0"))
    values = ", ".join(f"{{value:.6g}}" for value in output.ravel())
    dimensions = "x".join(map(str, output.shape))
    text = f'"name" : "output0"\\n  , "dimensions" : "{{dimensions}}"\\n  , "values" : [ {{values}} ]'
    Path(told["exportOutput"]).write_text(f"[\\n  {{{{ {{text}}\\n  }}}}\\n]")
"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with a GPU and TensorRT; returns what trtexec was told, call by call."""
    folder = tmp_path / "tools"
    folder.mkdir()
    write(folder / "trtexec", TRTEXEC)
    write(folder / "nvidia-smi", "#!/bin/sh\necho 'NVIDIA L4, 8.9'\n")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("FAKE_TOLD", str(tmp_path / "told"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return folder


def write(path, text):
    path.write_text(text)
    path.chmod(0o755)


def told(tmp_path):
    return [json.loads(line) for line in (tmp_path / "told").read_text().splitlines()]


def deployed(tmp_path, task="classify", precision=Precision.FLOAT32, max_batch=3, **options):
    ready = build(tmp_path / "bundle", task, **options)
    arguments = (read(tmp_path / "bundle"), ready, tmp_path / "out", files(photographs(tmp_path)), STRICT)
    return deploy_tensorrt(*arguments, precision=precision, max_batch=max_batch)


@pytest.mark.parametrize("task", ["classify", "detect"])
def test_an_engine_is_built_and_compared_on_every_photograph(tmp_path, machine, task):
    found = deployed(tmp_path, task)
    assert found["compared"] == "5 photographs"
    _, built, *runs = told(tmp_path)
    side = f"3x{SIDE_PX}x{SIDE_PX}"
    assert built == [
        "--onnx=model.onnx",
        *("--saveEngine=model.plan", "--skipInference"),
        *(f"--minShapes=images:1x{side}", f"--optShapes=images:3x{side}", f"--maxShapes=images:3x{side}"),
        "--noTF32",
    ]
    assert [run[1] for run in runs] == [f"--shapes=images:3x{side}", f"--shapes=images:2x{side}"]
    out = tmp_path / "out"
    assert io.read_json(out / "engine.json") == {
        **{"gpu": "NVIDIA L4, 8.9", "max_batch": 3, "precision": "float32", "tensorrt": "10.13.0"}
    }
    assert {"model.plan", "build.log", "parity.log", "parity.json", "policy.json"} <= {
        path.name for path in out.iterdir()
    }
    assert not (out / "model.onnx").exists()
    assert "RUNNING TensorRT" in (out / "build.log").read_text()


@pytest.mark.parametrize("error", ["0.01", "nan", "-inf"])
def test_an_engine_that_answers_otherwise_is_refused_and_nothing_is_kept(tmp_path, machine, monkeypatch, error):
    monkeypatch.setenv("FAKE_ERROR", error)
    with pytest.raises(BundleError, match=r"logit_difference: expected at most 0\.001"):
        deployed(tmp_path)
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]


def test_a_failed_build_is_told_with_the_end_of_its_log(tmp_path, machine, monkeypatch):
    monkeypatch.setenv("FAKE_FAILURE", "1")
    with pytest.raises(WorkspaceError, match=r"model\.plan, got exit 1: .*no kernel for this layer"):
        deployed(tmp_path)


@pytest.mark.parametrize(("precision", "flag"), [(Precision.BFLOAT16, "--bf16"), (Precision.FLOAT16, "--fp16")])
def test_lower_precision_is_a_flag_of_tensorrt_10_alone(tmp_path, machine, monkeypatch, precision, flag):
    deployed(tmp_path, precision=precision, architecture={"backbone": {"name": "resnet10t"}})
    assert told(tmp_path)[1][-1] == flag
    monkeypatch.setenv("FAKE_VERSION", "110400")
    with pytest.raises(WorkspaceError, match=r"TensorRT 10 or earlier for \w+, got 11\.4\.0"):
        deployed(tmp_path, precision=precision, architecture={"backbone": {"name": "resnet10t"}})


def test_a_machine_without_gpu_and_trtexec_is_told_both(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(WorkspaceError) as error:
        deployed(tmp_path)
    assert [problem.where for problem in error.value.problems] == ["GPU", "trtexec"]


def test_a_driver_that_finds_no_gpu_is_no_gpu(tmp_path, machine):
    write(machine / "nvidia-smi", "#!/bin/sh\necho 'No devices were found'\nexit 6\n")
    with pytest.raises(WorkspaceError, match="an NVIDIA GPU with its driver, got No devices were found"):
        deployed(tmp_path)


def test_photographs_to_compare_are_demanded(tmp_path, machine):
    ready = build(tmp_path / "bundle", "classify")
    with pytest.raises(DataError, match="photographs to compare the engine on"):
        deploy_tensorrt(
            read(tmp_path / "bundle"), ready, tmp_path / "out", [], STRICT, precision=Precision.FLOAT32, max_batch=1
        )


@pytest.mark.parametrize("architecture", [DINOV3, None])
def test_half_precision_with_dino_or_an_unnamed_backbone_is_refused_before_anything_else(
    tmp_path, monkeypatch, architecture
):
    monkeypatch.setenv("PATH", str(tmp_path))  # no GPU, no trtexec
    with pytest.raises(ParamsError, match="precision"):
        deployed(tmp_path, precision=Precision.FLOAT16, architecture=architecture)
    app = typer.Typer()
    app.command()(deploy)
    command = ["m", str(tmp_path / "out"), "--to", "tensorrt", "--bundle", str(tmp_path / "bundle")]
    assert isinstance(CliRunner().invoke(app, [*command, "--precision", "float16"]).exception, ParamsError)
    (tmp_path / "bundle/policy.json").unlink()  # what does not check is not asked what it is
    assert isinstance(CliRunner().invoke(app, [*command, "--precision", "float16"]).exception, BundleError)


def test_dino_may_be_built_in_wider_precisions(tmp_path):
    build(tmp_path / "bundle", "classify", architecture=DINOV3)
    content = (tmp_path / "bundle/model.onnx").read_bytes()
    refuse_half_precision(content, Precision.FLOAT32)
    refuse_half_precision(content, Precision.BFLOAT16)
