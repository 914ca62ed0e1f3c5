"""A small data set whose truth is known, written in every format by other code than Vouch's, and spoiled labels."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

import numpy as np
from PIL import Image

from hostile.values import noisy, pick, respelt, spoiled

CLASSES = ("can", "jar")
FORMATS = ("yolo", "coco", "voc", "imagefolder", "csv", "jsonl")
LABELS = {"yolo": ".txt", "coco": ".json", "voc": ".xml", "imagefolder": ".csv", "csv": ".csv", "jsonl": ".jsonl"}
FOLDERS = {"yolo": "images/", "voc": "JPEGImages/", "imagefolder": "{label}/"}
Box = tuple[str, int, int, int, int]
Truth = dict[str, tuple[str, str | None, tuple[tuple[Any, ...], ...]]]  # image: annotation, label, boxes as fractions


@dataclass(frozen=True)
class Photo:
    """A photograph and what is on it."""

    name: str  # s1_0.jpg: the first of session s1
    width: int
    height: int
    boxes: tuple[Box, ...]
    label: str


@dataclass(frozen=True)
class Planted:
    """A source on disk."""

    root: Path
    form: str
    unlabelled: str
    truth: Truth
    known: bool = True  # whether an accepted source must hold the truth; else it must be sane


def photos(rng: np.random.Generator, count: int = 4) -> list[Photo]:
    """Draw a few photographs; the last has nothing on it."""
    made = []
    for index in range(count):
        width, height = (int(side) for side in rng.integers(20, 60, 2))
        boxes = []
        for _ in range(0 if index == count - 1 else int(rng.integers(1, 3))):
            x1, y1 = int(rng.integers(width - 8)), int(rng.integers(height - 8))
            boxes.append((pick(rng, CLASSES), x1, y1, x1 + int(rng.integers(5, 9)), y1 + int(rng.integers(5, 9))))
        made.append(Photo(f"s{index % 3}_{index}.png", width, height, tuple(boxes), pick(rng, CLASSES)))
    return made


def place(form: str, photo: Photo) -> str:
    """Path of a photograph in a source of a format."""
    return FOLDERS.get(form, "").format(label=photo.label) + photo.name


def truth(form: str, held: list[Photo], unlabelled: str) -> Truth:
    """Return what a source of these photographs holds."""
    if form == "imagefolder":
        return {place(form, one): ("labelled", one.label, ()) for one in held}
    nothing = {"csv": "negative" if unlabelled == "negative" else "missing"}.get(form, "negative")
    return {place(form, one): ("labelled" if one.boxes else nothing, None, fractions(one)) for one in held}


def fractions(photo: Photo) -> tuple[tuple[Any, ...], ...]:
    """Return the boxes as the manifest has them."""
    w, h = photo.width, photo.height
    return tuple((name, x1 / w, y1 / h, x2 / w, y2 / h) for name, x1, y1, x2, y2 in photo.boxes)


def files(form: str, held: list[Photo]) -> dict[str, bytes]:
    """Return a source's label files."""
    return WRITERS[form](held)


def _yolo(held: list[Photo]) -> dict[str, bytes]:
    made = {"data.yaml": f"names: [{', '.join(CLASSES)}]\n".encode()}
    for one in held:
        lines = [
            f"{CLASSES.index(name)} {(x1 + x2) / 2:.9f} {(y1 + y2) / 2:.9f} {x2 - x1:.9f} {y2 - y1:.9f}\n"
            for name, x1, y1, x2, y2 in fractions(one)
        ]
        made[f"labels/{one.name.rpartition('.')[0]}.txt"] = "".join(lines).encode()
    return made


def _coco(held: list[Photo]) -> dict[str, bytes]:
    images = [
        {"id": index, "file_name": one.name, "width": one.width, "height": one.height} for index, one in enumerate(held)
    ]
    annotations = [
        {"image_id": index, "category_id": CLASSES.index(name), "bbox": [x1, y1, x2 - x1, y2 - y1]}
        for index, one in enumerate(held)
        for name, x1, y1, x2, y2 in one.boxes
    ]
    annotations = [{"id": index, **one} for index, one in enumerate(annotations)]
    categories = [{"id": index, "name": name} for index, name in enumerate(CLASSES)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    return {"instances.json": json.dumps(content).encode()}


def _voc(held: list[Photo]) -> dict[str, bytes]:
    made = {}
    for one in held:
        root = Element("annotation")
        SubElement(root, "filename").text = one.name
        size = SubElement(root, "size")
        SubElement(size, "width").text, SubElement(size, "height").text = str(one.width), str(one.height)
        for name, *corners in one.boxes:
            item = SubElement(root, "object")
            SubElement(item, "name").text = name
            box = SubElement(item, "bndbox")
            for key, corner in zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True):
                SubElement(box, key).text = str(corner)
        made[f"Annotations/{one.name.rpartition('.')[0]}.xml"] = tostring(root)
    return made


def _imagefolder(held: list[Photo]) -> dict[str, bytes]:
    rows = [[place("imagefolder", one), one.width, one.height] for one in held]
    return {"manifest.csv": _table([["image", "width", "height"], *rows])}


def _csv(held: list[Photo]) -> dict[str, bytes]:
    rows: list[list[Any]] = [["image", "width", "height", "class", "x1", "y1", "x2", "y2"]]
    for one in held:
        rows += [[one.name, one.width, one.height, *box] for box in one.boxes or [("", "", "", "", "")]]
    return {"manifest.csv": _table(rows)}


def _table(rows: list[list[Any]]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue().encode()


def _jsonl(held: list[Photo]) -> dict[str, bytes]:
    lines = [
        {
            **{"image": one.name, "width": one.width, "height": one.height},
            "boxes": [dict(zip(("class", "x1", "y1", "x2", "y2"), box, strict=True)) for box in one.boxes],
        }
        for one in held
    ]
    return {"manifest.jsonl": "".join(f"{json.dumps(line)}\n" for line in lines).encode()}


# the formats once more: these writers are the other implementation that `sources.export` is held against
WRITERS = {
    "yolo": _yolo,
    "coco": _coco,
    "voc": _voc,
    "imagefolder": _imagefolder,
    "csv": _csv,
    "jsonl": _jsonl,
}


def plant(root: Path, form: str, held: list[Photo], unlabelled: str) -> Planted:
    """Write a sound source; its photographs are pictures of their size."""
    for name, content in files(form, held).items():
        write(root / name, content)
    for number, one in enumerate(held):
        (root / place(form, one)).parent.mkdir(parents=True, exist_ok=True)
        picture = np.random.default_rng(number).integers(0, 255, (one.height, one.width, 3), np.uint8)
        Image.fromarray(picture).save(root / place(form, one))
    return Planted(root, form, unlabelled, truth(form, held, unlabelled))


def write(path: Path, content: bytes) -> None:
    """Write a file below folders that may not be there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def label_files(planted: Planted) -> list[Path]:
    """Return the label files of a planted source, those with something in them."""
    held = planted.root.rglob(f"*{LABELS[planted.form]}")
    return sorted(path for path in held if path.is_file() and path.stat().st_size)


def spoil(rng: np.random.Generator, planted: Planted) -> tuple[Planted, str]:
    """Spoil one label file: a word, a byte, or a value of its JSON."""
    paths = [*label_files(planted), *planted.root.glob("data.yaml")]
    path = pick(rng, paths)
    text = path.read_bytes()
    if path.suffix == ".json" and rng.random() < 0.8:
        changed, told = spoiled(rng, json.loads(text))
    elif path.suffix == ".jsonl" and rng.random() < 0.8:
        lines = text.decode().splitlines()
        line = int(rng.integers(len(lines)))
        lines[line], told = spoiled(rng, json.loads(lines[line]))
        changed = "\n".join(lines)
    elif rng.random() < 0.7:
        changed, told = respelt(rng, text.decode()), "a word"
    else:
        path.write_bytes(noisy(rng, text))
        return replace(planted, known=False), f"{path.name}: bytes"
    path.write_bytes(changed.encode("utf-8", "surrogatepass"))
    return replace(planted, known=False), f"{path.name}: {told}"


def fault(planted: Planted, samples: Any, boxes: Any) -> str:
    """Say how an accepted manifest differs from the truth, or is not sane, or nothing."""
    images = {sample.partition("/")[2] for sample in samples["sample_id"]}
    corners = boxes[["x1", "y1", "x2", "y2"]].to_numpy(float)
    if not np.isfinite(corners).all():
        return f"accepted a corner that is no number: {corners[~np.isfinite(corners).all(axis=1)][:2].tolist()}"
    if not planted.known:
        strange = images - planted.truth.keys()
        return f"accepted photographs that are not there: {sorted(strange)[:3]}" if strange else ""
    found = _found(samples, boxes)
    if found.keys() != planted.truth.keys():
        return f"accepted {sorted(found)}, where there are {sorted(planted.truth)}"
    return next((text for image in found if (text := _difference(image, found[image], planted.truth[image]))), "")


def _found(samples: Any, boxes: Any) -> Truth:
    held: Mapping[str, Any] = {name: part.iloc[:, 1:].to_numpy() for name, part in boxes.groupby("sample_id")}
    return {
        row.sample_id.partition("/")[2]: (
            row.annotation,
            row.label if isinstance(row.label, str) else None,
            tuple(tuple(box) for box in held.get(row.sample_id, ())),
        )
        for row in samples.itertuples()
    }


def _difference(image: str, found: Any, expected: Any) -> str:
    same = found[:2] == expected[:2] and len(found[2]) == len(expected[2])
    left = list(expected[2])
    for box in found[2]:
        twin = next((other for other in left if _near(box, other)), None)
        if twin is None:
            same = False
        else:
            left.remove(twin)
    return "" if same else f"accepted {image} as {found}, where it is {expected}"


def _near(one: Any, other: Any) -> bool:
    return one[0] == other[0] and np.allclose(np.array(one[1:], float), np.array(other[1:], float), atol=1e-6)
