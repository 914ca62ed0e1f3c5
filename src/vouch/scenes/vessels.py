"""Bottles, jars, pots, cans and batteries, and what resembles them: solids of revolution, each with its own skin."""

from collections.abc import Callable

import cv2
import numpy as np

from vouch.scenes import draw, emblems
from vouch.scenes.draw import Colour, one_of
from vouch.scenes.sprites import Pixels, Solid

SKIN_PX = (120, 240)  # rows from the top down, columns once round
LOUD: tuple[Colour, ...] = (
    (206, 40, 38), (232, 118, 28), (240, 196, 40), (44, 140, 66), (34, 92, 176), (110, 60, 150), (230, 230, 224),
    (28, 30, 36), (20, 150, 160), (226, 90, 140),
)  # fmt: skip
GREENS: tuple[Colour, ...] = ((40, 92, 52), (26, 70, 40), (98, 64, 26), (120, 78, 30), (70, 116, 84))
STEEL: Colour = (178, 180, 182)
WORDS = ("KOLA", "FIZZ", "ORTO", "LIMA", "BONA", "SOLE", "MIRA", "PURA", "VELO", "TONI")
PALE: Colour = (240, 238, 230)


def _skin(colour: Colour) -> Pixels:
    skin = np.empty((*SKIN_PX, 3), np.uint8)
    skin[:] = np.asarray(colour, np.uint8)
    return skin


def _label(rng: np.random.Generator, skin: Pixels, rows: tuple[float, float], ground: Colour) -> None:
    """Print a label between two heights: a ground, a stripe, an emblem or a word on two sides, small print."""
    top, bottom = (round(share * SKIN_PX[0]) for share in rows)
    skin[top:bottom] = np.asarray(ground, np.uint8)
    ink = one_of(rng, LOUD, 14)
    tall = bottom - top
    if rng.random() < 0.6:
        edge = top + round(tall * rng.uniform(0.05, 0.75))
        skin[edge : edge + round(tall * rng.uniform(0.12, 0.3))] = np.asarray(one_of(rng, LOUD, 14), np.uint8)
    word, shape = WORDS[rng.integers(len(WORDS))], list(emblems._SHAPES)[rng.integers(len(emblems._SHAPES))]
    for middle in (0.25, 0.75):
        place = (middle * SKIN_PX[1], top + tall * 0.12, bottom - tall * 0.12)
        if rng.random() < 0.5:
            emblems.lettered(skin, word, place, SKIN_PX[1] * 0.17, ink)
        else:
            emblems.emblem(skin, shape, place, SKIN_PX[1] * 0.15, ink, ground)
    for line in range(6):
        y = top + round(tall * (0.15 + 0.12 * line))
        skin[y : y + 2, 2:22] = skin[y : y + 2, 118:138] = np.asarray(draw.mix(ground, (30, 30, 30), 0.5), np.uint8)


def plastic_bottle(rng: np.random.Generator) -> Solid:
    """Draw a bottle of thin clear film with ribs and a loud cap, or one of milk or detergent."""
    if rng.random() < 0.28:
        return _opaque_bottle(rng)
    high, wide = rng.uniform(0.27, 0.36), rng.uniform(0.040, 0.052)
    tone = one_of(rng, ((190, 214, 230), (140, 192, 226), (226, 228, 226)), 10)
    skin = _skin(tone)
    for row in range(54, 118, 9):  # ribs
        skin[row : row + 3] = np.asarray(draw.mix(tone, (70, 84, 96), 0.45), np.uint8)
    if rng.random() < 0.8:
        _label(rng, skin, (0.42, 0.66), one_of(rng, LOUD, 14))
    cap = one_of(rng, LOUD, 14)
    skin[:9] = np.asarray(cap, np.uint8)
    neck = high - 0.028
    outline = (
        (0.0, wide * 0.8), (0.012, wide), (high * 0.32, wide * 0.97), (high * 0.36, wide * 0.9), (high * 0.42, wide),
        (high * 0.62, wide), (high * 0.84, wide * 0.36), (neck, 0.015), (neck + 0.001, 0.0185), (high, 0.0185),
    )  # fmt: skip
    bright = draw.mix(cap, (255, 255, 255), 0.15)
    return Solid(outline, skin, bright, draw.mix(tone, (90, 110, 130), 0.4), 0.25, 1.0, 0.2, False)


def _opaque_bottle(rng: np.random.Generator) -> Solid:
    high, wide = rng.uniform(0.24, 0.31), rng.uniform(0.045, 0.058)
    tone = one_of(rng, ((240, 240, 236), (236, 196, 60), (70, 130, 200), (226, 110, 60), (80, 160, 110)), 10)
    skin = _skin(tone)
    _label(rng, skin, (0.38, 0.8), one_of(rng, LOUD, 14))
    cap = one_of(rng, LOUD, 14)
    skin[:14] = np.asarray(cap, np.uint8)
    outline = (
        (0.0, wide * 0.9), (0.012, wide), (high * 0.66, wide), (high * 0.84, wide * 0.5), (high * 0.88, 0.024),
        (high, 0.024),
    )  # fmt: skip
    return Solid(outline, skin, cap, draw.mix(tone, (0, 0, 0), 0.15), 0.0, 0.5, 0.2, False)


def glass_bottle(rng: np.random.Generator) -> Solid:
    """Draw a bottle of dark heavy glass with a long neck: of wine, of beer, of juice."""
    high, wide = rng.uniform(0.27, 0.34), rng.uniform(0.037, 0.044)
    tone = one_of(rng, GREENS, 10)
    skin = _skin(tone)
    if rng.random() < 0.85:
        _label(rng, skin, (0.54, 0.84), one_of(rng, (PALE, PALE, (214, 190, 120), (190, 40, 44), (60, 62, 70)), 14))
    if rng.random() < 0.55:
        skin[:22] = np.asarray(one_of(rng, ((170, 30, 40), (30, 30, 34), (200, 170, 80), STEEL), 14), np.uint8)
    slope = 0.66 if rng.random() < 0.55 else 0.52  # shoulders of claret or burgundy
    outline = (
        (0.0, wide * 0.92), (0.006, wide), (high * (slope - 0.06), wide), (high * slope, wide * 0.92),
        (high * (slope + 0.06), wide * 0.62), (high * 0.76, 0.0155), (high * 0.95, 0.0145), (high * 0.955, 0.018),
        (high, 0.018),
    )  # fmt: skip
    return Solid(outline, skin, (20, 22, 22), draw.mix(tone, (0, 0, 0), 0.3), 0.2, 1.5, 0.3, True)


def glass_jar(rng: np.random.Generator) -> Solid:
    """Draw a wide jar of clear glass, with a lid or without, some of its jam left."""
    high, wide = rng.uniform(0.13, 0.17), rng.uniform(0.045, 0.056)
    tone = one_of(rng, ((176, 216, 198), (168, 210, 208), (188, 222, 190)), 8)
    skin = _skin(tone)
    filling = one_of(rng, ((140, 24, 34), (196, 110, 24), (96, 84, 34), (90, 50, 30), (210, 180, 90)), 14)
    skin[round(SKIN_PX[0] * rng.uniform(0.45, 0.9)) :] = np.asarray(draw.mix(tone, filling, 0.85), np.uint8)
    if rng.random() < 0.35:
        _label(rng, skin, (0.42, 0.8), one_of(rng, (PALE, PALE, (222, 200, 150), (200, 60, 60)), 14))
    closed = rng.random() < 0.8
    lid = one_of(rng, ((196, 160, 70), (200, 40, 44), (240, 240, 236), (44, 110, 70), (30, 32, 36)), 14)
    if closed:
        skin[:21] = np.asarray(lid, np.uint8)
        skin[20:22] = np.asarray(draw.mix(lid, (0, 0, 0), 0.5), np.uint8)
    mouth = wide * 0.86
    outline = (
        (0.0, wide * 0.9), (0.008, wide), (high * 0.76, wide), (high * 0.83, mouth * 0.96), (high * 0.835, mouth),
        (high, mouth),
    )  # fmt: skip
    return Solid(outline, skin, lid if closed else tone, tone, 0.5, 1.6, 0.12, not closed)


def yoghurt_pot(rng: np.random.Generator) -> Solid:
    """Draw a pot of white plastic that widens to its rim, with foil half torn off or none."""
    high, wide = rng.uniform(0.10, 0.135), rng.uniform(0.046, 0.056)
    tone = draw.varied(rng, (242, 242, 238), 6)
    skin = _skin(tone)
    pastel = one_of(rng, (PALE, (238, 160, 190), (150, 200, 236), (190, 222, 130), (250, 214, 110)), 14)
    _label(rng, skin, (0.2, 0.88), pastel)
    skin[:16] = np.asarray(tone, np.uint8)
    outline = ((0.0, wide * 0.72), (high * 0.93, wide * 0.95), (high * 0.935, wide * 1.1), (high, wide * 1.1))
    foil = rng.random() < 0.4
    return Solid(outline, skin, (206, 208, 212) if foil else tone, tone, 0.0, 0.35, 0.1, not foil)


def food_can(rng: np.random.Generator) -> Solid:
    """Draw a squat tin of steel with ribs, bare or with the rest of a paper label; mostly opened."""
    high, wide = rng.uniform(0.09, 0.12), rng.uniform(0.048, 0.060)
    tone = draw.varied(rng, STEEL, 14)
    skin = _skin(tone)
    for row in range(14, 110, 7):
        skin[row : row + 3] = np.asarray(draw.mix(tone, (70, 72, 76), 0.6), np.uint8)
    if rng.random() < 0.15:
        _label(
            rng, skin, (0.28, 0.72), one_of(rng, ((196, 50, 40), (226, 180, 60), (60, 120, 70), (236, 226, 200)), 14)
        )
    if rng.random() < 0.2:
        rust = np.clip(rng.normal(0, 1, (12, 24)), 0, 1).astype(np.float32)
        share = cv2.resize(rust, (SKIN_PX[1], SKIN_PX[0]), interpolation=cv2.INTER_CUBIC)[:, :, None] * 0.6
        skin[:] = np.clip(skin * (1 - share) + np.array((138, 78, 40)) * share, 0, 255).astype(np.uint8)
    rim = wide * 1.05
    outline = ((0.0, rim), (0.004, rim), (0.005, wide), (high - 0.005, wide), (high - 0.004, rim), (high, rim))
    return Solid(outline, skin, tone, draw.mix(tone, (90, 92, 96), 0.25), 0.0, 0.7, 0.12, bool(rng.random() < 0.7))


def drink_can(rng: np.random.Generator) -> Solid:
    """Draw a slim printed can of aluminium: drawn in at both ends, a bright lid."""
    high, wide = rng.uniform(0.13, 0.17), rng.uniform(0.033, 0.038)
    ground = one_of(rng, LOUD, 14)
    skin = _skin(ground)
    _label(rng, skin, (0.1, 0.95), ground)
    if rng.random() < 0.5:  # a slanted flash round it
        for start in (20, 140):
            corners = np.array([(start, 108), (start + 34, 108), (start + 90, 12), (start + 60, 12)], np.int32)
            cv2.fillPoly(skin, [corners], one_of(rng, LOUD, 14), cv2.LINE_AA)
    skin[:5] = skin[-5:] = np.asarray(STEEL, np.uint8)
    outline = (
        (0.0, wide * 0.74), (0.009, wide), (high - 0.014, wide), (high - 0.004, wide * 0.8), (high, wide * 0.8),
    )  # fmt: skip
    return Solid(outline, skin, (206, 208, 212), (150, 152, 158), 0.0, 0.8, 0.16, False)


def battery(rng: np.random.Generator) -> Solid:
    """Draw a large cell: black with a copper or gold collar, a knob on its end."""
    high, wide = rng.uniform(0.125, 0.155), rng.uniform(0.032, 0.038)
    dark = one_of(rng, ((26, 26, 30), (34, 36, 44), (30, 60, 44)), 6)
    collar = one_of(rng, ((204, 128, 60), (214, 172, 70), (196, 198, 202), (190, 44, 40)), 10)
    skin = _skin(dark)
    split = round(SKIN_PX[0] * rng.uniform(0.3, 0.42))
    skin[:split] = np.asarray(collar, np.uint8)
    for middle in (0.25, 0.75):
        emblems.lettered(skin, WORDS[rng.integers(len(WORDS))], (middle * 240, 52, 96), 44, (236, 236, 230))
        emblems.emblem(skin, "bolt", (middle * 240, 22, 46), 12, dark, collar)
    skin[:10] = skin[-4:] = np.asarray((206, 206, 204), np.uint8)
    outline = (
        (0.0, wide), (high * 0.91, wide), (high * 0.915, wide * 0.42), (high, wide * 0.42),
    )  # fmt: skip
    return Solid(outline, skin, (220, 220, 218), (176, 176, 174), 0.0, 0.6, 0.25, False)


def flask(rng: np.random.Generator) -> Solid:
    """Draw what only resembles a bottle: a flask of steel with a cup for a lid."""
    high, wide = rng.uniform(0.25, 0.31), rng.uniform(0.042, 0.05)
    tone = one_of(rng, (STEEL, (60, 90, 120), (120, 40, 44), (60, 80, 60)), 10)
    skin = _skin(tone)
    skin[:34] = np.asarray(draw.mix(tone, (20, 20, 22), 0.75), np.uint8)
    skin[34:38] = np.asarray((220, 220, 220), np.uint8)
    skin[-8:] = np.asarray((40, 40, 44), np.uint8)
    outline = (
        (0.0, wide),
        (high * 0.7, wide),
        (high * 0.71, wide * 0.92),
        (high * 0.97, wide * 0.88),
        (high, wide * 0.7),
    )
    return Solid(outline, skin, draw.mix(tone, (20, 20, 22), 0.6), (40, 40, 44), 0.0, 0.9, 0.1, False)


def flower_pot(rng: np.random.Generator) -> Solid:
    """Draw what only resembles a pot of yoghurt: one of clay, empty."""
    high, wide = rng.uniform(0.13, 0.19), rng.uniform(0.06, 0.085)
    tone = one_of(rng, ((178, 92, 58), (160, 84, 56), (150, 110, 84)), 12)
    skin = _skin(tone)
    skin[30:34] = np.asarray(draw.mix(tone, (0, 0, 0), 0.4), np.uint8)
    outline = ((0.0, wide * 0.68), (high * 0.74, wide * 0.9), (high * 0.75, wide), (high, wide))
    return Solid(outline, skin, tone, draw.mix(tone, (0, 0, 0), 0.2), 0.0, 0.1, 0.14, True)


def torch(rng: np.random.Generator) -> Solid:
    """Draw what only resembles a battery or a can: an electric torch."""
    high, wide = rng.uniform(0.18, 0.23), rng.uniform(0.022, 0.026)
    tone = one_of(rng, ((36, 38, 42), (200, 60, 40), (230, 190, 50), (50, 80, 130)), 10)
    skin = _skin(tone)
    for row in range(50, 112, 6):
        skin[row : row + 2] = np.asarray(draw.mix(tone, (0, 0, 0), 0.5), np.uint8)
    skin[:10] = np.asarray((190, 192, 196), np.uint8)
    outline = ((0.0, wide), (high * 0.68, wide), (high * 0.8, wide * 1.75), (high, wide * 1.8))
    return Solid(outline, skin, (226, 228, 220), draw.mix(tone, (0, 0, 0), 0.3), 0.0, 0.6, 0.2, False)


SOLIDS: dict[str, Callable[[np.random.Generator], Solid]] = {
    "plastic_bottle": plastic_bottle,
    "glass_bottle": glass_bottle,
    "glass_jar": glass_jar,
    "yoghurt_pot": yoghurt_pot,
    "food_can": food_can,
    "drink_can": drink_can,
    "battery": battery,
    "flask": flask,
    "flower_pot": flower_pot,
    "torch": torch,
}
