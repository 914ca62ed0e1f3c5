"""A drive along a street and its frames: what stands where, what of it is seen, in which light and weather."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vouch.scenes import draw, layers, lookalikes, looks, photo, population, road, site, traffic, weather
from vouch.scenes.draw import SUPERSAMPLE, Canvas
from vouch.scenes.looks import Look
from vouch.scenes.perspective import Body, Camera
from vouch.scenes.photo import Picture
from vouch.scenes.road import Place
from vouch.scenes.vehicles import VEHICLES

LAMPS = {"day": 0.0, "dusk": 0.7, "night": 1.0}
ROAD_TYPES = ("urban", "urban", "rural", "highway")
LEAST_SEEN = 0.005  # share of the picture: 10 x 10 pixels of 160 x 120; of less a person at a desk is not sure
SIGHT_M = 48.0  # at reach 1 works farther away are not drawn
NEAREST_M = 2.5  # what has come closer has left the picture
BRUSHES = site.BRUSHES | lookalikes.BRUSHES


@dataclass(frozen=True)
class Moment:
    """What is known of a frame before it is drawn."""

    drive: int
    frame: int
    n_frames: int
    source: str
    weather: str
    time_of_day: str
    with_site: bool


@dataclass(frozen=True)
class Drive:
    """What the frames of a drive share."""

    look: Look
    road_type: str
    place: Place
    visibility_m: float
    sight_m: float
    standing: tuple[Body, ...]  # along the street, as far away as in the first frame
    site: tuple[Body, ...]  # its nearest thing at 0 m
    site_m: tuple[float, ...]  # how far the site is in each frame
    travel_m: tuple[float, ...]  # how far the camera has come in each frame


@dataclass(frozen=True)
class Scene:
    """A frame as painted, and how many pixels of the picture each thing of the works shows."""

    paper: Canvas
    camera: Camera
    bodies: tuple[Body, ...]
    works_px: tuple[tuple[str, float], ...]


def drive(rng: np.random.Generator, moment: Moment, reach: float) -> Drive:
    """Draw what a drive's frames share: camera, street, site and how it comes nearer."""
    look, road_type = looks.look(rng, moment.source), ROAD_TYPES[rng.integers(len(ROAD_TYPES))]
    lamps, steps = LAMPS[moment.time_of_day], np.arange(moment.n_frames)
    pace, last = rng.uniform(3, 7) * reach, rng.uniform(4, 13) * reach
    moves = looks.STYLES[moment.source].moves
    travel = steps * pace * moves
    nearest = last + (0.0 if moves else 6.0)  # a high camera does not see its own foot
    return Drive(
        look=look,
        road_type=road_type,
        place=replace(road.place(rng, road_type), lean=0.0),
        visibility_m=float(rng.uniform(*weather.VISIBILITY_M[moment.weather])),
        sight_m=SIGHT_M * reach,
        standing=tuple(_standing(rng, road_type, lamps, float(travel[-1]))),
        site=tuple(site.site(rng, road_type, lamps)) if moment.with_site else (),
        site_m=tuple(float(z) for z in nearest + pace * steps[::-1]),
        travel_m=tuple(float(z) for z in travel),
    )


def _standing(rng: np.random.Generator, road_type: str, lamps: float, travel_m: float) -> list[Body]:
    """Draw what stands along the whole way."""
    striped = "hoarding"  # what `driver` calls one looks like a barrier; here it is an advertisement
    found = [body for body in population.scenery(rng, road_type, lamps) if body.kind != striped]
    found = [replace(body, z_m=body.z_m + travel_m * float(rng.random())) for body in found]
    return found + [
        replace(body, z_m=body.z_m + travel_m * 0.5) for body in lookalikes.misleading(rng, road_type, lamps)
    ]


def painted(moment: Moment, along: Drive, size_px: tuple[int, int], rng: np.random.Generator) -> Scene:
    """Paint a frame: the street, then every body, the works among them if enough of them is seen."""
    place = replace(along.place, dash_phase=(along.place.dash_phase - along.travel_m[moment.frame] / 6) % 1)
    view = looks.camera(along.look, place.bend, float(rng.normal(0, 1.5)))
    empty = looks.paper(*size_px, along.look)
    road.surroundings(empty, view, place, scenario=moment.time_of_day, road_type=along.road_type)
    if moment.weather == "snow":
        weather.snowed(empty, view, road.LANES_M[along.road_type], np.random.default_rng(place.backdrop))
    works = _works(moment, along)
    others = _others(moment, along, works, rng)
    scene = _stacked(empty, view, along, works, others)
    enough = sum(px for _, px in scene.works_px) >= LEAST_SEEN * size_px[0] * size_px[1]
    return scene if enough or not works else _stacked(empty, view, along, [], others)


def _works(moment: Moment, along: Drive) -> list[Body]:
    """Return the site's things of this frame, none while the site is out of sight."""
    away = along.site_m[moment.frame]
    placed = [replace(body, z_m=body.z_m + away) for body in along.site]
    return [body for body in placed if body.z_m > NEAREST_M] if away < along.sight_m else []


def _others(moment: Moment, along: Drive, works: Sequence[Body], rng: np.random.Generator) -> list[Body]:
    """Return everything but the works: what stands along the street, and this frame's traffic."""
    gone, lamps = along.travel_m[moment.frame], LAMPS[moment.time_of_day]
    standing = [replace(body, z_m=body.z_m - gone) for body in along.standing]
    passing = population.traffic(rng, along.road_type, rear=False, lamps=lamps, reach=0.65)
    passing = [replace(body, label="") for body in passing if body.kind != "cone"]
    passing = [
        lookalikes.dazzling(rng, body) if body.kind != "pedestrian" and rng.random() < 0.15 else body
        for body in passing
    ]
    least = 9.0 if moment.source == "pole" else 4.0
    near = [body for body in standing if body.z_m > NEAREST_M] + [body for body in passing if body.z_m > least]
    return [body for body in near if not any(_meet(body, other) for other in works)]


def _meet(body: Body, other: Body) -> bool:
    """Say whether two things would stand in each other."""
    long_m = VEHICLES[body.kind][3] + 1.0 if body.kind in VEHICLES else 1.0
    return abs(body.x_m - other.x_m) < 2.0 and -2.0 < other.z_m - body.z_m < long_m


def _stacked(empty: Canvas, view: Camera, along: Drive, works: Sequence[Body], others: Sequence[Body]) -> Scene:
    """Paint bodies from far to near, those that lie on the road first; count what is seen of the works, less haze."""
    paper = draw.copied(empty)
    bodies = sorted([*works, *others], key=lambda body: (body.kind not in site.FLAT, -body.z_m))
    layers.stacked(paper, view, bodies, _brush)
    looks.foreground(paper, along.look)
    left = np.exp(-np.array([body.z_m for body in bodies]) / along.visibility_m)
    seen = layers.seen_px(paper, len(bodies)) * left
    shown = zip((body.kind for body in bodies), map(float, seen), strict=True)
    works_px = tuple((kind, px) for kind, px in shown if kind in site.WORKS and px > 0)
    return Scene(paper, view, tuple(bodies), works_px)


def _brush(paper: Canvas, view: Camera, body: Body) -> None:
    BRUSHES.get(body.kind, traffic.paint)(paper, view, body)


def photographed(scene: Scene, moment: Moment, along: Drive, blur_rate: float, rng: np.random.Generator) -> Picture:
    """Return the photograph of a painted frame in its weather and light; the scene's canvas is used up."""
    _weathered(scene, moment, along, rng)
    wide_px, high_px = scene.paper.owner.shape[1] // SUPERSAMPLE, scene.paper.owner.shape[0] // SUPERSAMPLE
    blurred = rng.random(2) < blur_rate
    scale = high_px / looks.UNITS_HIGH
    light = looks.light(along.look, moment.weather, moment.time_of_day, scale, (bool(blurred[0]), bool(blurred[1])))
    field = _lamplight(moment, along, (wide_px, high_px))
    return looks.graded(photo.developed(scene.paper, light, field, rng), along.look)


def _weathered(scene: Scene, moment: Moment, along: Drive, rng: np.random.Generator) -> None:
    paper, sky = scene.paper, moment.weather
    if sky == "rain":
        weather.wetted(paper, scene.camera)
    away = layers.depth_m(paper, scene.camera, scene.bodies)
    weather.hazed(paper, away, along.visibility_m, weather.haze(sky, moment.time_of_day))
    if sky == "rain":
        weather.rained(paper, rng, float(rng.uniform(-0.6, 0.6)))
    if sky == "snow":
        weather.flaked(paper, rng)


def _lamplight(moment: Moment, along: Drive, size_px: tuple[int, int]) -> NDArray[np.float32] | None:
    """Return the light of headlamps, or of street lamps under a pole, on what they reach."""
    if moment.time_of_day == "day":
        return None
    share = 1.0 if moment.time_of_day == "night" else 0.35
    if not looks.STYLES[moment.source].moves:
        return photo.pool(size_px, (-0.3, 0.55), (0.8, 0.5), 0.42 * share) + np.float32(0.12 * share)
    town = np.float32(0.10 * share if along.road_type == "urban" else 0.02)
    return photo.pool(size_px, (0.0, along.look.horizon / looks.UNITS_HIGH + 0.14), (0.7, 0.24), 0.62 * share) + town
