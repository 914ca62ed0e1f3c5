"""Build what an embedder compares crops with: prototypes of the products of train, and what a person added or removed.

Reads   models.M.gallery; samples, boxes and photographs of D, split train; models/M/{model.onnx,preprocess.json};
        data/gallery/SHARED/additions.csv and the photographs that it names; SHARED is M, or what M is judged as
Writes  models/M/gallery.safetensors
Fails   when a crop has no area or no direction, an addition is not as it was added, or two products differ by case
"""

from typing import Annotated

import numpy as np
from pydantic import Field

from vouch import io, params, paths
from vouch.params import Section
from vouch.retrieval.additions import Addition, added_images, read_additions
from vouch.retrieval.gallery import Gallery, added, build, removed
from vouch.retrieval.gallery_file import to_bytes
from vouch.splits import contract
from vouch.stages import main
from vouch.vision import runtime
from vouch.vision.crops import crops, images, refuse_productless
from vouch.vision.images.source import required
from vouch.vision.preprocess import from_json
from vouch.vision.progress import shown
from vouch.vision.runtime import Runtime


class Params(Section):
    """models.M.gallery."""

    prototypes_per_product: Annotated[int, Field(ge=1, le=100)]
    whiten: Annotated[int, Field(ge=1)] | None  # components that are kept; null: embeddings as the network gives them
    seed: Annotated[int, Field(ge=0)]  # of the clusters where a product has several prototypes
    batch: Annotated[int, Field(ge=1)]


def run(model: str, dataset: str, shared: str) -> None:
    """Build the gallery of model M from data set D; a variant knows the same products as the model it is judged as."""
    asked = params.load(Params, "models", model, "gallery")
    preprocess = from_json(io.read_json(paths.model(model, "preprocess.json")), "preprocess.json")
    loaded = runtime.load(paths.model(model, "model.onnx"), preprocess)
    members = contract.read_split(dataset, "train", purpose="fit_weights")
    samples, boxes = (io.read_table(paths.manifest(dataset, table)) for table in ("samples", "boxes"))
    cut = crops(members.merge(samples, on="sample_id", validate="one_to_one"), boxes)
    refuse_productless(cut, where="split train")
    answers = required(runtime.classify(loaded, images(cut), batch=asked.batch))
    names = cut["sample_id"].tolist()
    gallery = build(
        np.stack(list(shown(answers, len(cut), "embed train"))),
        cut["product"].tolist(),
        prototypes_per_product=asked.prototypes_per_product,
        whiten=asked.whiten,
        model_sha256=io.sha256(paths.model(model, "model.onnx")),
        preprocess_sha256=io.sha256(paths.model(model, "preprocess.json")),
        seed=asked.seed,
        samples=names,
    )
    for addition in read_additions(paths.additions(shared)):
        gallery = _changed(gallery, addition, loaded, asked)
    io.write_bytes(paths.model(model, paths.GALLERY), to_bytes(gallery))


def _changed(gallery: Gallery, addition: Addition, loaded: Runtime, asked: Params) -> Gallery:
    """Return the gallery after one product was added or removed, as a person asked."""
    if addition.removed:
        return removed(gallery, addition.product)
    found = added_images(addition)
    embeddings = list(required(runtime.classify(loaded, found, batch=asked.batch)))
    return added(
        gallery,
        addition.product,
        np.stack(embeddings),
        prototypes_per_product=asked.prototypes_per_product,
        seed=asked.seed,
        samples=[image.name for image in found],
    )


if __name__ == "__main__":
    main(run)
