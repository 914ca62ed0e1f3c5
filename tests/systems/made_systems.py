"""A tiny system whose answers can be said by hand: colours are products.

The detector (`deployment.bundles`) has a box of 10 pixels on each cell of 8 x 8 of a photograph of 32 x 32; its scores
are the red and the green of the cell. The embedder's vector is the mean colour of a crop: the gallery knows red and
green, and any mixture of them is less like either than the policy asks for. Boxes of the four corners are cut to 9 x 9:
their crops lie on the embedder's canvas without a border.
"""

import hashlib
from pathlib import Path

import numpy as np
from onnx import helper
from PIL import Image

from deployment import bundles
from vouch import io
from vouch.release import opening
from vouch.release.bundle import write_bundle
from vouch.retrieval.gallery import build
from vouch.retrieval.gallery_file import to_bytes
from vouch.systems.system import system_of
from vouch.vision import runtime
from vouch.vision.preprocess import Preprocess, to_json

COLOURS = {"cola": (255, 0, 0), "lime": (0, 255, 0)}  # in RGB, as networks see it
MIXED = (255, 254, 0)  # found, and no product: its cosine to either is .71
SIMILARITY = 0.95
OPEN_SET = {"kind": "open_set", "rule": "thresholds", "feasible": True, "guarantee": "none", **bundles.SHARED} | {
    "similarity": SIMILARITY,
    "margin": 0.0,
    "alpha": 0.05,
    "delta": 0.05,
}


def embedder():
    """Return a network whose vector is the mean colour."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["images"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["output0"]),
    ]
    return bundles.model(nodes, {}, ["batch", 3])


def identifier(folder: Path, colours=COLOURS, *, name="sku", network=None, model_sha256=None):
    """Build the bundle of the embedder in `folder`, opened as a reader opens it."""
    content = (network or embedder()).SerializeToString()
    io.write_bytes(folder.with_suffix(".onnx"), content)
    preprocess = Preprocess(bundles.SIDE_PX, bundles.SIDE_PX, task="identify")
    prepared = io.dumps(to_json(preprocess)).encode()
    vectors, hashed = np.array([*colours.values()], float).reshape(-1, 3), hashlib.sha256
    gallery = build(
        vectors,
        [*colours],
        prototypes_per_product=1,
        whiten=None,
        seed=1,
        model_sha256=model_sha256 or hashed(content).hexdigest(),
        preprocess_sha256=hashed(prepared).hexdigest(),
    )
    held = {
        "labels.json": {"classes": ["cola", "lime"]},
        "calibrator.json": bundles.SCALAR,
        "policy.json": OPEN_SET,
        "sample.json": {"output": opening.sample_output(runtime.load(folder.with_suffix(".onnx"), preprocess))},
    }
    files = {key: io.dumps(value).encode() for key, value in held.items()}
    files |= {"model.onnx": content, "preprocess.json": prepared, "gallery.safetensors": to_bytes(gallery)}
    write_bundle(folder, name, "0.2.0", "identify", "trained", files)
    return opening.open_bundle(folder)


def system(folder: Path, colours=COLOURS, **changes):
    """Build both bundles below `folder`; `changes` are files of the detector's."""
    return system_of(bundles.build(folder / "m", "detect", **changes), identifier(folder / "sku", colours))


def photograph(path: Path, cells) -> Path:
    """Paint cells (column, row) of a black photograph in their colours."""
    picture = np.zeros((32, 32, 3), np.uint8)
    for (column, row), colour in cells.items():
        picture[8 * row : 8 * row + 8, 8 * column : 8 * column + 8] = colour
    Image.fromarray(picture).save(path)
    return path
