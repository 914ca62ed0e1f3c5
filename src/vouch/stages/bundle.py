"""Put what serves into one folder, with the hash of each file and a sample that another machine must reproduce.

Reads   models/M/{model.onnx,preprocess.json,labels.json,calibrator.json,policy.json}, of an embedder its
        gallery.safetensors
Writes  models/M/bundle
Fails   when the policy is not exactly one, or the network does not load
"""

from dataclasses import asdict
from typing import Annotated

from pydantic import Field

from vouch import io, params, paths
from vouch.params import Section
from vouch.release import bundle
from vouch.release.licences import licences_in, licences_text
from vouch.release.opening import sample_output
from vouch.stages import main
from vouch.tasks import ByTask
from vouch.vision import runtime
from vouch.vision.boxes import Postprocess
from vouch.vision.preprocess import from_json

FILES = ("model.onnx", "preprocess.json", "labels.json", "calibrator.json", "policy.json")


class Params(Section):
    """models.M.bundle."""

    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]  # semantic version of the next release


def run(model: str) -> None:
    """Build the bundle of model M."""
    section = params.load(Params, "models", model, "bundle")
    files = {name: paths.model(model, name).read_bytes() for name in FILES}
    preprocess = from_json(io.read_json(paths.model(model, "preprocess.json")), "preprocess.json")
    loaded = runtime.load(paths.model(model, "model.onnx"), preprocess)
    files["sample.json"] = io.dumps({"output": sample_output(loaded)}).encode()
    files |= ALSO[preprocess.task](model)
    if said := licences_in(loaded.metadata, "model.onnx"):
        files["licences.txt"] = licences_text(said)
    bundle.write_bundle(paths.model(model, "bundle"), model, section.version, preprocess.task, "trained", files)


def _postprocess(model: str) -> dict[str, bytes]:
    settings = params.read_value("models", model, "predict")
    postprocess = Postprocess(settings["floor"], settings["max_iou"], settings["limit"])
    return {"postprocess.json": io.dumps(asdict(postprocess)).encode()}


def _nothing(_: str) -> dict[str, bytes]:
    return {}


def _gallery(model: str) -> dict[str, bytes]:
    return {paths.GALLERY: paths.model(model, paths.GALLERY).read_bytes()}


ALSO = ByTask(detect=_postprocess, classify=_nothing, identify=_gallery)  # what else serves


if __name__ == "__main__":
    main(run)
