"""What is at the kerb and is no waste: toys, tools, bollards, hydrants, planters, covers in the ground."""

from dataclasses import replace

import numpy as np

from vouch.scenes import draw, lying, organics
from vouch.scenes.draw import Canvas, Colour, ellipse, polygon, rectangle, stroke, within
from vouch.scenes.lying import Lying
from vouch.scenes.perspective import Camera
from vouch.scenes.vessels import LOUD

STEEL: Colour = (152, 156, 162)
WOOD: Colour = (176, 130, 80)


def _loud(rng: np.random.Generator) -> Colour:
    return draw.one_of(rng, LOUD, 12)


def ball(paper: Canvas, view: Camera, thing: Lying, owner: int) -> None:
    """Paint a ball with patches."""
    rng = lying.stream(thing)
    local, radius = lying.standing(paper, view, thing), rng.uniform(0.07, 0.11)
    tone, other = _loud(rng), _loud(rng)
    polygon(local, ellipse((0, radius), (radius, radius)), draw.mix(tone, (0, 0, 0), 0.3), owner=owner)
    polygon(local, ellipse((-radius * 0.12, radius * 1.12), (radius * 0.84, radius * 0.84)), tone, owner=owner)
    for turn in np.arange(5) * 1.257 + rng.uniform(0, 1):
        at = (radius * 0.58 * np.cos(turn), radius * (1 + 0.58 * np.sin(turn)))
        polygon(local, ellipse(at, (radius * 0.24, radius * 0.17), angle_rad=float(turn)), other, owner=owner)
    polygon(local, ellipse((-radius * 0.4, radius * 1.45), (radius * 0.16, radius * 0.1)), (250, 250, 250), owner=owner)


def car(paper: Canvas, view: Camera, thing: Lying, owner: int) -> None:
    """Paint a toy lorry or car of plastic."""
    rng = lying.stream(thing)
    local = within(lying.standing(paper, view, thing), (0, 0), scale=(float(rng.choice([-1, 1])), 1))
    body, cabin = _loud(rng), _loud(rng)
    polygon(
        local, rectangle(-0.15, 0.03, 0.15, 0.1, rounding=0.02), body, to=draw.mix(body, (0, 0, 0), 0.3), owner=owner
    )
    polygon(local, [(-0.13, 0.1), (0.02, 0.1), (0.02, 0.19), (-0.15, 0.17)], draw.mix(body, cabin, 0.7), owner=owner)
    polygon(local, [(0.04, 0.1), (0.14, 0.1), (0.11, 0.17), (0.04, 0.17)], cabin, owner=owner)
    polygon(local, [(0.06, 0.11), (0.125, 0.11), (0.105, 0.155), (0.06, 0.155)], (176, 214, 230), owner=owner)
    for x in (-0.09, 0.09):
        polygon(local, ellipse((x, 0.035), (0.038, 0.038)), (28, 28, 30), owner=owner)
        polygon(local, ellipse((x, 0.035), (0.017, 0.017)), (220, 200, 80), owner=owner)


def bear(paper: Canvas, view: Camera, thing: Lying, owner: int) -> None:
    """Paint a bear of plush that sits or lies."""
    rng = lying.stream(thing)
    fur = draw.varied(rng, ((156, 112, 68), (196, 160, 112), (226, 214, 196), (110, 116, 130))[rng.integers(4)], 14)
    turn = 0.0 if rng.random() < 0.6 else float(rng.choice([-1.4, 1.4]))
    local = within(lying.standing(paper, view, thing), (0, 0.05), angle_rad=turn)
    dark = draw.mix(fur, (40, 24, 12), 0.3)
    for x, y, wide, high in (
        (-0.07, -0.02, 0.04, 0.035),
        (0.07, -0.02, 0.04, 0.035),
        (-0.085, 0.075, 0.028, 0.05),
        (0.085, 0.075, 0.028, 0.05),
    ):
        polygon(local, ellipse((x, y), (wide, high)), dark, owner=owner)
    polygon(local, ellipse((0, 0.05), (0.075, 0.085)), fur, owner=owner)
    polygon(local, ellipse((0, 0.045), (0.045, 0.055)), draw.mix(fur, (255, 240, 220), 0.4), owner=owner)
    for x in (-0.055, 0.055):
        polygon(local, ellipse((x, 0.225), (0.026, 0.026)), dark, owner=owner)
    polygon(local, ellipse((0, 0.17), (0.07, 0.065)), fur, owner=owner)
    polygon(local, ellipse((0, 0.15), (0.032, 0.026)), draw.mix(fur, (255, 240, 220), 0.5), owner=owner)
    for x, y in ((-0.028, 0.187), (0.028, 0.187), (0, 0.16)):
        polygon(local, ellipse((x, y), (0.009, 0.009)), (20, 18, 18), owner=owner)


def bricks(paper: Canvas, view: Camera, thing: Lying, owner: int) -> None:
    """Paint a few wooden bricks."""
    rng = lying.stream(thing)
    for _ in range(int(rng.integers(3, 7))):
        x, z = rng.uniform(-0.14, 0.14, 2)
        one = replace(thing, x_m=thing.x_m + x, z_m=thing.z_m + z, heading_rad=float(rng.uniform(0, 1.57)))
        ends = lying.corners(view, one, (float(rng.uniform(0.05, 0.11)), 0.05, 0.05))
        tone = _loud(rng)
        for number, side in lying.sides(view, one, ends):
            polygon(paper, side, draw.mix(tone, (0, 0, 0), (0.1, 0.4, 0.3, 0.25)[number]), owner=owner)
        polygon(paper, ends[1], draw.mix(tone, (255, 255, 255), 0.15), owner=owner)


def hammer(paper: Canvas, view: Camera, thing: Lying, owner: int) -> None:
    """Paint a hammer that lies flat."""
    rng = lying.stream(thing)
    local = lying.flat(paper, view, thing)
    grip = WOOD if rng.random() < 0.5 else _loud(rng)
    polygon(local, stroke([(-0.15, 0), (0.13, 0)], [0.036, 0.026]), draw.mix(grip, (0, 0, 0), 0.1), owner=owner)
    polygon(local, stroke([(-0.15, -0.006), (0.12, -0.006)], 0.008), draw.mix(grip, (255, 255, 255), 0.3), owner=owner)
    polygon(
        local,
        [(0.11, -0.07), (0.16, -0.07), (0.17, 0.02), (0.155, 0.1), (0.125, 0.1), (0.11, 0.02)],
        (86, 88, 94),
        owner=owner,
    )
    polygon(local, rectangle(0.105, -0.085, 0.165, -0.06), STEEL, owner=owner)


def spanner(paper: Canvas, view: Camera, thing: Lying, owner: int) -> None:
    """Paint a spanner that lies flat."""
    local = lying.flat(paper, view, thing)
    polygon(local, stroke([(-0.13, 0), (0.13, 0)], 0.03), STEEL, to=draw.mix(STEEL, (0, 0, 0), 0.3), owner=owner)
    for x, turn in ((-0.15, np.pi), (0.15, 0.0)):
        end = within(local, (x, 0), angle_rad=turn + 0.25)
        polygon(
            end,
            [
                (-0.03, -0.035),
                (0.02, -0.045),
                (0.05, -0.03),
                (0.01, -0.014),
                (0.01, 0.014),
                (0.05, 0.03),
                (0.02, 0.045),
                (-0.03, 0.035),
            ],
            STEEL,
            owner=owner,
        )


def bucket(paper: Canvas, view: Camera, thing: Lying, owner: int) -> None:
    """Paint a bucket with its handle."""
    rng = lying.stream(thing)
    local = lying.standing(paper, view, thing)
    tone = draw.varied(rng, (STEEL, (40, 44, 52), (196, 50, 44), (44, 90, 160))[rng.integers(4)], 10)
    squash = lying.depth_per_width(view, thing)
    wide, high = 0.13, 0.23
    polygon(local, [(-wide, high), (wide, high), (wide * 0.75, 0), (-wide * 0.75, 0)], tone, owner=owner)
    polygon(local, ellipse((0, 0), (wide * 0.75, wide * 0.75 * squash)), tone, owner=owner)
    polygon(
        local,
        [(-wide * 0.7, high), (-wide * 0.35, high), (-wide * 0.25, -0.02), (-wide * 0.5, 0)],
        draw.mix(tone, (255, 255, 255), 0.35),
        owner=owner,
    )
    polygon(
        local,
        [(wide * 0.55, high), (wide, high), (wide * 0.75, 0), (wide * 0.4, -0.02)],
        draw.mix(tone, (0, 0, 0), 0.35),
        owner=owner,
    )
    polygon(local, ellipse((0, high), (wide, wide * squash)), draw.mix(tone, (255, 255, 255), 0.25), owner=owner)
    polygon(local, ellipse((0, high), (wide * 0.9, wide * 0.9 * squash)), draw.mix(tone, (0, 0, 0), 0.6), owner=owner)
    hoop = draw.arc((0, high), (wide, wide * 1.1), np.linspace(0.1, np.pi - 0.1, 12))
    polygon(local, stroke(hoop, 0.009), (70, 72, 76), owner=owner)


def spade(paper: Canvas, view: Camera, thing: Lying, owner: int) -> None:
    """Paint a garden trowel that lies flat."""
    rng = lying.stream(thing)
    local = lying.flat(paper, view, thing)
    grip = WOOD if rng.random() < 0.5 else _loud(rng)
    polygon(local, stroke([(-0.17, 0), (-0.05, 0)], [0.03, 0.036]), grip, owner=owner)
    polygon(local, stroke([(-0.06, 0), (0.02, 0)], 0.014), STEEL, owner=owner)
    polygon(
        local,
        [(0.0, -0.045), (0.09, -0.045), (0.18, 0), (0.09, 0.045), (0.0, 0.045)],
        STEEL,
        to=(96, 100, 106),
        owner=owner,
    )


def bollard(paper: Canvas, view: Camera, thing: Lying, owner: int) -> None:
    """Paint a low bollard with a bright band."""
    rng = lying.stream(thing)
    local = lying.standing(paper, view, thing)
    tone = draw.varied(rng, ((70, 74, 78), (150, 152, 154), (96, 70, 52), (44, 60, 50))[rng.integers(4)], 10)
    high, half, squash = rng.uniform(0.55, 0.75), rng.uniform(0.06, 0.085), lying.depth_per_width(view, thing)
    polygon(local, ellipse((0, 0), (half, half * squash)), tone, owner=owner)
    for x1, x2, dark in ((-1, -0.55, 0.15), (-0.55, 0.2, -0.2), (0.2, 0.62, 0.1), (0.62, 1, 0.4)):
        mixed = draw.mix(tone, (255, 255, 255) if dark < 0 else (0, 0, 0), abs(dark))
        polygon(local, rectangle(half * x1, 0, half * x2, high), mixed, owner=owner)
        band = draw.mix((226, 60, 44) if rng.random() < 0.1 else (236, 234, 226), (0, 0, 0), max(dark, 0))
        polygon(local, rectangle(half * x1, high * 0.72, half * x2, high * 0.84), band, owner=owner)
    polygon(local, ellipse((0, high), (half, half * 0.6)), draw.mix(tone, (255, 255, 255), 0.18), owner=owner)


def hydrant(paper: Canvas, view: Camera, thing: Lying, owner: int) -> None:
    """Paint a hydrant: red, or yellow and blue."""
    rng = lying.stream(thing)
    local = lying.standing(paper, view, thing)
    tone = draw.varied(rng, ((196, 36, 32), (196, 36, 32), (226, 180, 40), (40, 90, 160))[rng.integers(4)], 10)
    dark, light = draw.mix(tone, (0, 0, 0), 0.35), draw.mix(tone, (255, 255, 255), 0.25)
    polygon(local, rectangle(-0.13, -0.03, 0.13, 0.05, rounding=0.02), dark, owner=owner)
    polygon(local, rectangle(-0.09, 0.02, 0.09, 0.42), tone, owner=owner)
    polygon(local, rectangle(-0.06, 0.04, -0.02, 0.42), light, owner=owner)
    polygon(local, rectangle(0.05, 0.04, 0.09, 0.42), dark, owner=owner)
    polygon(local, rectangle(-0.115, 0.38, 0.115, 0.43, rounding=0.02), light, owner=owner)
    polygon(local, draw.arc((0, 0.43), (0.09, 0.1), np.linspace(0, np.pi, 12)), tone, owner=owner)
    polygon(local, rectangle(-0.02, 0.52, 0.02, 0.56), dark, owner=owner)
    for x in (-0.13, 0.13):
        polygon(local, ellipse((x, 0.29), (0.045, 0.045)), dark, owner=owner)
    polygon(local, ellipse((0, 0.27), (0.05, 0.055)), light, owner=owner)
    polygon(local, ellipse((0, 0.27), (0.033, 0.037)), dark, owner=owner)


def planter(paper: Canvas, view: Camera, thing: Lying, owner: int) -> None:
    """Paint a tub with a living plant, which is no cuttings."""
    rng = lying.stream(thing)
    ends = lying.corners(view, thing, (0.42, 0.3, 0.24))
    tone = draw.varied(rng, ((150, 148, 142), (110, 80, 56), (74, 78, 84), (170, 96, 64))[rng.integers(4)], 10)
    for number, side in lying.sides(view, thing, ends):
        polygon(paper, side, draw.mix(tone, (0, 0, 0), (0.05, 0.35, 0.3, 0.25)[number]), owner=owner)
    polygon(paper, ends[1], (62, 46, 34), owner=owner)
    local = lying.standing(paper, view, thing)
    green = draw.varied(rng, organics.FOLIAGE[rng.integers(4)], 14)
    blossom = _loud(rng)
    for _ in range(26):
        x, turn = rng.normal(0, 0.11), float(rng.normal(0, 0.5))
        tip = (x + 0.22 * np.sin(turn), 0.3 + 0.2 * np.cos(turn) * rng.uniform(0.5, 1))
        leaf = stroke(draw.curve([(x, 0.26), (x, 0.36), tip], steps=5), [0.006, 0.02, 0.026, 0.018, 0.004])
        polygon(local, leaf, draw.varied(rng, green, 26), owner=owner)
        if rng.random() < 0.3:
            polygon(local, ellipse(tip, (0.022, 0.022)), blossom, owner=owner)


def cover(paper: Canvas, view: Camera, thing: Lying, owner: int) -> None:
    """Paint a round cover of cast iron in the ground, which from the side could be a lid."""
    rng = lying.stream(thing)
    ground = within(lying.flat(paper, view, thing), (0, 0), angle_rad=-thing.heading_rad)
    iron = draw.varied(rng, (84, 82, 80), 10)
    polygon(ground, ellipse((0, 0), (0.27, 0.27)), draw.mix(iron, (0, 0, 0), 0.4), owner=owner)
    polygon(ground, ellipse((0, 0), (0.245, 0.245)), iron, owner=owner)
    for x in np.linspace(-0.15, 0.15, 5):
        for y in np.linspace(-0.15, 0.15, 5):
            polygon(
                ground,
                rectangle(x - 0.02, y - 0.012, x + 0.02, y + 0.012),
                draw.mix(iron, (0, 0, 0), 0.35),
                owner=owner,
            )


def stone(paper: Canvas, view: Camera, thing: Lying, owner: int) -> None:
    """Paint a stone: pale and round, as a nappy or a crumpled bag is."""
    rng = lying.stream(thing)
    local = lying.standing(paper, view, thing)
    tone = draw.varied(rng, ((168, 164, 156), (196, 192, 184), (130, 122, 112))[rng.integers(3)], 12)
    turns = np.linspace(0, 2 * np.pi, 11, endpoint=False)
    reach = 1 + rng.normal(0, 0.09, 11)
    outline = np.stack([0.11 * reach * np.cos(turns), 0.065 + 0.07 * reach * np.sin(turns)], axis=1)
    polygon(local, outline, draw.mix(tone, (0, 0, 0), 0.35), owner=owner)
    polygon(local, (outline - (0, 0.065)) * (0.86, 0.74) + (-0.008, 0.082), tone, owner=owner)
    polygon(
        local,
        (outline[::2] - (0, 0.065)) * (0.5, 0.4) + (-0.02, 0.1),
        draw.mix(tone, (255, 255, 255), 0.25),
        owner=owner,
    )
