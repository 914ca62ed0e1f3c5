"""ONNX Runtime: the file that ships is the file that is judged; predict, parity and serving run it through here."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from vouch.errors import BundleError, Problem
from vouch.vision.boxes import Detections, Postprocess, decode
from vouch.vision.preprocess import Placement, Preprocess, letterbox, read_image, to_input, to_photograph


@dataclass(frozen=True)
class Runtime:
    """A loaded network: `run` maps float32 (n, 3, size, size) to float32 (n, 4 + classes, candidates)."""

    run: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    preprocess: Preprocess


def load(model: Path, preprocess: Preprocess) -> Runtime:
    """Open an ONNX file on the CPU.

    Raises
    ------
    BundleError
        When ONNX Runtime cannot read it, or its input is not the canvas that `preprocess` makes.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own pybind types, one per status code, all plain Exceptions
        problem = Problem(str(model), "an ONNX model", str(error).splitlines()[0], "export or pull the model again")
        raise BundleError([problem]) from error
    found = session.get_inputs()[0]
    if list(found.shape[1:]) != [3, preprocess.size_px, preprocess.size_px]:
        expected = f"input (n, 3, {preprocess.size_px}, {preprocess.size_px})"
        raise BundleError([Problem(str(model), expected, str(found.shape), "export the model again")])

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        output: NDArray[np.float32] = session.run(None, {found.name: batch})[0]
        return output

    return Runtime(run, preprocess)


def detect(
    runtime: Runtime, images: Sequence[Path], postprocess: Postprocess, *, batch: int
) -> Iterator[tuple[Detections, tuple[int, int]]]:
    """Yield, photograph by photograph, what was found (boxes in its pixels) and its (width, height).

    Decoding of the next batch runs beside the network, in threads: OpenCV and ONNX Runtime both release the lock.
    """
    starts = range(0, len(images), batch)
    with ThreadPoolExecutor(max_workers=2) as pool:
        ahead = [
            pool.submit(_read_batch, images[start : start + batch], runtime.preprocess.size_px) for start in starts[:2]
        ]
        for position, _ in enumerate(starts):
            inputs, placements, sizes = ahead.pop(0).result()
            if position + 2 < len(starts):
                later = starts[position + 2]
                ahead.append(pool.submit(_read_batch, images[later : later + batch], runtime.preprocess.size_px))
            for output, placement, size in zip(runtime.run(inputs), placements, sizes, strict=True):
                found = decode(output, postprocess)
                boxes = to_photograph(found.boxes_xyxy, placement, size)
                yield Detections(boxes, found.scores, found.class_ids), size


def image_size(path: Path) -> tuple[int, int]:
    """Return a photograph's upright (width, height) in pixels."""
    image = read_image(path)
    return image.shape[1], image.shape[0]


def _read_batch(
    images: Sequence[Path], size_px: int
) -> tuple[NDArray[np.float32], list[Placement], list[tuple[int, int]]]:
    canvases, placements, sizes = [], [], []
    for path in images:
        image = read_image(path)
        canvas, placement = letterbox(image, size_px)
        canvases.append(canvas)
        placements.append(placement)
        sizes.append((image.shape[1], image.shape[0]))
    return to_input(np.stack(canvases)), placements, sizes
