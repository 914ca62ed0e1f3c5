"""A work site along a road: which things stand where, from its nearest thing at 0 m to its far end."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vouch.scenes import draw, machines, works
from vouch.scenes.layers import Brush
from vouch.scenes.perspective import Body
from vouch.scenes.road import EDGES_M

# Things that make a photograph one of road works; a heap, fresh asphalt and a lamp do not by themselves.
WORKS = frozenset(
    {"cone", "barrier", "beacon", "worksign", "worker", "trench", "excavator", "roller", "cutter", "arrow_lorry"}
)
FLAT = frozenset({"trench", "patch"})  # lies on the road: painted before all that stands on it


@dataclass(frozen=True)
class Ground:
    """Where a site lies: its edge of the road, the way into the road from there, and how its lamps shine."""

    edge_m: float
    inward: float  # 1 or -1
    lamps: float


def site(rng: np.random.Generator, road_type: str, lamps: float) -> list[Body]:
    """Draw a site on one side of the road."""
    left, right = EDGES_M[road_type]
    edge, inward = (left, 1.0) if rng.random() < 0.35 else (right, -1.0)
    found = _KINDS[rng.integers(len(_KINDS))](rng, Ground(edge, inward, lamps))
    if lamps == 1.0 and rng.random() < 0.5:
        found.append(_body(rng, "worklight", edge - inward * 0.8, float(rng.uniform(6, 12)), lamps))
    return found


def _lane(rng: np.random.Generator, at: Ground) -> list[Body]:
    """Close a lane: a taper, a sign before it, a machine, people and a hole behind it."""
    wide = float(rng.uniform(2.0, 3.0))
    found = _taper(rng, at, wide, int(rng.integers(5, 9)))
    found.append(_body(rng, "worksign", at.edge_m - at.inward * 0.9, float(rng.uniform(0, 3)), at.lamps))
    middle = at.edge_m + at.inward * wide * 0.45
    kind = "trench" if rng.random() < 0.7 else "patch"
    found.append(_body(rng, kind, middle, float(rng.uniform(9, 12)), at.lamps))
    if rng.random() < 0.7:
        found.append(_machine(rng, middle, float(rng.uniform(15, 20)), at.lamps))
    return found + _people(rng, at, wide, (8.0, 18.0), int(rng.integers(1, 4)))


def _hole(rng: np.random.Generator, at: Ground) -> list[Body]:
    """Dig at the edge: barriers around a hole, a heap, somebody with a cutter."""
    middle = at.edge_m + at.inward * float(rng.uniform(0.6, 1.4))
    found = [_body(rng, "trench", middle, 1.0, at.lamps), _body(rng, "barrier", middle, 0.3, at.lamps)]
    found.append(_body(rng, "barrier", middle, 7.2, at.lamps))
    found += [_body(rng, "beacon", middle + at.inward * 1.4, z, at.lamps) for z in (1.2, 3.6, 6.0)]
    if rng.random() < 0.7:
        found.append(_body(rng, "heap", at.edge_m - at.inward * 1.3, float(rng.uniform(2, 6)), at.lamps))
    if rng.random() < 0.6:
        found.append(_body(rng, "cutter", middle, float(rng.uniform(7.6, 9)), at.lamps))
    return found + _people(rng, at, 2.0, (3.0, 9.0), int(rng.integers(1, 3)))


def _moving(rng: np.random.Generator, at: Ground) -> list[Body]:
    """Work while moving: a lorry with an arrow board behind cones, people before it."""
    middle = at.edge_m + at.inward * 1.5
    lorry = Body(
        "arrow_lorry", "", middle, 5.0, 1.0, (240, 124, 24), works.WHITE, at.inward > 0, float(rng.random()), at.lamps
    )
    return [*_taper(rng, at, 2.4, int(rng.integers(3, 5))), lorry, *_people(rng, at, 2.6, (2.0, 4.5), 1)]


def _paving(rng: np.random.Generator, at: Ground) -> list[Body]:
    """Pave: a barrier across the lane, machines one behind the other, people around them."""
    middle = at.edge_m + at.inward * 1.5
    found = [_body(rng, "barrier", middle, 0.0, at.lamps), _machine(rng, middle, 5.0, at.lamps)]
    found += [_body(rng, "beacon", middle + at.inward * 1.7, z, at.lamps) for z in (0.4, 5.0, 10.0)]
    found.append(_body(rng, "worksign", at.edge_m - at.inward * 1.0, -0.5, at.lamps))
    if rng.random() < 0.6:
        found.append(_machine(rng, middle, 14.0, at.lamps))
    return found + _people(rng, at, 2.6, (2.0, 12.0), int(rng.integers(1, 4)))


def _small(rng: np.random.Generator, at: Ground) -> list[Body]:
    """Mark a small job: a sign, a few cones, a barrier or a worker."""
    found = _taper(rng, at, float(rng.uniform(0.8, 1.6)), int(rng.integers(3, 6)))
    found.append(_body(rng, "worksign", at.edge_m - at.inward * 0.8, float(rng.uniform(0, 2)), at.lamps))
    if rng.random() < 0.5:
        found.append(_body(rng, "barrier", at.edge_m + at.inward * 1.0, float(rng.uniform(7, 9)), at.lamps))
    return found + _people(rng, at, 1.5, (4.0, 9.0), int(rng.integers(0, 2)))


def _taper(rng: np.random.Generator, at: Ground, wide_m: float, count: int) -> list[Body]:
    """Lead traffic away from the edge with cones or beacons, `wide_m` into the road."""
    kind, step = ("cone", 1.7) if rng.random() < 0.65 else ("beacon", 2.4)
    inset = 0.2 + np.linspace(0.0, wide_m - 0.2, count)
    return [_body(rng, kind, at.edge_m + at.inward * x, i * step, at.lamps) for i, x in enumerate(inset)]


def _people(rng: np.random.Generator, at: Ground, wide_m: float, deep_m: tuple[float, float], count: int) -> list[Body]:
    xs, zs = rng.uniform(-0.8, wide_m * 0.7, count), rng.uniform(*deep_m, count)
    return [
        _body(rng, "worker", at.edge_m + at.inward * float(x), float(z), at.lamps) for x, z in zip(xs, zs, strict=True)
    ]


def _machine(rng: np.random.Generator, x_m: float, z_m: float, lamps: float) -> Body:
    return _body(rng, "excavator" if rng.random() < 0.6 else "roller", x_m, z_m, lamps)


def _body(rng: np.random.Generator, kind: str, x_m: float, z_m: float, lamps: float) -> Body:
    colour = draw.one_of(rng, machines.PAINTS, 12)
    size = float(rng.uniform(0.95, 1.08)) * (1.15 if kind == "cone" else 1.0)
    second = draw.varied(rng, (70, 74, 84), 20)
    return Body(kind, "", x_m, z_m, size, colour, second, bool(rng.random() < 0.5), float(rng.random()), lamps)


_KINDS: tuple[Callable[[np.random.Generator, Ground], list[Body]], ...] = (_lane, _hole, _moving, _paving, _small)
BRUSHES: dict[str, Brush] = {
    "barrier": works.barrier,
    "beacon": works.beacon,
    "worksign": works.sign,
    "worker": works.worker,
    "heap": works.heap,
    "trench": works.trench,
    "patch": works.patch,
    "worklight": works.worklight,
    "excavator": machines.excavator,
    "roller": machines.roller,
    "cutter": machines.cutter,
    "arrow_lorry": machines.arrow_lorry,
}
