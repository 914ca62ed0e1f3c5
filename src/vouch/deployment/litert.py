"""A network as LiteRT (TFLite) in an environment of its own: converted, quantised, run, and compared with ONNX Runtime.

litert-torch wants an older torch than training, so its environment, `.venv-litert`, is made by `make litert` from
envs/litert/requirements.lock, and envs/litert/convert.py runs there. Arrays and files pass between the two.
"""

import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vouch.errors import Problem, WorkspaceError, refuse_any
from vouch.evaluation.precision import compare_boxes, compare_classes, compare_products, with_sizes
from vouch.release.opening import Bundle
from vouch.tasks import ByTask

PYTHON = Path(".venv-litert/bin/python")
SCRIPT = Path("envs/litert/convert.py")
PRECISIONS = ("float32", "int8")
SHOWN = 5  # lines of what the script said that end a refusal

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Converted:
    """One precision: its file, and what the interpreter says of the compared images, as `preprocess.output` has it."""

    content: bytes
    outputs: Floats


@dataclass(frozen=True)
class Boxes:
    """Which detections are compared: of both, those with a score above `floor`; again at an IoU of `least_iou`."""

    floor: float
    least_iou: float


def refuse_absent(python: Path = PYTHON, script: Path = SCRIPT) -> None:
    """Return when the environment is there.

    Raises
    ------
    WorkspaceError
        When it is not, or this is not the repository's root.
    """
    remedies = {python: "run `make litert MODEL=...`, which makes it", script: "run it in the repository's root"}
    absent = (path for path in remedies if not path.is_file())
    refuse_any(WorkspaceError, [Problem(str(path), "a file", "none", remedies[path]) for path in absent])


def convert(
    program: bytes, calibration: Floats, compared: Floats, *, python: Path = PYTHON, script: Path = SCRIPT
) -> dict[str, Converted]:
    """Return the network in each of `PRECISIONS`.

    Parameters
    ----------
    program : bytes
        As `training.program_export` writes it.
    calibration, compared : float32 (n, 3, size, size)
        What ranges are measured on, and what both networks answer.

    Raises
    ------
    WorkspaceError
        When the script fails, with the last lines that it said.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "network.pt2").write_bytes(program)
        for kind, images in (("calibration", calibration), ("compared", compared)):
            np.save(folder / f"{kind}.npy", images, allow_pickle=False)
        command = [str(python), "-I", str(script), str(folder)]
        finished = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if finished.returncode:
            said = " | ".join(line.strip() for line in finished.stdout.strip().splitlines()[-SHOWN:])
            got = f"exit {finished.returncode}: {said}"
            raise WorkspaceError([Problem(str(script), "a converted network", got, "mend what it says")])
        return {
            one: Converted((folder / f"{one}.tflite").read_bytes(), np.load(folder / f"{one}.npy", allow_pickle=False))
            for one in PRECISIONS
        }


def compared_with(bundle: Bundle, expected: Floats, converted: Converted, boxes: Boxes | None) -> dict[str, Any]:
    """Return size, largest difference and agreement with ONNX Runtime, as metrics/M/export.json has them.

    Parameters
    ----------
    bundle : Bundle
        Whose network both are.
    expected : float32
        What ONNX Runtime says of the compared images.
    converted : Converted
    boxes : Boxes or None
        Of a detector.
    """
    found = COMPARED[bundle.task](bundle, expected, converted.outputs, boxes)
    return with_sizes(
        found, file_bytes=len(converted.content), source_bytes=bundle.manifest["files"]["model.onnx"]["bytes"]
    )


def _classes(bundle: Bundle, expected: Floats, outputs: Floats, boxes: Boxes | None) -> dict[str, Any]:
    return compare_classes(expected, outputs, n_classes=len(bundle.classes))


def _products(bundle: Bundle, expected: Floats, outputs: Floats, boxes: Boxes | None) -> dict[str, Any]:
    assert bundle.gallery is not None
    return compare_products(expected, outputs, galleries=(bundle.gallery, bundle.gallery))


def _boxes(bundle: Bundle, expected: Floats, outputs: Floats, boxes: Boxes | None) -> dict[str, Any]:
    assert bundle.postprocess is not None
    assert boxes is not None
    postprocess = replace(bundle.postprocess, floor=boxes.floor)
    return compare_boxes(list(zip(expected, outputs, strict=True)), postprocess, least_iou=boxes.least_iou)


Compared = Callable[[Bundle, Floats, Floats, Boxes | None], dict[str, Any]]
COMPARED: ByTask[Compared] = ByTask(detect=_boxes, classify=_classes, identify=_products)
