"""Score one side's splits with the network that ships: the waist, one row a decision to be judged.

Reads   manifest and photographs of D; candidate: models/M/{model.onnx,preprocess.json,labels.json} and splits val_*;
        baseline: its bundle and split val_test
Writes  data/predictions/M/SIDE/{val_select,val_calib,val_test}.parquet (baseline: val_test alone)
Fails   when the network or the baseline's bundle does not check
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, RootModel

from vouch import io, params, paths
from vouch.errors import ParamsError, Problem, WorkspaceError
from vouch.params import Section
from vouch.release.opening import open_bundle
from vouch.splits import contract
from vouch.stages import main
from vouch.vision import runtime
from vouch.vision.boxes import Postprocess
from vouch.vision.preprocess import from_json
from vouch.vision.scoring import SCORED, Network


class Detect(Section):
    """models.M.predict of a detector."""

    task: Literal["detect"]
    batch: Annotated[int, Field(ge=1)]
    floor: Annotated[float, Field(ge=0, lt=1)]  # weaker candidates are not detections
    max_iou: Annotated[float, Field(gt=0, le=1)]  # of two boxes of a class that overlap more, the weaker goes
    limit: Annotated[int, Field(ge=1)]  # detections per photograph

    def postprocess(self) -> Postprocess:
        """Return the part that ships with the network."""
        return Postprocess(self.floor, self.max_iou, self.limit)


class Classify(Section):
    """models.M.predict of a classifier."""

    task: Literal["classify"]
    batch: Annotated[int, Field(ge=1)]


class Params(RootModel[Annotated[Detect | Classify, Field(discriminator="task")]]):
    """models.M.predict."""


def run(model: str, dataset: str, side: str, baseline: str = "") -> None:
    """Predict with the candidate (models/M) or with the bundle `baseline`."""
    section = params.load(Params, "models", model, "predict").root
    if side not in paths.SIDES:
        raise WorkspaceError([Problem("predict", " or ".join(paths.SIDES), side, "see dvc.yaml")])
    network = _candidate(model, section) if side == "candidate" else _baseline(Path(baseline))
    samples = io.read_table(paths.manifest(dataset, "samples"))
    boxes = io.read_table(paths.manifest(dataset, "boxes"))
    tables = {}
    for split in paths.SPLITS[1:] if side == "candidate" else paths.SPLITS[3:]:
        members = contract.read_split(dataset, split, purpose="predict")
        members = members.merge(samples, on="sample_id", validate="one_to_one")
        tables[split] = SCORED[section.task](network, members, boxes, section.batch, f"predict {split}")
    for split, table in tables.items():
        io.write_table(paths.predictions(model, side, split), table)


def _candidate(model: str, section: Detect | Classify) -> Network:
    preprocess = from_json(io.read_json(paths.model(model, "preprocess.json")), "preprocess.json")
    if preprocess.task != section.task:
        where = f"params.yaml: models.{model}.predict.task"
        raise ParamsError([Problem(where, preprocess.task, section.task, "say what the network does")])
    classes = tuple(io.read_json(paths.model(model, "labels.json"))["classes"])
    postprocess = section.postprocess() if isinstance(section, Detect) else None
    return Network(runtime.load(paths.model(model, "model.onnx"), preprocess), classes, postprocess, None)


def _baseline(bundle: Path) -> Network:
    opened = open_bundle(bundle)
    return Network(opened.runtime, opened.classes, opened.postprocess, opened.prior)


if __name__ == "__main__":
    main(run)
