"""Tiny bundles of both kinds, and photographs of several shapes."""

import json
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from vouch import io
from vouch.release import opening
from vouch.release.bundle import write_bundle
from vouch.vision import runtime
from vouch.vision.preprocess import Preprocess, to_json

SIDE_PX = 32
CLASSES = ["clear", "works"]
SHARED = dict.fromkeys(("alpha", "delta", "objective", "evidence", "infeasible")) | {"intraclass_correlation": 0.0}
OPERATING_POINT = {"kind": "operating_point", "feasible": True, "guarantee": "none", **SHARED} | {
    "thresholds": {"clear": 0.45, "works": 0.5}
}
SCRC = {"kind": "scrc", "feasible": True, "guarantee": "certified", **SHARED, "alpha": 0.1, "delta": 0.1} | {
    **{"positive": "works", "score": "confidence", "variant": "rank", "xi": 0.8},
    **{"lam1": 0.6, "tie": 0.5, "lam2": 0.7, "jitter_seed": 1},
}
SCALAR = {"kind": "scalar", "floor": 0.0, "global": {"method": "platt", "slope": 1.5, "intercept": 0.2}, "classes": {}}


def multiclass(**curve):
    gate = {"method": "platt", "slope": 1.2, "intercept": -0.3}
    return {"kind": "multiclass", "classes": CLASSES, "map": curve, "gate": gate}


MATRIX = multiclass(method="matrix", weights=[[0.5, 0.1], [0.0, 2.5]], biases=[0.1, -0.1], penalty=1.0)


def classifier(shift=0.0):
    """Two logits and a gate's, from the photograph's mean colour."""
    weights = np.array([[3, -2, 1], [-4, 5, 0.5], [2, 2, -3]], np.float32)
    constants = {"weights": weights, "bias": np.array([0.1 + shift, -0.3, 0.4], np.float32)}
    nodes = [
        helper.make_node("GlobalAveragePool", ["images"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["row"]),
        helper.make_node("Gemm", ["row", "weights", "bias"], ["output0"]),
    ]
    return model(nodes, constants, ["batch", 3])


def detector():
    """Sixteen 10 px boxes on a grid, two classes whose scores are the red and the green of the cell."""
    weights = np.zeros((6, 3, 1, 1), np.float32)
    weights[4, 0] = weights[5, 1] = 1
    grid = np.zeros((1, 6, 4, 4), np.float32)
    grid[0, 0], grid[0, 1] = np.meshgrid(np.arange(4) * 8 + 4, np.arange(4) * 8 + 4)
    grid[0, 2:4] = 10
    constants = {"weights": weights, "grid": grid, "shape": np.array([0, 6, 16])}
    nodes = [
        helper.make_node("AveragePool", ["images"], ["mean"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Conv", ["mean", "weights"], ["cells"]),
        helper.make_node("Add", ["cells", "grid"], ["placed"]),
        helper.make_node("Reshape", ["placed", "shape"], ["output0"]),
    ]
    return model(nodes, constants, ["batch", 6, 16])


def model(nodes, constants, shape):
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, SIDE_PX, SIDE_PX])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def build(folder, task, *, architecture=None, network=None, **changes):
    """Build a bundle of `task`, opened as a reader opens it."""
    made = network or (classifier() if task == "classify" else detector())
    if architecture:
        made.metadata_props.add(key="architecture", value=json.dumps(architecture))
    content = made.SerializeToString()
    io.write_bytes(folder.with_suffix(".onnx"), content)
    preprocess = Preprocess(SIDE_PX, SIDE_PX, task=task)
    held = {
        "labels.json": {"classes": CLASSES},
        "calibrator.json": MATRIX if task == "classify" else SCALAR,
        "policy.json": SCRC if task == "classify" else OPERATING_POINT,
        "preprocess.json": to_json(preprocess),
        "sample.json": {"output": opening.sample_output(runtime.load(folder.with_suffix(".onnx"), preprocess))},
    }
    if task == "detect":
        held["postprocess.json"] = {"floor": 0.2, "max_iou": 0.3, "limit": 12}
    files = {name: io.dumps(value).encode() for name, value in (held | changes).items()}
    write_bundle(folder, "m", "0.1.0", task, "trained", files | {"model.onnx": content})
    return opening.open_bundle(folder)


def photographs(folder: Path) -> list[Path]:
    """Tinted noise, upright and lying, one turned by its EXIF orientation, and one on which nothing is found."""
    rng = np.random.default_rng(7)
    paths = []
    shapes = {(40, 25): (1, 0.2, 0.2), (20, 64): (0.2, 1, 0.2), (32, 32): (1, 1, 1), (90, 61): (0.9, 0.5, 0)}
    for place, ((width, height), tint) in enumerate(shapes.items()):
        cells = (rng.integers(0, 256, (5, 5, 3)) * np.array(tint)).astype(np.uint8)
        picture = Image.fromarray(cells).resize((width, height), Image.Resampling.BILINEAR)
        paths.append(folder / f"{place}.{'png' if place % 2 else 'jpg'}")
        exif = picture.getexif()
        exif[274] = 6 if place == 0 else 1
        picture.save(paths[-1], exif=exif)
    Image.new("RGB", (30, 30), (0, 0, 90)).save(folder / "blue.png")
    return [*paths, folder / "blue.png"]
