"""Compare the exported network with the trained one on train photographs: what ships must be what was trained.

Reads   models/M/{weights.safetensors,weights.json,model.onnx,preprocess.json}, photographs of split train
Writes  metrics/M/export.json
Fails   never for a difference: the gate judges it
"""

from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, RootModel
from torch import nn

from vouch import io, params, paths
from vouch.evaluation.parity import compare_answers, compare_outputs, summarise
from vouch.params import Section
from vouch.splits import contract
from vouch.stages import main
from vouch.training import weights
from vouch.training.frameworks import framework
from vouch.vision import runtime
from vouch.vision.images.source import Image, evenly, files
from vouch.vision.preprocess import as_input, from_json
from vouch.vision.runtime import Runtime

THREADS = 1  # two add in another order: a score difference of 5e-6 became 1e-5, and followed the environment


class Detect(Section):
    """models.M.parity of a detector."""

    task: Literal["detect"]
    photographs: Annotated[int, Field(ge=1)]  # evenly spaced over train
    floor: Annotated[float, Field(gt=0, lt=1)]  # boxes of weaker candidates are not compared


class Classify(Section):
    """models.M.parity of a classifier."""

    task: Literal["classify"]
    photographs: Annotated[int, Field(ge=1)]


class Params(RootModel[Annotated[Detect | Classify, Field(discriminator="task")]]):
    """models.M.parity."""


def run(model: str, dataset: str) -> None:
    """Measure the differences between torch and ONNX Runtime for model M."""
    torch.set_num_threads(THREADS)
    section = params.load(Params, "models", model, "parity").root
    tensors, description = weights.read(paths.model(model))
    network = framework(description["framework"]).network(description, tensors)
    preprocess = from_json(io.read_json(paths.model(model, "preprocess.json")), "preprocess.json")
    exported = runtime.load(paths.model(model, "model.onnx"), preprocess)
    pairs = [_outputs(network, exported, image) for image in _photographs(dataset, section.photographs)]
    if isinstance(section, Detect):
        found = summarise([compare_outputs(first[0], second[0], floor=section.floor) for first, second in pairs])
    else:
        trained, shipped = (np.concatenate(outputs) for outputs in zip(*pairs, strict=True))
        found = compare_answers(trained, shipped, n_classes=len(description["classes"]))
    io.write_json(paths.metrics(model, "export"), found, digits=9)


def _outputs(network: nn.Module, exported: Runtime, image: Image) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    batch = as_input(image, exported.preprocess.size_px)
    with torch.no_grad():
        trained: NDArray[np.float32] = network(torch.from_numpy(batch)).numpy()
    return trained, exported.run(batch)


def _photographs(dataset: str, count: int) -> list[Image]:
    members = contract.read_split(dataset, "train", purpose="fit_weights")
    samples = io.read_table(paths.manifest(dataset, "samples"))
    return evenly(files(members.merge(samples, on="sample_id", validate="one_to_one")["image"]), count)


if __name__ == "__main__":
    main(run)
