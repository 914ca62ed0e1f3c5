import re
import shutil

import pytest
import typer
from typer.testing import CliRunner

from deployment.bundles import build
from vouch.commands.deploy import deploy
from vouch.deployment.triton import deploy_triton
from vouch.deployment.triton_lint import refuse_repository
from vouch.errors import BundleError, ParamsError
from vouch.release.bundle import read


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lint")
    ready = build(folder / "b", "classify")
    deploy_triton(read(folder / "b"), ready, folder / "r", max_batch=8, delay_us=100)
    return folder / "r"


@pytest.fixture
def repository(sound, tmp_path):
    return shutil.copytree(sound, tmp_path / "repository")


def change(model, old, new):
    def spoil(repository):
        path = repository / model / "config.pbtxt"
        text, count = re.subn(old, new, path.read_text(), count=1, flags=re.DOTALL)
        assert count == 1
        path.write_text(text)

    return spoil


def rename(old, new):
    return lambda repository: (repository / old).rename(repository / new)


def remove(path):
    return lambda repository: (repository / path).unlink()


END = r"\Z"
NETWORK, POLICY, ENSEMBLE = "m/config.pbtxt", "m_policy/config.pbtxt", "m_ensemble/config.pbtxt"
SPOILED = {
    "another name": (change("m", 'name: "m"', 'name: "n"'), f"{NETWORK}: name: expected m, got n"),
    "unknown field": (change("m", END, "max_batch: 3\n"), r"max_batch: expected a field of ModelConfig: .*"),
    "nested unknown field": (change("m", "count: 1", "number: 1"), "number: expected a field of InstanceGroup"),
    "unknown word": (change("m", "KIND_CPU", "KIND_TPU"), "kind: expected one of KIND_AUTO, .*, got KIND_TPU"),
    "quoted word": (
        change("m", "TYPE_FP32", '"TYPE_FP32"'),
        "data_type: expected one of TYPE_BF16, .*, got 'TYPE_FP32'",
    ),
    "text for a number": (change("m", "max_batch_size: 8", 'max_batch_size: "8"'), "expected int, got '8'"),
    "twice": (change("m", END, "max_batch_size: 8\n"), "expected the field once, got it a second time"),
    "two schedulers": (change("m", END, "sequence_batching {}\n"), "got dynamic_batching and sequence_batching"),
    "no text format": (change("m", r"\{", "("), r"config.pbtxt:\d+: expected a field of text format"),
    "no configuration": (remove(NETWORK), f"{NETWORK}: expected a file, got nothing"),
    "no backend": (change("m", 'backend: "onnxruntime"\n', ""), "backend: expected one of .*, got nothing"),
    "unknown backend": (change("m", "onnxruntime", "onnx"), "backend: expected one of .*, got onnx;"),
    "no file": (remove("m/1/model.onnx"), "m/1/model.onnx: expected a file"),
    "no script": (rename("m_policy/1/model.py", "m_policy/1/policy.py"), "m_policy/1/model.py: expected a file"),
    "no version": (rename("m/1", "m/one"), "m/1/: expected a folder, got nothing"),
    "a version that is not there": (change("m", r"versions: \[ 1 \]", "versions: [ 1, 2 ]"), "m/2/: expected a folder"),
    "not ONNX": (lambda r: (r / "m/1/model.onnx").write_bytes(b"junk"), "m/1/model.onnx: expected an ONNX model"),
    "another type": (
        change("m", "TYPE_FP32", "TYPE_FP16"),
        r"input images: expected TYPE_FP32 \[-1, 3, 32, 32\], as .*",
    ),
    "other dims": (change("m", r"dims: \[ 3, 32, 32 \]", "dims: [ 3, 32, 31 ]"), r"got TYPE_FP32 \[-1, 3, 32, 31\]"),
    "open dims": (change("m", r"dims: \[ 3, 32, 32 \]", "dims: [ 3, -1, -1 ]"), r"got TYPE_FP32 \[-1, 3, -1, -1\]"),
    "batch in dims": (change("m", r"dims: \[ 3, 32, 32 \]", "dims: [ -1, 3, 32, 32 ]"), r"got TYPE_FP32 \[-1, -1, 3"),
    "no batch": (change("m", "max_batch_size: 8", "max_batch_size: 0"), "expected max_batch_size of 1 or more, got 0"),
    "another tensor": (change("m", '"images"', '"image"'), r"input: expected one of \['images'\], got image"),
    "missing input": (change("m", '"images"', '"image"'), "input: expected images, got nothing"),
    "zero dims": (change("m_policy", r"dims: \[ 3 \]", "dims: [ 0 ]"), "expected dims of 1 or more, or -1"),
    "no dims": (change("m_policy", r"dims: \[ 3 \]", ""), "input output0: expected a dims, got nothing"),
    "two of a name": (change("m_policy", '"confidence"', '"accept"'), "output accept: expected each name once"),
    "reshape": (
        change("m", r"dims: \[ 3 \]", "dims: [ 3 ] reshape { shape: [ 4 ] }"),
        "expected as many values as dims",
    ),
    "too large a batch": (
        change("m", r"dynamic_batching \{", "dynamic_batching { preferred_batch_size: [ 4, 9 ]"),
        "preferred_batch_size: expected sizes from 1 to max_batch_size 8, got 9",
    ),
    "GPUs for a CPU": (
        change("m", "count: 1", "count: 1 gpus: [ 0 ]"),
        r"expected no gpus with KIND_CPU, got \[0\]",
    ),
    "no instance": (change("m", "count: 1", "count: 0"), "expected a count of 1 or more, got 0"),
    "no labels": (remove("m_policy/labels.txt"), "m_policy/labels.txt: expected a file of labels"),
    "unknown step": (
        change("m_ensemble", 'model_name: "m"', 'model_name: "n"'),
        "step n: expected a model of this rep",
    ),
    "unserved version": (
        change("m_ensemble", "model_version: 1", "model_version: 2"),
        r"expected -1 or one of \[1\], got 2",
    ),
    "unmapped input": (
        change("m_ensemble", r'input_map \{\s*key: "name"\s*value: "name"\s*\}', ""),
        "step m_policy: input_map: expected an entry for name",
    ),
    "made for nobody": (
        change("m_ensemble", r'input_map \{\s*key: "name"\s*value: "name"\s*\}', ""),
        "tensor name: expected a step or an output that takes it",
    ),
    "unknown output": (
        change("m_ensemble", 'key: "canvas"', 'key: "picture"'),
        r"output_map: expected one of .*, got picture",
    ),
    "made by nobody": (
        change("m_ensemble", 'value: "canvas"', 'value: "pixels"'),
        "tensor canvas: expected made by a step, for m",
    ),
    "made twice": (
        change("m_ensemble", 'value: "output0"', 'value: "name"'),
        "tensor name: expected made once, got made by m and m_preprocess",
    ),
    "another tensor's type": (
        change("m_policy", "TYPE_FP32", "TYPE_FP64"),
        r"tensor output0: expected TYPE_FP64 \[-1, 3\], for m_policy, got TYPE_FP32",
    ),
    "another tensor's dims": (
        change("m_preprocess", r"\[ 3, 32, 32 \]", "[ 3, 64, 64 ]"),
        r"tensor canvas: expected TYPE_FP32 \[-1, 3, 32, 32\], for m, got TYPE_FP32 \[-1, 3, 64, 64\]",
    ),
    "output of another type": (
        change("m_ensemble", "TYPE_BOOL", "TYPE_INT8"),
        "tensor accept: expected TYPE_INT8 .*, for the ensemble's output, got TYPE_BOOL",
    ),
    "a circle": (
        change("m_ensemble", 'value: "photograph"', 'value: "accept"'),
        "got a circle of m_preprocess, m, m_policy",
    ),
    "too small a step": (
        change("m", "max_batch_size: 8", "max_batch_size: 4"),
        "step m: max_batch_size: expected 8 or more",
    ),
    "instances of an ensemble": (
        change("m_ensemble", END, "instance_group { kind: KIND_CPU }\n"),
        "instance_group: expected none in an ensemble",
    ),
    "no schedule": (change("m_ensemble", r"ensemble_scheduling.*", ""), "got one without the other"),
}


def test_a_sound_repository_passes(repository):
    refuse_repository(repository)


@pytest.mark.parametrize("name", SPOILED)
def test_what_triton_would_refuse_is_named(repository, name):
    spoil, expected = SPOILED[name]
    spoil(repository)
    with pytest.raises(BundleError, match=expected):
        refuse_repository(repository)


def test_every_problem_of_every_model_is_listed_at_once(repository):
    for name in ("unknown word", "no labels", "no script"):
        SPOILED[name][0](repository)
    with pytest.raises(BundleError) as error:
        refuse_repository(repository)
    assert len(error.value.problems) == 3


def test_an_output_that_is_not_served_is_no_problem_of_the_network(repository):
    change("m", r"output \{.*?\n\}\n", "")(repository)
    change("m_ensemble", r"step \{\s*model_name: \"m\".*?\n  \}\n", "")(repository)
    with pytest.raises(BundleError) as error:
        refuse_repository(repository)
    assert {problem.where for problem in error.value.problems} == {
        f"{ENSEMBLE}: tensor canvas",
        f"{ENSEMBLE}: tensor output0",
    }


def test_a_folder_without_models_is_refused(tmp_path):
    with pytest.raises(BundleError, match="a folder for each model, got none"):
        refuse_repository(tmp_path)


def test_the_command_checks_a_repository_or_asks_for_what_it_needs(repository):
    app = typer.Typer()
    app.command()(deploy)
    passed = CliRunner().invoke(app, ["--lint", str(repository)])
    assert (passed.exit_code, "Triton can serve it" in passed.output) == (0, True)
    assert isinstance(CliRunner().invoke(app, ["m"]).exception, ParamsError)
    assert isinstance(
        CliRunner().invoke(app, ["m", "new", "--to", "openvino", "--precision", "float16"]).exception, ParamsError
    )
