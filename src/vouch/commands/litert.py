"""A model as LiteRT (TFLite), in single precision and in eight bits: `make litert MODEL=roadwork`.

exports/litert/M/report.json            each file's size, its largest difference from ONNX Runtime and their agreement
exports/litert/M/{float32,int8}/        model.tflite, and labels, preprocessing, calibrator and policy of the bundle

The calibrator and the policy were made on answers in single precision: float32 gives these, int8 nearly.
"""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from vouch import io, params, paths
from vouch.commands.check_params import check_params
from vouch.commands.known import bundle_of
from vouch.deployment.folders import write_beside
from vouch.deployment.litert import Boxes, Converted, compared_with, convert, refuse_absent
from vouch.deployment.parity import Tolerance, refuse_differences
from vouch.errors import ParamsError, Problem, exiting
from vouch.names import closest
from vouch.params import Section, read_params
from vouch.release.bundle import Contents, read
from vouch.release.inference import trained
from vouch.release.opening import Bundle, open_contents
from vouch.splits import contract
from vouch.tasks import ByTask
from vouch.training import weights
from vouch.training.frameworks import framework
from vouch.training.program_export import export_program
from vouch.vision.images.source import Image, evenly
from vouch.vision.preprocess import as_input
from vouch.vision.seen import SEEN

FOLDER = Path("exports/litert")
REPORT = "report.json"
ROUNDING = Tolerance(1e-3, 0.05)  # as `vouch deploy` allows: single precision is the same network

Floats = NDArray[np.float32]


class Classify(Section):
    """models.M.litert of a classifier or embedder."""

    photographs: Annotated[int, Field(ge=1)]  # evenly spaced over train, that ranges of int8 are measured on


class Detect(Classify):
    """models.M.litert of a detector."""

    floor: Annotated[float, Field(gt=0, lt=1)]  # boxes of weaker candidates are not compared
    least_iou: Annotated[float, Field(ge=0.5, le=0.95, multiple_of=0.05)]  # of a box and the one that it is again


SECTIONS: ByTask[type[Classify]] = ByTask(detect=Detect, classify=Classify, identify=Classify)


def litert(model: str) -> dict[str, Any]:
    """Write exports/litert/M whole or not at all, in place of an earlier one, and return what report.json says.

    Raises
    ------
    ParamsError
        When the model is none, or a variant, whose network nobody trained.
    WorkspaceError
        When the environment is not there, a conversion fails, or something else stands in that folder.
    BundleError
        When the bundle does not check, or LiteRT's answers in single precision are not ONNX Runtime's.
    """
    _refuse_untrained(model)
    refuse_absent()
    contents = read(bundle_of(model, None))
    bundle = open_contents(contents, model)
    section = params.load(SECTIONS[bundle.task], "models", model, "litert")
    runtime, boxes = trained(bundle), _boxes(section)
    seen, compared = _seen(model, bundle), int(params.read_value("models", model, "parity", "photographs"))
    inputs, calibration = (_inputs(seen, count, bundle) for count in (compared, section.photographs))
    expected = np.concatenate([runtime.run(inputs[place : place + 1]) for place in range(len(inputs))])
    found = convert(_program(model, bundle), calibration, inputs)
    compared_as = {name: compared_with(bundle, expected, one, boxes) for name, one in found.items()}
    refuse_differences(model, compared_as["float32"], ROUNDING)
    report = {"ranges_measured_on": len(calibration), "with": "ONNX Runtime", **compared_as}
    _write(FOLDER / model, contents, found, report)
    return report


def _refuse_untrained(model: str) -> None:
    having = read_params()["pipeline"]["trained"]
    if model not in having:
        remedy = closest(model, having) if having else "name a model that is trained"
        raise ParamsError([Problem("MODEL", "one of pipeline.trained", model or "none", remedy)])


def _boxes(section: Classify) -> Boxes | None:
    return Boxes(section.floor, section.least_iou) if isinstance(section, Detect) else None


def _program(model: str, bundle: Bundle) -> bytes:
    tensors, description = weights.read(paths.model(model))
    network = framework(bundle.task, description["framework"]).network(description, tensors)
    return export_program(network, size_px=trained(bundle).preprocess.size_px)


def _seen(model: str, bundle: Bundle) -> tuple[Image, ...]:
    dataset = params.read_value("pipeline", "models", model, "dataset")
    members = contract.read_split(dataset, "train", purpose="compare_exports")
    samples, boxes = (io.read_table(paths.manifest(dataset, table)) for table in ("samples", "boxes"))
    return SEEN[bundle.task](members.merge(samples, on="sample_id", validate="one_to_one"), boxes)


def _inputs(seen: Sequence[Image], count: int, bundle: Bundle) -> Floats:
    size_px = trained(bundle).preprocess.size_px
    return np.concatenate([as_input(image, size_px) for image in evenly(seen, count)])


def _write(folder: Path, contents: Contents, found: dict[str, Converted], report: dict[str, Any]) -> None:
    if (folder / REPORT).is_file() and not folder.is_symlink():
        shutil.rmtree(folder)  # an earlier one, which this command made
    with io.new_folder(folder) as temporary:
        io.write_json(temporary / REPORT, report, digits=9)
        for name, one in found.items():
            (temporary / name).mkdir()
            (temporary / name / "model.tflite").write_bytes(one.content)
            write_beside(contents, temporary / name)


def told(report: dict[str, Any]) -> list[str]:
    """Return a report as lines for a reader."""
    return [
        f"{precision}: " + ", ".join(f"{name} {one['all']['value']:.4g}" for name, one in sorted(metrics.items()))
        for precision in ("float32", "int8")
        for metrics in [report[precision]["metrics"]]
    ]


if __name__ == "__main__":
    with exiting():
        check_params(*sys.argv[1:])
        print(*told(litert(*sys.argv[1:])), sep="\n")
