import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from deployment.bundles import SIDE_PX, build, classifier, photographs
from full_disk import full_disk
from vouch import io
from vouch.deployment import openvino
from vouch.deployment.openvino import deploy_openvino
from vouch.deployment.parity import Tolerance, demand_parity
from vouch.errors import BundleError, WorkspaceError
from vouch.release.bundle import read
from vouch.vision.images.source import files

STRICT = Tolerance(output=1e-3, box_px=0.05)


@pytest.mark.parametrize("task", ["classify", "detect"])
def test_the_deployed_network_answers_as_the_bundle_does(tmp_path, task):
    ready = build(tmp_path / "bundle", task)
    found = deploy_openvino(read(tmp_path / "bundle"), ready, tmp_path / "out", files(photographs(tmp_path)), STRICT)
    assert io.read_json(tmp_path / "out/parity.json") == found | {
        "differences": {name: round(value, 9) for name, value in found["differences"].items()}
    }
    assert found["compared"] == "5 photographs"
    run = openvino.load(openvino.without_telemetry(), tmp_path / "out/model.xml")
    for count in (1, 3):
        batch = np.random.default_rng(count).random((count, 3, SIDE_PX, SIDE_PX), np.float32)
        np.testing.assert_allclose(run(batch), ready.runtime.run(batch), atol=1e-5)
    for name in ("labels.json", "calibrator.json", "policy.json", "preprocess.json"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "bundle" / name).read_bytes()
    assert (tmp_path / "out/postprocess.json").is_file() == (task == "detect")


def test_the_same_bundle_gives_the_same_bytes_without_version_or_path(tmp_path):
    ready = build(tmp_path / "bundle", "classify")  # its Gemm becomes nodes that OpenVINO names by a running number
    written = []
    for name in ("1", "2"):
        deploy_openvino(read(tmp_path / "bundle"), ready, tmp_path / name, [], STRICT)
        written.append({path.name: path.read_bytes() for path in sorted((tmp_path / name).iterdir())})
    assert written[0] == written[1]
    text = written[0]["model.xml"].decode()
    assert str(tmp_path) not in text
    assert "OpenVINO Runtime" not in text
    assert openvino.without_telemetry().get_version() not in text


def test_another_network_is_refused_and_nothing_is_written(tmp_path):
    ready = build(tmp_path / "bundle", "classify")
    build(tmp_path / "other", "classify", network=classifier(shift=0.002))
    with pytest.raises(BundleError, match=r"m: logit_difference: expected at most 0\.001, got 0\.00(2|19999)"):
        deploy_openvino(read(tmp_path / "other"), ready, tmp_path / "out", [], STRICT)
    assert not [path for path in tmp_path.iterdir() if "out" in path.name]


def test_nan_is_no_parity(tmp_path):
    ready = build(tmp_path / "bundle", "classify")

    def broken(batch):
        return ready.runtime.run(batch) * np.float32("nan")

    with pytest.raises(BundleError, match=r"logit_difference: expected at most 0\.001, got nan"):
        demand_parity(ready, broken, files(photographs(tmp_path)), STRICT, batch=2)


def test_a_detector_that_finds_nothing_is_no_evidence(tmp_path):
    ready = build(tmp_path / "bundle", "detect")
    with pytest.raises(BundleError, match="box_difference_px: expected a candidate to compare, got none"):
        demand_parity(ready, ready.runtime.run, files(photographs(tmp_path)[-1:]), STRICT, batch=2)


def test_boxes_are_compared_too(tmp_path):
    ready = build(tmp_path / "bundle", "detect")

    def moved(batch):
        output = ready.runtime.run(batch).copy()
        output[:, 0] += 0.1
        return output

    with pytest.raises(BundleError, match=r"box_difference_px: expected at most 0\.05, got 0\.1"):
        demand_parity(ready, moved, files(photographs(tmp_path)), STRICT, batch=2)


def test_a_full_disk_is_named_and_leaves_nothing(tmp_path):
    ready = build(tmp_path / "bundle", "classify")
    before = sorted(tmp_path.iterdir())
    with full_disk(), pytest.raises(WorkspaceError, match="a file that OpenVINO can write"):
        deploy_openvino(read(tmp_path / "bundle"), ready, tmp_path / "out", [], STRICT)
    assert sorted(tmp_path.iterdir()) == before


def test_without_openvino_it_says_what_to_install(tmp_path, monkeypatch):
    ready = build(tmp_path / "bundle", "classify")
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(WorkspaceError, match=r'pip install "vouch\[openvino\]"'):
        deploy_openvino(read(tmp_path / "bundle"), ready, tmp_path / "out", [], STRICT)


def test_openvino_sends_nothing_and_stores_nothing_at_home(tmp_path):
    """Imported as anyone would, it makes ~/intel and starts to report."""
    script = (
        "import socket, sys\n"
        "def refuse(*arguments, **options): raise SystemExit('a connection')\n"
        "socket.socket.connect = socket.create_connection = refuse\n"
        "from vouch.deployment.openvino import without_telemetry\n"
        "openvino = without_telemetry()\n"
        "openvino.convert_model(sys.argv[1])\n"
        "assert not [name for name in sys.modules if name.startswith('openvino_telemetry.')]\n"
    )
    build(tmp_path / "bundle", "classify")
    (tmp_path / "home").mkdir()
    source = Path(openvino.__file__).parents[2]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(source), "HOME": str(tmp_path / "home")}
    command = [sys.executable, "-c", script, str(tmp_path / "bundle/model.onnx")]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert not (tmp_path / "home/intel").exists()
