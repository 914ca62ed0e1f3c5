"""Pictures with transparency, put on a canvas: solids of revolution seen from any side, and crumpled film."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vouch.scenes.draw import Canvas, Colour

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
FIXED = 16  # OpenCV takes coordinates in 1/16 pixel
MARGIN_PX = 3


@dataclass(frozen=True)
class Sprite:
    """Colours times coverage and coverage, (height, width, 4), canvas pixels; `anchor_px` (x, y) is what is placed."""

    pixels: Pixels
    anchor_px: tuple[float, float]


@dataclass(frozen=True)
class Solid:
    """A solid of revolution: (height, radius) in metres from the base up, a rolled-out skin, and its two ends."""

    outline_m: tuple[tuple[float, float], ...]
    skin: Pixels  # (rows from the top down, columns once round, 3)
    top: Colour
    base: Colour
    clearness: float  # 0 opaque, 1 invisible
    gloss: float
    rim: float  # width of the brighter edge of an end, share of its radius; 0 where there is none
    hollow: bool  # its top is open: the end shows a dark inside


@dataclass(frozen=True)
class Pose:
    """How a solid is seen: the turn of its axis on the picture (0: up), its foreshortening, its roll about the axis."""

    angle_rad: float
    stretch: float  # seen length over length
    squash: float  # short over long axis of its ends
    base_first: bool  # the base faces the camera, and the axis is told from the top to the base
    roll: float  # 0 to 1


def standing(squash: float, roll: float) -> Pose:
    """Return the pose of what stands upright, seen from above by so much."""
    return Pose(0.0, 0.95, squash, False, roll)


def lying(heading_rad: float, depth_per_width: float, roll: float) -> Pose:
    """Return the pose of what lies on the ground; heading 0 is to the right, a quarter turn is away."""
    across, away = np.cos(heading_rad), np.sin(heading_rad) * depth_per_width
    stretch = float(np.clip(np.hypot(across, away), 0.45, 1.0))
    facing_base = bool(away > 0)
    sign = -1.0 if facing_base else 1.0
    angle = float(np.arctan2(sign * across, sign * away))  # clockwise from upright
    return Pose(angle, stretch, float(np.sqrt(1.0 - stretch**2)), facing_base, roll)


def revolved(solid: Solid, pose: Pose, px_per_m: float, light_rad: float) -> Sprite:
    """Return the picture of a solid, its axis upright and not yet turned; the middle of its axis is the anchor.

    `light_rad` is where the light comes from on the picture (0 is up, clockwise), as the solid will lie there.
    """
    up, radius, rows = _rings(solid, pose, px_per_m)
    widest = float(radius.max())
    half, low = int(np.ceil(widest)) + MARGIN_PX, int(np.ceil(widest * pose.squash)) + MARGIN_PX
    size = (2 * half + 1, int(np.ceil(up[-1])) + 2 * low + 1)
    ring = np.zeros((size[1], size[0]), np.uint8)
    for number, (height, reach) in enumerate(zip(up, radius, strict=True), start=1):
        centre = (half * FIXED, round((size[1] - low - height) * FIXED))
        axes = (round(reach * FIXED), round(max(reach * pose.squash, 0.6) * FIXED))
        cv2.ellipse(ring, centre, axes, 0, 0, 360, number, -1, cv2.LINE_8, 4)
    image, cover = _coloured(solid, pose, ring, (radius, rows, half), light_rad - pose.angle_rad)
    _end(image, cover, solid, pose, (half, size[1] - low - float(up[-1]), float(radius[-1])))
    return Sprite(premultiplied(image, cover), (float(half), size[1] - low - float(up[-1]) / 2))


def _rings(solid: Solid, pose: Pose, px_per_m: float) -> tuple[Floats, Floats, Floats]:
    """Return height and radius in pixels, and the place in the skin (0 top, 1 base), of rings a pixel or two apart."""
    heights, radii = np.array(solid.outline_m).T
    count = int(np.clip((heights[-1] - heights[0]) * px_per_m * pose.stretch / 1.7, 10, 180))
    at = np.linspace(heights[0], heights[-1], count)
    radius = np.interp(at, heights, radii)
    rows = 1.0 - (at - heights[0]) / (heights[-1] - heights[0])
    if pose.base_first:
        at, radius, rows = heights[-1] - at[::-1] + heights[0], radius[::-1], rows[::-1]
    up = (at - at[0]) * px_per_m * pose.stretch
    return up.astype(np.float32), (radius * px_per_m).astype(np.float32), rows.astype(np.float32)


def _coloured(
    solid: Solid, pose: Pose, ring: Pixels, rings: tuple[Floats, Floats, int], light_rad: float
) -> tuple[Floats, Floats]:
    """Return colours (0 to 255) and coverage (0 to 1) of the side of a solid."""
    radius, rows, half = rings
    seen = np.maximum(ring, 1) - 1
    x = np.arange(ring.shape[1], dtype=np.float32)[None, :] - np.float32(half)
    across = np.clip(x / np.maximum(radius[seen], 1.0), -1, 1)
    tall, long = solid.skin.shape[:2]
    turned = (np.arcsin(across) / np.float32(2 * np.pi) + np.float32(pose.roll)) % 1.0
    image = cv2.remap(
        solid.skin, (turned * (long - 1)).astype(np.float32), rows[seen] * (tall - 1), cv2.INTER_LINEAR
    ).astype(np.float32)
    aside = np.float32(np.sin(light_rad) * 0.8)
    flank = np.sqrt(np.clip(1 - across**2, 0, 1))
    shade = 0.46 + 0.56 * np.clip(across * aside + flank * 0.9, 0, 1.1)
    shine = np.exp(-(((across - aside * 0.75) / 0.11) ** 2)) + 0.35 * np.exp(-(((across + 0.72) / 0.07) ** 2))
    image = image * shade[:, :, None] + (92.0 * solid.gloss) * shine[:, :, None]
    inside = (ring > 0).astype(np.float32)
    edge = 1.0 - flank  # film is seen through in the middle, and thick at the edges
    thick = 1.0 - solid.clearness * (1.0 - 0.75 * edge) + solid.clearness * solid.gloss * 0.7 * shine
    return image, inside * np.clip(thick, 0, 1)


def _end(image: Floats, cover: Floats, solid: Solid, pose: Pose, place: tuple[float, float, float]) -> None:
    """Paint the end that faces the camera."""
    x, y, radius = place
    if radius * pose.squash < 1.0:
        return
    centre = (round(x * FIXED), round(y * FIXED))
    hollow = solid.hollow and not pose.base_first
    tone = solid.base if pose.base_first else solid.top
    light = tuple(min(channel * 1.12 + 14, 255.0) for channel in tone)
    rim = solid.rim if not hollow else max(solid.rim, 0.12)
    dark = tuple(channel * 0.34 for channel in tone) if hollow else tone
    for share, colour in ((1.0, light), (1.0 - rim, dark)):
        axes = (round(radius * share * FIXED), round(radius * share * pose.squash * FIXED))
        cv2.ellipse(image, centre, axes, 0, 0, 360, colour, -1, cv2.LINE_AA, 4)
    axes = (round(radius * FIXED), round(radius * pose.squash * FIXED))
    cv2.ellipse(cover, centre, axes, 0, 0, 360, 1.0 - solid.clearness * 0.5, -1, cv2.LINE_8, 4)


def premultiplied(image: NDArray[np.floating], cover: NDArray[np.floating]) -> Pixels:
    """Return colours (0 to 255) and coverage (0 to 1) as a sprite has them."""
    coloured = np.clip(image, 0, 255) * cover[:, :, None] + 0.5
    return np.dstack([coloured, cover * 255.0 + 0.5]).astype(np.uint8)


def worn(sprite: Sprite, rng: np.random.Generator, dents: float, dirt: float) -> Sprite:
    """Return a sprite dented (0 not, 1 crushed) and stained (0 to 1)."""
    high, wide = sprite.pixels.shape[:2]
    pixels = sprite.pixels
    if dents > 0.02:
        reach = dents * 0.22 * min(high, wide)
        column, row = np.meshgrid(np.arange(wide, dtype=np.float32), np.arange(high, dtype=np.float32))
        away = [clouds(rng, (high, wide), 4) * np.float32(reach) for _ in range(2)]
        pixels = np.asarray(cv2.remap(pixels, column + away[0], row + away[1], cv2.INTER_LINEAR), np.uint8)
        creases = 1.0 + np.float32(dents * 0.55) * clouds(rng, (high, wide), 7)
        pixels[:, :, :3] = np.clip(pixels[:, :, :3] * creases[:, :, None], 0, pixels[:, :, 3:])
    if dirt > 0.02:
        stains = 1.0 - np.float32(dirt) * np.clip(clouds(rng, (high, wide), 6) + 0.2, 0, 1)
        pixels = pixels.copy() if pixels is sprite.pixels else pixels
        pixels[:, :, :3] = (pixels[:, :, :3] * stains[:, :, None]).astype(np.uint8)
    return replace(sprite, pixels=pixels)


def clouds(rng: np.random.Generator, size: tuple[int, int], cells: int) -> Floats:
    """Return smooth noise (height, width) between about -1 and 1, with so many cells along a side."""
    coarse = rng.uniform(-1, 1, (cells + 1, cells + 1)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (size[1], size[0]), interpolation=cv2.INTER_CUBIC), np.float32)


def crumpled(rng: np.random.Generator, size: tuple[int, int], sharpness: float) -> Floats:
    """Return how much light (about 0.5 to 1.6) the folds of crumpled film or cloth throw back, (height, width)."""
    high, wide = (max(side // 2, 8) for side in size)
    folds = np.zeros((high, wide), np.float32)
    row, column = np.meshgrid(np.arange(high, dtype=np.float32), np.arange(wide, dtype=np.float32), indexing="ij")
    for cells, weight in ((3, 1.0), (5, 0.7), (9, 0.45), (15, 0.22)):
        bend = [clouds(rng, (high, wide), 3) * np.float32(0.22 * min(high, wide)) for _ in range(2)]
        ridges = np.abs(clouds(rng, (high, wide), cells))
        folds += np.float32(weight) * cv2.remap(
            ridges, column + bend[0], row + bend[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
    steep = cv2.Sobel(folds, cv2.CV_32F, 1, 0, ksize=3) + np.float32(0.8) * cv2.Sobel(folds, cv2.CV_32F, 0, 1, ksize=3)
    steep /= max(float(steep.std()), 1e-6)
    lit = 1.0 + np.float32(0.105 * sharpness) * np.clip(steep, -2.2, 2.8)
    return np.asarray(cv2.resize(lit, (size[1], size[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def blob(rng: np.random.Generator, size: tuple[int, int], roughness: float) -> Floats:
    """Return the coverage (0 to 1) of a round thing with an uneven outline that fills a sprite of that size."""
    high, wide = size
    turns = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    reach = np.ones_like(turns)
    for wave in (2, 3, 5, 8):
        reach += roughness / wave**0.6 * rng.normal(0, 0.5) * np.sin(wave * turns + rng.uniform(0, 6.3))
    reach /= reach.max()
    points = np.stack([(0.5 + 0.47 * reach * np.cos(turns)) * wide, (0.5 + 0.47 * reach * np.sin(turns)) * high], 1)
    cover = np.zeros((high, wide), np.uint8)
    cv2.fillPoly(cover, [np.round(points * FIXED).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return cover.astype(np.float32) / np.float32(255.0)


def put(
    paper: Canvas,
    sprite: Sprite,
    at_px: tuple[float, float],
    *,
    angle_rad: float = 0.0,
    shade: float = 1.0,
    alpha: float = 1.0,
    owner: int | None = 0,
) -> None:
    """Put a sprite's anchor at a place of the canvas (canvas pixels), turned clockwise, darkened by `shade`.

    `owner` is as in `draw.polygon`: the number of a labelled thing, 0 for scenery, None to leave the ownership alone.
    """
    layer, corner = _turned(sprite, at_px, angle_rad)
    x1, y1 = corner
    high, wide = paper.owner.shape
    rows, columns = slice(max(y1, 0), min(y1 + layer.shape[0], high)), slice(max(x1, 0), min(x1 + layer.shape[1], wide))
    if owner:
        _extend(paper, owner, layer[:, :, 3], corner)
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    inside = layer[rows.start - y1 : rows.stop - y1, columns.start - x1 : columns.stop - x1]
    cover = np.ascontiguousarray(inside[:, :, 3])
    window = paper.pixels[rows, columns]
    left = cv2.merge([_left(cover, alpha)] * 3)
    under = cv2.multiply(window, left, scale=1 / 255.0)
    window[:] = cv2.addWeighted(np.ascontiguousarray(inside[:, :, :3]), shade * alpha, under, 1.0, 0.0)
    if owner is not None:
        mine = cover > 60
        paper.owner[rows, columns][mine] = owner
        paper.glow[rows, columns][mine] = 0


def _left(cover: Pixels, alpha: float) -> Pixels:
    """Return how much of what lies under a layer is still seen, 0 to 255."""
    return (255.0 - cover * np.float32(alpha) + 0.5).astype(np.uint8)


def _turned(sprite: Sprite, at_px: tuple[float, float], angle_rad: float) -> tuple[Pixels, tuple[int, int]]:
    high, wide = sprite.pixels.shape[:2]
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    turn = np.array([[cos, -sin], [sin, cos]])
    corners = np.array([(0, 0), (wide, 0), (wide, high), (0, high)]) - sprite.anchor_px
    ends = corners @ turn.T + at_px
    low, top = np.floor(ends.min(axis=0)).astype(int), np.ceil(ends.max(axis=0)).astype(int) + 1
    shift = np.asarray(at_px) - low - turn @ np.asarray(sprite.anchor_px)
    size = (int(top[0] - low[0]), int(top[1] - low[1]))
    layer = cv2.warpAffine(sprite.pixels, np.column_stack([turn, shift]), size, flags=cv2.INTER_LINEAR)
    return np.asarray(layer, np.uint8), (int(low[0]), int(low[1]))


def _extend(paper: Canvas, owner: int, cover: Pixels, corner: tuple[int, int]) -> None:
    """Widen the known extent of a labelled thing by what a layer covers, outside the picture too."""
    x, y, wide, high = cv2.boundingRect((cover > 60).astype(np.uint8))
    ends = tuple(FIXED * value for value in (corner[0] + x, corner[1] + y, corner[0] + x + wide, corner[1] + y + high))
    known = paper.reach.get(owner, ends)
    paper.reach[owner] = (*map(min, known[:2], ends[:2]), *map(max, known[2:], ends[2:]))
