"""ONNX Runtime: the file that ships is the file that is judged; predict, parity and serving run it through here."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from vouch.documents import DocumentError, read_bytes
from vouch.errors import BundleError, DataError, Problem
from vouch.vision.boxes import Detections, Postprocess, decode
from vouch.vision.onnx_limits import checked_network
from vouch.vision.photographs import unreadable
from vouch.vision.preprocess import Placement, Preprocess, letterbox, read_image, to_input, to_photograph

QUANTIZATION = "quantization"  # key of a file's metadata that says how it became eight bits
Found = tuple[Detections, tuple[int, int]]  # boxes in the photograph's pixels, and its (width, height)
Result = TypeVar("Result")
EMBEDDING = "embedding"  # the name of a classifier's second output
DIMENSIONS = {"detect": 2, "classify": 1}  # of one photograph's answer
MAX_BYTES = 2**31 - 1  # of a file with its weights inside: protobuf has no longer messages


@dataclass(frozen=True)
class Runtime:
    """A loaded network; `run`, on one thread: float32 (n, 3, size, size) -> float32, as `preprocess.output` says.

    `embed` answers as `run` does and gives an embedding float32 (n, d) too; none where the file has no such output.
    """

    run: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    embed: Callable[[NDArray[np.float32]], tuple[NDArray[np.float32], NDArray[np.float32]]] | None
    preprocess: Preprocess
    eight_bits: bool  # as vision.quantization makes it
    shape: tuple[int, ...]  # of one photograph's answer
    metadata: Mapping[str, str]  # what the file says of itself


def load(model: Path, preprocess: Preprocess) -> Runtime:
    """Open an ONNX file on the CPU, as `load_bytes` opens its bytes.

    Raises
    ------
    BundleError
        When it is no regular file of at most 2 GiB, or `load_bytes` refuses its content.
    """
    try:
        content = read_bytes(model, str(model), max_bytes=MAX_BYTES)
    except DocumentError as error:
        raise BundleError(error.problems) from error
    return load_bytes(content, preprocess, str(model))


def load_bytes(content: bytes, preprocess: Preprocess, where: str) -> Runtime:
    """Open the bytes of an ONNX file on the CPU; nothing else is read.

    Raises
    ------
    BundleError
        When the file is not what `onnx_limits` lets in, ONNX Runtime cannot read it, its input is not the canvas that
        `preprocess` makes, or its outputs are not those of the task.
    """
    network = checked_network(content, preprocess.size_px, where)
    first, *others = network.outputs
    dimensions = len(network.outputs[first])
    if dimensions != DIMENSIONS[preprocess.task] or others not in ([], [EMBEDDING]):
        got = ", ".join(f"{name} {list(shape)}" for name, shape in network.outputs.items())[:240]
        expected = f"{preprocess.output}, and perhaps {EMBEDDING}"
        raise BundleError([Problem(where, expected, got, "export the model again")])
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what is refused is told once, by the exception
    # `detect` gives each core a batch of its own; threads inside one run would spin at every layer's end, which took
    # 17 instead of 10 ms of processor time a photograph on two cores (0.8 million parameters, 320 pixels)
    options.intra_op_num_threads = 1
    try:
        # without its fallback, which prints and tries the same again
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"], enable_fallback=0)
    except Exception as error:  # onnxruntime raises its own pybind types, one per status code, all plain Exceptions
        problem = Problem(where, "an ONNX model", _first_line(error), "export or pull the model again")
        raise BundleError([problem]) from error

    def answers(names: list[str], batch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        try:
            found: list[NDArray[np.float32]] = session.run(names, {network.input: batch})
        except Exception as error:  # as above
            raise BundleError([Problem(where, "an answer", _first_line(error), "export the model again")]) from error
        expected = [(len(batch), *network.outputs[name]) for name in names]
        if [one.shape for one in found] != expected:
            got = str([one.shape for one in found])
            raise BundleError([Problem(where, f"outputs of shape {expected}", got, "export with a dynamic batch")])
        return found

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        return answers([first], batch)[0]

    def embed(batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        answer, embeddings = answers([first, EMBEDDING], batch)
        return answer, embeddings

    shape, said = network.outputs[first], network.metadata
    return Runtime(run, embed if others else None, preprocess, QUANTIZATION in said, shape, said)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:240]


def detect(runtime: Runtime, images: Sequence[Path], postprocess: Postprocess, *, batch: int) -> Iterator[Found]:
    """Yield, photograph by photograph, what was found (boxes in its pixels) and its (width, height).

    Raises
    ------
    DataError
        When a photograph does not decode, or the network finds a box on it that is no box.
    BundleError
        When the network does not answer.
    """
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
    """Yield the answers in the order of `images`.

    Raises
    ------
    DataError
        When a photograph cannot be read, for every one that cannot.
    """
    try:
        yield from _answers(answer, images, batch)
    except DataError as error:
        raise DataError(unreadable(images) or error.problems) from error


def _answers(answer: Callable[[Sequence[Path]], list[Result]], images: Sequence[Path], batch: int) -> Iterator[Result]:
    """Yield the answers; no more than one batch a core, and one to spare, is in memory.

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
    for image, output, placement, size in zip(images, runtime.run(inputs), placements, sizes, strict=True):
        with np.errstate(invalid="ignore", over="ignore"):  # of boxes that are refused at once
            found = decode(output, postprocess)
        if not np.isfinite(found.boxes_xyxy).all():
            raise DataError([Problem(str(image), "finite boxes", "NaN or infinity", "train again")])
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
