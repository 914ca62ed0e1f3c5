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
    boxes: list[Box]


def write(folder: Path, shots: Sequence[Shot], take: Callable[[Shot], Photograph], *, workers: int) -> None:
    """Write source.json, manifest.jsonl and images/ for the shots, in their order; `workers` changes no byte."""
    images = folder / "images"
    images.mkdir(parents=True)
    lines = []
    for number, photograph in enumerate(_taken(shots, take, workers)):
        path = images / f"{number:06d}.jpg"
        path.write_bytes(photograph.content)
        lines.append(json.dumps(_line(f"images/{path.name}", photograph)))
    (folder / "manifest.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    source = {"name": "render", "format": "jsonl", "unlabelled": "refuse", "labels": {}}
    io.write_json(folder / "source.json", source)


def _taken(shots: Sequence[Shot], take: Callable[[Shot], Photograph], workers: int) -> "list[Photograph]":
    if workers == 1:
        return [take(shot) for shot in shots]
    # spawn, not fork: OpenCV's threads do not survive a fork
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return list(pool.map(take, shots, chunksize=16))


def _line(image: str, photograph: Photograph) -> dict[str, object]:
    boxes = [
        {key: value if isinstance(value, str) else round(value, COORDINATE_DIGITS) for key, value in box.items()}
        for box in photograph.boxes
    ]
    size = {"width": photograph.width_px, "height": photograph.height_px}
    return {"image": image, **size, "groups": photograph.groups, "strata": photograph.strata, "boxes": boxes}
