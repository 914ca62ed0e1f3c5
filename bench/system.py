"""Photographs per second of a system beside what no caller gets round: decoding, detector and embedder, bare.

Bare is OpenCV's decoder, the detector's file and the embedder's file in ONNX Runtime, all crops of a photograph in one
batch, on inputs that were made beforehand: no letterbox, no suppression, no calibration, no gallery. Once as ONNX
Runtime runs by itself, a photograph at a time on its own threads; once as ours, a photograph for each core.
Run: PYTHONPATH=src python bench/system.py [DETECTOR_BUNDLE EMBEDDER_BUNDLE PHOTOGRAPHS_FOLDER]
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from sides import in_turns
from vouch.release.bundle import read
from vouch.release.inference import trained
from vouch.release.opening import open_contents
from vouch.retrieval.embeddings import directions
from vouch.systems.counted import CORNERS, counted, whole_pixels
from vouch.systems.system import system_of
from vouch.vision.images.source import files, required
from vouch.vision.images.threads import WORKERS
from vouch.vision.preprocess import letterbox, to_input

PHOTOGRAPHS, RUNS, BATCH = 24, 5, 8  # BATCH as presets/system.yaml has it: compose.batch
GOAL = 0.9
DEFAULT = ("models/shelf/bundle", "models/sku/bundle", "data/sources/shelf")


@dataclass(frozen=True)
class Ready:
    """A photograph's file, and what both networks see of it."""

    path: Path
    canvas: np.ndarray
    crops: np.ndarray


def ready(system, answer, path):
    """Return the inputs of a photograph; its crops are those of the boxes that the system accepted."""
    pixels = cv2.imread(str(path))
    corners = whole_pixels(answer.objects[CORNERS].to_numpy(np.float64), answer.size).tolist()
    sides = {part: trained(getattr(system, part)).preprocess.size_px for part in ("detector", "identifier")}
    crops = [letterbox(pixels[y1:y2, x1:x2], sides["identifier"])[0] for x1, y1, x2, y2 in corners]
    empty = np.empty((0, 3, sides["identifier"], sides["identifier"]), np.float32)
    return Ready(
        path, to_input(letterbox(pixels, sides["detector"])[0][None]), to_input(np.stack(crops)) if crops else empty
    )


def session(content, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    opened = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return partial(answer, opened, opened.get_inputs()[0].name)


def answer(opened, name, inputs):
    return opened.run(None, {name: inputs})[0]


def bare(detector, embedder, one):
    """Do what cannot be left out, and return the embeddings."""
    if cv2.imread(str(one.path)) is None:
        sys.exit(f"bench/system.py: {one.path} does not decode")
    detector(one.canvas)
    return embedder(one.crops) if len(one.crops) else None


def named(system, embeddings):
    """Return the nearest product of each crop, by one product of two matrices."""
    if embeddings is None:
        return []
    gallery = system.gallery
    placed = directions((directions(embeddings) - gallery.mean) @ gallery.projection)
    nearest = (placed @ gallery.prototypes.T).argmax(axis=1)
    return [gallery.products[index] for index in gallery.owner[nearest]]


def check(system, answers, embeddings):
    products = [one.objects["product"].tolist() for one in answers]
    theirs = [named(system, one) for one in embeddings]
    if products != theirs:
        sys.exit("bench/system.py: the bare networks name other products")


def measure(system, contents, photographs):
    """Print a row for each way to run the bare networks."""
    images = files(photographs)

    def ours():
        return list(required(counted(system, images, batch=BATCH)))

    inputs = [ready(system, one, path) for one, path in zip(ours(), photographs, strict=True)]
    own, single = ([session(content, threads) for content in contents] for threads in (0, 1))
    pool = ThreadPoolExecutor(WORKERS)
    sides = {
        "ours": ours,
        "on its own threads": lambda: [bare(*own, one) for one in inputs],
        "a photograph for each core": lambda: list(pool.map(partial(bare, *single), inputs)),
    }
    given, seconds = in_turns(sides, RUNS)
    crops = sum(len(one.crops) for one in inputs)
    what = f"{len(images)} photographs with {crops} objects through shelf_count, beside bare OpenCV and ONNX Runtime"
    for side in list(sides)[1:]:
        check(system, given["ours"], given[side])
        mine, theirs = (len(images) / seconds[one] for one in ("ours", side))
        print(f"| {what} {side} | {mine:.1f} /s | {theirs:.1f} /s | {mine / theirs:.2f} x its rate | >= {GOAL} x |")


def main():
    *bundles, source = sys.argv[1:4] if len(sys.argv) > 3 else DEFAULT
    found = sorted(Path(source).resolve().rglob("*.jpg"))
    print("| what | ours | peer | ratio | goal |\n|---|---|---|---|---|")
    if not found or not all(Path(folder).is_dir() for folder in bundles):
        print(f"| {Path(__file__).stem} | not run: bundles or photographs are absent, run `make repro` first | | | |")
        return
    photographs = [found[index] for index in np.unique(np.linspace(0, len(found) - 1, PHOTOGRAPHS).astype(int))]
    contents = [read(Path(folder)) for folder in bundles]
    system = system_of(*(open_contents(one, folder) for one, folder in zip(contents, bundles, strict=True)))
    measure(system, [one.files["model.onnx"] for one in contents], photographs)


if __name__ == "__main__":
    main()
