"""A bundle as a model repository of Triton: photograph in, decided answer out.

M              the network, by the backend onnxruntime
M_preprocess   encoded photographs to the network's input       Python backend, `backends/preprocess.py`
M_policy       the network's output to a calibrated, decided answer, `backends/classes.py` or `detections.py`
M_ensemble     the three in a row: what a client calls

The Python backends are this package's own files, copied with the modules that they import, so a server decides by the
very code that the gate judged, and needs no Vouch.
"""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, assert_never

from vouch import io
from vouch.deployment.sources import ROOT, needed
from vouch.deployment.triton_lint import refuse_repository
from vouch.deployment.triton_text import Word, dumps
from vouch.errors import BundleError, Problem
from vouch.release.bundle import MANIFEST, Contents
from vouch.release.inference import trained
from vouch.release.opening import Bundle, sample_input
from vouch.tasks import ByTask

FILES = {  # of a Python backend: itself, and what it reads
    "preprocess": ("preprocess.json",),
    "classes": ("labels.json", "calibrator.json", "policy.json"),
    "detections": ("labels.json", "calibrator.json", "policy.json", "preprocess.json", "postprocess.json"),
}
BACKENDS = ByTask(detect="detections", classify="classes", identify=None)  # of M_policy
VERSION = 1  # of every model: a policy belongs to one network, so the ensemble names versions, never "the latest"
LABELS = "labels.txt"
REQUIREMENTS = {  # of the server: the distribution here whose version it takes
    "numpy": "numpy",
    "pandas": "pandas",
    "opencv-python-headless": "opencv-python",
    "pillow": "pillow",
}
GUIDE = """# {name} {version} for Triton

Made by `vouch deploy {name} … --to triton` from the bundle whose hashes {name}_ensemble/{number}/manifest.json lists.
`vouch deploy --lint .` checks it again after an edit.

    tritonserver --model-repository=.

The Python backends bring their own copy of the code that decides (`vouch/` beside each model.py); the server's Python,
3.11 or later, needs what requirements.txt lists. Clients call `{name}_ensemble`:

    photograph       BYTES [n, 1]: encoded files (JPEG, PNG, …), turned upright by their EXIF orientation
{outputs}
"""
CLASS_GUIDE = """\
    class_pred       BYTES [n, 1]: the class with the largest calibrated probability
    confidence       FP64 [n, 1]: that probability
    accept           BOOL [n, 1]: the policy lets the system answer; otherwise a person must
    prediction_set   BYTES [n, 1]: classes that are possible at the promised risk, joined by |
    probability      FP64 [n, {classes}]: calibrated, in the order of labels.txt

A tie at the policy's threshold is broken by a hash of the photograph's bytes, where `vouch predict` takes its path."""
BOX_GUIDE = """\
    count            INT32 [n, 1]: detections of the photograph; later rows of the other outputs mean nothing
    box              FP64 [n, {limit}, 4]: x1, y1, x2, y2 in pixels of the photograph, best score first
    class_pred       BYTES [n, {limit}]
    score            FP64 [n, {limit}]: as the network gave it
    confidence       FP64 [n, {limit}]: calibrated
    accept           BOOL [n, {limit}]: the policy accepts the detection"""


def deploy_triton(contents: Contents, bundle: Bundle, folder: Path, *, max_batch: int, delay_us: int) -> None:
    """Write a model repository into a new folder, and check it as `vouch deploy --lint` does.

    Parameters
    ----------
    contents : Contents
        As it was read and checked.
    bundle : Bundle
        From these contents.
    folder : path
        Absent or empty.
    max_batch : int
        Photographs that the network takes at once.
    delay_us : int
        Microseconds that a request may wait for others to share a batch with.

    Raises
    ------
    WorkspaceError
        When the folder is not empty.
    BundleError
        When the bundle is trivial, or to identify.
    """
    backend = BACKENDS[bundle.task]
    if backend is None:
        raise _no_backend(bundle)
    trained(bundle)
    name = bundle.manifest["name"]
    parts = {
        name: _network(bundle, max_batch, delay_us),
        f"{name}_preprocess": _preprocess(bundle, max_batch),
        f"{name}_policy": _policy(bundle, max_batch),
    }
    parts[f"{name}_ensemble"] = _ensemble(parts, max_batch)
    with io.new_folder(folder) as temporary:
        for part, config in parts.items():
            (temporary / part / str(VERSION)).mkdir(parents=True)
            io.write_text(temporary / part / "config.pbtxt", dumps({"name": part, **config}))
            if any("label_filename" in output for output in config["output"]):
                io.write_text(temporary / part / LABELS, "".join(f"{label}\n" for label in bundle.classes))
        (temporary / name / str(VERSION) / "model.onnx").write_bytes(contents.files["model.onnx"])
        (temporary / f"{name}_ensemble/{VERSION}" / MANIFEST).write_text(io.dumps(contents.manifest), encoding="utf-8")
        _write_backend("preprocess", contents.files, temporary / f"{name}_preprocess/{VERSION}")
        _write_backend(backend, contents.files, temporary / f"{name}_policy/{VERSION}")
        io.write_text(temporary / "requirements.txt", _requirements())
        io.write_text(temporary / "README.md", _guide(bundle))
        refuse_repository(temporary)


def _no_backend(bundle: Bundle) -> BundleError:
    where = f"bundle {bundle.manifest['name']}"
    expected, remedy = "one to detect or classify", "serve an embedder with its gallery through `vouch predict`"
    return BundleError([Problem(where, expected, f"one to {bundle.task}", remedy)])


def _write_backend(backend: str, files: Mapping[str, bytes], folder: Path) -> None:
    source = ROOT / f"deployment/backends/{backend}.py"
    read = {name: files[name] for name in FILES[backend]}
    for path, content in {"model.py": source.read_bytes(), **needed(source), **read}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def _network(bundle: Bundle, max_batch: int, delay_us: int) -> dict[str, Any]:
    canvas = sample_input(trained(bundle).preprocess)
    answer = trained(bundle).run(canvas)
    return {
        **_served("onnxruntime", max_batch),
        "input": [_tensor("images", "FP32", *canvas.shape[1:])],
        "output": [_tensor("output0", "FP32", *answer.shape[1:])],
        "dynamic_batching": {"max_queue_delay_microseconds": delay_us},
    }


def _preprocess(bundle: Bundle, max_batch: int) -> dict[str, Any]:
    size_px = trained(bundle).preprocess.size_px
    return {
        **_served("python", max_batch),
        "input": [_tensor("photograph", "STRING", 1)],
        "output": [
            _tensor("canvas", "FP32", 3, size_px, size_px),
            _tensor("size", "INT32", 2),
            _tensor("name", "STRING", 1),
        ],
    }


def _policy(bundle: Bundle, max_batch: int) -> dict[str, Any]:
    answer = trained(bundle).run(sample_input(trained(bundle).preprocess))
    said = _tensor("output0", "FP32", *answer.shape[1:])
    match bundle.task:
        case "classify":
            shares = _tensor("probability", "FP64", len(bundle.classes)) | {"label_filename": LABELS}
            inputs = [said, _tensor("name", "STRING", 1)]
            scalars = {"class_pred": "STRING", "confidence": "FP64", "accept": "BOOL", "prediction_set": "STRING"}
            outputs = [*(_tensor(name, kind, 1) for name, kind in scalars.items()), shares]
        case "identify":
            raise _no_backend(bundle)
        case "detect":
            limit = _limit(bundle)
            columns = {"class_pred": "STRING", "score": "FP64", "confidence": "FP64", "accept": "BOOL"}
            inputs = [said, _tensor("size", "INT32", 2)]
            outputs = [_tensor("count", "INT32", 1), _tensor("box", "FP64", limit, 4)]
            outputs += [_tensor(name, kind, limit) for name, kind in columns.items()]
        case _:
            assert_never(bundle.task)
    return {**_served("python", max_batch), "input": inputs, "output": outputs}


def _limit(bundle: Bundle) -> int:
    assert bundle.postprocess is not None  # a detector's bundle does not verify without it
    return bundle.postprocess.limit


def _ensemble(parts: dict[str, dict[str, Any]], max_batch: int) -> dict[str, Any]:
    network, preprocess, policy = parts
    taken = {"canvas", *(tensor["name"] for tensor in parts[policy]["input"])}
    kept = [tensor for tensor in parts[preprocess]["output"] if tensor["name"] in taken]  # an unused one is refused
    return {
        "platform": "ensemble",
        "max_batch_size": max_batch,
        "version_policy": {"specific": {"versions": [VERSION]}},
        "input": parts[preprocess]["input"],
        "output": parts[policy]["output"],
        "ensemble_scheduling": {
            "step": [
                _step(preprocess, parts[preprocess] | {"output": kept}),
                _step(network, parts[network], images="canvas"),
                _step(policy, parts[policy]),
            ]
        },
    }


def _step(name: str, config: dict[str, Any], **renamed: str) -> dict[str, Any]:
    """Return a step whose tensors are called in the ensemble as in the model, but for the renamed."""
    maps = {
        f"{side}_map": [{"key": one["name"], "value": renamed.get(one["name"], one["name"])} for one in config[side]]
        for side in ("input", "output")
    }
    return {"model_name": name, "model_version": VERSION, **maps}


def _served(backend: str, max_batch: int) -> dict[str, Any]:
    return {
        "backend": backend,
        "max_batch_size": max_batch,
        "version_policy": {"specific": {"versions": [VERSION]}},
        "instance_group": [{"kind": Word("KIND_CPU"), "count": 1}],
    }


def _tensor(name: str, kind: str, *dims: int) -> dict[str, Any]:
    return {"name": name, "data_type": Word(f"TYPE_{kind}"), "dims": list(dims)}


def _requirements() -> str:
    why = "# of every Python backend; by other versions the last digits of an answer may differ\n"
    return why + "".join(f"{name}=={version(installed)}\n" for name, installed in REQUIREMENTS.items())


def _guide(bundle: Bundle) -> str:
    match bundle.task:
        case "classify":
            outputs = CLASS_GUIDE.format(classes=len(bundle.classes))
        case "identify":
            raise _no_backend(bundle)
        case "detect":
            outputs = BOX_GUIDE.format(limit=_limit(bundle))
        case _:
            assert_never(bundle.task)
    manifest = bundle.manifest
    return GUIDE.format(name=manifest["name"], version=manifest["version"], number=VERSION, outputs=outputs)
