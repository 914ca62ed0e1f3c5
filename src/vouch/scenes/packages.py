"""A container seen from the front, as a picture with transparency, ready to stand on a shelf."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from vouch.scenes import draw, emblems
from vouch.scenes.assortment import Design
from vouch.scenes.draw import Colour
from vouch.scenes.forms import FORMS, METAL, Form

PX_PER_MM = 1.6  # a little finer than the canvas on which a package is put
YAW_STEP_RAD = 0.08  # turned packages are drawn in such steps, so that each is drawn once
MARGIN_MM = 3.0
# Where brand, emblem, band and word lie on the label, as fractions of its height from the top; what twins differ by is
# large.
LAYOUTS = {
    "band": {"brand": (0.05, 0.27), "emblem": (0.30, 0.56), "band": (0.60, 0.94)},
    "emblem": {"brand": (0.04, 0.22), "emblem": (0.25, 0.80), "band": (0.86, 0.95)},
    "word": {"brand": (0.04, 0.20), "emblem": (0.23, 0.42), "band": (0.46, 0.90), "word": (0.53, 0.84)},
}
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Package:
    """Colours times coverage and coverage, (height, width, 4); the middle of the base lies at `base_px` (x, y)."""

    pixels: Pixels
    base_px: tuple[float, float]


@lru_cache(maxsize=640)
def package(design: Design, yaw_step: int) -> Package:
    """Return a product turned about its own axis by a number of steps; what is flat does not turn."""
    form = FORMS[design.form]
    half, high = form.half_mm + MARGIN_MM, form.height_mm + 2 * MARGIN_MM
    size = (round(2 * half * PX_PER_MM), round(high * PX_PER_MM))
    x_mm = np.asarray((np.arange(size[0]) + 0.5) / PX_PER_MM - half, np.float64)
    up_mm = np.asarray(form.height_mm + MARGIN_MM - (np.arange(size[1]) + 0.5) / PX_PER_MM, np.float64)
    half_mm = np.asarray(np.interp(up_mm, *np.array(form.outline).T), np.float64)
    across = x_mm[None, :] / half_mm[:, None]  # -1 to 1 from edge to edge
    image = _body(design, form, up_mm, across)
    _wrap(image, design, form, (up_mm, across), yaw_step * YAW_STEP_RAD if form.is_round else 0.0)
    image = _shaded(image, form, across)
    cover = _coverage(form, size, half)
    coloured = np.clip(image * (cover[:, :, None] / 255.0) + 0.5, 0, 255).astype(np.uint8)
    base = (half * PX_PER_MM, (form.height_mm + MARGIN_MM) * PX_PER_MM)
    return Package(np.dstack([coloured, cover]), base)


def _coverage(form: Form, size: tuple[int, int], half: float) -> Pixels:
    up, wide = np.array(form.outline).T
    y = (form.height_mm + MARGIN_MM - up) * PX_PER_MM
    x = np.concatenate([(half + wide) * PX_PER_MM, (half - wide[::-1]) * PX_PER_MM])
    points = np.stack([x, np.concatenate([y, y[::-1]])], axis=1) - 0.5
    cover = np.zeros((size[1], size[0]), np.uint8)
    cv2.fillPoly(cover, [np.round(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return cover


def _body(design: Design, form: Form, up_mm: NDArray[np.float64], across: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return what lies under the label: glass or plastic with its filling, cap, seams."""
    image = np.empty((*across.shape, 3), np.float32)
    image[:] = np.asarray(design.body, np.float32)
    if form.container in ("bottle", "glass"):
        filled = 0.80 * form.height_mm
        image[up_mm > filled] = draw.mix(design.body, (226, 230, 228), 0.35)
        image *= (1.0 - 0.25 * np.clip(np.abs(across) - 0.75, 0, 0.25) / 0.25)[:, :, None].astype(np.float32)
    low, high = form.cap
    capped = (up_mm >= low) & (up_mm <= high)
    image[capped] = np.asarray(design.cap, np.float32)
    if form.is_round and form.container != "can":  # ribs of a cap, rim of a lid
        ribs = 1.0 - 0.14 * (np.sin(np.arcsin(np.clip(across[capped], -1, 1)) * 26) > 0.2)
        image[capped] *= ribs[:, :, None].astype(np.float32)
        image[(up_mm >= low) & (up_mm < low + 1.6)] *= 0.7
    if design.form == "carton":  # the slanted roof catches the light
        image[(up_mm > form.label[1]) & (up_mm < low)] = draw.mix(design.ground, (255, 255, 255), 0.35)
        image[(up_mm > low) & (up_mm < low + 1.6)] *= 0.75
    return image


def _wrap(
    image: NDArray[np.float32],
    design: Design,
    form: Form,
    at: tuple[NDArray[np.float64], NDArray[np.float64]],
    yaw_rad: float,
) -> None:
    """Put the label round the container, or flat on it."""
    up_mm, across = at
    low, high = form.label
    rows = np.flatnonzero((up_mm >= low) & (up_mm <= high))
    texture = label(design)
    tall, long = texture.shape[:2]
    u = np.clip(across[rows], -1, 1)
    turned = (np.arcsin(u) if form.is_round else u) + yaw_rad
    map_x = ((turned / np.pi + 1.0) / 2.0 * long - 0.5).astype(np.float32)
    map_y = np.broadcast_to(((high - up_mm[rows]) / (high - low) * tall - 0.5)[:, None], u.shape).astype(np.float32)
    wrapped = cv2.remap(texture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    image[rows] = wrapped


def _shaded(image: NDArray[np.float32], form: Form, across: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the container as a lamp above and a little to the left lights it."""
    u = np.clip(across, -1, 1)
    if not form.is_round:
        return image * (1.0 - 0.10 * u[:, :, None]).astype(np.float32)
    shade = 0.52 + 0.50 * np.sqrt(np.clip(1.0 - (u + 0.12) ** 2, 0, 1))
    shine = np.exp(-(((u + 0.55) / 0.09) ** 2)) + 0.5 * np.exp(-(((u - 0.72) / 0.06) ** 2))
    return np.asarray(image * shade[:, :, None] + 70.0 * form.gloss * shine[:, :, None], np.float32)


@lru_cache(maxsize=128)
def label(design: Design) -> Pixels:
    """Return a label rolled out, its front in the middle, as wide as all the way round."""
    form = FORMS[design.form]
    low, high = form.label
    middle = float(np.interp((low + high) / 2, *np.array(form.outline).T))
    size = (round(2 * np.pi * middle * PX_PER_MM), round((high - low) * PX_PER_MM))
    image = np.empty((size[1], size[0], 3), np.uint8)
    image[:] = np.asarray(design.ground, np.uint8)
    reach = (0.86 if form.is_round else 0.80) * middle * PX_PER_MM  # half width that is seen well, 49 degrees
    places = {name: (a * size[1], b * size[1]) for name, (a, b) in LAYOUTS[design.differs].items()}
    _band(image, design, places["band"])
    emblems.lettered(image, design.brand, (size[0] / 2, *places["brand"]), reach, design.ink)
    seal = design.band if design.differs != "band" else design.ink
    emblems.emblem(image, design.emblem, (size[0] / 2, *places["emblem"]), reach, seal, design.ground)
    if "word" in places:
        ink: Colour = (250, 250, 246) if sum(design.band) < 400 else (24, 22, 26)
        emblems.lettered(image, design.word, (size[0] / 2, *places["word"]), reach, ink)
    _small_print(image, design)
    return image


def _band(image: Pixels, design: Design, place: tuple[float, float]) -> None:
    top, bottom = round(place[0]), round(place[1])
    edge = draw.mix(design.band, (255, 255, 255), 0.55)
    image[top - 2 : bottom + 2] = np.asarray(edge, np.uint8)
    image[top:bottom] = np.asarray(design.band, np.uint8)


def _small_print(image: Pixels, design: Design) -> None:
    """Print lines on both sides of the front, and the bar code on the back."""
    high, wide = image.shape[:2]
    for side in (0.24, 0.76):
        for line in range(8):
            y = round(high * (0.12 + 0.1 * line))
            half = round(wide * (0.05 - 0.008 * (line % 3)))
            image[y : y + 2, round(wide * side) - half : round(wide * side) + half] = np.asarray(
                draw.mix(design.ground, design.ink, 0.55), np.uint8
            )
    if FORMS[design.form].container == "can" and design.form != "tin":  # bare metal at both ends
        image[:3] = image[-4:] = np.asarray(METAL, np.uint8)
