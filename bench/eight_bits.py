"""A network in eight bits beside the same in single precision, on the same images: ONNX Runtime, one thread each.

They are quantised here as examples/shelf_int8.params.yaml says, but with ranges of few images: these change answers,
not times. Which instructions the processor has for it stands in the row.
Run: PYTHONPATH=src python bench/eight_bits.py
"""

import json
import re
import time
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
from ruamel.yaml import YAML

from sides import in_turns
from vouch import io, paths
from vouch.splits import contract
from vouch.vision.images.source import evenly
from vouch.vision.preprocess import as_input, from_json
from vouch.vision.quantization import Static, quantized
from vouch.vision.seen import SEEN

EXAMPLE, DATASET = Path("examples/shelf_int8.params.yaml"), "shelf"
IMAGES = {"shelf": 2, "sku": 32}  # in a batch: photographs of 640 px, crops of 96
RUNS, REPEATS, RANGES, GOAL = 9, 4, 8, 1.5


def instructions():
    """Say which of the processor's instructions multiply eight bits."""
    described = Path("/proc/cpuinfo")
    found = re.findall(
        r"\bavx512_vnni\b|\bavx_vnni\b|\bamx_int8\b", described.read_text() if described.is_file() else ""
    )
    return " and ".join(dict.fromkeys(found)) or "no VNNI"


def seen(task):
    members = contract.read_split(DATASET, "train", purpose="fit_weights")
    samples, boxes = (io.read_table(paths.manifest(DATASET, table)) for table in ("samples", "boxes"))
    return SEEN[task](members.merge(samples, on="sample_id", validate="one_to_one"), boxes)


def opened(content, inputs):
    """Return a function that runs a file on these inputs some times, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # as `vision.runtime` opens it
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: inputs}
    return partial(repeated, session, feed)


def repeated(session, feed):
    for _ in range(REPEATS):
        session.run(None, feed)


def measure(model, settings):
    preprocess = from_json(io.read_json(paths.model(model, "preprocess.json")), "preprocess.json")
    content, images = paths.model(model, "model.onnx").read_bytes(), seen(preprocess.task)
    small = quantized(content, settings, evenly(images, RANGES), preprocess.size_px)
    inputs = np.concatenate([as_input(image, preprocess.size_px) for image in evenly(images, IMAGES[model])])
    sides = {"int8": opened(small, inputs), "float32": opened(content, inputs)}
    _, seconds = in_turns(sides, RUNS, clock=time.process_time)  # of one thread, whoever else works here
    mine, theirs = (1000 * seconds[one] / REPEATS for one in ("int8", "float32"))
    what = f"{model} in eight bits, {len(inputs)} images of {preprocess.size_px} px, beside single precision"
    cells = f"{mine:.1f} ms | {theirs:.1f} ms | {theirs / mine:.2f} x as fast | >= {GOAL} x"
    print(f"| {what} ({instructions()}) | {cells} |")


def main():
    print("| what | ours | peer | ratio | goal |\n|---|---|---|---|---|")
    asked = YAML(typ="safe", pure=True).load(EXAMPLE.read_text(encoding="utf-8"))["models"]
    for model in IMAGES:
        if not paths.model(model, "model.onnx").is_file():
            print(f"| {model} in eight bits | not run: run `make repro MODEL={model}` first | | | |")
            continue
        measure(model, Static.model_validate_json(json.dumps(asked[f"{model}_int8"]["quantize"])))


if __name__ == "__main__":
    main()
