"""A bundle as an engine of TensorRT, built and proved by trtexec on the machine that will serve it.

model.plan     runs on this kind of GPU and version of TensorRT alone, so it is nobody's input in the graph
build.log      what trtexec said; parity.log of the runs that were compared
engine.json    GPU, version, precision, batch
parity.json    largest differences from ONNX Runtime
preprocess.json …   copied from the bundle

No Python package of NVIDIA is needed: trtexec reads inputs from a file and writes outputs as JSON. It prints six
digits, .00001 of a logit below 10 and .0005 of a box below 1000 pixels.
"""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from vouch import io
from vouch.deployment.folders import write_beside
from vouch.deployment.parity import Run, Tolerance, demand_parity
from vouch.errors import DataError, ParamsError, Problem, WorkspaceError, refuse_any
from vouch.release.bundle import Contents
from vouch.release.inference import trained
from vouch.release.opening import Bundle
from vouch.vision.images.source import Image

FLAGS = {"float32": ["--noTF32"], "bfloat16": ["--bf16"], "float16": ["--fp16"]}  # TF32 would keep ten bits of a weight
LAST_WITH_FLAGS = 10  # TensorRT 11 took the precision flags away
SHOWN = 5  # lines of a log that end a refusal


class Precision(StrEnum):
    """Of the engine; the calibrator and the policy were made in float32."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


def refuse_half_precision(content: bytes, precision: Precision) -> None:
    """Refuse float16 with a DINO backbone, and with one that the bundle does not name.

    Its activations overflow half precision: engines of DINOv3 answer NaN or noise (NVIDIA/TensorRT#4742, #4723).

    Parameters
    ----------
    content : bytes
        The bundle's network, checked.
    precision : Precision

    Raises
    ------
    ParamsError
        When the engine must not be built so.
    """
    if precision != Precision.FLOAT16:
        return
    model = onnx.load_model_from_string(content)
    said = {item.key: item.value for item in model.metadata_props}.get("architecture")
    if said is None:
        got, remedy = "float16 with an unnamed backbone", "export and build the bundle again"
        raise ParamsError([Problem("--precision", "a bundle that names its architecture", got, remedy)])
    if is_dino(said):
        expected, remedy = "float32 or bfloat16 with DINO", "choose one"
        raise ParamsError([Problem("--precision", expected, "float16", remedy)])


def is_dino(architecture: str) -> bool:
    """Say whether a text names a backbone of the DINO family, as `training.backbones.timm_backbone.is_dino` does."""
    return "dino" in architecture or "eupe" in architecture


def deploy_tensorrt(
    contents: Contents,
    bundle: Bundle,
    folder: Path,
    photographs: Sequence[Image],
    tolerance: Tolerance,
    *,
    precision: Precision,
    max_batch: int,
) -> dict[str, Any]:
    """Build an engine into a new folder, and return what parity.json says.

    Raises
    ------
    ParamsError
        When the backbone must not be built in this precision.
    WorkspaceError
        When there is no GPU, no trtexec or none that builds this precision, trtexec fails, or the folder is not empty.
    DataError
        When there are no photographs to compare, or one does not decode.
    BundleError
        When the bundle is trivial, or the engine's answers are not ONNX Runtime's.
    """
    size_px = trained(bundle).preprocess.size_px
    refuse_half_precision(contents.files["model.onnx"], precision)
    gpu, trtexec = _machine()
    tensorrt = _version(trtexec, precision)
    if not photographs:
        remedy = "give --photographs"
        raise DataError([Problem("--photographs", "photographs to compare the engine on", "none", remedy)])
    with io.new_folder(folder) as temporary:
        network = temporary / "model.onnx"
        network.write_bytes(contents.files["model.onnx"])
        _build(trtexec, network, temporary, size_px, precision, max_batch)
        network.unlink()
        run = _runner(trtexec, temporary)
        found = demand_parity(bundle, run, photographs, tolerance, batch=max_batch)
        engine = {"gpu": gpu, "tensorrt": tensorrt, "precision": precision.value, "max_batch": max_batch}
        io.write_json(temporary / "engine.json", engine)
        io.write_json(temporary / "parity.json", found, digits=9)
        write_beside(contents, temporary)
    return found


def _machine() -> tuple[str, str]:
    """Return the GPUs' names and compute capabilities, and trtexec's path; refuse a machine that lacks either."""
    smi, trtexec = shutil.which("nvidia-smi"), shutil.which("trtexec")
    asked = [smi or "", "--query-gpu=name,compute_cap", "--format=csv,noheader"]
    listed = subprocess.run(asked, capture_output=True, text=True, check=False) if smi else None
    gpu = listed.stdout.strip() if listed and listed.returncode == 0 else ""
    problems = []
    if not gpu:
        got = "no nvidia-smi on PATH" if listed is None else _tail(listed.stdout + listed.stderr) or "none"
        problems.append(Problem("GPU", "an NVIDIA GPU with its driver", got, "build on the machine that will serve"))
    if trtexec is None:
        problems.append(Problem("trtexec", "trtexec on PATH", "nothing", "install TensorRT, or run in its container"))
    refuse_any(WorkspaceError, problems)
    assert trtexec is not None
    return "; ".join(gpu.splitlines()), trtexec


def _version(trtexec: str, precision: Precision) -> str:
    """Return TensorRT's version as trtexec prints it first; refuse one that does not build this precision."""
    told = subprocess.run([trtexec, "--help"], capture_output=True, text=True, check=False)
    number = re.search(r"TensorRT v(\d+)", told.stdout + told.stderr)
    if number is None:
        raise WorkspaceError([Problem(trtexec, "a line with TensorRT's version", _tail(told.stdout), "reinstall it")])
    value = int(number[1])  # 8.6.1 is 8601, 10.13.0 is 101300
    unit = 10000 if value >= 100000 else 1000
    major, minor, patch = value // unit, value % unit // 100, value % 100
    text = f"{major}.{minor}.{patch}"
    if major > LAST_WITH_FLAGS and precision != Precision.FLOAT32:
        expected = f"TensorRT {LAST_WITH_FLAGS} or earlier for {precision}"
        raise WorkspaceError([Problem(trtexec, expected, text, "build in float32: version 11 has no flag for it")])
    return text


def _build(trtexec: str, model: Path, folder: Path, size_px: int, precision: Precision, max_batch: int) -> None:
    shapes = {"min": 1, "opt": max_batch, "max": max_batch}
    command = [trtexec, f"--onnx={model.name}", "--saveEngine=model.plan", "--skipInference"]
    command += [f"--{which}Shapes=images:{n}x3x{size_px}x{size_px}" for which, n in shapes.items()]
    _call([*command, *FLAGS[precision]], folder, "build.log", folder / "model.plan")


def _runner(trtexec: str, folder: Path) -> Run:
    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        shape = "x".join(str(side) for side in batch.shape)
        with tempfile.TemporaryDirectory() as name:
            scratch = Path(name)
            batch.tofile(scratch / "images.bin")
            command = [trtexec, "--loadEngine=model.plan", f"--shapes=images:{shape}"]
            command += [f"--loadInputs=images:{scratch / 'images.bin'}", f"--exportOutput={scratch / 'output.json'}"]
            command += ["--iterations=1", "--warmUp=0", "--duration=0"]
            _call(command, folder, "parity.log", scratch / "output.json")
            return _read_output((scratch / "output.json").read_text(encoding="utf-8"))

    return run


def _call(command: list[str], folder: Path, log: str, expected: Path) -> None:
    """Run trtexec in `folder`, append to the log, and refuse a failure or a missing file with the log's last lines."""
    with (folder / log).open("a", encoding="utf-8") as stream:
        code = subprocess.run(command, cwd=folder, stdout=stream, stderr=subprocess.STDOUT, check=False).returncode
    if code or not expected.is_file():
        got = f"exit {code}: {_tail((folder / log).read_text(encoding='utf-8', errors='replace'))}"
        raise WorkspaceError([Problem(" ".join(command), expected.name, got, "mend what it says")])


def _read_output(text: str) -> NDArray[np.float32]:
    """Return the tensor `output0` of trtexec's JSON, in which C++ spells NaN and infinity its own way."""
    spelled = re.sub(r"-?\bnan\b", "NaN", re.sub(r"\binf\b", "Infinity", text))
    tensor = next(one for one in json.loads(spelled) if one["name"] == "output0")
    shape = [int(side) for side in tensor["dimensions"].split("x")]
    return np.array(tensor["values"], np.float32).reshape(shape)


def _tail(text: str) -> str:
    return " | ".join(line.strip() for line in text.strip().splitlines()[-SHOWN:])
