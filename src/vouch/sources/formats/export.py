"""A manifest back into any format, so that its import gives the same photographs, labels, groups and strata.

Paths are sample ids: JSONL, CSV and COCO manifests go with the folder data/sources/D, YOLO, VOC and ImageFolder
are folders with photographs of their own. What a format cannot say (groups, strata, negatives of ImageFolder)
stands in a manifest.csv beside it; what would be lost is refused.
"""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import pandas as pd

from vouch.errors import ManifestError, Problem, refuse_any, so_many
from vouch.sources.formats.table import BOX
from vouch.sources.formats.yolo import label_path
from vouch.tables import BOXES, GROUP, PLACED, SPLIT_STATED, STRATUM

DIGITS = 9  # of a fraction or pixel: an import returns corners within 1e-8, and binary noise is not written
Held = tuple[Any, ...]  # of a box: class, four corners as fractions, then product, row and position or None
Row = dict[str, Any]


@dataclass(frozen=True)
class Export:
    """Texts to write and photographs to copy, by their path in the exported folder."""

    texts: Mapping[str, str]
    photographs: Mapping[str, str] = field(default_factory=dict)  # target: path from the repository root


def exported(samples: pd.DataFrame, boxes: pd.DataFrame, *, form: str, classes: tuple[str, ...]) -> Export:
    """Return the files of a manifest in the format `form`.

    Parameters
    ----------
    samples, boxes
        The manifest; where `form` counts pixels (all but yolo and imagefolder) photographs with boxes need
        their width and height.
    form
        yolo, coco, voc, imagefolder, csv or jsonl.
    classes
        The data set's classes in the order of their ids.

    Raises
    ------
    ManifestError
        Listing what the format cannot hold.
    """
    whole = samples.astype({"width": "Int64", "height": "Int64"}).astype(
        object
    )  # Parquet gives floats where one is null
    rows: list[Row] = whole.where(samples.notna(), None).to_dict("records")  # type: ignore[assignment]  # text names
    held: dict[str, list[Held]] = defaultdict(list)
    for sample_id, *box in _whole(boxes).itertuples(index=False, name=None):
        held[sample_id].append(tuple(box))
    refuse_any(ManifestError, _losses(rows, held, form))
    export = WRITERS[form](rows, held, classes)
    refuse_any(ManifestError, _crossed({*export.texts, *export.photographs}))
    return export


def _whole(boxes: pd.DataFrame) -> pd.DataFrame:
    """Return the boxes with the columns of their places, None where nothing is stated."""
    every = boxes.reindex(columns=[*BOXES, *PLACED])
    numbers = every.astype({"row": "Int64", "position": "Int64"})  # Parquet gives floats where one is null
    return every.assign(**{name: numbers[name].astype(object).where(every[name].notna(), None) for name in PLACED})


def _crossed(names: set[str]) -> Iterator[Problem]:
    """Files that would have to be folders too, because another lies below a path of their name."""
    remedy = "choose --format jsonl or csv, or rename one in its source"
    for name in names:
        for parent in PurePosixPath(name).parents:
            if str(parent) in names:
                yield Problem(str(parent), "a file or a folder", f"both, for {name}", remedy)


def _losses(rows: list[Row], held: Mapping[str, list[Held]], form: str) -> Iterator[Problem]:
    remedy = "choose --format jsonl or csv, which hold everything"
    for row in rows:
        if row["label"] is not None and form in ("yolo", "voc", "coco"):
            yield Problem(row["sample_id"], f"boxes, as {form} holds", f"the label {row['label']!r}", remedy)
        if form == "imagefolder" and (row["label"] is None or held.get(row["sample_id"])):
            yield Problem(row["sample_id"], "one label and no box, as imagefolder holds", row["annotation"], remedy)
        placed = sum(any(part is not None for part in box[5:]) for box in held.get(row["sample_id"], []))
        if placed and form not in ("csv", "jsonl"):
            expected = f"boxes without product, row and position, as {form} holds"
            yield Problem(row["sample_id"], expected, so_many(placed, "box") + " with", remedy)
        sized = row["width"] is not None and row["height"] is not None
        if not sized and (form in ("coco", "voc") or (held.get(row["sample_id"]) and form != "yolo")):
            yield Problem(row["sample_id"], "width and height", "none", "add them to the source")


def _named(row: Row, prefix: str) -> dict[str, str]:
    return {key.removeprefix(prefix): value for key, value in row.items() if key.startswith(prefix) and value}


def _split(row: Row) -> dict[str, str]:
    return {"split": row[SPLIT_STATED]} if row.get(SPLIT_STATED) else {}


def _pixels(row: Row, box: Held) -> list[float]:
    sides = (row["width"], row["height"], row["width"], row["height"])
    return [round(corner * side, DIGITS) for corner, side in zip(box[1:5], sides, strict=True)]


def _jsonl(rows: list[Row], held: Mapping[str, list[Held]], classes: tuple[str, ...]) -> Export:
    return Export(
        {"manifest.jsonl": "".join(f"{_dumps(_line(row, held.get(row['sample_id'], [])))}\n" for row in rows)}
    )


def _dumps(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, allow_nan=False)


def _line(row: Row, boxes: list[Held]) -> Row:
    line = {"image": row["sample_id"], "annotation": row["annotation"]}
    line |= {key: row[key] for key in ("width", "height", "label") if row[key] is not None}
    line |= {"groups": _named(row, GROUP), "strata": _named(row, STRATUM), **_split(row)}
    return line | ({"boxes": [_box(row, box) for box in boxes]} if boxes else {})


def _box(row: Row, box: Held) -> Row:
    corners = dict(zip(BOX, (box[0], *_pixels(row, box)), strict=True))
    return corners | {name: value for name, value in zip(PLACED, box[5:], strict=True) if value is not None}


def _csv(rows: list[Row], held: Mapping[str, list[Held]], classes: tuple[str, ...]) -> Export:
    keys = [key for key in (rows[0] if rows else {}) if key.startswith((GROUP, STRATUM)) or key == SPLIT_STATED]
    header = ["image", "annotation", "label", "width", "height", *keys]
    placed = PLACED if any(part is not None for boxes in held.values() for box in boxes for part in box[5:]) else ()
    lines: list[list[Any]] = [[*header, *BOX, *placed]]
    for row in rows:
        first = [row["sample_id"], *(row[key] for key in header[1:])]
        boxes = [[box[0], *_pixels(row, box), *box[5 : 5 + len(placed)]] for box in held.get(row["sample_id"], [])]
        lines += [[*first, *box] for box in boxes] or [[*first, *[""] * (len(BOX) + len(placed))]]
    return Export({"manifest.csv": _table(lines)})


def _table(lines: Iterable[list[Any]]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(lines)
    return stream.getvalue()


def _side(rows: list[Row], names: Mapping[str, str]) -> str:
    """Return the manifest.csv beside a format that holds no groups, strata and annotations."""
    keys = [key for key in (rows[0] if rows else {}) if key.startswith((GROUP, STRATUM)) or key == SPLIT_STATED]
    header = ["image", "annotation", "width", "height", *keys]
    return _table([header, *([names[row["sample_id"]], *(row[key] for key in header[1:])] for row in rows)])


def _coco(rows: list[Row], held: Mapping[str, list[Held]], classes: tuple[str, ...]) -> Export:
    ids = {name: index for index, name in enumerate(classes, start=1)}
    images: list[Row] = []
    annotations: list[Row] = []
    for index, row in enumerate(rows, start=1):
        image = {"id": index, "file_name": row["sample_id"], "width": row["width"], "height": row["height"]}
        named = {"groups": _named(row, GROUP), "strata": _named(row, STRATUM), **_split(row)}
        images.append(image | named | {"annotation": row["annotation"]})
        for box in held.get(row["sample_id"], []):
            x1, y1, x2, y2 = _pixels(row, box)
            bbox = [x1, y1, round(x2 - x1, DIGITS), round(y2 - y1, DIGITS)]
            known = {"id": len(annotations) + 1, "image_id": index, "category_id": ids[box[0]]}
            annotations.append(known | {"bbox": bbox, "area": round(bbox[2] * bbox[3], DIGITS), "iscrowd": 0})
    categories = [{"id": index, "name": name} for name, index in ids.items()]
    content = {"images": images, "annotations": annotations, "categories": categories}
    return Export({"annotations.json": json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"})


def _yolo(rows: list[Row], held: Mapping[str, list[Held]], classes: tuple[str, ...]) -> Export:
    ids = {name: index for index, name in enumerate(classes)}
    texts = {"data.yaml": "names:\n" + "".join(f"  {index}: {json.dumps(name)}\n" for name, index in ids.items())}
    names = {row["sample_id"]: f"images/{row['sample_id']}" for row in rows}
    labels = {row["sample_id"]: label_path(names[row["sample_id"]]) for row in rows if row["annotation"] != "missing"}
    _refuse_shared(labels)
    for image, path in labels.items():
        texts[path] = "".join(_yolo_line(ids[box[0]], *box[1:5]) for box in held.get(image, []))
    return Export(texts | {"manifest.csv": _side(rows, names)}, _photographs(rows, names))


def _yolo_line(identity: int, x1: float, y1: float, x2: float, y2: float) -> str:
    numbers = ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1)
    return f"{identity} {' '.join(f'{number:.{DIGITS}f}' for number in numbers)}\n"


def _voc(rows: list[Row], held: Mapping[str, list[Held]], classes: tuple[str, ...]) -> Export:
    labelled = [row for row in rows if row["annotation"] != "missing"]
    places = {
        row["sample_id"]: f"Annotations/{PurePosixPath(row['sample_id']).with_suffix('.xml')}" for row in labelled
    }
    _refuse_shared(places)
    texts = {places[row["sample_id"]]: _voc_text(row, held.get(row["sample_id"], [])) for row in labelled}
    names = {row["sample_id"]: f"JPEGImages/{row['sample_id']}" for row in rows}
    return Export(texts | {"manifest.csv": _side(rows, names)}, _photographs(rows, names))


def _voc_text(row: Row, boxes: list[Held]) -> str:
    root = Element("annotation")
    SubElement(root, "filename").text = row["sample_id"]
    size = SubElement(root, "size")
    for side in ("width", "height"):
        SubElement(size, side).text = str(row[side])
    for box in boxes:
        item = SubElement(root, "object")
        SubElement(item, "name").text = box[0]
        corners = SubElement(item, "bndbox")
        for name, value in zip(("xmin", "ymin", "xmax", "ymax"), _pixels(row, box), strict=True):
            SubElement(corners, name).text = repr(value)
    indent(root)
    return tostring(root, encoding="unicode") + "\n"


def _imagefolder(rows: list[Row], held: Mapping[str, list[Held]], classes: tuple[str, ...]) -> Export:
    names = {row["sample_id"]: f"{row['label']}/{row['sample_id'].replace('/', '__')}" for row in rows}
    _refuse_shared(names)
    bad = [name for name in classes if "/" in name or "\\" in name or name.startswith(".")]
    remedy = "rename it with a label map"
    refuse_any(ManifestError, (Problem(f"class {name!r}", "a name of a folder", name, remedy) for name in bad))
    return Export({"manifest.csv": _side(rows, names)}, _photographs(rows, names))


def _photographs(rows: list[Row], names: Mapping[str, str]) -> dict[str, str]:
    return {names[row["sample_id"]]: row["image"] for row in rows}


def _refuse_shared(places: Mapping[str, str]) -> None:
    owners: dict[str, list[str]] = defaultdict(list)
    for image, place in places.items():
        owners[place].append(image)
    remedy = "choose --format jsonl or csv, or rename one photograph in its source"
    shared = ((place, images) for place, images in owners.items() if len(images) > 1)
    refuse_any(ManifestError, (Problem(place, "one photograph", ", ".join(images), remedy) for place, images in shared))


WRITERS: Mapping[str, Callable[[list[Row], Mapping[str, list[Held]], tuple[str, ...]], Export]] = {
    "yolo": _yolo,
    "coco": _coco,
    "voc": _voc,
    "imagefolder": _imagefolder,
    "csv": _csv,
    "jsonl": _jsonl,
}
