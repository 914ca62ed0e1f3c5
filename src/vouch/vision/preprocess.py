"""From a photograph to the network's canvas and back: one way for parity, predict and serving alike."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vouch.errors import BundleError, DataError, Problem
from vouch.tasks import TASKS, ByTask, Task
from vouch.vision.images.source import Image, read_image, read_images

LARGEST_PX = 2048  # side of a canvas, as trainings allow: 50 MB as float32
OUTPUTS = ByTask(
    detect="[batch, 4 + classes, candidates]: centre x, centre y, width, height in canvas pixels, class scores",
    classify="[batch, classes + 1]: a logit for each class, then, where there is a gate, its logit",
    identify="[batch, values]: where the crop lies, a vector of length 1",
)
PADDING = 114  # grey of the letterbox border, the value that YOLO detectors are trained with


@dataclass(frozen=True)
class Preprocess:
    """How pixels become input: letterbox to a square canvas, RGB, [0, 1]; what preprocess.json says."""

    size_px: int
    stride_px: int
    task: Task
    padding: int = PADDING
    colour: str = "RGB"
    interpolation: str = "linear"
    layout: str = "NCHW"
    scale: str = "1/255"

    @property
    def output(self) -> str:
        """What the network's output means, for a reader."""
        return OUTPUTS[self.task]


@dataclass(frozen=True)
class Placement:
    """Where a photograph lies on its canvas: canvas = photograph * scale + (left, top)."""

    scale: float
    left_px: int
    top_px: int
    width_px: int
    height_px: int


@dataclass(frozen=True)
class Placed:
    """An image on its canvas, uint8 (size, size, 3) BGR; `size` is its own (width, height) in pixels."""

    name: str
    canvas: NDArray[np.uint8]
    placement: Placement
    size: tuple[int, int]


def to_json(preprocess: Preprocess) -> dict[str, Any]:
    """Return what preprocess.json holds."""
    return asdict(preprocess) | {"output": preprocess.output}


def from_json(content: object, where: str) -> Preprocess:
    """Read preprocess.json back.

    Raises
    ------
    BundleError
        When sides are no possible ones, or it names another form of preprocessing than this code performs.
    """
    values: dict[str, Any] = content if isinstance(content, dict) else {}
    size_px: Any = values.get("size_px")
    stride_px: Any = values.get("stride_px")
    task: Any = values.get("task")
    known = isinstance(task, str) and task in TASKS
    fits = _is_side(size_px) and _is_side(stride_px)
    # a classifier may resize the canvas to views that its stride divides; a detector's cells must tile it
    if not fits or not known or (task == "detect" and size_px % stride_px):
        expected = f"size_px to {LARGEST_PX}, of a detector a multiple of stride_px, and a task of {', '.join(TASKS)}"
        raise BundleError([Problem(where, expected, _shown(content)[:240], "export the model again")])
    preprocess = Preprocess(size_px, stride_px, task=task)
    expected = _shown(to_json(preprocess))
    if _shown(content) != expected:  # as text, where 114.0 is not 114 and true is not 1
        problem = Problem(where, expected, _shown(content)[: 2 * len(expected)], "export the model with this version")
        raise BundleError([problem])
    return preprocess


def _is_side(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LARGEST_PX


def _shown(content: object) -> str:
    return json.dumps(content, sort_keys=True)


def place(width_px: int, height_px: int, size_px: int) -> Placement:
    """Return where a photograph of this size lies, centred, on a square canvas of `size_px`; a sliver keeps a pixel."""
    scale = min(size_px / width_px, size_px / height_px)
    inner_width, inner_height = max(1, round(width_px * scale)), max(1, round(height_px * scale))
    left, top = (size_px - inner_width) / 2, (size_px - inner_height) / 2
    return Placement(scale, round(left - 0.1), round(top - 0.1), inner_width, inner_height)


def letterbox(image: NDArray[np.uint8], size_px: int) -> tuple[NDArray[np.uint8], Placement]:
    """Resize a BGR photograph, aspect kept, onto a grey square canvas.

    Returns
    -------
    canvas : uint8 array of shape (size_px, size_px, 3), BGR
    placement : where the photograph lies on it
    """
    placement = place(image.shape[1], image.shape[0], size_px)
    inner = (placement.width_px, placement.height_px)
    if (image.shape[1], image.shape[0]) != inner:
        image = cv2.resize(image, inner, interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
    if inner == (size_px, size_px):
        return image, placement
    canvas = np.full((size_px, size_px, 3), PADDING, np.uint8)
    rows = slice(placement.top_px, placement.top_px + placement.height_px)
    columns = slice(placement.left_px, placement.left_px + placement.width_px)
    canvas[rows, columns] = image
    return canvas, placement


def to_input(canvases: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Turn BGR canvases of shape (n, size, size, 3) into network input: float32 (n, 3, size, size), RGB in [0, 1]."""
    planes = np.ascontiguousarray(canvases[..., ::-1].transpose(0, 3, 1, 2))
    return np.multiply(planes, np.float32(1 / 255), dtype=np.float32)


def placed(images: Sequence[Image], size_px: int) -> Iterator[Placed | DataError]:
    """Yield each image on its canvas, or why it cannot be used; one photograph is in memory at a time."""
    for image, pixels in zip(images, read_images(images), strict=True):
        if isinstance(pixels, DataError):
            yield pixels
        else:
            yield Placed(image.name, *letterbox(pixels, size_px), (pixels.shape[1], pixels.shape[0]))


def as_batch(images: Sequence[Placed]) -> NDArray[np.float32]:
    """Return the canvases as network input, as `to_input` makes it."""
    return to_input(np.stack([image.canvas for image in images]))


def as_input(image: Image, size_px: int) -> NDArray[np.float32]:
    """Return one image as float32 (1, 3, size, size), as `to_input` makes it."""
    return to_input(letterbox(read_image(image), size_px)[0][None])


def to_photograph(boxes_xyxy: NDArray[np.float64], placement: Placement, size: tuple[int, int]) -> NDArray[np.float64]:
    """Map canvas boxes (n, 4) to pixels of the photograph of `size` (width, height), clipped to it."""
    offset = np.array([placement.left_px, placement.top_px] * 2, np.float64)
    limit = np.array([*size, *size], np.float64)
    return np.clip((boxes_xyxy - offset) / placement.scale, 0.0, limit)
