"""What waste is put out in: boxes, bins and sacks, each with a part behind what lies in it and a part in front."""

from functools import lru_cache

import cv2
import numpy as np

from vouch.scenes import draw, films, lying, sprites
from vouch.scenes.draw import Canvas, Colour, polygon, stroke
from vouch.scenes.lying import Lying
from vouch.scenes.perspective import Camera
from vouch.scenes.sprites import Floats, Sprite

CONTAINERS = ("bag", "bin", "box", "loose")
STREAM_COLOURS: dict[str, Colour] = {
    "paper": (44, 84, 150),
    "plastic": (226, 190, 50),
    "metal": (222, 176, 44),
    "glass": (56, 120, 84),
    "organic": (88, 112, 56),
    "residual": (72, 74, 78),
}
SIZES_M = {"bin": (0.54, 0.46, 0.46), "box": (0.60, 0.44, 0.24), "bag": (0.54, 0.42, 0.22)}
SACKS: tuple[Colour, ...] = ((40, 42, 46), (40, 42, 46), (70, 78, 92), (206, 180, 60), (196, 204, 208))


def colour(rng: np.random.Generator, stream: str) -> Colour:
    """Draw a container's colour: mostly that of its stream, as towns differ."""
    name = stream if rng.random() < 0.7 else list(STREAM_COLOURS)[rng.integers(len(STREAM_COLOURS))]
    return draw.varied(rng, STREAM_COLOURS[name], 18)


def behind(paper: Canvas, view: Camera, thing: Lying, tone: Colour) -> None:
    """Paint what of a container is behind its contents."""
    if thing.kind == "bag":
        x, y = lying.foot_px(paper, view, thing)
        sprites.put(paper, _mouth(thing, tone, _px(paper, view, thing)), (x, y))
        return
    ends = lying.corners(view, thing, SIZES_M[thing.kind])
    if thing.kind == "bin":  # the lid hangs open behind
        lid = np.stack([ends[1, 3], ends[1, 2], ends[1, 2] + (8, -44), ends[1, 3] + (-4, -44)])
        polygon(paper, lid, draw.mix(tone, (255, 255, 255), 0.12), to=draw.mix(tone, (0, 0, 0), 0.2))
    floor = draw.mix(tone, (0, 0, 0), 0.72)
    for number in range(4):
        after = (number + 1) % 4
        wall = np.stack([ends[1, number], ends[1, after], ends[0, after], ends[0, number]])
        polygon(paper, wall, draw.mix(tone, (0, 0, 0), 0.45), to=floor)
    polygon(paper, ends[1], draw.mix(tone, (0, 0, 0), 0.6), to=floor)


def in_front(paper: Canvas, view: Camera, thing: Lying, tone: Colour, stream: str) -> None:
    """Paint what of a container is in front of its contents."""
    if thing.kind == "bag":
        sprites.put(paper, _front(thing, tone, _px(paper, view, thing)), lying.foot_px(paper, view, thing))
        return
    ends = lying.corners(view, thing, SIZES_M[thing.kind])
    for number, side in lying.sides(view, thing, ends):
        dark = draw.mix(tone, (0, 0, 0), (0.0, 0.28, 0.3, 0.16)[number])
        polygon(paper, side, draw.mix(dark, (255, 255, 255), 0.08), to=draw.mix(dark, (0, 0, 0), 0.3))
        polygon(paper, stroke(side[:2], 5.0), draw.mix(dark, (255, 255, 255), 0.22))
        _marked(paper, thing, side, dark, stream)
    polygon(paper, stroke([ends[1, 3], ends[1, 2]], 2.4), draw.mix(tone, (255, 255, 255), 0.1), owner=None)


def _marked(paper: Canvas, thing: Lying, side: lying.Points, tone: Colour, stream: str) -> None:
    """Paint ribs, a grip and a label on the side of a box or bin."""
    if abs(side[1, 0] - side[0, 0]) < 30:
        return
    for share in (0.12, 0.88):
        edge = [side[0] + (side[1] - side[0]) * share, side[3] + (side[2] - side[3]) * share]
        polygon(paper, stroke(edge, 2.6), draw.mix(tone, (0, 0, 0), 0.25))
    middle = side[:2].mean(axis=0) * 0.66 + side[2:].mean(axis=0) * 0.34
    half = (side[1] - side[0]) * 0.16
    down = (side[3] - side[0]) * 0.17
    label = [middle - half - down, middle + half - down, middle + half + down, middle - half + down]
    polygon(paper, label, (232, 232, 226))
    badge, radius = STREAM_COLOURS[stream], (abs(float(half[0])) * 0.6, abs(float(down[1])) * 0.6)
    for turn in np.arange(3) * 2.1:  # three arrows in a ring
        arrow = draw.arc(middle, radius, np.linspace(turn, turn + 1.3, 6))
        polygon(paper, stroke(arrow, [4.0, 4.0, 4.0, 4.0, 7.0, 1.0]), badge)


def closed_sack(paper: Canvas, view: Camera, thing: Lying, owner: int) -> None:
    """Paint a tied sack that nothing is seen of: it is put out, and no waste class of its own."""
    sprites.put(paper, _sack(thing, _px(paper, view, thing)), lying.foot_px(paper, view, thing), owner=owner)


def film_over(paper: Canvas, view: Camera, thing: Lying, half_m: float) -> None:
    """Paint a sack of clear film over what lies in it; what is seen through it stays labelled."""
    x, y = lying.foot_px(paper, view, thing)
    sprites.put(paper, _clear(thing, round(_px(paper, view, thing) * half_m)), (x, y), owner=None)


def _px(paper: Canvas, view: Camera, thing: Lying) -> int:
    """Return how many canvas pixels a metre of a thing has."""
    return round(view.focal / thing.z_m * thing.size * float(paper.frame[0, 0]))


@lru_cache(maxsize=16)
def _sack(thing: Lying, px_per_m: int) -> Sprite:
    rng = lying.stream(thing)
    tone = draw.one_of(rng, SACKS, 12)
    size = (round(rng.uniform(0.46, 0.62) * px_per_m), round(rng.uniform(0.46, 0.6) * px_per_m))
    return films.sack(rng, tone, size, 0.0)


@lru_cache(maxsize=16)
def _mouth(thing: Lying, tone: Colour, px_per_m: int) -> Sprite:
    """Return the inside of an open sack and its far rim, anchored at the middle of its foot."""
    rng = lying.stream(thing)
    wide, deep, high = (round(side * px_per_m) for side in SIZES_M["bag"])
    tall = high + deep
    cover = np.zeros((tall, wide), np.float32)
    rim = sprites.blob(rng, (round(deep * 0.86), wide), 0.1)
    cover[: rim.shape[0]] = rim
    image: Floats = lying.sheet((tall, wide), draw.mix(tone, (0, 0, 0), 0.35)).astype(np.float32)
    image *= sprites.crumpled(rng, (tall, wide), 2.4)[:, :, None]
    inner = (wide // 2, round(deep * 0.5))
    cv2.ellipse(
        image,
        inner,
        (round(wide * 0.40), round(deep * 0.33)),
        0,
        0,
        360,
        draw.mix(tone, (0, 0, 0), 0.78),
        -1,
        cv2.LINE_AA,
    )
    return Sprite(sprites.premultiplied(np.clip(image, 0, 255), cover), (wide / 2, tall - deep * 0.18))


@lru_cache(maxsize=16)
def _front(thing: Lying, tone: Colour, px_per_m: int) -> Sprite:
    """Return the near side of an open sack: its folded rim is lower in the middle."""
    rng = np.random.default_rng(thing.seed + 1)
    wide, deep, high = (round(side * px_per_m) for side in SIZES_M["bag"])
    tall = high + deep
    cover = np.zeros((tall, wide), np.uint8)
    across = np.linspace(-1, 1, 30)
    rim = deep * (0.44 + 0.36 * np.sqrt(1 - across**2)) + deep * 0.05 * np.interp(
        across, np.linspace(-1, 1, 8), rng.standard_normal(8)
    )
    foot = tall - 1 - deep * 0.2 * across**2
    bulge = np.interp(np.linspace(0, 1, 8), (0, 0.4, 1), (0.49, 0.5, 0.42))
    lower = np.linspace(0, 1, 8)[:, None]
    flank = [
        np.column_stack([(0.5 + side * bulge) * wide, rim[place] + (foot[place] - rim[place]) * lower[:, 0]])
        for side, place in ((1, -1), (-1, 0))
    ]
    bottom = np.stack([(across * 0.42 + 0.5) * wide, foot], 1)[::-1]
    outline = np.concatenate([np.stack([(across * 0.49 + 0.5) * wide, rim], 1), flank[0], bottom, flank[1][::-1]])
    cv2.fillPoly(cover, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    image: Floats = lying.sheet((tall, wide), tone).astype(np.float32)
    image *= (np.linspace(1.25, 0.72, tall, dtype=np.float32)[:, None] * sprites.crumpled(rng, (tall, wide), 2.6))[
        :, :, None
    ]
    edge = np.stack([(across * 0.49 + 0.5) * wide, rim + 1], 1).astype(np.int32)
    cv2.polylines(image, [edge], False, draw.mix(tone, (255, 255, 255), 0.4), max(px_per_m // 60, 2), cv2.LINE_AA)
    opacity = cover.astype(np.float32) / np.float32(255)
    return Sprite(sprites.premultiplied(np.clip(image, 0, 255), opacity), (wide / 2, tall - deep * 0.18))


@lru_cache(maxsize=16)
def _clear(thing: Lying, half_px: int) -> Sprite:
    """Return clear film, as wide as twice `half_px`, thick in its folds, anchored in its lower middle."""
    rng = lying.stream(thing)
    size = (round(1.5 * half_px), 2 * half_px)
    whole = films.sack(rng, (206, 214, 220), size, 0.0).pixels[:, :, 3].astype(np.float32) / np.float32(255)
    folds = sprites.crumpled(rng, size, 3.2)
    cover = whole * np.clip(0.20 + 1.5 * np.abs(folds - 1.0), 0, 0.8)
    image = np.clip(np.float32(206.0) * folds, 60, 255)[:, :, None] * np.array([0.97, 1.0, 1.02], np.float32)
    return Sprite(sprites.premultiplied(np.clip(image, 0, 255), cover), (half_px, size[0] * 0.80))
