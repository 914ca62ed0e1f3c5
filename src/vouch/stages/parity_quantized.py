"""Compare an INT8 variant with the network that it was made of, on train photographs: how much eight bits cost.

Reads   models/{M,SOURCE}/model.onnx, of embedders their preprocess.json and gallery.safetensors,
        models/M/{preprocess,labels}.json, photographs of split train, and of an embedder boxes
Writes  metrics/M/export.json
Fails   never for a difference: the gate judges it
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from vouch import io, params, paths
from vouch.evaluation.precision import compare_boxes, compare_classes, compare_products, with_sizes
from vouch.params import Section
from vouch.splits import contract
from vouch.stages import main
from vouch.stages.predict import gallery_of
from vouch.tasks import ByTask
from vouch.vision import runtime
from vouch.vision.boxes import Postprocess
from vouch.vision.images.source import Image, evenly
from vouch.vision.preprocess import Preprocess, as_input, from_json
from vouch.vision.seen import SEEN

Outputs = NDArray[np.float32]


class Classify(Section):
    """models.M.parity_quantized of a classifier or embedder."""

    photographs: Annotated[int, Field(ge=1)]  # evenly spaced over train; crops of an embedder


class Detect(Classify):
    """models.M.parity_quantized of a detector."""

    floor: Annotated[float, Field(gt=0, lt=1)]  # boxes of weaker candidates are not compared
    max_iou: Annotated[float, Field(gt=0, le=1)]  # of two boxes of a class that overlap more, the weaker goes
    limit: Annotated[int, Field(ge=1)]  # detections per photograph
    least_iou: Annotated[float, Field(ge=0.5, le=0.95, multiple_of=0.05)]  # of a box and the one that it is again


SECTIONS: ByTask[type[Classify]] = ByTask(detect=Detect, classify=Classify, identify=Classify)


def run(model: str, dataset: str, source: str) -> None:
    """Measure the differences between the networks of model M and of its source."""
    preprocess = from_json(io.read_json(paths.model(model, "preprocess.json")), "preprocess.json")
    section = params.load(SECTIONS[preprocess.task], "models", model, "parity_quantized")
    members = contract.read_split(dataset, "train", purpose="compare_exports")
    samples, boxes = (io.read_table(paths.manifest(dataset, table)) for table in ("samples", "boxes"))
    seen = SEEN[preprocess.task](members.merge(samples, on="sample_id", validate="one_to_one"), boxes)
    names = (source, model)
    first, second = (_outputs(name, preprocess, evenly(seen, section.photographs)) for name in names)
    found = COMPARED[preprocess.task](first, second, section, names)
    before, after = (paths.model(name, "model.onnx").stat().st_size for name in names)
    io.write_json(paths.metrics(model, "export"), with_sizes(found, file_bytes=after, source_bytes=before), digits=9)


def _outputs(name: str, preprocess: Preprocess, images: Sequence[Image]) -> Outputs:
    loaded = runtime.load(paths.model(name, "model.onnx"), preprocess)
    return np.concatenate([loaded.run(as_input(image, preprocess.size_px)) for image in images])


def _classes(first: Outputs, second: Outputs, section: Classify, names: tuple[str, str]) -> dict[str, Any]:
    classes = io.read_json(paths.model(names[1], "labels.json"))["classes"]
    return compare_classes(first, second, n_classes=len(classes))


def _products(first: Outputs, second: Outputs, section: Classify, names: tuple[str, str]) -> dict[str, Any]:
    return compare_products(first, second, galleries=(gallery_of(names[0]), gallery_of(names[1])))


def _boxes(first: Outputs, second: Outputs, section: Classify, names: tuple[str, str]) -> dict[str, Any]:
    assert isinstance(section, Detect)
    postprocess = Postprocess(section.floor, section.max_iou, section.limit)
    return compare_boxes(list(zip(first, second, strict=True)), postprocess, least_iou=section.least_iou)


Compared = Callable[[Outputs, Outputs, Classify, tuple[str, str]], dict[str, Any]]
COMPARED: ByTask[Compared] = ByTask(detect=_boxes, classify=_classes, identify=_products)


if __name__ == "__main__":
    main(run)
