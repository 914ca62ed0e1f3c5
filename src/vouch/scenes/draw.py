"""Drawing: shapes on a supersampled canvas that remembers which labelled thing owns every pixel.

Boxes are read from that memory after everything is painted, so they are the visible extents: occlusion, truncation at
the border and lens distortion come out right without any geometry of their own.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

Colour = tuple[float, float, float]  # RGB, 0 to 255
Point = Sequence[float] | NDArray[np.float64]
Box = dict[str, str | float]  # class, x1, y1, x2, y2: a box of a manifest line, in pixels

SUPERSAMPLE = 2  # canvas pixels per picture pixel; with OpenCV's own anti-aliasing more is not visible
_SHIFT = 4  # OpenCV takes coordinates in 1/16 pixel
_STEPS = 1 << _SHIFT
DARK: Colour = (0, 0, 0)
_TURNS = np.linspace(0.0, 2 * np.pi, 29)[:-1]
_CIRCLE = np.stack([np.cos(_TURNS), np.sin(_TURNS)], axis=1)


@dataclass(frozen=True)
class Thing:
    """What was painted of one labelled thing: canvas pixels, and the share of its extent in the picture."""

    label: str
    key: Hashable  # by which the scene knows it
    painted_px: int
    inside_share: float


@dataclass(frozen=True)
class Canvas:
    """Colours, own light and owner of every canvas pixel, and the local frame (2 x 3) that shapes are drawn in."""

    pixels: NDArray[np.uint8]
    glow: NDArray[np.uint8]
    owner: NDArray[np.uint8]
    frame: NDArray[np.float64]
    things: list[Thing] = field(default_factory=list)
    reach: dict[int, tuple[int, ...]] = field(default_factory=dict)


def canvas(width_px: int, height_px: int, units_high: float) -> Canvas:
    """Return a black canvas for a picture of that size, drawn in units of which `units_high` fill its height."""
    size = (height_px * SUPERSAMPLE, width_px * SUPERSAMPLE)
    scale = size[0] / units_high
    frame = np.array([[scale, 0.0, 0.0], [0.0, scale, 0.0]])
    black = np.zeros((*size, 3), np.uint8)
    return Canvas(black, black.copy(), np.zeros(size, np.uint8), frame)


def within(paper: Canvas, origin: Point, *, angle_rad: float = 0.0, scale: ArrayLike = 1.0) -> Canvas:
    """Return the same canvas with a local frame: origin moved, then turned, then scaled (a number or (x, y))."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    local = np.array([[cos, -sin], [sin, cos]]) * np.broadcast_to(np.asarray(scale, float), 2)
    turned = paper.frame[:, :2] @ local
    moved = paper.frame[:, :2] @ np.asarray(origin, float) + paper.frame[:, 2]
    return replace(paper, frame=np.column_stack([turned, moved]))


def copied(paper: Canvas) -> Canvas:
    """Return a canvas with the same picture so far, to paint on without touching the first."""
    layers = (paper.pixels.copy(), paper.glow.copy(), paper.owner.copy())
    return Canvas(*layers, paper.frame, list(paper.things), dict(paper.reach))


@contextmanager
def thing(paper: Canvas, label: str, key: Hashable) -> Iterator[int]:
    """Yield the owner number under which a labelled thing is painted; on leaving, note how much was painted."""
    number = len(paper.things) + 1
    paper.things.append(Thing(label, key, 0, 1.0))
    yield number
    painted = cv2.countNonZero(cv2.inRange(paper.owner, number, number))
    reach = paper.reach.get(number)
    share = 0.0 if reach is None else _inside_share(reach, paper.owner.shape)
    paper.things[number - 1] = Thing(label, key, painted, share)


def _inside_share(reach: tuple[int, ...], shape: tuple[int, ...]) -> float:
    """Return the share of an extent (in OpenCV's fixed point) that lies on the canvas."""
    limits = np.array([shape[1], shape[0]]) * _STEPS
    low, high = np.array(reach).reshape(2, 2)
    inside = np.clip(high, 0, limits) - np.clip(low, 0, limits)
    return float(np.prod(inside.astype(float)) / max(float(np.prod((high - low).astype(float))), 1.0))


def polygon(
    paper: Canvas,
    points: ArrayLike,
    colour: Colour,
    *,
    to: Colour | None = None,
    alpha: float = 1.0,
    emit: Colour = DARK,
    owner: int | None = 0,
) -> None:
    """Fill a polygon, with a vertical gradient to `to`, see-through by `alpha`, shining by `emit`.

    `owner` 0 is scenery that hides what lies under it; None leaves the ownership alone (smoke, shade, dirt).
    """
    pixels = np.asarray(points, float) @ paper.frame[:, :2].T + paper.frame[:, 2]
    fixed = [np.round((pixels - 0.5) * _STEPS).astype(np.int32)]
    x, y, wide, high = cv2.boundingRect(fixed[0])
    if owner:
        _extend(paper, owner, (x, y, x + wide, y + high))
    if owner is not None:
        cv2.fillPoly(paper.owner, fixed, owner, cv2.LINE_8, _SHIFT)
        cv2.fillPoly(paper.glow, fixed, emit, cv2.LINE_AA, _SHIFT)
    if to is None and alpha >= 1.0:
        cv2.fillPoly(paper.pixels, fixed, colour, cv2.LINE_AA, _SHIFT)
    else:
        _blend(paper, fixed[0], (x, y, x + wide, y + high), (colour, colour if to is None else to), alpha)


def _extend(paper: Canvas, owner: int, ends: tuple[int, int, int, int]) -> None:
    known = paper.reach.get(owner, ends)
    paper.reach[owner] = (*map(min, known[:2], ends[:2]), *map(max, known[2:], ends[2:]))


def _blend(
    paper: Canvas,
    fixed: NDArray[np.int32],
    ends: tuple[int, int, int, int],
    colours: tuple[Colour, Colour],
    alpha: float,
) -> None:
    high, wide = paper.owner.shape
    x1, y1 = max(ends[0] // _STEPS - 1, 0), max(ends[1] // _STEPS - 1, 0)
    x2, y2 = min(ends[2] // _STEPS + 2, wide), min(ends[3] // _STEPS + 2, high)
    if x2 <= x1 or y2 <= y1:
        return
    mask = np.zeros((y2 - y1, x2 - x1), np.uint8)
    cv2.fillPoly(mask, [fixed - np.array([x1, y1], np.int32) * _STEPS], 1, cv2.LINE_8, _SHIFT)
    share = np.clip((np.arange(y1, y2) * _STEPS - ends[1]) / max(ends[3] - ends[1], 1), 0.0, 1.0)[:, None]
    rows = np.asarray(colours[0]) * (1.0 - share) + np.asarray(colours[1]) * share + 0.5
    window = paper.pixels[y1:y2, x1:x2]
    # one column stretched: five times faster than numpy's broadcasting of three bytes
    paint = cv2.resize(rows.astype(np.uint8)[:, None, :], (x2 - x1, y2 - y1), interpolation=cv2.INTER_NEAREST)
    if alpha < 1.0:
        paint = cv2.addWeighted(paint, alpha, window, 1.0 - alpha, 0.0)
    cv2.copyTo(paint, mask, window)


def rectangle(x1: float, y1: float, x2: float, y2: float, *, rounding: float = 0.0) -> NDArray[np.float64]:
    """Return the outline of an upright rectangle, its corners rounded by a radius, as an (n, 2) array."""
    if rounding <= 0.0:
        return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]])
    radius = min(rounding, abs(x2 - x1) / 2, abs(y2 - y1) / 2)
    turns = np.linspace(0.0, np.pi / 2, 5)
    corners = [(x2 - radius, y2 - radius), (x1 + radius, y2 - radius), (x1 + radius, y1 + radius)]
    corners.append((x2 - radius, y1 + radius))
    arcs = [arc(corner, radius, quarter * np.pi / 2 + turns) for quarter, corner in enumerate(corners)]
    return np.concatenate(arcs)


def ellipse(centre: Point, radii: tuple[float, float], *, angle_rad: float = 0.0) -> NDArray[np.float64]:
    """Return the outline of an ellipse with half axes `radii`, turned clockwise on the screen."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    wide, high = radii
    turn = np.array([[wide * cos, wide * sin], [-high * sin, high * cos]])
    return np.asarray(_CIRCLE @ turn + np.asarray(centre, float))


def arc(centre: Point, radii: ArrayLike, angles_rad: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points on an ellipse at the given angles (0 is right, growing clockwise on the screen)."""
    turned = np.stack([np.cos(angles_rad), np.sin(angles_rad)], axis=1)
    return np.asarray(turned * radii + np.asarray(centre, float))


def stroke(points: ArrayLike, widths: ArrayLike) -> NDArray[np.float64]:
    """Return the outline of a line through `points` with one width or a width per point, ends rounded."""
    path = np.asarray(points, float)
    half = np.broadcast_to(np.asarray(widths, float), len(path))[:, None] / 2
    along = np.gradient(path, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    aside = np.column_stack([-along[:, 1], along[:, 0]]) * half
    turns = np.linspace(-np.pi / 2, np.pi / 2, 6)[1:-1]
    ends = [_cap(path[-1], along[-1], half[-1, 0], turns), _cap(path[0], -along[0], half[0, 0], turns)]
    return np.concatenate([path - aside, ends[0], (path + aside)[::-1], ends[1]])


def _cap(
    end: NDArray[np.float64], along: NDArray[np.float64], radius: float, turns: NDArray[np.float64]
) -> NDArray[np.float64]:
    return arc(end, radius, float(np.arctan2(along[1], along[0])) + turns)


def curve(points: ArrayLike, *, steps: int = 12) -> NDArray[np.float64]:
    """Return the Bezier curve of the control points, sampled at `steps` places."""
    control = np.asarray(points, float)
    share = np.linspace(0.0, 1.0, steps)[:, None, None]
    layer = np.broadcast_to(control, (steps, *control.shape))
    while layer.shape[1] > 1:
        layer = layer[:, :-1] * (1 - share) + layer[:, 1:] * share
    return np.asarray(layer[:, 0])


def grain(paper: Canvas, rows: slice, rng: np.random.Generator, *, strength: float, stretch: int) -> None:
    """Roughen the colours of some canvas rows with noise `stretch` times wider than high (asphalt, cloth, grass)."""
    window = paper.pixels[rows]
    high, wide = window.shape[:2]
    if high == 0:
        return
    noise = rng.normal(0.0, strength, (high // 2 + 1, wide // (2 * stretch) + 1)).astype(np.float32)
    spread = np.asarray(cv2.resize(noise, (wide, high), interpolation=cv2.INTER_LINEAR))
    window[:] = np.clip(window + spread[:, :, None], 0, 255).astype(np.uint8)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Return the colour `share` of the way from `first` to `second`."""
    red, green, blue = (min(max(a + (b - a) * share, 0.0), 255.0) for a, b in zip(first, second, strict=True))
    return red, green, blue


def warped(paper: Canvas, map_x: NDArray[np.float32], map_y: NDArray[np.float32]) -> Canvas:
    """Return the canvas seen through a lens that takes pixel (x, y) from (map_x, map_y), owners included."""
    smooth = [cv2.remap(layer, map_x, map_y, cv2.INTER_LINEAR) for layer in (paper.pixels, paper.glow)]
    owner = cv2.remap(paper.owner, map_x, map_y, cv2.INTER_NEAREST)
    return replace(
        paper,
        pixels=np.asarray(smooth[0], np.uint8),
        glow=np.asarray(smooth[1], np.uint8),
        owner=np.asarray(owner, np.uint8),
    )


def boxes(paper: Canvas) -> list[tuple[Box | None, float]]:
    """Return every thing's box (visible extent, picture pixels; None when hidden) and its visible share, in order.

    The share is visible pixels over painted ones, times the share of the whole extent that lies in the picture.
    """
    return [_seen(paper, number, thing) for number, thing in enumerate(paper.things, start=1)]


def settled(
    paint: Callable[[frozenset[Hashable]], Canvas], least_px: Callable[[str], tuple[float, float]], least_seen: float
) -> Canvas:
    """Return the scene without things too hidden or too small to be labelled: nothing unlabelled is ever drawn.

    `paint` paints the scene without the things of the given keys; `least_px` is a class's least shorter and longer
    side in picture pixels, `least_seen` the least visible share.
    """
    dropped: frozenset[Hashable] = frozenset()
    while True:
        paper = paint(dropped)
        seen = zip(paper.things, boxes(paper), strict=True)
        unfit = {thing.key for thing, (box, share) in seen if share < least_seen or _small(box, least_px(thing.label))}
        if not unfit:
            return paper
        dropped |= unfit


def _small(box: Box | None, least_px: tuple[float, float]) -> bool:
    if box is None:
        return True
    sides = sorted([float(box["x2"]) - float(box["x1"]), float(box["y2"]) - float(box["y1"])])
    return sides[0] < least_px[0] or sides[1] < least_px[1]


def _seen(paper: Canvas, number: int, thing: Thing) -> tuple[Box | None, float]:
    mine = cv2.inRange(paper.owner, number, number)
    x, y, wide, high = cv2.boundingRect(mine)
    if not wide:
        return None, 0.0
    ends = np.array([x, y, x + wide, y + high]) / SUPERSAMPLE
    share = min(1.0, cv2.countNonZero(mine) / max(thing.painted_px, 1)) * thing.inside_share
    return {"class": thing.label, **dict(zip(("x1", "y1", "x2", "y2"), map(float, ends), strict=True))}, float(share)


def one_of(rng: np.random.Generator, colours: Sequence[Colour], spread: float) -> Colour:
    """Return a colour near one of `colours`, each as likely as every other, as `varied` makes it."""
    return varied(rng, colours[int(rng.integers(len(colours)))], spread)


def varied(rng: np.random.Generator, colour: Colour, spread: float) -> Colour:
    """Return a colour near `colour`: lightness moved by up to `spread`, each channel by a third of it."""
    moved = np.asarray(colour) + rng.uniform(-spread, spread) + rng.uniform(-spread / 3, spread / 3, 3)
    red, green, blue = np.clip(moved, 0, 255)
    return float(red), float(green), float(blue)
