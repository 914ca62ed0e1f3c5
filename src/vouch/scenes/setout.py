"""What is put out in one photograph: in a bag, a bin or a box, and loose on the kerb, with what is no waste between."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vouch.scenes import draw, lying, receptacles, refuse
from vouch.scenes.draw import Canvas, Colour, ellipse, polygon, stroke
from vouch.scenes.kerb import UNITS_HIGH, Street
from vouch.scenes.lying import Lying
from vouch.scenes.perspective import Camera

OWN_SHARE = 0.6  # of the waste is of the photograph's stream; the rest should not be there
ITEMS = (5, 10)  # pieces of waste in a photograph, least and most
HELD = {"bag": (3, 5), "bin": (3, 5), "box": (3, 5), "loose": (0, 0)}  # of them in the container
OTHERS = (2, 6)  # things that are no waste, at full clutter
SHIES: tuple[Colour, ...] = ((40, 44, 60), (86, 70, 56), (30, 30, 32), (120, 40, 44))
TOP = 46.0  # units from the upper edge of the picture to the top of a container, at least
CLOSE = 0.62  # of the room that two things take together: nearer they are not put
INSIDE_M = {
    "bin": (0.19, 0.13, 0.42),
    "box": (0.24, 0.15, 0.18),
    "bag": (0.15, 0.06, 0.29),
}  # half width, half depth, lift


@dataclass(frozen=True)
class Setout:
    """Everything that one photograph shows on the ground."""

    container: Lying | None
    tone: Colour  # of the container
    stream: str
    held: tuple[Lying, ...]
    film: Lying | None  # clear film over some loose things
    loose: tuple[Lying, ...]
    in_the_way: tuple[str, float, float] | None  # what stands between, where, and how


def setout(
    rng: np.random.Generator, look: Street, view: Camera, told: tuple[str, str], clutter: float, *, empty: bool
) -> Setout:
    """Draw what lies where; `told` is the stream and the container."""
    stream, kind = told
    placed: list[Lying] = []
    container = _container(rng, look, view, kind) if kind != "loose" else None
    count = 0 if empty else int(rng.integers(ITEMS[0], ITEMS[1] + 1))
    inside = min(count, int(rng.integers(*np.add(HELD[kind], (0, 1)))))
    held = _held(rng, container, _classes(rng, stream, inside), view) if container is not None else []
    taken = [container] if container is not None else []
    for label in _classes(rng, stream, count - len(held)):
        one = _put(rng, look, view, (label, label), [*taken, *placed], len(placed))
        placed += [] if one is None else [one]
    film = placed[0] if kind == "bag" and placed and rng.random() < 0.4 else None
    for name in rng.permutation(list(refuse.NEGATIVES))[: round(int(rng.integers(OTHERS[0], OTHERS[1] + 1)) * clutter)]:
        one = _put(rng, look, view, (str(name), ""), [*taken, *placed], 100 + len(placed))
        placed += [] if one is None else [one]
    tone = receptacles.colour(rng, stream)
    return Setout(container, tone, stream, tuple(held), film, tuple(placed), None)


def obstructed(rng: np.random.Generator, shown: Setout, view: Camera, rate: float) -> Setout:
    """Return the scene with something in the way, as often as `rate` says."""
    blocked, kind = rng.random() < rate, ("leg", "branch", "wheel")[rng.integers(3)]
    at, turn = float(rng.uniform(0.12, 0.88) * 2 * view.centre_x), float(rng.uniform(-1, 1))
    return replace(shown, in_the_way=(kind, at, turn)) if blocked else shown


def _classes(rng: np.random.Generator, stream: str, count: int) -> list[str]:
    own = [name for name, of in refuse.CLASSES.items() if of == stream]
    return [_one(rng, own if rng.random() < OWN_SHARE else list(refuse.CLASSES)) for _ in range(count)]


def _one(rng: np.random.Generator, names: Sequence[str]) -> str:
    return names[int(rng.integers(len(names)))]


def _container(rng: np.random.Generator, look: Street, view: Camera, kind: str) -> Lying:
    high = receptacles.SIZES_M[kind][2] + (0.25 if kind == "bag" else 0.0)
    seen = view.focal * (view.height_m - high - 0.1) / (TOP - view.horizon_y)  # farther away its top is cut off
    far = min(3.2, seen, look.back_m - 0.6 if look.road_near else 3.2)
    z = float(rng.uniform(min(2.35, far - 0.1), far))
    x = float(rng.uniform(-0.5, 0.5)) * z * view.centre_x / view.focal
    upright, turn = True, float(rng.normal(0, 0.22))
    return Lying(kind, "", 200, x, z, 0.0, float(rng.uniform(0.9, 1.1)), turn, upright, 0.0, 0.0, _seed(rng))


def _held(rng: np.random.Generator, container: Lying, classes: Sequence[str], view: Camera) -> list[Lying]:
    """Put things into a container, beside and on each other."""
    wide, deep, lift = INSIDE_M[container.kind]
    found: list[Lying] = []
    for number, label in enumerate(classes):
        for _ in range(12):
            x = container.x_m + float(rng.uniform(-wide, wide))
            z = container.z_m + float(rng.uniform(-deep, deep))
            one = _thing(rng, (label, label), x, z, 50 + number)
            one = replace(
                one, lift_m=lift + float(rng.uniform(0, 0.06)), size=one.size * 0.9, lean_rad=float(rng.normal(0, 0.3))
            )
            if not any(_meet(one, other, 0.5) for other in found):
                found.append(one)
                break
    return found


def _put(
    rng: np.random.Generator, look: Street, view: Camera, named: tuple[str, str], placed: Sequence[Lying], place: int
) -> Lying | None:
    """Put a thing where there is room, near the others more often than not; None where there is none."""
    far = min(3.9, look.back_m - 0.25) if look.road_near else 4.1
    for _ in range(14):
        z = float(1.0 / rng.uniform(1.0 / far, 1.0 / 2.05))
        reach = z * view.centre_x / view.focal
        x = float(rng.uniform(-0.95, 0.95)) * reach
        if placed and rng.random() < 0.45:
            near = placed[int(rng.integers(len(placed)))]
            x, z = (
                float(np.clip(at + rng.normal(0, 0.26), *ends))
                for at, ends in ((near.x_m, (-reach, reach)), (near.z_m, (2.0, far)))
            )
        one = _thing(rng, named, x, z, place)
        if not any(_meet(one, other, CLOSE) for other in placed):
            return one
    return None


def _thing(rng: np.random.Generator, named: tuple[str, str], x: float, z: float, place: int) -> Lying:
    kind, label = named
    upright = bool(rng.random() < refuse.EVERY[kind].upright)
    heading, wear = float(rng.uniform(0, 2 * np.pi)), float(rng.random())
    return Lying(
        kind, label, place, x, z, 0.0, float(rng.uniform(1.2, 1.5)), heading, upright, float(rng.normal(0, 0.05)),
        wear, _seed(rng),
    )  # fmt: skip


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**32))


def _room(thing: Lying) -> tuple[float, float]:
    if thing.kind in receptacles.SIZES_M:
        wide, deep, _ = receptacles.SIZES_M[thing.kind]
        return wide / 2 + 0.06, deep / 2 + 0.16
    wide, deep = refuse.EVERY[thing.kind].half_m
    return wide * thing.size, deep * thing.size


def _meet(one: Lying, other: Lying, close: float) -> bool:
    """Say whether two things would hide too much of each other."""
    wide, deep = np.add(_room(one), _room(other)) * close
    return bool(((one.x_m - other.x_m) / wide) ** 2 + ((one.z_m - other.z_m) / (deep * 1.25)) ** 2 < 1.0)


def painted(paper: Canvas, look: Street, view: Camera, shown: Setout, dropped: frozenset[Hashable]) -> Canvas:
    """Return the canvas with everything on it, from far to near; each thing's key is its place."""
    order = sorted([*shown.loose, *([shown.container] if shown.container else [])], key=lambda one: -one.z_m)
    flat_first = sorted(order, key=lambda one: one.kind not in ("cover", "leaves"))
    for one in flat_first:
        if one is shown.container:
            _filled(paper, look, view, shown, dropped)
        elif one.place not in dropped:
            _thing_painted(paper, look, view, one)
            if shown.film is one:
                receptacles.film_over(paper, view, one, 0.3)
    if shown.in_the_way is not None:
        OBSTACLES[shown.in_the_way[0]](paper, *shown.in_the_way[1:])
    return paper


def _filled(paper: Canvas, look: Street, view: Camera, shown: Setout, dropped: frozenset[Hashable]) -> None:
    container = shown.container
    if container is None:
        return
    wide, deep, _ = receptacles.SIZES_M[container.kind]
    lying.shadow(paper, view, container, (wide * 0.6, deep * 0.62), 0.1 if look.light_rad < 0 else -0.1)
    receptacles.behind(paper, view, container, shown.tone)
    for one in sorted(shown.held, key=lambda one: -one.z_m):
        if one.place not in dropped:
            _thing_painted(paper, look, view, one)
    receptacles.in_front(paper, view, container, shown.tone, shown.stream)


def _thing_painted(paper: Canvas, look: Street, view: Camera, one: Lying) -> None:
    if not one.label:
        refuse.painted(paper, view, one, look.light_rad, 0)
        return
    with draw.thing(paper, one.label, one.place) as owner:
        refuse.painted(paper, view, one, look.light_rad, owner)


def _leg(paper: Canvas, x: float, turn: float) -> None:
    """Paint the leg of somebody who stands in the way."""
    tone = SHIES[int(abs(turn) * 3.99)]
    knee, ankle = (x + 30 * turn, -10.0), (x, UNITS_HIGH * 0.62)
    polygon(
        paper,
        stroke([knee, ((knee[0] + ankle[0]) / 2, ankle[1] * 0.5), ankle], [76, 66, 54]),
        tone,
        to=draw.mix(tone, (0, 0, 0), 0.3),
    )
    side = 1 if turn > 0 else -1
    polygon(paper, stroke([(x - side * 8, ankle[1] + 18), (x + side * 52, ankle[1] + 30)], [44, 34]), (34, 30, 30))
    polygon(paper, stroke([(x - side * 14, ankle[1] + 38), (x + side * 66, ankle[1] + 44)], 8), (206, 204, 198))


def _branch(paper: Canvas, x: float, turn: float) -> None:
    """Paint a branch with leaves that hangs into the picture."""
    rng = np.random.default_rng(int(abs(turn) * 1e6))
    tip = np.array([x + 150 * turn, UNITS_HIGH * rng.uniform(0.35, 0.6)])
    path = draw.curve(np.array([(x, -20.0), (x + 40 * turn, 90.0), tuple(tip)]), steps=14)
    polygon(paper, stroke(path, np.linspace(9, 2, 14)), (70, 54, 38))
    green = draw.varied(rng, (62, 92, 44), 26)
    for at in np.repeat(path, 3, axis=0):
        leaf = ellipse(at + rng.normal(0, 15, 2), (17, 8), angle_rad=float(rng.uniform(0, 3.1)))
        polygon(paper, leaf, draw.varied(rng, green, 26))


def _wheel(paper: Canvas, x: float, turn: float) -> None:
    """Paint the wheel of a bicycle that leans at the edge of the picture."""
    centre, radius = (x, UNITS_HIGH * 0.30), 150.0
    rim = draw.arc(centre, (radius * 0.8, radius), np.linspace(0, 2 * np.pi, 60))
    for spoke in np.arange(14) * np.pi / 7 + turn:
        end = (centre[0] + radius * 0.8 * np.cos(spoke), centre[1] + radius * np.sin(spoke))
        polygon(paper, stroke([centre, end], 1.5), (150, 152, 156))
    polygon(paper, stroke(rim, 13.0), (30, 30, 32))
    polygon(
        paper,
        stroke(draw.arc(centre, (radius * 0.74, radius * 0.92), np.linspace(0, 2 * np.pi, 60)), 4.0),
        (170, 172, 176),
    )


OBSTACLES = {"leg": _leg, "branch": _branch, "wheel": _wheel}
