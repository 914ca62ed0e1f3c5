"""Photographs and labels laid out as Ultralytics wants them, the same pixels that predict reads."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from ruamel.yaml import YAML
from ultralytics.utils.patches import imread

from vouch.errors import DataError, Problem, refuse_any
from vouch.training.detection.framework import Labelled, Lesson
from vouch.vision.images.source import File, Image, read_image, size_of

LEAST_SIDE_PX = 10  # of a photograph that Ultralytics takes
START_OF_JPEG, END_OF_JPEG = b"\xff\xd8", b"\xff\xd9"


def write_view(lesson: Lesson, folder: Path) -> Path:
    """Lay out train and val_select as Ultralytics wants them: links to photographs, label files, two lists.

    Raises
    ------
    DataError
        Naming each photograph with a side below 10 pixels, which Ultralytics would leave out with a warning.
    """
    refuse_any(DataError, _thin([*lesson.train, *lesson.val_select]))
    lists = {
        "train": _write_split(lesson.train, folder, "train"),
        "val": _write_split(lesson.val_select, folder, "val"),
    }
    data = folder / "data.yaml"
    write_yaml(data, {"path": str(folder), **lists, "names": dict(enumerate(lesson.classes))})
    return data


def _thin(examples: list[Labelled]) -> Iterator[Problem]:
    for example in examples:
        size = size_of(example.image)
        if min(size) < LEAST_SIDE_PX:
            expected, remedy = f"sides of at least {LEAST_SIDE_PX} pixels", "set it aside, or train with torchvision"
            yield Problem(example.image.name, expected, f"{size[0]} x {size[1]}", remedy)


def _write_split(examples: tuple[Labelled, ...], folder: Path, name: str) -> str:
    images, labels = folder / "images" / name, folder / "labels" / name
    images.mkdir(parents=True, exist_ok=True)
    labels.mkdir(parents=True, exist_ok=True)
    links = []
    for index, example in enumerate(examples):
        links.append(str(_laid_out(example.image, images / f"{index:07d}")))
        lines = [
            _label_line(class_id, box) for class_id, box in zip(example.class_ids, example.boxes_xyxy, strict=True)
        ]
        (labels / f"{index:07d}.txt").write_text("".join(lines))
    listing = folder / f"{name}.txt"
    listing.write_text("\n".join(links) + "\n")
    return str(listing)


def _laid_out(image: Image, name: Path) -> Path:
    """Return a link to a photograph's file, or a PNG of its pixels where Ultralytics would read others than predict.

    It knows fewer carriers of the orientation, turns some TIFFs otherwise, and re-encodes a JPEG with trailing bytes.
    """
    pixels = read_image(image)
    linked = image.path if isinstance(image, File) and _reads_alike(image.path, pixels) else None
    path = name.with_suffix(".png" if linked is None else linked.suffix)
    path.unlink(missing_ok=True)  # a link left there must not be written through
    if linked is None:
        cv2.imwrite(str(path), pixels)
    else:
        path.symlink_to(linked.absolute())
    return path


def _reads_alike(photograph: Path, pixels: NDArray[np.uint8]) -> bool:
    content, theirs = photograph.read_bytes(), imread(str(photograph))
    encodes = content.startswith(START_OF_JPEG) and not content.endswith(END_OF_JPEG)
    return theirs is not None and np.array_equal(pixels, theirs) and not encodes


def _label_line(class_id: int, box: Any) -> str:
    x1, y1, x2, y2 = box
    return f"{class_id} {(x1 + x2) / 2:.8f} {(y1 + y2) / 2:.8f} {x2 - x1:.8f} {y2 - y1:.8f}\n"


def write_yaml(path: Path, content: dict[str, Any]) -> None:
    """Write a file that Ultralytics reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as stream:
        YAML(typ="safe", pure=True).dump(content, stream)
