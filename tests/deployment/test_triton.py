"""The Python backends run here as Triton runs them, on their own copy of Vouch, against a stand-in for its module."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from deployment.bundles import CLASSES, MATRIX, build, multiclass, photographs
from vouch.deployment.sources import needed
from vouch.deployment.triton import FILES, deploy_triton
from vouch.errors import BundleError, WorkspaceError
from vouch.release import opening
from vouch.release.bundle import read, write_bundle
from vouch.release.inference import answer
from vouch.vision.images.source import files

STAND_IN = """
class Tensor:
    def __init__(self, name, values):
        self.label, self.values = name, values

    def name(self):
        return self.label

    def as_numpy(self):
        return self.values


class TritonError(Exception):
    pass


class InferenceResponse:
    def __init__(self, output_tensors, error=None):
        self.tensors, self.error = {one.name(): one.as_numpy() for one in output_tensors}, error


def get_input_tensor_by_name(request, name):
    return Tensor(name, request[name])
"""
SERVER = '''
import importlib, json, sys
from pathlib import Path
import numpy as np
import onnxruntime
import triton_python_backend_utils

def backend(model):
    """Load as Triton's stub does: the version's folder and the model's at the end of the path, then `1.model`."""
    for name in [name for name in sys.modules if name.split(".")[0] in ("vouch", "1")]:
        del sys.modules[name]
    sys.path[:] = [path for path in sys.path if str(ROOT) not in path] + [str(model / "1"), str(model)]
    importlib.invalidate_caches()
    loaded = importlib.import_module("1.model").TritonPythonModel()
    loaded.initialize({})
    ours = [module.__file__ for name, module in sys.modules.items() if name.split(".")[0] == "vouch"]
    assert ours and all(Path(file).is_relative_to(model) for file in ours), ours
    return loaded

def said(response):
    assert response.error is None, response.error
    return response.tensors

ROOT = Path(sys.argv[1])
encoded = np.array([[Path(path).read_bytes()] for path in sys.argv[2:]], np.object_)
found = {}
for repository in sorted(ROOT.iterdir()):
    preprocess = backend(repository / "m_preprocess")
    junk = np.array([[b"junk"], [b""]], np.object_)
    broken, response = preprocess.execute([{"photograph": junk}, {"photograph": encoded}])
    assert "photograph 0: expected JPEG" in str(broken.error) and "photograph 1: " in str(broken.error), broken.error
    tensors = said(response)
    network = onnxruntime.InferenceSession(repository / "m/1/model.onnx", providers=["CPUExecutionProvider"])
    tensors["output0"] = network.run(None, {"images": tensors["canvas"]})[0]
    noise = tensors | {"output0": np.full_like(tensors["output0"], np.nan)}
    broken, response = backend(repository / "m_policy").execute([noise, tensors])
    found[repository.name] = {
        name: [[part.decode() if isinstance(part, bytes) else part for part in row] for row in values.tolist()]
        for name, values in said(response).items()
    } | {"broken": str(broken.error)}
print(json.dumps(found))
'''


def scalar(method, **parameters):
    return {"method": method, **parameters}


CALIBRATORS = {
    "matrix": MATRIX,
    "identity": multiclass(method="identity"),
    "temperature": multiclass(method="temperature", temperature=1.7),
    "ensemble": multiclass(method="ensemble_temperature", temperature=2.0, weights=[0.5, 0.3, 0.2]),
    "vector": multiclass(method="vector", weights=[0.6, 1.4], biases=[0.1, -0.1]),
    "dirichlet": multiclass(method="dirichlet", weights=[[1.0, 0.2], [-0.1, 0.8]], biases=[0.0, 0.1], penalty=0.1),
    "platt": multiclass(method="platt", classes=[scalar("platt", slope=1.3, intercept=0.1)] * 2),
    "beta": multiclass(method="beta", classes=[scalar("beta", a=1.2, b=0.7, c=-0.4)] * 2),
    "isotonic": multiclass(
        method="isotonic", classes=[scalar("isotonic", scores=[0.1, 0.9], confidences=[0.2, 0.8])] * 2
    ),
    "histogram": multiclass(method="histogram", classes=[scalar("histogram", edges=[0.5], confidences=[0.3, 0.7])] * 2),
    "bbq": multiclass(method="bbq", classes=[scalar("bbq", edges=[0.4], confidences=[0.2, 0.75])] * 2),
    "spline": multiclass(method="spline", classes=[scalar("spline", scores=[0.0, 1.0], confidences=[0.1, 0.9])] * 2),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """What a server says of five photographs in one request, and the answers of `vouch predict`, by repository."""
    folder = tmp_path_factory.mktemp("triton")
    bundles = {name: build(folder / name, "classify", **{"calibrator.json": one}) for name, one in CALIBRATORS.items()}
    bundles["detections"] = build(folder / "detections", "detect")
    for name, one in bundles.items():
        deploy_triton(read(folder / name), one, folder / "repositories" / name, max_batch=8, delay_us=100)
    (folder / "triton_python_backend_utils.py").write_text(STAND_IN)
    (folder / "vouch.py").write_text("raise ImportError('the Vouch of the server, of another version')")
    images = photographs(folder)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), "HOME": str(folder), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SERVER, str(folder / "repositories"), *map(str, images)]
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, cwd=folder)
    assert run.returncode == 0, run.stderr
    return images, json.loads(run.stdout), {name: answer(one, files(images)).rows for name, one in bundles.items()}


@pytest.mark.parametrize("name", CALIBRATORS)
def test_a_served_classifier_answers_as_predict_does(served, name):
    said, expected = served[1][name], served[2][name]
    for column in ("class_pred", "accept", "prediction_set"):
        assert [value for [value] in said[column]] == expected[column].tolist()
    np.testing.assert_allclose(said["confidence"], expected[["confidence"]], rtol=0, atol=1e-6)
    shares = expected[[f"probability_{label}" for label in CLASSES]]
    np.testing.assert_allclose(said["probability"], shares, rtol=0, atol=1e-6)
    assert "finite logits" in said["broken"]


def test_the_photographs_tell_decisions_apart(served):
    decided = served[2]["matrix"]
    assert decided["accept"].nunique() == 2
    assert decided["class_pred"].nunique() == 2
    assert served[2]["detections"]["accept"].nunique() == 2


def test_a_served_detector_answers_as_predict_does(served):
    images, said, expected = served[0], served[1]["detections"], served[2]["detections"]
    assert [count for [count] in said["count"]] == [(expected["image"] == str(image)).sum() for image in images]
    assert said["count"][-1] == [0]  # nothing is red or green on the blue one
    for place, image in enumerate(images):
        rows = expected[expected["image"] == str(image)]
        assert said["class_pred"][place][: len(rows)] == rows["class_pred"].tolist()
        assert said["accept"][place] == rows["accept"].tolist() + [False] * (12 - len(rows))
        np.testing.assert_allclose(
            np.reshape(said["box"][place], (-1, 4))[: len(rows)], rows[["x1", "y1", "x2", "y2"]], rtol=0, atol=1e-6
        )
        for column in ("score", "confidence"):
            np.testing.assert_allclose(said[column][place][: len(rows)], rows[column], rtol=0, atol=1e-6)


def test_the_repository_is_the_same_bytes_twice(tmp_path):
    ready = build(tmp_path / "bundle", "detect")
    written = []
    for name in ("1", "2"):
        deploy_triton(read(tmp_path / "bundle"), ready, tmp_path / name, max_batch=4, delay_us=0)
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        written.append({str(path.relative_to(tmp_path / name)): path.read_bytes() for path in files})
    assert written[0] == written[1]
    assert written[0]["m/1/model.onnx"] == (tmp_path / "bundle/model.onnx").read_bytes()
    assert written[0]["m_policy/1/policy.json"] == (tmp_path / "bundle/policy.json").read_bytes()


@pytest.mark.parametrize("backend", FILES)
def test_a_backend_brings_the_modules_that_it_needs_and_no_runtime(backend):
    import vouch

    modules = needed(Path(vouch.__file__).parent / f"deployment/backends/{backend}.py")
    text = b"".join(modules.values()).decode()
    assert "vouch/errors.py" in modules
    assert not any(f"import {heavy}" in text for heavy in ("torch", "onnxruntime", "pydantic", "scipy", "pyarrow"))


def test_a_folder_with_anything_in_it_is_refused_and_left_alone(tmp_path):
    ready = build(tmp_path / "bundle", "classify")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/note").write_text("mine")
    with pytest.raises(WorkspaceError, match="taken: expected no folder"):
        deploy_triton(read(tmp_path / "bundle"), ready, tmp_path / "taken", max_batch=4, delay_us=0)
    assert [path.name for path in (tmp_path / "taken").iterdir()] == ["note"]


def test_a_trivial_bundle_has_nothing_to_serve(tmp_path):
    source = tmp_path / "bundle"
    build(source, "detect")
    files = {name: (source / name).read_bytes() for name in ("labels.json", "calibrator.json", "policy.json")}
    write_bundle(tmp_path / "trivial", "m", "0.0.0", "detect", "trivial", files)
    with pytest.raises(BundleError, match="a trained bundle"):
        deploy_triton(
            read(tmp_path / "trivial"),
            opening.open_bundle(tmp_path / "trivial"),
            tmp_path / "x",
            max_batch=4,
            delay_us=0,
        )
    assert not (tmp_path / "x").exists()
