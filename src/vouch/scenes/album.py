"""A rendered source: photographs taken in parallel, their manifest, and the source's description."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from vouch import io
from vouch.scenes.draw import Box

Shot = TypeVar("Shot")
COORDINATE_DIGITS = 2  # pixels; a hundredth is far below what a label means


@dataclass(frozen=True)
class Photograph:
    """One rendered sample: JPEG bytes and what the manifest says of it."""

    content: bytes
    width_px: int
    height_px: int
    groups: dict[str, str]
    strata: dict[str, str]
    boxes: list[Box] | None  # None where the photograph is labelled as a whole
    label: str | None = None  # in the source's own words
    stated: str | None = None  # the split that the source states for it


@dataclass(frozen=True)
class Source:
    """A named source: what its own words mean in the data set."""

    name: str
    labels: dict[str, str]  # word of the source: class; words for which there is no photograph are left out


def write(
    folder: Path, source: Source, shots: Sequence[Shot], take: Callable[[Shot], Photograph], *, workers: int
) -> None:
    """Write the source's folder in the data set's: source.json, manifest.jsonl, images/; whole or not at all.

    The photographs are in the order of the shots; `workers` changes no byte.
    """
    with io.replacing_folder(folder / source.name) as part:
        images = part / "images"
        images.mkdir(parents=True)
        lines, used = [], set()
        for number, photograph in enumerate(_taken(shots, take, workers)):
            path = images / f"{number:06d}.jpg"
            path.write_bytes(photograph.content)
            lines.append(json.dumps(_line(f"images/{path.name}", photograph)))
            used.add(photograph.label)
        (part / "manifest.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        labels = {word: name for word, name in source.labels.items() if word in used}
        content = {"name": source.name, "format": "jsonl", "unlabelled": "refuse", "labels": labels}
        io.write_json(part / "source.json", content)


def _taken(shots: Sequence[Shot], take: Callable[[Shot], Photograph], workers: int) -> "list[Photograph]":
    if workers == 1:
        return [take(shot) for shot in shots]
    # spawn, not fork: OpenCV's threads do not survive a fork
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return list(pool.map(take, shots, chunksize=16))


def _line(image: str, photograph: Photograph) -> dict[str, object]:
    size = {"width": photograph.width_px, "height": photograph.height_px}
    stated: dict[str, object] = {} if photograph.label is None else {"label": photograph.label}
    if photograph.boxes is not None:
        stated["boxes"] = [_rounded(box) for box in photograph.boxes]
    if photograph.stated is not None:
        stated["split"] = photograph.stated
    return {"image": image, **size, "groups": photograph.groups, "strata": photograph.strata, **stated}


def _rounded(box: Box) -> Box:
    return {key: value if isinstance(value, str) else round(value, COORDINATE_DIGITS) for key, value in box.items()}
