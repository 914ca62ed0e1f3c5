"""A stretch of shelves, painted: boards, rails, tags, containers, what stands in the way, and the view of a camera."""

from collections.abc import Hashable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vouch.scenes import draw, packages, shelving
from vouch.scenes.draw import Canvas, Colour, Thing, ellipse, polygon, rectangle, stroke
from vouch.scenes.forms import FORMS
from vouch.scenes.packages import Package
from vouch.scenes.shelving import Item, Row
from vouch.scenes.store import Store

SKINS: tuple[Colour, ...] = ((236, 196, 168), (206, 158, 122), (150, 104, 74), (92, 62, 46))
SLEEVES: tuple[Colour, ...] = ((40, 52, 84), (150, 40, 44), (90, 92, 96), (44, 90, 66), (220, 214, 200))
DEEP = 0.12  # something at the back looks so much smaller


@dataclass(frozen=True)
class Scene:
    """Everything that one photograph shows."""

    rows: tuple[Row, ...]
    size_mm: tuple[float, float]
    view: NDArray[np.float64]  # 3 x 3: picture of the shelves' plane to the photograph, both in fractions of their size
    hand: tuple[float, float, float] | None  # where it grasps, and from which side it comes
    trolley: float | None  # how high it stands in the picture, mm
    streaks: tuple[tuple[float, float, float, float], ...]  # reflections: x, width, slant in mm, strength
    skin: Colour
    sleeve: Colour


def scene(
    rng: np.random.Generator, look: Store, rows: tuple[Row, ...], size_mm: tuple[float, float], occlusion_rate: float
) -> Scene:
    """Draw the camera's place and what is in the way, as often as `occlusion_rate` says."""
    wide, high = size_mm
    occluded = rng.random() < occlusion_rate
    by_hand = rng.random() < 0.5
    hand = (float(rng.uniform(0.2, 0.8) * wide), float(rng.uniform(0.35, 0.8) * high), float(rng.choice([-1.0, 1.0])))
    low = float(rng.uniform(40, 120))
    streaks = tuple(_streak(rng, wide) for _ in range(int(rng.integers(1, 5))))
    view = _view(rng)
    return Scene(
        tuple(
            replace(row, items=tuple(item for item in row.items if _in_sight(view, row, item, size_mm))) for row in rows
        ),
        size_mm,
        view,
        hand if occluded and by_hand else None,
        low if occluded and not by_hand else None,
        streaks if look.glass else (),
        draw.one_of(rng, SKINS, 10),
        draw.one_of(rng, SLEEVES, 20),
    )


def _streak(rng: np.random.Generator, wide: float) -> tuple[float, float, float, float]:
    x, width, slant = rng.uniform(-0.2, 1.0) * wide, rng.uniform(20, 130), rng.uniform(80, 300)
    return float(x), float(width), float(slant), float(rng.uniform(0.06, 0.2))


def _in_sight(view: NDArray[np.float64], row: Row, item: Item, size_mm: tuple[float, float]) -> bool:
    """Say whether a facing's middle is in the picture; of the others less than half could be."""
    middle = (item.x_mm / size_mm[0], (row.base_mm - FORMS[item.design.form].height_mm / 2) / size_mm[1], 1.0)
    x, y, depth = view @ middle
    return bool(0.01 < x / depth < 0.99 and 0.01 < y / depth < 0.99)


def _view(rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw a camera that stands nearly in front: the part of the plane that it sees is a quadrangle inside it."""
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    turn, tip, roll = rng.normal(0, 0.02), rng.normal(0, 0.018), rng.normal(0, 0.008)
    inward = (
        0.035
        + np.array([turn, -turn, -turn, turn])[:, None] * [0, 1]
        + np.array([tip, tip, -tip, -tip])[:, None] * [1, 0]
    )
    corners = np.clip(square + (1 - 2 * square) * inward + np.array([1, 1, -1, -1])[:, None] * [0, roll], 0.0, 1.0)
    return np.asarray(cv2.getPerspectiveTransform(corners.astype(np.float32), square), np.float64)


def painted(paper: Canvas, look: Store, shown: Scene, dropped: frozenset[Hashable]) -> Canvas:
    """Return the canvas with the shelves as the camera sees them; each thing's key is its item."""
    wide, high = shown.size_mm
    polygon(paper, rectangle(0, 0, wide, high), draw.mix(look.back, (0, 0, 0), 0.25))
    for row in shown.rows:
        _row(paper, look, shown, row, dropped)
    _below(paper, look, shown)
    _in_the_way(paper, shown)
    seen = _seen(paper, shown.view)
    for x, width, slant, strength in shown.streaks:
        corners = [(x, 0), (x + width, 0), (x + width - slant, high), (x - slant, high)]
        polygon(seen, corners, (226, 236, 244), alpha=strength, owner=None)
    return seen


def _seen(paper: Canvas, view: NDArray[np.float64]) -> Canvas:
    high, wide = paper.owner.shape
    scale = np.diag([wide, high, 1.0])
    through = scale @ view @ np.linalg.inv(scale)
    pixels = cv2.warpPerspective(paper.pixels, through, (wide, high), flags=cv2.INTER_LINEAR)
    owner = cv2.warpPerspective(paper.owner, through, (wide, high), flags=cv2.INTER_NEAREST)
    return replace(paper, pixels=np.asarray(pixels, np.uint8), owner=np.asarray(owner, np.uint8))


def _row(paper: Canvas, look: Store, shown: Scene, row: Row, dropped: frozenset[Hashable]) -> None:
    wide, high = shown.size_mm
    polygon(paper, rectangle(0, row.top_mm, wide, row.base_mm), draw.mix(look.back, (0, 0, 0), 0.55), to=look.back)
    lift = 22.0 * (row.base_mm / high - look.eye)  # of the front items over the board's edge, as the camera sees it
    if lift > 0:
        surface = rectangle(0, row.base_mm - 2.6 * lift, wide, row.base_mm)
        polygon(paper, surface, draw.mix(look.board, (0, 0, 0), 0.6), to=look.board)
    for item in sorted(row.items, key=lambda item: -item.depth):
        if item not in dropped:
            _item(paper, item, (item.x_mm, row.base_mm - lift * (0.45 + 2.0 * item.depth)))
    _rail(paper, look, row, wide)


def _item(paper: Canvas, item: Item, at_mm: tuple[float, float]) -> None:
    sprite, size = packages.package(item.design, item.yaw_step), 1 - DEEP * item.depth
    half = sprite.base_px[0] / packages.PX_PER_MM * size
    polygon(paper, ellipse(at_mm, (half, 5.0)), (0, 0, 0), alpha=0.45, owner=None)
    number = len(paper.things) + 1
    paper.things.append(put(paper, sprite, at_mm, size, item.shade, Thing(item.design.container, item, 0, 1.0), number))


def put(
    paper: Canvas, sprite: Package, at_mm: tuple[float, float], size: float, shade: float, thing: Thing, owner: int
) -> Thing:
    """Put a package with the middle of its base at a place of the canvas, darkened by `shade`; return it as painted."""
    scale = size * float(paper.frame[0, 0]) / packages.PX_PER_MM
    base = paper.frame[:, :2] @ np.asarray(at_mm) + paper.frame[:, 2]
    x, y = base - np.asarray(sprite.base_px) * scale
    high, wide = sprite.pixels.shape[:2]
    ends = (int(np.floor(x)), int(np.floor(y)), int(np.ceil(x + wide * scale)) + 1, int(np.ceil(y + high * scale)) + 1)
    move = np.array([[scale, 0.0, x - ends[0]], [0.0, scale, y - ends[1]]])
    layer = cv2.warpAffine(sprite.pixels, move, (ends[2] - ends[0], ends[3] - ends[1]), flags=cv2.INTER_LINEAR)
    rows, columns = (slice(max(ends[1], 0), max(ends[3], 0)), slice(max(ends[0], 0), max(ends[2], 0)))
    window = paper.pixels[rows, columns]
    whole = cv2.countNonZero(cv2.inRange(layer[:, :, 3], 128, 255))
    layer = layer[rows.start - ends[1] :, columns.start - ends[0] :][: window.shape[0], : window.shape[1]]
    if not window.size:
        return thing
    cover = np.ascontiguousarray(layer[:, :, 3])
    under = cv2.multiply(window, cv2.merge([255 - cover] * 3), scale=1 / 255.0)
    window[:] = cv2.addWeighted(np.ascontiguousarray(layer[:, :, :3]), shade, under, 1.0, 0.0)
    mine = cover > 127
    paper.owner[rows, columns][mine] = owner
    return replace(thing, painted_px=int(mine.sum()), inside_share=float(mine.sum()) / max(whole, 1))


def _rail(paper: Canvas, look: Store, row: Row, wide: float) -> None:
    """Paint the edge of the board with its price tags."""
    top, bottom = row.base_mm, row.base_mm + shelving.RAIL_MM
    polygon(paper, rectangle(0, top, wide, bottom), look.rail, to=draw.mix(look.rail, (0, 0, 0), 0.25))
    polygon(paper, rectangle(0, top, wide, top + 3), draw.mix(look.board, (255, 255, 255), 0.3))
    polygon(paper, rectangle(0, bottom - 2, wide, bottom), draw.mix(look.rail, (0, 0, 0), 0.6))
    for number, x in enumerate(row.tags_mm):
        polygon(paper, rectangle(x - 24, top + 5, x + 24, bottom - 4, rounding=2), look.tag)
        ink = draw.mix(look.tag, (20, 20, 24), 0.85)
        polygon(paper, rectangle(x - 21, top + 8, x - 2, top + 10), ink)
        polygon(paper, rectangle(x - 21, top + 13, x - 6 + number % 3, top + 14.5), ink, alpha=0.7)
        polygon(paper, rectangle(x - 21, top + 18, x - 8, top + 24), ink, alpha=0.6)
        for digit in range(3):  # of the price
            left = x + 1 + 7 * digit
            polygon(paper, rectangle(left, top + 9, left + 5, top + 25), ink)
            hole = rectangle(left + 1.6, top + 12 + (number + digit) % 3, left + 3.4, top + 15 + (number + digit) % 3)
            polygon(paper, hole, look.tag)


def _below(paper: Canvas, look: Store, shown: Scene) -> None:
    """Paint the plinth and the floor under the last shelf, where the picture reaches so far."""
    wide, high = shown.size_mm
    top = (shown.rows[-1].base_mm if shown.rows else 0.0) + shelving.RAIL_MM
    if top < high:
        polygon(paper, rectangle(0, top, wide, high), draw.mix(look.board, (0, 0, 0), 0.45))
    if top + 90 < high:
        floor = draw.mix(look.board, (150, 146, 138), 0.7)
        polygon(paper, rectangle(0, top + 90, wide, high), draw.mix(floor, (0, 0, 0), 0.4), to=floor)


def _in_the_way(paper: Canvas, shown: Scene) -> None:
    if shown.hand is not None:
        _hand(paper, shown, *shown.hand)
    if shown.trolley is not None:
        _trolley(paper, shown, shown.trolley)


def _hand(paper: Canvas, shown: Scene, x: float, y: float, side: float) -> None:
    """Paint an arm that comes from below on one side and grasps."""
    high = shown.size_mm[1]
    elbow = (x + side * 170, max(y + 240, high + 60))
    wrist = (x + side * 34, y + 52)
    dark = draw.mix(shown.skin, (60, 20, 10), 0.35)
    polygon(
        paper, stroke([wrist, ((wrist[0] + elbow[0]) / 2, (wrist[1] + elbow[1]) / 2), elbow], [44, 58, 74]), shown.skin
    )
    cuff = (wrist[0] * 0.55 + elbow[0] * 0.45, wrist[1] * 0.55 + elbow[1] * 0.45)
    polygon(paper, stroke([cuff, elbow, (elbow[0] + side * 40, elbow[1] + 60)], [70, 92, 104]), shown.sleeve)
    polygon(paper, ellipse((x + side * 14, y + 24), (36, 40), angle_rad=-side * 0.5), shown.skin)
    for finger in range(4):
        tip = (x - side * (26 - 5 * finger), y - 22 + 17 * finger)
        root = (x + side * 16, y + 2 + 12 * finger)
        polygon(paper, stroke([root, ((root[0] + tip[0]) / 2, (root[1] + tip[1]) / 2 - 5), tip], [19, 19, 15]), dark)
        polygon(
            paper, stroke([root, ((root[0] + tip[0]) / 2, (root[1] + tip[1]) / 2 - 6), tip], [16, 16, 12]), shown.skin
        )


def _trolley(paper: Canvas, shown: Scene, low: float) -> None:
    """Paint the front edge of a wire basket along the lower border."""
    wide, high = shown.size_mm
    steel, top = (150, 154, 160), high - low
    for x in np.arange(-20, wide + 20, 26.0):
        polygon(paper, stroke([(x, top), (x + 4, high + 10)], 2.6), steel)
    for y in np.arange(top + 24, high + 20, 26.0):
        polygon(paper, stroke([(0, y), (wide, y)], 2.6), steel)
    polygon(paper, stroke([(-10, top), (wide + 10, top)], 13.0), shown.sleeve)
    polygon(paper, stroke([(-10, top - 3), (wide + 10, top - 3)], 3.0), draw.mix(shown.sleeve, (255, 255, 255), 0.5))


def shade(shown: Scene, look: Store, size_px: tuple[int, int]) -> NDArray[np.float32]:
    """Return the light (height, width) that falls less under each board, and more on the side of the window."""
    wide, high = size_px
    y = (np.arange(high) + 0.5) / high * shown.size_mm[1]
    dark = np.zeros(high)
    for row in shown.rows:
        under = np.clip((y - row.top_mm) / 90.0, 0, 1)
        dark += np.where((y >= row.top_mm) & (y < row.base_mm), -0.22 * (1 - under) ** 2, 0.0)
    aside = np.linspace(-1, 1, wide) * look.window * (0.16 if look.lighting == "daylight" else 0.05)
    plane = np.asarray(dark[:, None] + aside[None, :], np.float32)
    scale = np.diag([wide, high, 1.0])
    through = scale @ shown.view @ np.linalg.inv(scale)
    return np.asarray(cv2.warpPerspective(plane, through, (wide, high), flags=cv2.INTER_LINEAR), np.float32)
