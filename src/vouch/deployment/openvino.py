"""A bundle for OpenVINO: its network as intermediate representation, the same bytes every time, and what serves it.

model.xml, model.bin   single precision; one input `images`, first output `output0`, a classifier's second `embedding`
parity.json            largest differences from ONNX Runtime
preprocess.json …      copied from the bundle
"""

import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vouch import io
from vouch.deployment.folders import write_beside
from vouch.deployment.parity import Run, Tolerance, demand_parity
from vouch.errors import Problem, WorkspaceError
from vouch.release.bundle import Contents
from vouch.release.inference import trained
from vouch.release.opening import Bundle
from vouch.vision.images.source import Image

BATCH = 8
# On processors that multiply bfloat16 OpenVINO would choose it by itself: the calibrator was learned in float32.
SETTINGS = {"INFERENCE_PRECISION_HINT": "f32"}
NUMBERED = re.compile(r"\w+_\d+")  # a name from a counter of the process: another in every conversion
RUNTIME = re.compile(r'\s*<info name="OpenVINO Runtime" value="[^"]*" />')


def deploy_openvino(
    contents: Contents, bundle: Bundle, folder: Path, photographs: Sequence[Image], tolerance: Tolerance
) -> dict[str, Any]:
    """Write a bundle for OpenVINO into a new folder, and return what parity.json says.

    Raises
    ------
    WorkspaceError
        When OpenVINO is not installed or cannot write, or the folder is not empty.
    BundleError
        When the bundle is trivial, or OpenVINO's answers are not ONNX Runtime's.
    DataError
        When a photograph does not decode.
    """
    trained(bundle)
    openvino = without_telemetry()
    with io.new_folder(folder) as temporary:
        _convert(openvino, contents.files["model.onnx"], temporary / "model.xml")
        run = load(openvino, temporary / "model.xml")
        found = demand_parity(bundle, run, photographs, tolerance, batch=BATCH) | {"settings": SETTINGS}
        io.write_json(temporary / "parity.json", found, digits=9)
        write_beside(contents, temporary)
    return found


def without_telemetry() -> Any:
    """Import OpenVINO so that it sends and stores nothing.

    Its import counts itself in ~/intel and reports to a server unless the package openvino_telemetry is absent, which
    it allows for. An entry of None in `sys.modules` is how Python says that a package is absent.

    Raises
    ------
    WorkspaceError
        When OpenVINO is not installed.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino
    except ImportError as error:
        remedy = 'install it: pip install "vouch[openvino]"'
        raise WorkspaceError([Problem("openvino", "the package openvino", str(error), remedy)]) from error
    return openvino


def load(openvino: Any, model: Path) -> Run:
    """Open model.xml on the CPU in float32."""
    compiled = openvino.Core().compile_model(str(model), "CPU", SETTINGS)

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        output: NDArray[np.float32] = compiled(batch)[0]
        return output

    return run


def _convert(openvino: Any, onnx: bytes, xml: Path) -> None:
    try:
        with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
            file.write(onnx)
            file.flush()
            model = openvino.convert_model(file.name)
    except OSError as error:
        raise _unwritable(Path(tempfile.gettempdir()), error) from error
    for place, node in enumerate(model.get_ordered_ops()):
        if NUMBERED.fullmatch(node.get_friendly_name()):
            node.set_friendly_name(f"{node.get_type_name()}_at_{place}")
    for key in ("Runtime_version", "conversion_parameters"):
        del model.rt_info[key]
    try:
        openvino.save_model(model, str(xml), compress_to_fp16=False)
    except RuntimeError as error:  # "basic_ios::clear: iostream error" where the disk is full
        raise _unwritable(xml, error) from error
    io.write_text(xml, RUNTIME.sub("", xml.read_text(encoding="utf-8")))


def _unwritable(path: Path, error: Exception) -> WorkspaceError:
    remedy = "free some disk space, or change its permissions"
    return WorkspaceError([Problem(str(path), "a file that OpenVINO can write", str(error), remedy)])
