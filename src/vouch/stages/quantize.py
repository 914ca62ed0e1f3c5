"""Make an INT8 variant of another model's network; from here on it is a model of its own, judged on the same val_test.

Reads   models/SOURCE/{model.onnx,preprocess.json,labels.json}; a static one also photographs of
        split train, or crops of an embedder's products
Writes  models/M/{model.onnx,preprocess.json,labels.json}
Fails   when the source is no network in single precision, or `exclude` names what it does not have
"""

from typing import Annotated

from pydantic import Field, RootModel

from vouch import io, params, paths
from vouch.splits import contract
from vouch.stages import main
from vouch.vision.images.source import evenly
from vouch.vision.preprocess import from_json
from vouch.vision.quantization import Dynamic, Static, quantized
from vouch.vision.seen import SEEN

BESIDE = ("preprocess.json", "labels.json")


class Params(RootModel[Annotated[Static | Dynamic, Field(discriminator="kind")]]):
    """models.M.quantize."""


def run(model: str, dataset: str, source: str) -> None:
    """Quantise SOURCE's network for model M; ranges are measured on train, which shapes weights."""
    settings = params.load(Params, "models", model, "quantize").root
    preprocess = from_json(io.read_json(paths.model(source, "preprocess.json")), "preprocess.json")
    members = contract.read_split(dataset, "train", purpose="fit_weights")
    samples, boxes = (io.read_table(paths.manifest(dataset, table)) for table in ("samples", "boxes"))
    images = SEEN[preprocess.task](members.merge(samples, on="sample_id", validate="one_to_one"), boxes)
    chosen = evenly(images, settings.photographs) if isinstance(settings, Static) else []
    content = quantized(paths.model(source, "model.onnx").read_bytes(), settings, chosen, preprocess.size_px)
    io.write_bytes(paths.model(model, "model.onnx"), content)
    for file in BESIDE:
        io.write_bytes(paths.model(model, file), paths.model(source, file).read_bytes())


if __name__ == "__main__":
    main(run)
