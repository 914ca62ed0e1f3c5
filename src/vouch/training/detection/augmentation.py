"""Random changes to a train photograph on its canvas, and to its boxes with it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vouch.training.detection.framework import Augmentation, Labelled
from vouch.vision.images.source import read_image
from vouch.vision.preprocess import PADDING, place

Boxes = tuple[NDArray[np.float64], NDArray[np.intp]]
MIN_SIDE_PX = 2.0  # a box that the canvas edge cuts thinner is no longer an object
MIN_VISIBLE = 0.25  # nor is one of which less than a quarter is left


def augmented(
    example: Labelled, size_px: int, augmentation: Augmentation, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], Boxes]:
    """Return a changed canvas (size, size, 3) BGR and (boxes in canvas pixels, their indices in the example)."""
    image = read_image(example.image)
    height, width = image.shape[:2]
    base = place(width, height, size_px)
    zoom = base.scale * (1 + augmentation.scale * rng.uniform(-1, 1))
    shift = size_px / 2 + augmentation.translate * size_px * rng.uniform(-1, 1, 2)
    flip = -1.0 if rng.random() < augmentation.flip_left_right else 1.0
    matrix = np.array([[flip * zoom, 0, shift[0] - flip * zoom * width / 2], [0, zoom, shift[1] - zoom * height / 2]])
    canvas = cv2.warpAffine(image, matrix, (size_px, size_px), flags=cv2.INTER_LINEAR, borderValue=(PADDING,) * 3)
    corners = example.boxes_xyxy * np.array([width, height] * 2, np.float64)
    return _coloured(canvas.astype(np.uint8, copy=False), augmentation, rng), _moved(corners, matrix, size_px)


def _moved(corners: NDArray[np.float64], matrix: NDArray[np.float64], size_px: int) -> Boxes:
    columns = np.sort(corners[:, [0, 2]] * matrix[0, 0] + matrix[0, 2], axis=1)
    rows = np.sort(corners[:, [1, 3]] * matrix[1, 1] + matrix[1, 2], axis=1)
    whole = np.stack([columns[:, 0], rows[:, 0], columns[:, 1], rows[:, 1]], axis=1)
    seen = np.clip(whole, 0, size_px)
    sides, whole_sides = seen[:, 2:] - seen[:, :2], whole[:, 2:] - whole[:, :2]
    kept = np.flatnonzero(
        (sides.min(axis=1) >= MIN_SIDE_PX) & (sides.prod(axis=1) >= MIN_VISIBLE * whole_sides.prod(axis=1))
    )
    return seen[kept], kept


def _coloured(canvas: NDArray[np.uint8], augmentation: Augmentation, rng: np.random.Generator) -> NDArray[np.uint8]:
    gains = 1 + rng.uniform(-1, 1, 3) * [augmentation.hue, augmentation.saturation, augmentation.value]
    levels = np.arange(256, dtype=np.float64)
    hue = ((levels * gains[0]) % 180).astype(np.uint8)  # OpenCV's hue has 180 steps
    saturation, value = (np.clip(levels * gain, 0, 255).astype(np.uint8) for gain in gains[1:])
    planes = cv2.split(cv2.cvtColor(canvas, cv2.COLOR_BGR2HSV))
    changed = cv2.merge([cv2.LUT(plane, table) for plane, table in zip(planes, (hue, saturation, value), strict=True)])
    return cv2.cvtColor(changed, cv2.COLOR_HSV2BGR).astype(np.uint8, copy=False)
