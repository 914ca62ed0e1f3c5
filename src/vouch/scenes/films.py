"""Film and fleece at the kerb: carrier bags, nappies, and the sacks that waste is put out in."""

from functools import lru_cache

import cv2
import numpy as np

from vouch.scenes import draw, emblems, lying, sprites
from vouch.scenes.draw import Canvas, Colour
from vouch.scenes.lying import Lying
from vouch.scenes.perspective import Camera
from vouch.scenes.sprites import FIXED, Floats, Pixels, Sprite
from vouch.scenes.vessels import LOUD

CARRIERS: tuple[Colour, ...] = (
    (236, 238, 240),
    (236, 238, 240),
    (120, 176, 220),
    (240, 160, 60),
    (120, 196, 120),
    (228, 90, 100),
)
PASTELS: tuple[Colour, ...] = ((150, 200, 236), (246, 170, 196), (170, 222, 180), (250, 220, 130))
FLEECE: Colour = (238, 238, 236)


def plastic_bag(paper: Canvas, view: Camera, thing: Lying, owner: int) -> None:
    """Paint a carrier bag of thin film: crumpled, two handles, mostly with a print."""
    px = view.focal / thing.z_m * thing.size * float(paper.frame[0, 0])
    place = lying.foot_px(paper, view, thing)
    sprites.put(paper, _carrier(thing, round(px)), place, angle_rad=thing.lean_rad, owner=owner)


@lru_cache(maxsize=64)
def _carrier(thing: Lying, px_per_m: int) -> Sprite:
    rng = lying.stream(thing)
    size = (round(rng.uniform(0.22, 0.34) * px_per_m), round(rng.uniform(0.24, 0.36) * px_per_m))
    colour = draw.one_of(rng, CARRIERS, 10)
    body = size[0] * 0.74
    cover = np.zeros(size, np.float32)
    lump = sprites.blob(rng, (round(body), size[1]), 0.22)
    cover[size[0] - lump.shape[0] :] = lump
    _handles(rng, cover, body)
    image: Floats = lying.sheet(size, colour).astype(np.float32)
    if rng.random() < 0.7:
        _printed(rng, image, colour)
    image *= sprites.crumpled(rng, size, 2.0)[:, :, None]
    image *= np.linspace(1.1, 0.78, size[0], dtype=np.float32)[:, None, None]
    image = np.clip(image, 0, 255)
    return Sprite(
        sprites.premultiplied(image, cover * np.float32(rng.uniform(0.82, 1.0))), (size[1] / 2, size[0] * 0.93)
    )


def _handles(rng: np.random.Generator, cover: Floats, body_px: float) -> None:
    """Add two loops over the body, tied or open."""
    high, wide = cover.shape
    base = high - body_px * 0.8
    for side in (-1, 1):
        foot = wide * (0.5 + side * rng.uniform(0.14, 0.2))
        top = (wide * (0.5 + side * rng.uniform(0.18, 0.36)), high * rng.uniform(0.04, 0.12))
        inner, outer = foot - side * wide * 0.05, foot + side * wide * 0.12
        loop = draw.curve(
            [
                (inner, base),
                (top[0] - side * wide * 0.16, top[1] - high * 0.05),
                (top[0] + side * wide * 0.2, top[1]),
                (outer, base),
            ]
        )
        points = [np.round(loop * FIXED).astype(np.int32)]
        cv2.polylines(cover, points, False, 1.0, max(round(wide * 0.055), 2), cv2.LINE_8, 4)


def _printed(rng: np.random.Generator, image: Floats, colour: Colour) -> None:
    high, wide = image.shape[:2]
    if rng.random() < 0.4:  # stripes
        for x in range(round(wide * 0.1), wide, max(round(wide * 0.16), 4)):
            image[:, x : x + max(round(wide * 0.06), 2)] = draw.varied(rng, LOUD[rng.integers(5)], 5)
        return
    ink = draw.one_of(rng, LOUD, 10)
    flat: Pixels = image.astype(np.uint8)
    names = list(emblems._SHAPES)
    place = (wide * 0.5, high * 0.42, high * 0.78)
    emblems.emblem(flat, names[rng.integers(len(names))], place, wide * 0.24, ink, colour)
    image[:] = flat


def nappy(paper: Canvas, view: Camera, thing: Lying, owner: int) -> None:
    """Paint a nappy: rolled up and taped, or open as it fell."""
    px = view.focal / thing.z_m * thing.size * float(paper.frame[0, 0])
    place = lying.foot_px(paper, view, thing)
    turn = thing.lean_rad + float(np.sin(thing.heading_rad)) * 0.6
    sprites.put(paper, _nappy(thing, round(px)), place, angle_rad=turn, owner=owner)


@lru_cache(maxsize=64)
def _nappy(thing: Lying, px_per_m: int) -> Sprite:
    rng = lying.stream(thing)
    rolled = rng.random() < 0.7
    size = (round((0.13 if rolled else 0.2) * px_per_m), round((0.19 if rolled else 0.24) * px_per_m))
    high, wide = size
    tone = draw.varied(rng, FLEECE, 8)
    image: Floats = lying.sheet(size, tone).astype(np.float32)
    cover = sprites.blob(rng, size, 0.05) if rolled else _hourglass(size)
    pastel = draw.one_of(rng, PASTELS, 8)
    band = slice(round(high * 0.36), round(high * 0.64)) if rolled else slice(0, round(high * 0.22))
    image[band] = draw.mix(tone, pastel, 0.85)
    for x in range(round(wide * 0.08), wide, max(round(wide * 0.13), 5)):  # a pattern on the band
        middle = (round(x), (band.start + band.stop) // 2)
        cv2.circle(image, middle, max(round(high * 0.045), 1), draw.mix(pastel, (70, 70, 110), 0.55), -1, cv2.LINE_AA)
    for side in (0.2, 0.74) if rolled else (0.02, 0.86):  # tapes
        corner = (round(wide * side), band.start - round(high * 0.06))
        opposite = (corner[0] + round(wide * 0.12), band.stop + round(high * 0.08))
        cv2.rectangle(image, corner, opposite, draw.mix(pastel, (60, 80, 150), 0.5), -1)
    if not rolled:  # the pad, soiled
        cv2.ellipse(
            image,
            (wide // 2, round(high * 0.55)),
            (round(wide * 0.17), round(high * 0.34)),
            0,
            0,
            360,
            (226, 220, 196),
            -1,
            cv2.LINE_AA,
        )
        cv2.ellipse(
            image,
            (wide // 2, round(high * 0.6)),
            (round(wide * 0.09), round(high * 0.18)),
            0,
            0,
            360,
            (206, 184, 120),
            -1,
            cv2.LINE_AA,
        )
    ruffles = 1.0 - 0.1 * np.abs(np.sin(np.arange(wide, dtype=np.float32) / wide * 40))[None, :]
    edge = np.abs(np.linspace(-1, 1, high, dtype=np.float32))[:, None] ** 3
    image *= (1.0 - edge * (1.0 - ruffles) * 2.0)[:, :, None]
    image *= (np.linspace(1.08, 0.74, high, dtype=np.float32)[:, None] * sprites.crumpled(rng, size, 0.5))[:, :, None]
    return Sprite(sprites.premultiplied(np.clip(image, 0, 255), cover), (wide / 2, high * (0.9 if rolled else 0.6)))


def _hourglass(size: tuple[int, int]) -> Floats:
    high, wide = size
    share = np.linspace(0, 1, 30)
    half = 0.3 + 0.19 * np.abs(2 * share - 1) ** 1.6
    left, right = (
        np.stack([(0.5 - half) * wide, share * (high - 1)], 1),
        np.stack([(0.5 + half) * wide, share * (high - 1)], 1),
    )
    cover = np.zeros(size, np.uint8)
    cv2.fillPoly(cover, [np.round(np.concatenate([left, right[::-1]]) * FIXED).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return cover.astype(np.float32) / np.float32(255)


def sack(rng: np.random.Generator, colour: Colour, size_px: tuple[int, int], clearness: float) -> Sprite:
    """Return a full sack of film, tied at its neck; anchored where it stands."""
    high, wide = size_px
    cover = np.zeros((high, wide), np.float32)
    body = sprites.blob(rng, (round(high * 0.86), wide), 0.1)
    cover[high - body.shape[0] :] = body
    neck = round(high * 0.2)
    points = [
        (wide * 0.42, neck * 1.3), (wide * 0.47, neck * 0.75), (wide * 0.33, neck * 0.15), (wide * 0.44, neck * 0.3),
        (wide * 0.5, 0), (wide * 0.56, neck * 0.3), (wide * 0.68, neck * 0.1), (wide * 0.53, neck * 0.75),
        (wide * 0.6, neck * 1.3),
    ]  # fmt: skip
    cv2.fillPoly(cover, [np.array(points, np.int32)], 1.0)
    image: Floats = lying.sheet((high, wide), colour).astype(np.float32)
    image *= (np.linspace(1.25, 0.7, high, dtype=np.float32)[:, None] * sprites.crumpled(rng, (high, wide), 2.6))[
        :, :, None
    ]
    shine = np.clip(sprites.crumpled(rng, (high, wide), 3.0) - 1.2, 0, 1) * 260.0
    image = np.clip(image + shine[:, :, None], 0, 255)
    return Sprite(sprites.premultiplied(image, cover * np.float32(1 - clearness)), (wide / 2, high * 0.95))
