"""The inside of a vehicle as the dashboard camera sees it, with a look that belongs to the vehicle."""

from dataclasses import dataclass

import numpy as np

from vouch.scenes import draw
from vouch.scenes.draw import Canvas, Colour, ellipse, polygon, rectangle, stroke

TRIMS: tuple[Colour, ...] = ((48, 48, 52), (92, 84, 74), (150, 136, 116), (66, 72, 84), (112, 110, 108), (70, 52, 44))
FABRICS: tuple[Colour, ...] = (
    (60, 62, 68),
    (150, 140, 124),
    (104, 66, 48),
    (64, 82, 112),
    (132, 46, 46),
    (36, 38, 42),
    (170, 166, 160),
    (88, 98, 74),
)
BELTS: tuple[Colour, ...] = ((34, 34, 36), (70, 70, 74), (120, 112, 98), (52, 56, 66))


@dataclass(frozen=True)
class Cabin:
    """What stays the same in a vehicle: colours, shapes, and how its camera is mounted."""

    trim: Colour
    fabric: Colour
    piping: Colour
    pattern: str
    belt: Colour
    door_side: int  # +1: the driver's window is on the right of the picture
    window_slope: float
    headrest_wide: float
    headrest_high: float
    shift: tuple[float, float]
    tilt_rad: float
    zoom: float
    wheel_high: float
    screen: bool
    charm: Colour | None


def cabin(rng: np.random.Generator) -> Cabin:
    """Draw the look of one vehicle's inside."""
    fabric = draw.one_of(rng, FABRICS, 14)
    return Cabin(
        trim=draw.one_of(rng, TRIMS, 10),
        fabric=fabric,
        piping=draw.one_of(rng, FABRICS, 20),
        pattern=str(rng.choice(["plain", "stripes", "quilt", "centre"])),
        belt=draw.one_of(rng, BELTS, 6),
        door_side=int(rng.choice([-1, 1])),
        window_slope=float(rng.uniform(0.0, 26.0)),
        headrest_wide=float(rng.uniform(25, 38)),
        headrest_high=float(rng.uniform(19, 28)),
        shift=(float(rng.uniform(-14, 14)), float(rng.uniform(-7, 7))),
        tilt_rad=float(rng.normal(0.0, 0.035)),
        zoom=float(rng.uniform(0.90, 1.10)),
        wheel_high=float(rng.uniform(-14, 16)),
        screen=bool(rng.random() < 0.35),
        charm=draw.varied(rng, (150, 120, 120), 90) if rng.random() < 0.25 else None,
    )


def shell(place: Canvas, look: Cabin) -> None:
    """Paint roof, rear window and rear seats."""
    dark = draw.mix(look.trim, (10, 10, 12), 0.55)
    polygon(place, rectangle(-260, -220, 260, 220), draw.mix(look.trim, (210, 205, 198), 0.35), to=dark)
    polygon(
        place,
        [(-260, -220), (260, -220), (260, -104), (120, -92), (-120, -92), (-260, -104)],
        (168, 164, 158),
        to=(126, 122, 118),
    )
    polygon(place, rectangle(-60, -82, 60, -38, rounding=10), (66, 70, 76), to=(96, 104, 110))  # rear window, tinted
    for x in (-84, 84):
        polygon(place, rectangle(x - 26, -24, x + 26, 120, rounding=10), draw.mix(look.fabric, (0, 0, 0), 0.45))


def window(place: Canvas, look: Cabin, outside: int, scenario: str, road_type: str) -> None:
    """Paint the side window, what passes behind it (drawn from the seed `outside`), pillar and door."""
    side, slope = look.door_side, look.window_slope
    frame = np.array([(70, -90), (250, -112), (270, 46), (92 - slope * 0.4, 34), (70 - slope * 0.2, -40)]) * (side, 1)
    polygon(place, frame, draw.mix(look.trim, (0, 0, 0), 0.5))
    glass = np.array([(80, -82), (240, -100), (260, 36), (100 - slope * 0.4, 26), (80 - slope * 0.2, -40)]) * (side, 1)
    sky = {"day": ((186, 212, 240), (232, 236, 236)), "dusk": ((120, 110, 150), (246, 168, 110))}
    top, bottom = sky.get(scenario, ((8, 10, 20), (22, 24, 34)))
    emit = draw.mix((0, 0, 0), draw.mix(top, bottom, 0.6), 0.35 if scenario != "night" else 0.0)
    polygon(place, glass, top, to=bottom, emit=emit)
    _scenery(place, side, np.random.default_rng(outside), road_type, scenario)
    pillar = np.array([(58, -110), (82, -110), (104, 130), (84, 130), (64, -30)]) * (side, 1)
    polygon(place, pillar, draw.mix(look.trim, (255, 255, 255), 0.12), to=draw.mix(look.trim, (0, 0, 0), 0.2))
    door = np.array([(84, 30), (280, 44), (280, 240), (70, 240)]) * (side, 1)
    polygon(place, door, draw.mix(look.trim, (255, 255, 255), 0.10), to=draw.mix(look.trim, (0, 0, 0), 0.45))
    polygon(place, stroke(np.array([(86, 32), (280, 46)]) * (side, 1), 4.0), draw.mix(look.trim, (0, 0, 0), 0.5))


def _scenery(place: Canvas, side: int, rng: np.random.Generator, road_type: str, scenario: str) -> None:
    """Paint silhouettes in the window; everything stays inside x 98 to 240, the glass at that height."""
    x = 100.0
    while x < 236:
        wide = float(rng.uniform(14, 40))
        end = min(x + wide, 240)
        if road_type == "urban":
            tone = draw.varied(rng, (138, 124, 112), 30)
            polygon(place, rectangle(side * x, float(rng.uniform(-78, -20)), side * end, 26), tone)
            for _ in range(3):
                lit = (255, 214, 140) if scenario == "night" and rng.random() < 0.6 else draw.DARK
                spot = side * float(x + (end - x) * rng.uniform(0.15, 0.85)), float(rng.uniform(-14, 16))
                polygon(place, rectangle(spot[0] - 2, spot[1] - 4, spot[0] + 2, spot[1] + 4), (70, 76, 90), emit=lit)
        else:
            top = float(rng.uniform(-30, 8)) if road_type == "rural" else float(rng.uniform(0, 14))
            green = draw.varied(rng, (74, 104, 62), 20)
            polygon(place, ellipse((side * (x + end) / 2, 26), ((end - x) * 0.55, 26 - top)), green)
        x = end
    polygon(place, rectangle(side * 98, 18, side * 246, 27), (96, 98, 96))


def seat(place: Canvas, look: Cabin) -> None:
    """Paint the driver's seat and headrest."""
    light, dark = draw.mix(look.fabric, (255, 255, 255), 0.12), draw.mix(look.fabric, (0, 0, 0), 0.4)
    for x in (-10, 10):
        polygon(place, rectangle(x - 2, -40, x + 2, 0), (60, 60, 62))
    wide, high = look.headrest_wide, look.headrest_high
    polygon(place, rectangle(-wide, -46 - high, wide, -46 + high, rounding=13), light, to=dark)
    back = draw.curve([(-92, 230), (-100, 20), (-70, -26), (0, -22), (70, -26), (100, 20), (92, 230)], steps=24)
    polygon(place, back, light, to=dark)
    if look.pattern == "stripes":
        for x in range(-60, 61, 20):
            polygon(place, rectangle(x - 1.5, 4, x + 1.5, 240), look.piping, alpha=0.7)
    elif look.pattern == "quilt":
        for y in range(16, 130, 18):
            polygon(place, stroke([(-76, y), (0, y + 5), (76, y)], 1.6), dark, alpha=0.8)
    elif look.pattern == "centre":
        polygon(place, rectangle(-44, 4, 44, 240, rounding=16), look.piping, alpha=0.75)
    polygon(place, stroke(back[2:-2], 2.2), draw.mix(look.piping, (255, 255, 255), 0.2), alpha=0.6)


def front(place: Canvas, look: Cabin, wheel_turn: float, sway: float) -> None:
    """Paint what is nearer than the driver: steering wheel, top of the dashboard, a screen on it."""
    centre = (wheel_turn * 6, 176 + look.wheel_high)
    rim = draw.arc(centre, (86, 68), np.linspace(np.pi * 1.08, np.pi * 1.92, 22))
    polygon(place, stroke(rim, 10.0), (30, 30, 32), to=(16, 16, 18))
    polygon(place, stroke(rim - (0, 2.4), 2.0), (92, 92, 96), alpha=0.5)
    dash = draw.mix(look.trim, (0, 0, 0), 0.55)
    polygon(
        place,
        [(-260, 124), (-90, 116), (90, 116), (260, 124), (260, 260), (-260, 260)],
        dash,
        to=draw.mix(dash, (0, 0, 0), 0.6),
    )
    if look.screen:
        x = -look.door_side * 104
        polygon(place, rectangle(x - 25, 82, x + 25, 118, rounding=3), (16, 16, 18))
        polygon(place, rectangle(x - 22, 85, x + 22, 114), (52, 84, 96), to=(110, 140, 110), emit=(40, 56, 50))
        polygon(place, stroke([(x - 18, 110), (x, 98), (x + 6, 88)], 2.4), (240, 200, 60), emit=(120, 100, 30))
    if look.charm is not None:
        x = look.door_side * -70
        polygon(place, stroke([(x, -130), (x + sway * 0.4, -84)], 1.2), (60, 60, 60))
        polygon(place, ellipse((x + sway * 0.4, -76), (7, 9)), look.charm, to=draw.mix(look.charm, (0, 0, 0), 0.4))
