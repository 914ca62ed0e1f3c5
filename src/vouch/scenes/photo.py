"""From a drawn canvas to a photograph: light, bloom, blur, noise, JPEG."""

import io
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vouch.scenes.draw import SUPERSAMPLE, Canvas, Colour

Picture = NDArray[np.uint8]  # (height, width, 3), RGB


@dataclass(frozen=True)
class Light:
    """How a scene is lit and taken; gains are per RGB channel, 1 leaves a colour as drawn."""

    ambient: Colour
    lamps: float  # gain of things that shine by themselves
    bloom: float  # how much they spill over their edges
    saturation: float
    exposure: float
    vignette: float  # light lost in the corners, 0 to 1
    noise: float  # standard deviation at mid grey, in steps of 255
    defocus_px: float  # Gaussian sigma
    motion_px: float  # length of the smear
    motion_rad: float


def developed(paper: Canvas, light: Light, field: NDArray[np.float32] | None, rng: np.random.Generator) -> Picture:
    """Return the photograph of a canvas; `field` (height, width) adds to the ambient light (headlamps, a lamp post)."""
    high, wide = paper.owner.shape
    size = (wide // SUPERSAMPLE, high // SUPERSAMPLE)
    albedo = cv2.resize(paper.pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    shine = cv2.resize(paper.glow, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    lit = np.asarray(light.ambient, np.float32) + (0.0 if field is None else field[:, :, None])
    image = albedo * lit + light.lamps * (shine + light.bloom * _halo(shine))
    grey = image.mean(axis=2, keepdims=True)
    image = (grey + (image - grey) * light.saturation) * light.exposure * _vignette(size, light.vignette)
    return _sensor(_smear(_rolled_off(image), light), light.noise, rng)


def pool(
    size_px: tuple[int, int], centre: tuple[float, float], spread: tuple[float, float], strength: float
) -> NDArray[np.float32]:
    """Return a lamp's light as `developed` takes it: x from -1 to 1 over the width, y from 0 to 1 over the height."""
    x = (np.linspace(-1, 1, size_px[0]) - centre[0]) / spread[0]
    y = (np.linspace(0, 1, size_px[1]) - centre[1]) / spread[1]
    return (strength * np.exp(-(y[:, None] ** 2) - x[None, :] ** 2)).astype(np.float32)


def _halo(shine: NDArray[np.float32]) -> NDArray[np.float32]:
    if not shine.any():
        return shine
    small = cv2.resize(shine, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    wide = cv2.GaussianBlur(small, (0, 0), 4.0) + 0.7 * cv2.GaussianBlur(small, (0, 0), 1.2)
    return np.asarray(cv2.resize(wide, (shine.shape[1], shine.shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def _rolled_off(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bend highlights softly into white from 200 on, as a camera's tone curve does."""
    over = np.maximum(image - 200.0, 0.0)
    return np.asarray(np.minimum(image, 200.0) + 55.0 * (1.0 - np.exp(-over / 55.0)), np.float32)


def _vignette(size: tuple[int, int], strength: float) -> NDArray[np.float32]:
    x, y = np.linspace(-1, 1, size[0], dtype=np.float32), np.linspace(-1, 1, size[1], dtype=np.float32)
    return np.asarray(1.0 - strength * (x[None, :] ** 2 + y[:, None] ** 2) / 2.0, np.float32)[:, :, None]


def _smear(image: NDArray[np.float32], light: Light) -> NDArray[np.float32]:
    if light.defocus_px > 0.2:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), light.defocus_px), np.float32)
    if light.motion_px < 1.0:
        return image
    half = int(np.ceil(light.motion_px / 2))
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    for step in np.linspace(-light.motion_px / 2, light.motion_px / 2, 4 * half + 1):
        row, column = round(half + step * np.sin(light.motion_rad)), round(half + step * np.cos(light.motion_rad))
        kernel[row, column] += 1.0
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.float32)


def _sensor(image: NDArray[np.float32], noise: float, rng: np.random.Generator) -> Picture:
    """Add shot noise (it grows with the root of the light) and read noise."""
    sigma = noise * np.sqrt(0.25 + 0.75 * np.maximum(image, 0.0) / 128.0)
    noisy = image + sigma * rng.standard_normal(image.shape, np.float32) + 0.5
    return np.clip(noisy, 0, 255, out=noisy).astype(np.uint8)


def repeated(picture: Picture, shift_px: tuple[int, int], gain: float, rng: np.random.Generator) -> Picture:
    """Return a near-duplicate: moved by whole pixels (edges repeated), a little brighter or darker, noise of 1.5."""
    pad = ((2, 2), (2, 2), (0, 0))
    right, down = shift_px
    high, wide = picture.shape[:2]
    moved = np.pad(picture, pad, mode="edge")[2 - down : 2 - down + high, 2 - right : 2 - right + wide]
    noise = rng.normal(0.0, 1.5, picture.shape)
    return np.clip(moved * gain + noise + 0.5, 0, 255).astype(np.uint8)


def again(picture: Picture, rng: np.random.Generator) -> tuple[Picture, tuple[int, int]]:
    """Return a near-duplicate as `repeated` makes it, at most a pixel and 3 % of the light off, and its shift."""
    shift_px = (int(rng.integers(-1, 2)), int(rng.integers(-1, 2)))
    return repeated(picture, shift_px, float(rng.uniform(0.97, 1.03)), rng), shift_px


def jpeg(picture: Picture, quality: int) -> bytes:
    """Return the picture as JPEG without any metadata: the same pixels give the same bytes."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=quality)
    return stream.getvalue()
