"""The data set `driver`: trips of drivers in vehicles, seen by a cabin, a front and a rear camera."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from vouch.params import Section
from vouch.scenes import album, cabin, cockpit, draw, person, photo, population, posture, rig, road, traffic
from vouch.scenes.album import Photograph, Source
from vouch.scenes.draw import Box, Canvas
from vouch.scenes.labelling import careless, moved
from vouch.scenes.params import Count, Rate
from vouch.scenes.photo import Light, Picture
from vouch.scenes.randomness import of_picture

STREAMS = ("cabin", "front", "rear")
SCENARIOS = ("day", "dusk", "night")
ROAD_TYPES = ("highway", "urban", "rural")
CABIN_CLASSES = {"seatbelt": 0.68, "phone": 0.38, "cigarette": 0.30, "drowsy_face": 0.36}  # share of frames
UNITS_HIGH = 240.0
JPEG_QUALITY = 90
# Least visible box (shorter side, longer side) in pixels: IoU .50 on anything smaller is a lottery.
LEAST_PX = {"vehicle": (8, 9), "pedestrian": (6, 14), "cone": (8, 9), "cigarette": (5, 11)}
LEAST_PX_ELSE = (8, 12)
LEAST_SEEN = 0.40  # visible share
_DRIVER, _VEHICLE, _PLAN, _PICTURE = range(4)  # first word after the seed of every random stream


class Frames(Section):
    """Frames per trip and stream."""

    cabin: Count
    front: Count
    rear: Count


class Params(Section):
    """datasets.driver.render."""

    seed: Annotated[int, Field(ge=0, lt=2**32)]
    first_group: Annotated[int, Field(ge=0, lt=2**32)]
    n_vehicles: Count
    n_drivers: Count
    trips_per_driver: Count
    frames_per_trip: Frames
    width_px: Annotated[int, Field(ge=96)]
    height_px: Annotated[int, Field(ge=96)]
    duplicate_rate: Rate
    crossed_duplicates: Annotated[int, Field(ge=0)]
    empty_rate: Rate
    label_noise: Rate
    blur_rate: Rate
    reach: Annotated[float, Field(gt=0.3, le=1.5)]


@dataclass(frozen=True)
class Shot:
    """One photograph to take. `number` names its moment; a repeat shares the moment of the shot it repeats."""

    number: int
    driver: int
    vehicle: int
    groups: tuple[int, int]  # driver and vehicle it is filed under: not its own for a crossed duplicate
    stream: str
    scenario: str
    road_type: str
    empty: bool
    repeat: int  # 0 for an original


def render(params: Params, folder: Path, *, workers: int) -> None:
    """Write the source `render`: the same parameters give the same bytes on any number of workers."""
    album.write(folder, Source("render", {}), plan(params), partial(photograph, params), workers=workers)


def plan(params: Params) -> list[Shot]:
    """Return every shot: trips of each driver, every stream in every trip, conditions balanced over the trips."""
    rng = np.random.default_rng(np.random.SeedSequence([params.seed, _PLAN, params.first_group]))
    conditions = _conditions(rng, params.n_drivers * params.trips_per_driver)
    vehicles = _vehicles(rng, params)
    shots: list[Shot] = []
    for driver in range(params.n_drivers):
        for trip in range(params.trips_per_driver):
            scenario, road_type = conditions[driver * params.trips_per_driver + trip]
            who = (driver + params.first_group, vehicles[driver] + params.first_group)
            blank = Shot(0, *who, who, "", scenario, road_type, False, 0)
            for stream in STREAMS:
                shots += _frames(rng, params, replace(blank, stream=stream), len(shots))
    return shots + _crossed(rng, params, shots)


def _conditions(rng: np.random.Generator, count: int) -> list[tuple[str, str]]:
    every = [(scenario, road_type) for scenario in SCENARIOS for road_type in ROAD_TYPES]
    return [every[index] for index in rng.permutation(np.arange(count) % len(every))]


def _vehicles(rng: np.random.Generator, params: Params) -> list[int]:
    """Return each driver's vehicle: the first drivers have their own, the others share one, no three where two do."""
    own = [driver % params.n_vehicles for driver in range(min(params.n_drivers, params.n_vehicles))]
    shared = rng.permutation(params.n_vehicles)
    return own + [int(shared[extra % params.n_vehicles]) for extra in range(params.n_drivers - len(own))]


def _frames(rng: np.random.Generator, params: Params, blank: Shot, number: int) -> list[Shot]:
    found: list[Shot] = []
    for _ in range(getattr(params.frames_per_trip, blank.stream)):
        found.append(replace(blank, number=number + len(found), empty=bool(rng.random() < params.empty_rate)))
        if rng.random() < params.duplicate_rate:
            found.append(replace(found[-1], repeat=number + len(found)))
    return found


def _crossed(rng: np.random.Generator, params: Params, shots: list[Shot]) -> list[Shot]:
    """Return frames filed again under another driver and vehicle, each pair of groups at most once."""
    count = min(params.crossed_duplicates, params.n_drivers // 2)
    originals = [shot for shot in shots if not shot.repeat]
    drivers = sorted({shot.driver for shot in shots})
    chosen = rng.permutation(len(drivers))[: 2 * count].reshape(count, 2)
    found: list[Shot] = []
    for taken, filed in chosen:
        mine = [shot for shot in originals if shot.driver == drivers[taken]]
        other = next(shot for shot in originals if shot.driver == drivers[filed])
        if other.vehicle != mine[0].vehicle:
            source = mine[rng.integers(len(mine))]
            found.append(replace(source, groups=other.groups, repeat=len(shots) + len(found)))
    return found


def photograph(params: Params, shot: Shot) -> Photograph:
    """Take one shot."""
    cv2.setNumThreads(1)
    picture, boxes = _picture(params, shot)
    size_px = (params.width_px, params.height_px)
    if shot.repeat:
        picture, shift = photo.again(picture, of_picture(params, _PICTURE, shot.repeat, 1))
        boxes = [moved(box, shift * 2, size_px) for box in boxes]
    rng = of_picture(params, _PICTURE, shot.repeat or shot.number, 2)
    boxes = careless(boxes, params.label_noise, size_px, rng)
    driver, vehicle = shot.groups
    groups = {"driver": f"driver_s{params.seed}_{driver:03d}", "vehicle": f"vehicle_s{params.seed}_{vehicle:03d}"}
    strata = {"stream": shot.stream, "scenario": shot.scenario, "road_type": shot.road_type}
    return Photograph(photo.jpeg(picture, JPEG_QUALITY), *size_px, groups, strata, boxes)


def _picture(params: Params, shot: Shot) -> tuple[Picture, list[Box]]:
    rng = of_picture(params, _PICTURE, shot.number, 0)
    compose = _cabin if shot.stream == "cabin" else _road
    paper, field = compose(params, shot, rng)
    light = _light(params, shot, rng)
    return photo.developed(paper, light, field, rng), [box for box, _ in draw.boxes(paper) if box is not None]


@lru_cache(maxsize=512)
def _look(seed: int, kind: int, index: int) -> tuple[person.Person, cockpit.Cabin, rig.Rig]:
    """Return the persistent looks of that driver (first) or vehicle (the others)."""
    streams = [np.random.default_rng(child) for child in np.random.SeedSequence([seed, kind, index]).spawn(3)]
    return person.person(streams[0]), cockpit.cabin(streams[1]), rig.rig(streams[2])


Field2D = NDArray[np.float32]


def _paper(params: Params) -> Canvas:
    paper = draw.canvas(params.width_px, params.height_px, UNITS_HIGH)
    aside = (params.width_px / params.height_px * UNITS_HIGH - road.WIDE) / 2  # scenes are laid out for 4 : 3
    return draw.within(paper, (aside, 0.0))


def _settled(paint: Callable[[frozenset[Hashable]], Canvas]) -> Canvas:
    return draw.settled(paint, lambda label: LEAST_PX.get(label, LEAST_PX_ELSE), LEAST_SEEN)


def _cabin(params: Params, shot: Shot, rng: np.random.Generator) -> tuple[Canvas, Field2D | None]:
    who, look = _look(params.seed, _DRIVER, shot.driver)[0], _look(params.seed, _VEHICLE, shot.vehicle)[1]
    happening = frozenset(name for name, share in CABIN_CLASSES.items() if rng.random() < share and not shot.empty)
    now = posture.moment(rng, happening, who)

    def painted(dropped: frozenset[Hashable]) -> Canvas:
        paper, kept = _paper(params), happening - dropped
        cabin.paint(paper, look, who, now, happening=kept, scenario=shot.scenario, road_type=shot.road_type)
        return paper

    size_px = (params.width_px, params.height_px)
    lamp = photo.pool(size_px, (0.0, 0.45), (0.75, 0.5), 0.24) if shot.scenario == "night" else None
    return _settled(painted), lamp


def _road(params: Params, shot: Shot, rng: np.random.Generator) -> tuple[Canvas, Field2D | None]:
    look, rear = _look(params.seed, _VEHICLE, shot.vehicle)[2], shot.stream == "rear"
    now = road.place(rng, shot.road_type)
    lamps = {"day": 0.0, "dusk": 0.7, "night": 1.0}[shot.scenario]
    bodies = population.scenery(rng, shot.road_type, lamps)
    if not shot.empty:
        bodies += population.traffic(rng, shot.road_type, rear=rear, lamps=lamps, reach=params.reach)
    bodies.sort(key=lambda body: -body.z_m)
    view = rig.camera(look, now, rear=rear)

    empty = _paper(params)
    road.surroundings(empty, view, now, scenario=shot.scenario, road_type=shot.road_type)

    def painted(dropped: frozenset[Hashable]) -> Canvas:
        paper = draw.copied(empty)
        for body in bodies:
            if body not in dropped:
                traffic.paint(paper, view, body)
        (rig.behind if rear else rig.ahead)(paper, look)
        return rig.lens(paper, look) if rear else paper

    paper = _settled(painted)
    if rear:
        rig.guides(paper, look)
    return paper, None if shot.scenario == "day" else _beam(params, shot)


def _beam(params: Params, shot: Shot) -> Field2D:
    """Return the light of the vehicle's own lamps on the road, and of a town's."""
    share, size_px = 1.0 if shot.scenario == "night" else 0.35, (params.width_px, params.height_px)
    if shot.stream == "front":
        beam = photo.pool(size_px, (0.0, 0.56), (0.66, 0.24), 0.62 * share)
    else:
        beam = photo.pool(size_px, (0.0, 0.50), (0.80, 0.34), 0.45 * share)
    return beam + np.float32(0.10 if shot.road_type == "urban" else 0.0)


AMBIENT = {
    ("cabin", "day"): (1.08, 1.07, 1.05), ("cabin", "dusk"): (0.70, 0.60, 0.55), ("cabin", "night"): (0.34, 0.35, 0.38),
    ("road", "day"): (0.95, 0.95, 0.96), ("road", "dusk"): (0.60, 0.53, 0.54), ("road", "night"): (0.25, 0.26, 0.31),
}  # fmt: skip


def _light(params: Params, shot: Shot, rng: np.random.Generator) -> Light:
    inside = "cabin" if shot.stream == "cabin" else "road"
    night, blurred = shot.scenario == "night", rng.random(2) < params.blur_rate
    scale = params.height_px / UNITS_HIGH
    return Light(
        ambient=AMBIENT[inside, shot.scenario],
        lamps={"day": 0.5, "dusk": 0.8, "night": 1.0}[shot.scenario],
        bloom=0.9 if night else 0.35,
        saturation=0.25 if night and inside == "cabin" else (0.8 if night else 1.0),  # near-infrared lamp in the cabin
        exposure=float(np.exp(rng.normal(0.0, 0.14))),
        vignette=float(rng.uniform(0.1, 0.35)),
        noise=float(rng.uniform(2.0, 4.0)) * (2.2 if night else 1.3 if shot.scenario == "dusk" else 1.0),
        defocus_px=scale * float(rng.uniform(0.6, 1.5)) if blurred[0] else 0.0,
        motion_px=scale * float(rng.uniform(2.0, 5.0)) if blurred[1] else 0.0,
        motion_rad=float(rng.normal(0.0, 0.4)),
    )
