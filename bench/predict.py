"""Photographs per second of Vouch against Ultralytics' own predict: same ONNX file, same photographs, same boxes.

Both decode, letterbox, run ONNX Runtime and suppress at confidence .25 and IoU .7. Ultralytics runs with its default
batch of 1, with a larger one, and with a larger one of a copy of the file that says `dynamic`: without that it cuts
every batch into single photographs. rect=False, because its rectangular canvas does not fit the file.
One photograph in one call is held against what no caller gets round: OpenCV's decoder and ONNX Runtime, bare.
Run: PYTHONPATH=src python bench/predict.py [MODEL_FOLDER PHOTOGRAPHS_FOLDER]; default: what `make repro` made of driver
"""

import json
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import onnx
import onnxruntime

from vouch.vision import runtime
from vouch.vision.boxes import Detections, Postprocess, iou_matrix
from vouch.vision.images.source import files, required
from vouch.vision.preprocess import Preprocess, from_json

PHOTOGRAPHS, RUNS, BATCH = 240, 5, 16
POSTPROCESS = Postprocess(floor=0.25, max_iou=0.7, limit=300)  # Ultralytics' defaults
GOAL = 1.5
MOST_OF_BARE, CALLS = 1.25, 60
PEERS = (("batch 1, its default", False, 1), ("batch 8", False, 8), ("batch 16 and `dynamic`", True, 16))


def ours(loaded, images, batch=BATCH):
    return [found for found, _ in required(runtime.detect(loaded, files(images), POSTPROCESS, batch=batch))]


def peer(model, listing, size_px, batch):
    results = model.predict(
        str(listing),
        batch=batch,
        imgsz=size_px,
        conf=0.25,
        iou=0.7,
        rect=False,
        device="cpu",
        verbose=False,
        stream=True,
    )
    return [result.boxes for result in results]


def difference(found, boxes):
    """Say how one photograph's answers differ, or nothing."""
    theirs = Detections(*(part.numpy().astype(float) for part in (boxes.xyxy, boxes.conf, boxes.cls)))
    if len(theirs.scores) != len(found.scores):
        return f"{len(found.scores)} boxes, Ultralytics has {len(theirs.scores)}"
    if not len(found.scores):
        return ""
    overlap = iou_matrix(found.boxes_xyxy, theirs.boxes_xyxy)
    overlap[found.class_ids[:, None] != theirs.class_ids[None, :]] = 0
    match = overlap.argmax(axis=1)
    if len(set(match.tolist())) < len(match) or overlap.max(axis=1).min() <= 0.99:
        return f"IoU {overlap.max(axis=1).min():.4f}"
    far = np.abs(found.scores - theirs.scores[match]).max()
    return f"a score differs by {far:.5f}" if far > 0.001 else ""


def check(images, mine, theirs):
    problems = [
        f"{image}: {told}"
        for image, found, boxes in zip(images, mine, theirs, strict=True)
        if (told := difference(found, boxes))
    ]
    if problems:
        raise SystemExit("bench: the answers differ\n" + "\n".join(problems[:10]))


def declared_dynamic(model, path):
    """Copy an ONNX file with the one metadata entry that lets Ultralytics run whole batches."""
    content = onnx.load(model)
    content.metadata_props.add(key="args", value="{'dynamic': True}")
    onnx.save(content, path)


def bare(model, size_px):
    """Return a function that decodes a photograph and runs the network on some canvas, and no more."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # as ours: a server has a photograph for each core
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: np.full((1, 3, size_px, size_px), 0.5, np.float32)}

    def run(image):
        assert cv2.imread(str(image)) is not None
        session.run(None, feed)

    return run


def one_by_one(loaded, model, images):
    """Print how long a call on one photograph takes."""
    least = bare(model, loaded.preprocess.size_px)
    seconds = {"ours": [], "bare": []}
    for image in images[:CALLS]:
        calls = {"ours": partial(ours, loaded, [image], batch=1), "bare": partial(least, image)}
        for name, call in calls.items():
            call()  # now the file is in the page cache
            seconds[name].append(timed(call)[0])
    mine, theirs = (1000 * median(times) for times in seconds.values())
    what = f"one call on one photograph at {loaded.preprocess.size_px} px, against bare OpenCV and ONNX Runtime"
    print(f"| {what} | {mine:.1f} ms | {theirs:.1f} ms | {mine / theirs:.2f} x its time | <= {MOST_OF_BARE} x |")


def timed(action):
    start = time.perf_counter()
    result = action()
    return time.perf_counter() - start, result


def inputs():
    folder, source = (
        map(Path, sys.argv[1:3]) if len(sys.argv) > 2 else (Path("models/driver"), Path("data/sources/driver"))
    )
    images = sorted(source.resolve().rglob("*.jpg"))
    chosen = (
        [images[index] for index in np.unique(np.linspace(0, len(images) - 1, PHOTOGRAPHS).astype(int))]
        if images
        else []
    )
    return folder / "model.onnx", chosen


def main():
    model, images = inputs()
    print("| what | ours | peer | ratio | goal |")
    print("|---|---|---|---|---|")
    if not model.is_file() or not images:
        print(f"| predict | not run: {model} or photographs are absent, run `make repro MODEL=driver` first | | | |")
        return
    try:
        os.environ["YOLO_VERBOSE"] = "false"  # its own words would stand between the rows
        # importing the adapter keeps Ultralytics off the network and its settings under .dvc/tmp
        from vouch.training.detection import ultralytics_yolo
    except ModuleNotFoundError as error:
        print(f"| predict | not run: peer {error.name} is not installed | | | |")
        return
    described = {entry.key: entry.value for entry in onnx.load(model).metadata_props}
    preprocess = from_json(json.loads(described["preprocess"]), str(model))
    with tempfile.TemporaryDirectory() as scratch:
        measure(ultralytics_yolo.ultralytics.YOLO, model, images, preprocess, Path(scratch))


def measure(yolo, model, images, preprocess: Preprocess, scratch: Path):
    listing = scratch / "photographs.txt"
    listing.write_text("".join(f"{image}\n" for image in images))
    declared_dynamic(model, scratch / "dynamic.onnx")
    loaded = runtime.load(model, preprocess)
    one_by_one(loaded, model, images)
    sides = {"": lambda: ours(loaded, images)}
    for name, dynamic, batch in PEERS:
        opened = yolo(str(scratch / "dynamic.onnx" if dynamic else model), task="detect")
        sides[name] = lambda opened=opened, batch=batch: peer(opened, listing, preprocess.size_px, batch)
    mine, *theirs = [side() for side in sides.values()]  # warms up, too
    for answers in theirs:
        check(images, mine, answers)
    seconds = {name: [] for name in sides}
    for _ in range(RUNS):  # in turn, so that a busy machine hits all
        for name, side in sides.items():
            seconds[name].append(timed(side)[0])
    rate = {name: len(images) / median(times) for name, times in seconds.items()}
    boxes = sum(len(found.scores) for found in mine)
    what = f"predict {len(images)} photographs at {preprocess.size_px} px, {boxes} boxes, against Ultralytics with"
    for name, _, _ in PEERS:
        ratio = rate[""] / rate[name]
        print(f"| {what} {name} | {rate['']:.1f} /s | {rate[name]:.1f} /s | {ratio:.2f} x its rate | >= {GOAL} x |")


if __name__ == "__main__":
    main()
