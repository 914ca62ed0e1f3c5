"""The data set `roadwork`: is there road work in sight of a camera that drives along a street or hangs over it.

A photograph shows road work when a work site fills at least 0.5 % of it: cones or beacons in a row, barriers, the
triangle with the digging worker, workers in vests, machines, dug-up asphalt. A site that fills less, haze deducted, is
not drawn at all: no photograph lies in between. No road work: a single cone behind a parked van, a lorry, an orange
car, a hoarding, a striped awning, somebody who delivers, any other traffic sign.
"""

from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated, Literal, Self

import cv2
import numpy as np
from pydantic import Field, model_validator

from vouch.params import Section
from vouch.scenes import album, looks, photo, street
from vouch.scenes.album import Photograph, Source
from vouch.scenes.params import Count, Rate
from vouch.scenes.street import Drive, Moment, Scene

CLASSES = ("no_roadwork", "roadwork")
WORDS = {"dashcam": ("none", "works"), "pole": ("0", "1"), "phone": ("frei", "baustelle"), "shifted": CLASSES}
SKIES = ("clear", "clear", "rain", "fog", "snow")  # as often as they are named
HOURS = ("day", "day", "day", "dusk", "dusk", "night", "night")
OVERLOOKED = 0.9  # share of the wrong labels that miss works: people overlook more than they invent
_DRIVE, _PLAN, _FRAME = range(3)  # first word after the seed of every random stream

Name = Literal["dashcam", "pole", "phone", "shifted"]


class Params(Section):
    """datasets.roadwork.render."""

    seed: Annotated[int, Field(ge=0, lt=2**32)]
    first_group: Annotated[int, Field(ge=0, lt=2**32)]
    sources: Annotated[tuple[Name, ...], Field(min_length=1)]
    n_drives: Count
    frames_least: Count
    frames_most: Count
    width_px: Annotated[int, Field(ge=96)]
    height_px: Annotated[int, Field(ge=96)]
    site_rate: Rate
    duplicate_rate: Rate
    label_noise: Annotated[float, Field(ge=0, le=0.5)]
    blur_rate: Rate
    reach: Annotated[float, Field(gt=0.3, le=1.5)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.frames_least > self.frames_most:
            raise ValueError("frames_least is more than frames_most")
        if len(set(self.sources)) < len(self.sources):
            raise ValueError("a source is named twice")
        return self


@dataclass(frozen=True)
class Shot:
    """One photograph to take; a repeat shares the moment of the shot that it repeats."""

    moment: Moment
    repeat: int  # 0 for an original


def render(params: Params, folder: Path, *, workers: int) -> None:
    """Write each source into its folder: the same parameters give the same bytes on any number of workers."""
    shots = plan(params)
    for name in params.sources:
        labels = dict(zip(WORDS[name], CLASSES, strict=True))
        mine = [shot for shot in shots if shot.moment.source == name]
        album.write(folder, Source(name, labels), mine, partial(photograph, params), workers=workers)


def plan(params: Params) -> list[Shot]:
    """Return every shot: each source sees every weather at every time of day, with sites and without."""
    rng = np.random.default_rng(np.random.SeedSequence([params.seed, _PLAN, params.first_group]))
    conditions = [_conditions(rng, params) for _ in params.sources]
    shots: list[Shot] = []
    for number in range(params.n_drives):
        turn, which = divmod(number, len(params.sources))
        n_frames = int(rng.integers(params.frames_least, params.frames_most + 1))
        blank = Moment(number + params.first_group, 0, n_frames, params.sources[which], *conditions[which][turn])
        shots += _frames(rng, params.duplicate_rate, blank)
    return shots


def _conditions(rng: np.random.Generator, params: Params) -> list[tuple[str, str, bool]]:
    """Return weather, time of day and whether there is a site, for each drive of a source."""
    cells = [(sky, hour) for sky in SKIES for hour in HOURS]
    order, sites = rng.permutation(len(cells)), {cell: float(rng.random()) for cell in sorted(set(cells))}
    found = []
    for turn in range(-(-params.n_drives // len(params.sources))):
        cell = cells[order[turn % len(cells)]]
        before, sites[cell] = sites[cell], sites[cell] + params.site_rate  # a site whenever the sum passes a number
        found.append((*cell, int(sites[cell]) > int(before)))
    return found


def _frames(rng: np.random.Generator, duplicate_rate: float, blank: Moment) -> list[Shot]:
    found: list[Shot] = []
    for frame in range(blank.n_frames):
        found.append(Shot(replace(blank, frame=frame), 0))
        if rng.random() < duplicate_rate:
            found.append(replace(found[-1], repeat=1))
    return found


def photograph(params: Params, shot: Shot) -> Photograph:
    """Take one shot."""
    cv2.setNumThreads(1)
    moment, rng = shot.moment, _stream(params, shot.moment, 0)
    along, scene = composed(params, moment, rng)
    shows_works = bool(scene.works_px)
    picture = street.photographed(scene, moment, along, params.blur_rate, rng)
    if shot.repeat:
        picture, _ = photo.again(picture, _stream(params, moment, 1))
    wrong = _wrong(params.label_noise, shows_works, _stream(params, moment, 2 + shot.repeat))
    groups = {"drive": f"drive_s{params.seed}_{moment.drive:04d}"}
    strata = {"weather": moment.weather, "time_of_day": moment.time_of_day, "source": moment.source}
    content = photo.jpeg(picture, looks.STYLES[moment.source].quality)
    word = WORDS[moment.source][int(shows_works != wrong)]
    return Photograph(content, params.width_px, params.height_px, groups, strata, None, word)


def composed(params: Params, moment: Moment, rng: np.random.Generator) -> tuple[Drive, Scene]:
    """Return a frame as painted, and its drive."""
    along = _drive(params.seed, replace(moment, frame=0), params.reach)
    return along, street.painted(moment, along, (params.width_px, params.height_px), rng)


@lru_cache(maxsize=64)
def _drive(seed: int, first: Moment, reach: float) -> Drive:
    return street.drive(np.random.default_rng(np.random.SeedSequence([seed, _DRIVE, first.drive])), first, reach)


def _wrong(label_noise: float, shows_works: bool, rng: np.random.Generator) -> bool:
    """Say whether a careless person labels this one wrong; twice the rate, as each class is half of the whole."""
    return bool(rng.random() < 2 * label_noise * (OVERLOOKED if shows_works else 1 - OVERLOOKED))


def _stream(params: Params, moment: Moment, use: int) -> np.random.Generator:
    """Return the random stream for one use of a frame."""
    return np.random.default_rng(np.random.SeedSequence([params.seed, _FRAME, moment.drive, moment.frame, use]))
