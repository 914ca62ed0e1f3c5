"""ONNX Runtime: the file that ships is the file that is judged; predict, parity and serving run it through here."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from vouch.errors import BundleError, Problem
from vouch.vision.boxes import Detections, Postprocess, decode
from vouch.vision.preprocess import Placement, Preprocess, letterbox, read_image, to_input, to_photograph

QUANTIZATION = "quantization"  # key of a file's metadata that says how it became eight bits
Found = tuple[Detections, tuple[int, int]]  # boxes in the photograph's pixels, and its (width, height)
Result = TypeVar("Result")
EMBEDDING = "embedding"  # the name of a classifier's second output


@dataclass(frozen=True)
class Runtime:
    """A loaded network; `run`, on one thread: float32 (n, 3, size, size) -> float32, as `preprocess.output` says.

    `embed` answers as `run` does and gives an embedding float32 (n, d) too; none where the file has no such output.
    """

    run: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    embed: Callable[[NDArray[np.float32]], tuple[NDArray[np.float32], NDArray[np.float32]]] | None
    preprocess: Preprocess
    eight_bits: bool  # as vision.quantization makes it


def load(model: Path, preprocess: Preprocess) -> Runtime:
    """Open an ONNX file on the CPU.

    Raises
    ------
    BundleError
        When ONNX Runtime cannot read it, or its input is not the canvas that `preprocess` makes.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # `detect` gives each core a batch of its own; threads inside one run would spin at every layer's end, which took
    # 17 instead of 10 ms of processor time a photograph on two cores (0.8 million parameters, 320 pixels)
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own pybind types, one per status code, all plain Exceptions
        problem = Problem(str(model), "an ONNX model", str(error).splitlines()[0], "export or pull the model again")
        raise BundleError([problem]) from error
    found = session.get_inputs()[0]
    if list(found.shape[1:]) != [3, preprocess.size_px, preprocess.size_px]:
        expected = f"input (n, 3, {preprocess.size_px}, {preprocess.size_px})"
        raise BundleError([Problem(str(model), expected, str(found.shape), "export the model again")])

    outputs = [output.name for output in session.get_outputs()]

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        output: NDArray[np.float32] = session.run(outputs[:1], {found.name: batch})[0]
        return output

    def embed(batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        answers, embeddings = session.run([outputs[0], EMBEDDING], {found.name: batch})
        return answers, embeddings

    eight_bits = QUANTIZATION in session.get_modelmeta().custom_metadata_map
    return Runtime(run, embed if EMBEDDING in outputs else None, preprocess, eight_bits)


def detect(runtime: Runtime, images: Sequence[Path], postprocess: Postprocess, *, batch: int) -> Iterator[Found]:
    """Yield, photograph by photograph, what was found (boxes in its pixels) and its (width, height)."""
    return _batches(partial(_detect_batch, runtime, postprocess), images, batch)


def classify(runtime: Runtime, images: Sequence[Path], *, batch: int) -> Iterator[NDArray[np.float64]]:
    """Yield, photograph by photograph, a classifier's output: a logit for each class, then the gate's if it has one."""
    return _batches(partial(_classify_batch, runtime), images, batch)


def embed(
    runtime: Runtime, images: Sequence[Path], *, batch: int
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Yield, photograph by photograph, what `classify` yields and the network's embedding, float64 (d,)."""
    return _batches(partial(_embed_batch, runtime), images, batch)


def _batches(answer: Callable[[Sequence[Path]], list[Result]], images: Sequence[Path], batch: int) -> Iterator[Result]:
    """Yield the answers in the order of `images`; no more than one batch a core, and one to spare, is in memory.

    Each core takes a batch from the file to the answer: OpenCV and ONNX Runtime release the interpreter's lock.
    """
    workers = os.cpu_count() or 1
    under_way: deque[Future[list[Result]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(images), batch):
            under_way.append(pool.submit(answer, images[start : start + batch]))
            if len(under_way) > workers:
                yield from under_way.popleft().result()
        while under_way:
            yield from under_way.popleft().result()


def _classify_batch(runtime: Runtime, images: Sequence[Path]) -> list[NDArray[np.float64]]:
    inputs, _, _ = _read_batch(images, runtime.preprocess.size_px)
    return list(runtime.run(inputs).astype(np.float64))


def _embed_batch(runtime: Runtime, images: Sequence[Path]) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    assert runtime.embed is not None  # the caller has asked
    inputs, _, _ = _read_batch(images, runtime.preprocess.size_px)
    answers, embeddings = runtime.embed(inputs)
    return list(zip(answers.astype(np.float64), embeddings.astype(np.float64), strict=True))


def _detect_batch(runtime: Runtime, postprocess: Postprocess, images: Sequence[Path]) -> list[Found]:
    inputs, placements, sizes = _read_batch(images, runtime.preprocess.size_px)
    result = []
    for output, placement, size in zip(runtime.run(inputs), placements, sizes, strict=True):
        found = decode(output, postprocess)
        boxes = to_photograph(found.boxes_xyxy, placement, size)
        result.append((Detections(boxes, found.scores, found.class_ids), size))
    return result


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
