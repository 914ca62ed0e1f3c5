"""Score one side's splits with the network that ships: the waist, one row a decision to be judged.

Reads   manifest and photographs of D; candidate: models/M/{model.onnx,preprocess.json,labels.json} and splits val_*;
        baseline: registry/M/bundle and split val_test
Writes  data/predictions/M/SIDE/{val_select,val_calib,val_test}.parquet (baseline: val_test alone)
Fails   when the network or the baseline's bundle does not check
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from vouch import io, params, paths
from vouch.errors import Problem, WorkspaceError
from vouch.params import Section
from vouch.release.opened import open_bundle
from vouch.splits import contract
from vouch.stages import main
from vouch.vision import runtime
from vouch.vision.boxes import Detections, Postprocess
from vouch.vision.preprocess import from_json
from vouch.vision.progress import shown
from vouch.vision.rows import detection_rows
from vouch.vision.runtime import Runtime


class Params(Section):
    """models.M.predict."""

    batch: Annotated[int, Field(ge=1)]
    floor: Annotated[float, Field(ge=0, lt=1)]  # weaker candidates are not detections
    max_iou: Annotated[float, Field(gt=0, le=1)]  # of two boxes of a class that overlap more, the weaker goes
    limit: Annotated[int, Field(ge=1)]  # detections per photograph

    def postprocess(self) -> Postprocess:
        """Return the part that ships with the network."""
        return Postprocess(self.floor, self.max_iou, self.limit)


def run(model: str, dataset: str, side: str) -> None:
    """Predict with the candidate (models/M) or the baseline (registry/M/bundle)."""
    section = params.load(Params, "models", model, "predict")
    if side not in paths.SIDES:
        raise WorkspaceError([Problem("predict", " or ".join(paths.SIDES), side, "see dvc.yaml")])
    loaded, classes, postprocess = _candidate(model, section) if side == "candidate" else _baseline(model)
    samples = io.read_table(paths.manifest(dataset, "samples"))
    boxes = io.read_table(paths.manifest(dataset, "boxes"))
    tables = {}
    for split in paths.SPLITS[1:] if side == "candidate" else paths.SPLITS[3:]:
        members = contract.read_split(dataset, split, purpose="predict")
        members = members.merge(samples, on="sample_id", validate="one_to_one")
        images = [Path(image) for image in members["image"]]
        found = shown(_found(loaded, images, postprocess, section.batch), len(images), f"predict {split}")
        tables[split] = detection_rows(members, boxes, found, classes)
    for split, table in tables.items():
        io.write_table(paths.predictions(model, side, split), table)


def _candidate(model: str, section: Params) -> tuple[Runtime | None, tuple[str, ...], Postprocess | None]:
    preprocess = from_json(io.read_json(paths.model(model, "preprocess.json")), "preprocess.json")
    classes = tuple(io.read_json(paths.model(model, "labels.json"))["classes"])
    return runtime.load(paths.model(model, "model.onnx"), preprocess), classes, section.postprocess()


def _baseline(model: str) -> tuple[Runtime | None, tuple[str, ...], Postprocess | None]:
    opened = open_bundle(paths.registry(model))
    return opened.runtime, opened.classes, opened.postprocess


def _found(
    loaded: Runtime | None, images: Sequence[Path], postprocess: Postprocess | None, batch: int
) -> Iterator[tuple[Detections, tuple[int, int]]]:
    if loaded is None or postprocess is None:  # a trivial bundle
        nothing = Detections(np.empty((0, 4)), np.empty(0), np.empty(0, np.int64))
        return iter((nothing, runtime.image_size(image)) for image in images)
    return runtime.detect(loaded, images, postprocess, batch=batch)


if __name__ == "__main__":
    main(run)
