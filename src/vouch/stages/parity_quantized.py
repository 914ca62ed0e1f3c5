"""Compare an INT8 variant with the network that it was made of, on train photographs: how much eight bits cost.

Reads   models/{M,SOURCE}/model.onnx, models/M/{preprocess,labels}.json, photographs of split train
Writes  metrics/M/export.json
Fails   never for a difference: the gate judges it
"""

from typing import Annotated

import numpy as np
from pydantic import Field

from vouch import io, params, paths
from vouch.evaluation.parity import compare_precisions
from vouch.params import Section
from vouch.splits import contract
from vouch.stages import main
from vouch.vision import runtime
from vouch.vision.images.source import evenly, files
from vouch.vision.preprocess import as_input, from_json


class Params(Section):
    """models.M.parity_quantized."""

    photographs: Annotated[int, Field(ge=1)]  # evenly spaced over train


def run(model: str, dataset: str, source: str) -> None:
    """Measure the differences between the networks of model M and of its source."""
    section = params.load(Params, "models", model, "parity_quantized")
    preprocess = from_json(io.read_json(paths.model(model, "preprocess.json")), "preprocess.json")
    classes = io.read_json(paths.model(model, "labels.json"))["classes"]
    members = contract.read_split(dataset, "train", purpose="fit_weights")
    samples = io.read_table(paths.manifest(dataset, "samples"))
    images = files(members.merge(samples, on="sample_id", validate="one_to_one")["image"])
    batches = [as_input(image, preprocess.size_px) for image in evenly(images, section.photographs)]
    outputs = []
    for name in (source, model):
        loaded = runtime.load(paths.model(name, "model.onnx"), preprocess)
        outputs.append(np.concatenate([loaded.run(batch) for batch in batches]))
    found = compare_precisions(outputs[0], outputs[1], n_classes=len(classes))
    io.write_json(paths.metrics(model, "export"), found, digits=9)


if __name__ == "__main__":
    main(run)
