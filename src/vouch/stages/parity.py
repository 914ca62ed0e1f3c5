"""Compare the exported network with the trained one on train photographs: what ships must be what was trained.

Reads   models/M/{weights.safetensors,weights.json,model.onnx,preprocess.json}, photographs of split
        train, and of an embedder boxes
Writes  metrics/M/export.json
Fails   never for a difference: the gate judges it
"""

from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import nn

from vouch import io, params, paths
from vouch.evaluation.parity import Pair, compare
from vouch.params import Section
from vouch.splits import contract
from vouch.stages import main
from vouch.tasks import ByTask
from vouch.training import weights
from vouch.training.frameworks import framework
from vouch.vision import runtime
from vouch.vision.images.source import Image, evenly
from vouch.vision.preprocess import as_input, from_json
from vouch.vision.runtime import Runtime
from vouch.vision.seen import SEEN

THREADS = 1  # two add in another order: a score difference of 5e-6 became 1e-5, and followed the environment


class Classify(Section):
    """models.M.parity of a classifier or embedder."""

    photographs: Annotated[int, Field(ge=1)]  # evenly spaced over train


class Detect(Classify):
    """models.M.parity of a detector."""

    floor: Annotated[float, Field(gt=0, lt=1)]  # boxes of weaker candidates are not compared


SECTIONS: ByTask[type[Classify]] = ByTask(detect=Detect, classify=Classify, identify=Classify)


def run(model: str, dataset: str) -> None:
    """Measure the differences between torch and ONNX Runtime for model M."""
    torch.set_num_threads(THREADS)
    tensors, description = weights.read(paths.model(model))
    preprocess = from_json(io.read_json(paths.model(model, "preprocess.json")), "preprocess.json")
    section = params.load(SECTIONS[preprocess.task], "models", model, "parity")
    network = framework(preprocess.task, description["framework"]).network(description, tensors)
    exported = runtime.load(paths.model(model, "model.onnx"), preprocess)
    members = contract.read_split(dataset, "train", purpose="compare_exports")
    samples, boxes = (io.read_table(paths.manifest(dataset, table)) for table in ("samples", "boxes"))
    seen = SEEN[preprocess.task](members.merge(samples, on="sample_id", validate="one_to_one"), boxes)
    pairs = [_outputs(network, exported, image) for image in evenly(seen, section.photographs)]
    floor = section.floor if isinstance(section, Detect) else None
    found = compare(preprocess.task, pairs, n_classes=len(description["classes"]), floor=floor)
    io.write_json(paths.metrics(model, "export"), found, digits=9)


def _outputs(network: nn.Module, exported: Runtime, image: Image) -> Pair:
    batch = as_input(image, exported.preprocess.size_px)
    with torch.no_grad():
        trained: NDArray[np.float32] = network(torch.from_numpy(batch)).numpy()
    return trained, exported.run(batch)


if __name__ == "__main__":
    main(run)
