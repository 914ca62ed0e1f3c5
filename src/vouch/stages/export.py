"""Export the trained network: the ONNX file that predict, benchmark and serving run, and what they need beside it.

Reads   pipeline.models.M.task, models/M/weights.safetensors, models/M/weights.json
Writes  models/M/model.onnx, models/M/preprocess.json, models/M/labels.json
Fails   when weights and description do not fit each other, or are of another task
"""

from vouch import io, paths
from vouch.roads import task_of
from vouch.stages import main
from vouch.training import weights
from vouch.training.frameworks import framework
from vouch.training.onnx_export import export_onnx
from vouch.vision.preprocess import Preprocess, to_json


def run(model: str) -> None:
    """Export model M."""
    task = task_of(model)
    tensors, description = weights.read(paths.model(model))
    network = framework(task, description["framework"]).network(description, tensors)
    preprocess = Preprocess(size_px=description["size_px"], stride_px=description["stride_px"], task=task)
    labels = dict(enumerate(description["classes"]))
    metadata = {
        "preprocess": to_json(preprocess),
        "labels": labels,
        "architecture": description["architecture"],  # names the backbone: DINO is never served in half precision
        # the keys that Ultralytics' own runtime reads, so that its tools open the file too
        "names": repr(labels),
        "stride": str(preprocess.stride_px),
        "imgsz": repr([preprocess.size_px, preprocess.size_px]),
        "task": task,
        "batch": "1",
        # of the weights that it descends from, which a copy of the file must carry too
        **{key: description[key] for key in ("licences",) if key in description},
    }
    content = export_onnx(network, size_px=preprocess.size_px, metadata=metadata)
    io.write_bytes(paths.model(model, "model.onnx"), content)
    io.write_json(paths.model(model, "preprocess.json"), to_json(preprocess))
    io.write_json(paths.model(model, "labels.json"), {"classes": description["classes"]})


if __name__ == "__main__":
    main(run)
