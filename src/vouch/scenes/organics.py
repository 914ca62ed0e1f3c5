"""What grew once: food waste and garden cuttings, and leaves that merely fell."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vouch.scenes import draw, lying
from vouch.scenes.draw import Canvas, Colour, arc, curve, ellipse, one_of, polygon, stroke, within
from vouch.scenes.lying import Lying
from vouch.scenes.perspective import Camera

PEEL: Colour = (232, 196, 60)
FOLIAGE: tuple[Colour, ...] = ((58, 104, 44), (84, 132, 56), (44, 84, 48), (112, 142, 62))
AUTUMN: tuple[Colour, ...] = (
    (176, 106, 40),
    (200, 150, 50),
    (140, 76, 40),
    (168, 62, 40),
    (120, 110, 50),
    (92, 66, 40),
)
BARK: tuple[Colour, ...] = ((96, 70, 48), (120, 96, 66), (74, 62, 50))


def food_waste(paper: Canvas, view: Camera, thing: Lying, owner: int) -> None:
    """Paint a heap of scraps: peels, cores, shells, crusts, a tea bag, on something dark and wet."""
    rng = lying.stream(thing)
    heap = _heap(paper, view, thing)
    half = rng.uniform(0.09, 0.14)
    polygon(heap, _lump(rng, half, half * 0.6), (92, 74, 46), to=(58, 48, 32), owner=owner)
    kinds = list(SCRAPS)
    count = int(rng.integers(8, 14))
    for turn in np.sort(rng.uniform(0, 1, count)):  # far ones first
        away = np.sqrt(rng.random()) * half * 0.85
        at = (np.cos(turn * 9.7 + rng.random()) * away, (turn - 0.55) * half * 1.15)
        bit = within(heap, at, angle_rad=float(rng.uniform(0, 6.28)), scale=float(rng.uniform(0.85, 1.25)))
        SCRAPS[kinds[rng.integers(len(kinds))]](bit, rng, owner)


def _heap(paper: Canvas, view: Camera, thing: Lying) -> Canvas:
    """Return a frame in metres, y down, in which a heap is drawn as it is seen from above and in front."""
    scale = view.focal / thing.z_m * thing.size
    return within(paper, lying.foot(view, thing) - (0, 0.04 * scale), angle_rad=thing.lean_rad * 0.3, scale=scale)


def _lump(rng: np.random.Generator, wide: float, high: float) -> NDArray[np.float64]:
    turns = np.linspace(0, 2 * np.pi, 18, endpoint=False)
    reach = 1 + 0.16 * rng.standard_normal(18)
    return np.stack([wide * reach * np.cos(turns), high * reach * np.sin(turns)], axis=1)


def _banana(bit: Canvas, rng: np.random.Generator, owner: int) -> None:
    tone, brown = draw.varied(rng, PEEL, 18), (92, 62, 30)
    for turn in (-0.9, 0.1, 1.1):
        tip = np.array([np.sin(turn), np.cos(turn)]) * 0.085
        path = curve(np.stack([tip * 0.0, tip * 0.6 + (0.012, -0.012), tip]), steps=6)
        polygon(
            bit,
            stroke(path, [0.022, 0.026, 0.028, 0.026, 0.02, 0.008]),
            tone,
            to=draw.mix(tone, brown, 0.35),
            owner=owner,
        )
    polygon(bit, stroke([(0, 0.004), (0, -0.026)], 0.014), brown, owner=owner)


def _core(bit: Canvas, rng: np.random.Generator, owner: int) -> None:
    skin = one_of(rng, ((176, 40, 36), (150, 170, 60), (206, 160, 60)), 14)
    for y in (-0.032, 0.032):
        polygon(bit, ellipse((0, y), (0.03, 0.014)), skin, owner=owner)
    polygon(
        bit,
        [(-0.024, -0.034), (0.024, -0.034), (0.009, 0), (0.024, 0.034), (-0.024, 0.034), (-0.009, 0)],
        (232, 216, 168),
        owner=owner,
    )
    polygon(bit, ellipse((0, 0), (0.004, 0.008)), (70, 44, 24), owner=owner)
    polygon(bit, stroke([(0, -0.04), (0.008, -0.06)], 0.005), (70, 50, 30), owner=owner)


def _shell(bit: Canvas, rng: np.random.Generator, owner: int) -> None:
    tone = one_of(rng, ((236, 222, 200), (206, 160, 120)), 8)
    polygon(
        bit,
        arc((0, 0), (0.032, 0.036), np.linspace(0, np.pi, 12)),
        tone,
        to=draw.mix(tone, (90, 70, 50), 0.3),
        owner=owner,
    )
    polygon(bit, ellipse((0, 0), (0.032, 0.013)), draw.mix(tone, (120, 104, 80), 0.5), owner=owner)


def _orange(bit: Canvas, rng: np.random.Generator, owner: int) -> None:
    tone = one_of(rng, ((236, 136, 30), (238, 206, 60)), 10)
    polygon(bit, ellipse((0, 0), (0.04, 0.032)), tone, owner=owner)
    polygon(bit, ellipse((0.003, 0.002), (0.033, 0.026)), (246, 230, 190), owner=owner)
    for turn in np.arange(6) * np.pi / 3:
        tip = np.array([np.cos(turn), np.sin(turn)]) * (0.027, 0.021)
        polygon(
            bit,
            ellipse(tip * 0.6, (0.011, 0.006), angle_rad=float(turn)),
            draw.mix(tone, (255, 220, 120), 0.3),
            owner=owner,
        )


def _leaf_of_salad(bit: Canvas, rng: np.random.Generator, owner: int) -> None:
    tone = draw.varied(rng, (142, 176, 80), 20)
    polygon(bit, _lump(rng, 0.05, 0.036), tone, to=draw.mix(tone, (60, 84, 30), 0.4), owner=owner)
    polygon(bit, stroke([(-0.045, 0.004), (0.035, 0)], [0.012, 0.003]), (218, 226, 180), owner=owner)


def _crust(bit: Canvas, rng: np.random.Generator, owner: int) -> None:
    polygon(bit, _lump(rng, 0.05, 0.04), (140, 88, 44), owner=owner)
    polygon(bit, _lump(rng, 0.04, 0.031), draw.varied(rng, (224, 194, 140), 12), owner=owner)


def _peel(bit: Canvas, rng: np.random.Generator, owner: int) -> None:
    tone = one_of(rng, ((150, 112, 70), (224, 120, 40), (190, 60, 50)), 14)
    path = curve(rng.uniform(-0.06, 0.06, (5, 2)), steps=10)
    polygon(bit, stroke(path, 0.013), tone, to=draw.mix(tone, (240, 220, 170), 0.4), owner=owner)


def _tea(bit: Canvas, rng: np.random.Generator, owner: int) -> None:
    polygon(bit, [(-0.024, -0.028), (0.024, -0.028), (0.024, 0.028), (-0.024, 0.028)], (166, 128, 84), owner=owner)
    polygon(bit, ellipse((0, 0.008), (0.018, 0.015)), (96, 62, 34), owner=owner)
    polygon(bit, stroke([(0, -0.028), (0.03, -0.06)], 0.003), (230, 226, 214), owner=owner)
    polygon(
        bit,
        [(0.024, -0.072), (0.042, -0.066), (0.036, -0.05), (0.02, -0.056)],
        draw.varied(rng, (220, 60, 50), 40),
        owner=owner,
    )


SCRAPS: dict[str, Callable[[Canvas, np.random.Generator, int], None]] = {
    "banana": _banana,
    "core": _core,
    "shell": _shell,
    "orange": _orange,
    "salad": _leaf_of_salad,
    "crust": _crust,
    "peel": _peel,
    "tea": _tea,
}


def garden_cuttings(paper: Canvas, view: Camera, thing: Lying, owner: int) -> None:
    """Paint a bundle of prunings: twigs across each other with their leaves, or a heap of hedge trimmings."""
    rng = lying.stream(thing)
    heap = _heap(paper, view, thing)
    half, high = rng.uniform(0.17, 0.26), rng.uniform(0.09, 0.15)
    green = one_of(rng, FOLIAGE, 14)
    polygon(
        heap,
        _lump(rng, half * 0.75, high * 0.8),
        draw.mix(green, (10, 14, 6), 0.55),
        to=draw.mix(green, (10, 14, 6), 0.75),
        owner=owner,
    )
    lean, spread = float(rng.uniform(-0.5, 0.5)), float(rng.uniform(0.15, 0.6))
    for _ in range(int(rng.integers(11, 18))):
        turn = lean + float(rng.normal(0, spread))
        along = np.array([np.cos(turn), np.sin(turn) * 0.7])
        middle = rng.normal(0, 0.3, 2) * (half * 0.7, high * 0.8)
        ends = [middle - along * half * rng.uniform(0.5, 0.95), middle + along * half * rng.uniform(0.5, 0.95)]
        _twig(heap, rng, ends, green, owner)
    if rng.random() < 0.35:  # tied with string
        x = float(rng.uniform(-0.2, 0.2)) * half
        polygon(heap, stroke([(x - 0.01, -high), (x + 0.012, high * 0.9)], 0.008), (206, 176, 120), owner=owner)


def _twig(heap: Canvas, rng: np.random.Generator, ends: list[NDArray[np.float64]], green: Colour, owner: int) -> None:
    polygon(heap, stroke(ends, [0.013, 0.005]), one_of(rng, BARK, 14), owner=owner)
    leaf = _pointed(float(rng.uniform(0.03, 0.055)), float(rng.uniform(0.010, 0.018)))
    along, count = float(np.arctan2(*(ends[1] - ends[0])[::-1])), 2 * int(rng.integers(4, 8))
    at = ends[0] + (ends[1] - ends[0]) * np.linspace(0.2, 1.0, count)[:, None]
    turns = along + np.tile([-1.0, 1.0], count // 2) * rng.uniform(0.5, 1.2, count)
    lying.scattered(heap, leaf, at, turns, lying.tones(rng, green, 34, count), owner)


def _pointed(long: float, half: float) -> NDArray[np.float64]:
    return np.array([(0, 0), (long * 0.4, -half), (long, 0), (long * 0.4, half)])


def leaves(paper: Canvas, view: Camera, thing: Lying, owner: int) -> None:
    """Paint leaves that fell: single ones, flat on the ground, brown, yellow and the last green ones; no waste."""
    rng = lying.stream(thing)
    ground = lying.flat(paper, view, thing)
    tone, spread = one_of(rng, AUTUMN + FOLIAGE[:2], 14), rng.uniform(0.10, 0.22)
    for outline in (_OVAL, _ASH):
        count = int(rng.integers(5, 16))
        at, turns = rng.normal(0, spread, (count, 2)), rng.uniform(0, 2 * np.pi, count)
        colours = lying.tones(rng, draw.mix(tone, one_of(rng, AUTUMN, 14), 0.5), 26, count)
        lying.scattered(ground, outline * float(rng.uniform(0.8, 1.3)), at, turns, colours, owner)
        ribs = [draw.mix(colour, (40, 24, 12), 0.45) for colour in colours]
        lying.scattered(ground, _RIB, at, turns, ribs, owner)


_OVAL = np.concatenate(
    [curve([(-0.03, 0), (0.0, -0.032), (0.04, 0)], steps=6), curve([(0.04, 0), (0.0, 0.032), (-0.03, 0)], steps=6)]
)
_ASH = np.array([(-0.045, 0), (-0.02, -0.018), (0.01, -0.022), (0.055, 0), (0.01, 0.022), (-0.02, 0.018)])
_RIB = np.array([(-0.06, -0.002), (0.03, -0.001), (0.03, 0.001), (-0.06, 0.002)])
