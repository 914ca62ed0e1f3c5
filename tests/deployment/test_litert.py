"""LiteRT: what passes between two environments, and what is said of the difference."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from vouch.deployment import litert
from vouch.deployment.litert import Boxes, Converted, compared_with, convert, refuse_absent
from vouch.deployment.parity import Tolerance, refuse_differences
from vouch.errors import BundleError, WorkspaceError
from vouch.vision.boxes import Postprocess

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / litert.PYTHON
IMAGES = np.random.default_rng(1).random((3, 3, 8, 8), np.float32)
PRETENDING = """
import sys, numpy as np
from pathlib import Path
folder = Path(sys.argv[1])
for name, factor in (("float32", 1), ("int8", 2)):
    (folder / f"{name}.tflite").write_bytes((folder / "network.pt2").read_bytes() * factor)
    np.save(folder / f"{name}.npy", factor * np.load(folder / "compared.npy")[:, :, 0, 0])
"""


def script(tmp_path, text):
    path = tmp_path / "convert.py"
    path.write_text(text)
    return {"python": Path(sys.executable), "script": path}


def bundle(task, **more):
    size = {"files": {"model.onnx": {"bytes": 40}}}
    return SimpleNamespace(task=task, manifest=size, classes=("a", "b"), postprocess=None, gallery=None, **more)


def values(found):
    return {name: one["all"]["value"] for name, one in found["metrics"].items()}


def test_a_program_and_images_go_out_and_two_files_with_their_answers_come_back(tmp_path):
    found = convert(b"net", IMAGES[:1], IMAGES, **script(tmp_path, PRETENDING))
    assert {name: one.content for name, one in found.items()} == {"float32": b"net", "int8": b"netnet"}
    np.testing.assert_array_equal(found["int8"].outputs, 2 * IMAGES[:, :, 0, 0])


def test_a_failed_conversion_says_what_the_script_said(tmp_path):
    with pytest.raises(WorkspaceError, match=r"exit 3: .*no such operator"):
        convert(b"net", IMAGES, IMAGES, **script(tmp_path, "print('no such operator'); raise SystemExit(3)"))


def test_an_absent_environment_and_another_folder_are_named_together(tmp_path):
    with pytest.raises(WorkspaceError, match=r"(?s)repository's root.*make litert"):
        refuse_absent(tmp_path / "python", tmp_path / "convert.py")


def test_a_file_is_described_by_its_size_its_difference_and_the_answers_that_changed():
    expected = np.array([[2, 1], [0, 1]], np.float32)
    found = values(compared_with(bundle("classify"), expected, Converted(b"x" * 10, expected[:, ::-1] * 1), None))
    assert found["file_bytes"] == 10
    assert found["file_fraction"] == 0.25
    assert found["changed_fraction"] == 1.0
    assert found["logit_difference"] == 1.0


def test_boxes_of_a_detector_are_compared_from_the_floor_that_is_asked_for():
    output = np.array([[[50, 90], [50, 90], [20, 20], [20, 20], [0.9, 0.1]]], np.float32)
    of_task = bundle("detect")
    of_task.postprocess = Postprocess(floor=0.05, max_iou=0.7, limit=10)
    found = compared_with(of_task, output, Converted(b"x", output), Boxes(floor=0.25, least_iou=0.9))
    assert found["metrics"]["boxes_found_again"]["all"]["n_rows"] == 1
    assert values(found)["boxes_found_again"] == 1.0


def test_rounding_is_allowed_and_another_network_is_not_whatever_else_is_said():
    metrics = {"embedding_difference": 0.01, "least_cosine": None, "file_bytes": 9}
    found = {"metrics": {name: {"all": {"value": value}} for name, value in metrics.items()}}
    assert refuse_differences("m", found, Tolerance(0.02, 0.05)) == metrics
    with pytest.raises(BundleError, match=r"m: embedding_difference: expected at most 0\.001, got 0\.01"):
        refuse_differences("m", found, Tolerance(0.001, 0.05))


def test_the_environment_is_pinned_and_apart_from_training_s():
    pinned = dict(line.split("==") for line in (ROOT / "envs/litert/requirements.lock").read_text().split())
    asked = dict(line.split("==") for line in (ROOT / "envs/litert/requirements.in").read_text().split())
    assert asked.items() <= pinned.items()
    assert "vouch" not in (ROOT / "envs/litert/convert.py").read_text().split("import sys")[1]


@pytest.fixture(scope="module")
def network():
    from torch import nn

    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()


def converted(network, calibration):
    """Return what the environment made of a network, and what torch says of `IMAGES`."""
    import torch

    from vouch.training.program_export import export_program

    program = export_program(network, size_px=8)
    with torch.no_grad():
        expected = network(torch.from_numpy(IMAGES)).numpy()
    return convert(program, calibration, IMAGES, python=ENVIRONMENT, script=ROOT / litert.SCRIPT), expected


@pytest.mark.slow
@pytest.mark.skipif(not ENVIRONMENT.exists(), reason="no .venv-litert: `make litert MODEL=...` makes it")
def test_a_network_of_torch_answers_alike_in_litert(network):
    found, expected = converted(network, IMAGES)
    np.testing.assert_allclose(found["float32"].outputs, expected, atol=1e-5)
    np.testing.assert_allclose(found["int8"].outputs, expected, atol=0.05)
    assert (found["int8"].outputs != expected).any()


@pytest.mark.slow
@pytest.mark.skipif(not ENVIRONMENT.exists(), reason="no .venv-litert: `make litert MODEL=...` makes it")
def test_eight_bits_hold_what_one_photograph_alone_has_shown(network):
    dark_but_for_the_last = IMAGES * np.array([0.01, 0.01, 1], np.float32)[:, None, None, None]
    found, expected = converted(network, dark_but_for_the_last)
    np.testing.assert_allclose(found["int8"].outputs, expected, atol=0.05)
