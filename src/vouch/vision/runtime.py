"""ONNX Runtime: the file that ships is the file that is judged; predict, parity and serving run it through here."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from vouch.documents import DocumentError, read_bytes
from vouch.errors import BundleError, DataError, Problem
from vouch.tasks import ByTask
from vouch.vision.boxes import Detections, Postprocess, decode
from vouch.vision.images import threads
from vouch.vision.images.source import Image, parts
from vouch.vision.onnx_limits import checked_network
from vouch.vision.preprocess import Placed, Preprocess, as_batch, placed, to_photograph

QUANTIZATION = "quantization"  # key of a file's metadata that says how it became eight bits
Found = tuple[Detections, tuple[int, int]]  # boxes in the photograph's pixels, and its (width, height)
Result = TypeVar("Result")
EMBEDDING = "embedding"  # the name of a classifier's second output
DIMENSIONS = ByTask(detect=2, classify=1, identify=1)  # of one photograph's answer
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
    pool: ThreadPoolExecutor  # decodes and answers for every call, as long as the network is loaded


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
    # 17 instead of 10 ms of processor time per photograph on two cores (0.8 million parameters, 320 pixels)
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
    return Runtime(
        run, embed if others else None, preprocess, QUANTIZATION in said, shape, said, threads.one_per_core()
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:240]


def detect(
    runtime: Runtime, images: Iterable[Image], postprocess: Postprocess, *, batch: int
) -> Iterator[Found | DataError]:
    """Yield, image by image, what was found (boxes in its pixels) and its (width, height), or why it cannot be used.

    An image cannot be used that does not decode, or on which the network finds a box that is no box: that takes no
    other with it. Who wants all or nothing asks `source.required`.

    Raises
    ------
    BundleError
        When the network does not answer.
    """
    return _answers(runtime, partial(_detections, runtime, postprocess), images, batch)


def classify(runtime: Runtime, images: Iterable[Image], *, batch: int) -> Iterator[NDArray[np.float64] | DataError]:
    """Yield as `detect` does a classifier's logits, then the gate's if it has one, or an embedder's vector."""
    return _answers(runtime, partial(_outputs, runtime), images, batch)


def embed(
    runtime: Runtime, images: Iterable[Image], *, batch: int
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]] | DataError]:
    """Yield as `detect` does what `classify` yields and the network's embedding, float64 (d,)."""
    return _answers(runtime, partial(_embeddings, runtime), images, batch)


def _answers(
    runtime: Runtime, answer: Callable[[list[Placed]], list[Result]], images: Iterable[Image], batch: int
) -> Iterator[Result | DataError]:
    """Yield the answers in order; a thread takes a part from the file to the answer, a batch of canvases at a time."""
    work = partial(_of_part, answer, runtime.preprocess.size_px, batch)
    for results in threads.ahead(runtime.pool, work, parts(images, batch)):
        yield from results


def _of_part(
    answer: Callable[[list[Placed]], list[Result]], size_px: int, batch: int, part: list[Image]
) -> list[Result | DataError]:
    results: list[Result | DataError] = []
    coming = placed(part, size_px)
    while some := list(islice(coming, batch)):
        usable = [one for one in some if not isinstance(one, DataError)]
        answers = iter(answer(usable) if usable else [])
        results += [one if isinstance(one, DataError) else next(answers) for one in some]
    return results


def _outputs(runtime: Runtime, images: list[Placed]) -> list[NDArray[np.float64]]:
    return list(runtime.run(as_batch(images)).astype(np.float64))


def _embeddings(runtime: Runtime, images: list[Placed]) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    assert runtime.embed is not None  # the caller has asked
    outputs, embeddings = runtime.embed(as_batch(images))
    return list(zip(outputs.astype(np.float64), embeddings.astype(np.float64), strict=True))


def _detections(runtime: Runtime, postprocess: Postprocess, images: list[Placed]) -> list[Found | DataError]:
    outputs = runtime.run(as_batch(images))
    return [found(image, output, postprocess) for image, output in zip(images, outputs, strict=True)]


def found(image: Placed, output: NDArray[np.float32], postprocess: Postprocess) -> Found | DataError:
    """Return what the network's output says is on an image, in its pixels, or why that is no answer."""
    with np.errstate(invalid="ignore", over="ignore"):  # of boxes that are refused at once
        kept = decode(output, postprocess)
    if not np.isfinite(kept.boxes_xyxy).all():
        return DataError([Problem(image.name, "finite boxes", "NaN or infinity", "train again")])
    boxes = to_photograph(kept.boxes_xyxy, image.placement, image.size)
    return Detections(boxes, kept.scores, kept.class_ids), image.size
