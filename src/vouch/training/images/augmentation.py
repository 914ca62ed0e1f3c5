"""Random changes to a canvas whose class must survive them: crops, light, colour, blur, noise, hidden parts."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vouch.vision.preprocess import PADDING

Canvas = NDArray[np.uint8]


@dataclass(frozen=True)
class Strength:
    """How far changes go; after timm's random resized crop, colour jitter and random erasing."""

    area: tuple[float, float]  # of the crop, as a fraction of the canvas
    log_ratio: float  # of the crop's width to its height, either way
    rotation_deg: float
    flip: float  # probability
    light: float  # gain of brightness and of contrast, 1 ± light
    saturation: float  # gain, 1 ± saturation
    hue_steps: float  # of OpenCV's 180; small, for a cone is orange
    blur: float  # probability
    noise: float  # probability
    noise_deviation: float  # of 255
    erasing: float  # probability
    erased_area: tuple[float, float]


STRENGTHS = {
    "upright": Strength(  # of what is told apart by words and marks: nothing is mirrored or cut far
        area=(0.75, 1.0),
        log_ratio=0.08,
        rotation_deg=4.0,
        flip=0.0,
        light=0.25,
        saturation=0.2,
        hue_steps=2.0,
        blur=0.2,
        noise=0.2,
        noise_deviation=6.0,
        erasing=0.0,
        erased_area=(0.0, 0.0),
    ),
    "moderate": Strength(
        area=(0.6, 1.0),
        log_ratio=0.15,
        rotation_deg=5.0,
        flip=0.5,
        light=0.2,
        saturation=0.2,
        hue_steps=2.0,
        blur=0.0,
        noise=0.0,
        noise_deviation=0.0,
        erasing=0.0,
        erased_area=(0.0, 0.0),
    ),
    "aggressive": Strength(
        area=(0.35, 1.0),
        log_ratio=0.29,  # ln 4/3, timm's
        rotation_deg=15.0,
        flip=0.5,
        light=0.4,
        saturation=0.4,
        hue_steps=5.0,
        blur=0.15,
        noise=0.15,
        noise_deviation=12.0,
        erasing=0.25,
        erased_area=(0.02, 0.15),
    ),
}


def augmented(canvas: Canvas, strength: Strength, rng: np.random.Generator) -> Canvas:
    """Return a changed copy of a BGR canvas (size, size, 3)."""
    return cropped(canvas, strength, rng, side_px=canvas.shape[0])


def cropped(canvas: Canvas, strength: Strength, rng: np.random.Generator, *, side_px: int) -> Canvas:
    """Return a changed copy of a BGR canvas (size, size, 3), its crop drawn on another of `side_px`."""
    changed = _coloured(_moved(canvas, strength, rng, side_px), strength, rng)
    # drawn whether used or not, so that one probability does not shift the draws of the next
    blurs, noises, erases = rng.random(3) < [strength.blur, strength.noise, strength.erasing]
    if blurs:
        changed = cv2.GaussianBlur(changed, (0, 0), float(rng.uniform(0.3, 1.2))).astype(np.uint8, copy=False)
    if noises:
        noise = rng.normal(0.0, strength.noise_deviation, changed.shape)
        changed = np.clip(changed + noise, 0, 255).astype(np.uint8)
    if erases:
        changed = _erased(changed, strength, rng)
    return changed


def _moved(canvas: Canvas, strength: Strength, rng: np.random.Generator, side_px: int) -> Canvas:
    size = canvas.shape[0]
    middle = (size - 1) / 2  # pixels are points at whole numbers: about size / 2 a flip would shift by one
    area, ratio = rng.uniform(*strength.area), np.exp(strength.log_ratio * rng.uniform(-1, 1))
    zoom = 1 / np.minimum(1.0, np.sqrt([area * ratio, area / ratio]))  # of x and of y; a crop never leaves the canvas
    angle = np.deg2rad(strength.rotation_deg * rng.uniform(-1, 1))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    flip = -1.0 if rng.random() < strength.flip else 1.0
    linear = np.diag(zoom * [flip, 1.0]) @ turn
    centre = middle + rng.uniform(-0.5, 0.5, 2) * size * (1 - 1 / zoom)
    matrix = np.column_stack([linear, middle - linear @ centre])
    if side_px != size:
        matrix = _scaled(matrix, side_px / size)
    moved = cv2.warpAffine(canvas, matrix, (side_px, side_px), flags=cv2.INTER_LINEAR, borderValue=(PADDING,) * 3)
    return moved.astype(np.uint8, copy=False)


def _scaled(matrix: NDArray[np.float64], gain: float) -> NDArray[np.float64]:
    """Draw the same crop on a canvas `gain` times as large; the edges of pixels, not their middles, are what scales."""
    scaled: NDArray[np.float64] = gain * matrix
    scaled[:, 2] += (gain - 1) / 2
    return scaled


def _coloured(canvas: Canvas, strength: Strength, rng: np.random.Generator) -> Canvas:
    brightness, contrast, saturation = 1 + rng.uniform(-1, 1, 3) * [strength.light, strength.light, strength.saturation]
    hue = strength.hue_steps * rng.uniform(-1, 1)
    levels = np.arange(256, dtype=np.float64)
    light = np.clip((levels * brightness - 128) * contrast + 128, 0, 255).astype(np.uint8)
    planes = cv2.split(cv2.cvtColor(cv2.LUT(canvas, light), cv2.COLOR_BGR2HSV))
    tables = (((levels + hue) % 180).astype(np.uint8), np.clip(levels * saturation, 0, 255).astype(np.uint8))
    changed = [cv2.LUT(plane, table) for plane, table in zip(planes[:2], tables, strict=True)]
    return cv2.cvtColor(cv2.merge([*changed, planes[2]]), cv2.COLOR_HSV2BGR).astype(np.uint8, copy=False)


def _erased(canvas: Canvas, strength: Strength, rng: np.random.Generator) -> Canvas:
    size = canvas.shape[0]
    area, ratio = rng.uniform(*strength.erased_area), np.exp(0.7 * rng.uniform(-1, 1))
    width, height = (max(1, min(size, round(size * float(np.sqrt(side))))) for side in (area * ratio, area / ratio))
    x, y = (int(rng.integers(0, size - side + 1)) for side in (width, height))
    canvas = canvas.copy()
    canvas[y : y + height, x : x + width] = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return canvas
