"""Which body owns every pixel of a canvas, how much of it is seen, and how far away each pixel is."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vouch.scenes.draw import SUPERSAMPLE, Canvas
from vouch.scenes.perspective import Body, Camera

FAR_M = 400.0  # sky, and ground close to the horizon
_UNTOUCHED = 255  # bodies are numbered from 1, so a scene has at most 254

Brush = Callable[[Canvas, Camera, Body], None]


def stacked(paper: Canvas, view: Camera, bodies: Sequence[Body], brush: Brush) -> None:
    """Paint bodies in their order; the canvas remembers each by its place in the list, counted from 1."""
    for number, body in enumerate(bodies, start=1):
        mask = np.full_like(paper.owner, _UNTOUCHED)
        brush(replace(paper, owner=mask), view, body)
        paper.owner[mask != _UNTOUCHED] = number


def seen_px(paper: Canvas, count: int) -> NDArray[np.float64]:
    """Return how many pixels of the picture each of `count` stacked bodies shows."""
    return np.bincount(paper.owner.ravel(), minlength=count + 1)[1:] / SUPERSAMPLE**2


def depth_m(paper: Canvas, view: Camera, bodies: Sequence[Body]) -> NDArray[np.float32]:
    """Return the distance of every canvas pixel: of the body that owns it, else of the flat ground or the sky."""
    ground = ground_m(paper, view)[1]
    known = np.array([0.0, *(body.z_m for body in bodies)], np.float32)
    return np.where(paper.owner == 0, ground, known[paper.owner])


def ground_m(paper: Canvas, view: Camera) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return x (to the right) and z (ahead) of the ground under every canvas pixel; z is `FAR_M` above the horizon."""
    high, wide = paper.owner.shape
    column = np.arange(wide, dtype=np.float32)[None, :] - np.float32(paper.frame[0, 2])
    row = np.arange(high, dtype=np.float32)[:, None] - np.float32(paper.frame[1, 2])
    back = np.linalg.inv(paper.frame[:, :2]).astype(np.float32)
    below = back[1, 0] * column + back[1, 1] * row - np.float32(view.horizon_y)
    z = np.minimum(np.float32(view.focal * view.height_m) / np.maximum(below, np.float32(1e-3)), np.float32(FAR_M))
    right = back[0, 0] * column + back[0, 1] * row - np.float32(view.centre_x)
    return right * z * np.float32(1 / view.focal) - np.float32(view.bend) * z * z, z
