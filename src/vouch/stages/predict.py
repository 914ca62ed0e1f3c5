"""Score the three validation splits with the network that ships: the waist, one row a decision to be judged.

Reads   manifest and photographs of D; models/M/{model.onnx,preprocess.json,labels.json}, of an embedder its
        gallery.safetensors; splits val_*
Writes  data/predictions/M/candidate/{val_select,val_calib,val_test}.parquet
Fails   when the network does not check
"""

from typing import Annotated

from pydantic import Field

from vouch import io, params, paths
from vouch.params import Section
from vouch.retrieval.gallery import Gallery, check
from vouch.retrieval.gallery_file import from_bytes
from vouch.splits import contract
from vouch.stages import main
from vouch.tasks import ByTask
from vouch.vision import runtime
from vouch.vision.boxes import Postprocess
from vouch.vision.preprocess import from_json
from vouch.vision.scoring import SCORED, Network


class Classify(Section):
    """models.M.predict of a classifier or embedder."""

    batch: Annotated[int, Field(ge=1)]


class Detect(Classify):
    """models.M.predict of a detector."""

    floor: Annotated[float, Field(ge=0, lt=1)]  # weaker candidates are not detections
    max_iou: Annotated[float, Field(gt=0, le=1)]  # of two boxes of a class that overlap more, the weaker goes
    limit: Annotated[int, Field(ge=1)]  # detections per photograph

    def postprocess(self) -> Postprocess:
        """Return the part that ships with the network."""
        return Postprocess(self.floor, self.max_iou, self.limit)


SECTIONS: ByTask[type[Classify]] = ByTask(detect=Detect, classify=Classify, identify=Classify)


def gallery_of(model: str) -> Gallery:
    """Return the gallery of an embedder, which must be of its network and preprocessing.

    Raises
    ------
    BundleError
        When it does not check.
    """
    path = paths.model(model, paths.GALLERY)
    gallery = from_bytes(path.read_bytes(), str(path))
    network, prepared = (io.sha256(paths.model(model, name)) for name in ("model.onnx", "preprocess.json"))
    check(gallery, model_sha256=network, preprocess_sha256=prepared)
    return gallery


def run(model: str, dataset: str) -> None:
    """Predict with the candidate, models/M."""
    preprocess = from_json(io.read_json(paths.model(model, "preprocess.json")), "preprocess.json")
    section = params.load(SECTIONS[preprocess.task], "models", model, "predict")
    classes = tuple(io.read_json(paths.model(model, "labels.json"))["classes"])
    postprocess = section.postprocess() if isinstance(section, Detect) else None
    loaded = runtime.load(paths.model(model, "model.onnx"), preprocess)
    gallery = gallery_of(model) if preprocess.task == "identify" else None
    network = Network(loaded, classes, postprocess, None, gallery)
    samples = io.read_table(paths.manifest(dataset, "samples"))
    boxes = io.read_table(paths.manifest(dataset, "boxes"))
    tables = {}
    for split in paths.SPLITS[1:]:
        members = contract.read_split(dataset, split, purpose="predict")
        members = members.merge(samples, on="sample_id", validate="one_to_one")
        tables[split] = SCORED[preprocess.task](network, members, boxes, section.batch, f"predict {split}")
    for split, table in tables.items():
        io.write_table(paths.predictions(model, "candidate", split), table)


if __name__ == "__main__":
    main(run)
