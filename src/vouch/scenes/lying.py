"""Where a thing lies, stands or leans at the kerb, and the frames and faces that it is drawn in."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vouch.scenes import draw
from vouch.scenes.draw import Canvas, Colour, ellipse, polygon, within
from vouch.scenes.perspective import Camera
from vouch.scenes.sprites import FIXED, Pixels

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Lying:
    """One thing at the kerb: what it is, where, and everything that shapes its picture."""

    kind: str
    label: str  # class, or "" for what is no waste
    place: int  # numbers it within the photograph
    x_m: float
    z_m: float
    lift_m: float  # over the ground: what it lies on
    size: float
    heading_rad: float
    upright: bool
    lean_rad: float  # on the picture, of what stands in a container
    wear: float  # 0 new, 1 crushed and dirty
    seed: int


def stream(thing: Lying) -> np.random.Generator:
    """Return the random stream that the looks of a thing are drawn from."""
    return np.random.default_rng(thing.seed)


def depth_per_width(view: Camera, thing: Lying) -> float:
    """Return how much shorter a metre away from the camera is on the picture than one across."""
    return (view.height_m - thing.lift_m) / thing.z_m


def foot(view: Camera, thing: Lying) -> NDArray[np.float64]:
    """Return where a thing touches what it lies on, in units of the canvas."""
    return view.at(thing.x_m, thing.lift_m, thing.z_m)


def foot_px(paper: Canvas, view: Camera, thing: Lying) -> tuple[float, float]:
    """Return the same in canvas pixels."""
    x, y = paper.frame[:, :2] @ foot(view, thing) + paper.frame[:, 2]
    return float(x), float(y)


def standing(paper: Canvas, view: Camera, thing: Lying) -> Canvas:
    """Return the frame of what stands: metres, x to the right, y up."""
    scale = view.focal / thing.z_m * thing.size
    return within(paper, foot(view, thing), angle_rad=thing.lean_rad, scale=(scale, -scale))


def flat(paper: Canvas, view: Camera, thing: Lying) -> Canvas:
    """Return the frame of what lies flat: metres on the ground, turned by its heading."""
    scale = view.focal / thing.z_m * thing.size
    ground = within(paper, foot(view, thing), scale=(scale, scale * depth_per_width(view, thing)))
    return within(ground, (0, 0), angle_rad=thing.heading_rad)


def shadow(paper: Canvas, view: Camera, thing: Lying, half_m: tuple[float, float], aside_m: float) -> None:
    """Darken the ground under a thing, and beside it where the light throws its shadow."""
    scale = view.focal / thing.z_m * thing.size
    ground = within(paper, foot(view, thing), scale=(scale, scale * depth_per_width(view, thing)))
    wide, deep = half_m
    for share, alpha in ((1.2, 0.13), (0.95, 0.26)):
        outline = ellipse((aside_m * share, 0.01), (wide * share + abs(aside_m) * 0.6, deep * share))
        polygon(ground, outline, (8, 8, 12), alpha=alpha, owner=None)


def corners(view: Camera, thing: Lying, size_m: tuple[float, float, float]) -> NDArray[np.float64]:
    """Return the corners of a box on the canvas, (bottom and top, four counter-clockwise, 2); width, depth, height."""
    wide, deep, high = (side * thing.size for side in size_m)
    cos, sin = np.cos(thing.heading_rad), np.sin(thing.heading_rad)
    plan = (
        np.array([(-wide, -deep), (wide, -deep), (wide, deep), (-wide, deep)]) / 2 @ np.array([[cos, sin], [-sin, cos]])
    )
    x, z = thing.x_m + plan[:, 0], thing.z_m + plan[:, 1]
    return np.stack([view.at(x, thing.lift_m + up, z) for up in (0.0, high)])


def sides(view: Camera, thing: Lying, ends: NDArray[np.float64]) -> list[tuple[int, Points]]:
    """Return the sides of a box that face the camera: number, and corners from the upper left clockwise."""
    found = []
    for number in range(4):
        after = (number + 1) % 4
        face = np.stack([ends[1, number], ends[1, after], ends[0, after], ends[0, number]])
        if face[1, 0] > face[0, 0]:  # one that faces away runs to the left
            found.append((number, face))
    return found


def face(paper: Canvas, at: Points, texture: Pixels, *, shade: float = 1.0, owner: int | None = 0) -> None:
    """Put a picture on a quadrangle: corners from the upper left clockwise, units of the canvas."""
    polygon(paper, at, DARK_EDGE, owner=owner)
    pixels = at @ paper.frame[:, :2].T + paper.frame[:, 2]
    low = np.maximum(np.floor(pixels.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(pixels.max(axis=0)).astype(int) + 1, paper.owner.shape[::-1])
    wide, tall = (high - low).tolist()
    if wide < 2 or tall < 2:
        return
    rows, columns = texture.shape[:2]
    source = np.array([(0, 0), (columns - 1, 0), (columns - 1, rows - 1), (0, rows - 1)], np.float32)
    move = cv2.getPerspectiveTransform(source, (pixels - low).astype(np.float32))
    moved = cv2.warpPerspective(texture, move, (wide, tall), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = np.zeros((tall, wide), np.uint8)
    cv2.fillPoly(mask, [np.round((pixels - low - 0.5) * FIXED).astype(np.int32)], 1, cv2.LINE_8, 4)
    lit = cv2.convertScaleAbs(moved, alpha=shade)
    cv2.copyTo(lit, mask, paper.pixels[low[1] : high[1], low[0] : high[0]])


def scattered(
    paper: Canvas, outline: Points, at: Points, turns_rad: NDArray[np.float64], colours: Sequence[Colour], owner: int
) -> None:
    """Paint one convex outline at many places (n, 2), turned and coloured, at a third of what as many polygons take."""
    cos, sin = np.cos(turns_rad), np.sin(turns_rad)
    turn = np.moveaxis(np.array([[cos, -sin], [sin, cos]]), 2, 0)
    shapes = (outline[None] @ turn.swapaxes(1, 2) + at[:, None]) @ paper.frame[:, :2].T + paper.frame[:, 2] - 0.5
    fixed = np.round(shapes * FIXED).astype(np.int32)
    for one, colour in zip(fixed, colours, strict=True):
        cv2.fillConvexPoly(paper.pixels, one, colour, cv2.LINE_AA, 4)
        cv2.fillConvexPoly(paper.owner, one, owner, cv2.LINE_8, 4)
    if owner and len(fixed):
        low, high = fixed.min(axis=(0, 1)), fixed.max(axis=(0, 1))
        known = paper.reach.get(owner, (*low, *high))
        paper.reach[owner] = (*map(int, np.minimum(known[:2], low)), *map(int, np.maximum(known[2:], high)))


def tones(rng: np.random.Generator, colour: Colour, spread: float, count: int) -> list[Colour]:
    """Return so many colours near one, as `draw.varied` draws one."""
    moved = (
        np.asarray(colour) + rng.uniform(-spread, spread, (count, 1)) + rng.uniform(-spread / 3, spread / 3, (count, 3))
    )
    return [(float(red), float(green), float(blue)) for red, green, blue in np.clip(moved, 0, 255)]


def sheet(size: tuple[int, int], colour: Colour) -> Pixels:
    """Return a picture (height, width) of one colour."""
    found = np.empty((*size, 3), np.uint8)
    found[:] = np.asarray(colour, np.uint8)
    return found


DARK_EDGE: Colour = draw.mix(draw.DARK, (90, 70, 50), 0.5)
