"""Emblems and lettering of labels, drawn straight on a picture of colours."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vouch.scenes import draw
from vouch.scenes.draw import Colour

FONT = cv2.FONT_HERSHEY_DUPLEX
Outline = NDArray[np.float64]


def lettered(
    image: NDArray[np.uint8], word: str, place: tuple[float, float, float], reach_px: float, ink: Colour
) -> None:
    """Write a word in capitals not wider than twice the reach, between two heights; `place` is middle, top, bottom."""
    middle, top, bottom = place
    (wide, high), _ = cv2.getTextSize(word, FONT, 1.0, 2)
    tall = min(bottom - top, 1.9 * 2 * reach_px / len(word))  # letters at most so much taller than wide
    stretch = np.array([2 * reach_px / wide, tall / high])
    stretch[0] = min(stretch[0], 1.25 * stretch[1])
    letters = np.zeros((high * 3 + 12, wide * 3 + 24), np.uint8)
    cv2.putText(letters, word, (12, high * 3 + 4), FONT, 3.0, 255, 13, cv2.LINE_AA)
    size = (max(round(wide * stretch[0]), 4), max(round(tall), 4))
    mask = cv2.resize(letters, size, interpolation=cv2.INTER_AREA).astype(np.float32)[:, :, None] / 255.0
    x, y = round(middle - size[0] / 2), round((top + bottom) / 2 - size[1] / 2)
    window = image[y : y + size[1], x : x + size[0]]
    window[:] = (window * (1 - mask) + np.asarray(ink, np.float32) * mask + 0.5).astype(np.uint8)


def emblem(
    image: NDArray[np.uint8],
    name: str,
    place: tuple[float, float, float],
    reach_px: float,
    colour: Colour,
    ground: Colour,
) -> None:
    """Draw an emblem between two heights, `place` (middle, top, bottom); what is cut out shows the ground."""
    middle, top, bottom = place
    radius = min((bottom - top) / 2, reach_px)
    for outline, inked in _outlines(name):
        points = outline * radius + (middle, (top + bottom) / 2) - 0.5
        cv2.fillPoly(image, [np.round(points * 16).astype(np.int32)], colour if inked else ground, cv2.LINE_AA, 4)


def _outlines(name: str) -> list[tuple[Outline, bool]]:
    """Return an emblem's outlines within the unit circle, each inked or cut out, in the order of drawing."""
    return [(np.asarray(points, float), inked) for points, inked in _SHAPES[name]]


def _circle(x: float, y: float, radius: float) -> Outline:
    return draw.ellipse((x, y), (radius, radius))


def _rays(count: int, inner: float, *, turn: float = -np.pi / 2) -> Outline:
    turns = turn + np.arange(2 * count) * np.pi / count
    radii = np.where(np.arange(2 * count) % 2, inner, 1.0)
    return np.stack([radii * np.cos(turns), radii * np.sin(turns)], axis=1)


def _heart() -> Outline:
    t = np.linspace(0, 2 * np.pi, 40)
    x, y = 16 * np.sin(t) ** 3, 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([x / 17, -(y + 2.5) / 17], axis=1)


_LEAF = np.concatenate(
    [draw.curve([(-0.8, 0.8), (-0.9, -0.6), (0.9, -0.9)]), draw.curve([(0.9, -0.9), (0.9, 0.8), (-0.8, 0.8)])]
)
_DROP = np.concatenate([[(0.0, -1.0)], draw.arc((0.0, 0.35), 0.62, np.linspace(-0.35, np.pi + 0.35, 20))])
_SHAPES: dict[str, list[tuple[Outline, bool]]] = {
    "star": [(_rays(5, 0.42), True)],
    "sun": [(_rays(10, 0.66), True), (_circle(0, 0, 0.34), False)],
    "leaf": [(_LEAF, True), (draw.stroke([(-0.8, 0.8), (0.55, -0.6)], 0.12), False)],
    "drop": [(_DROP, True)],
    "bolt": [
        (np.array([(0.25, -1), (-0.6, 0.15), (-0.08, 0.15), (-0.3, 1), (0.6, -0.25), (0.06, -0.25), (0.5, -1)]), True)
    ],
    "crown": [
        (
            np.array([(-0.9, 0.65), (-0.95, -0.6), (-0.45, 0.0), (0, -0.85), (0.45, 0.0), (0.95, -0.6), (0.9, 0.65)]),
            True,
        )
    ],
    "heart": [(_heart(), True)],
    "moon": [(_circle(0, 0, 0.92), True), (_circle(0.42, -0.16, 0.74), False)],
    "ring": [(_circle(0, 0, 0.92), True), (_circle(0, 0, 0.50), False)],
    "diamond": [(np.array([(0, -1), (0.72, 0), (0, 1), (-0.72, 0)]), True)],
}
