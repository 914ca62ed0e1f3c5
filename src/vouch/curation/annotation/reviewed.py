"""What reviewers say of an annotation bundle: exports of Label Studio, COCO or YOLO, or a CSV, below `reviews/`.

reviews/NAME.json    an export of Label Studio (a list of tasks), or COCO (images, annotations, categories)
reviews/NAME/        YOLO: one .txt for each photograph, by its name
reviews/NAME.csv     image,label: one class for each photograph; of a classifier or an embedder

Label Studio keeps what several people say of one task in one file: the second is the reviewer `NAME (2)`, and so on.
"""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from vouch.curation.annotation.bundle import LOCAL, MANIFEST
from vouch.curation.benchmark import csv_text
from vouch.documents import parse_json, read_text
from vouch.errors import DataError, ParamsError, Problem, refuse_any
from vouch.params import Section, check
from vouch.sources.parsing import number
from vouch.sources.tree import inside
from vouch.tasks import Task

REVIEWS = "reviews"
MOST = 2**28  # characters of a review
Box = tuple[str, float, float, float, float]  # class, corners in pixels


class Kept(Section):
    """A photograph of manifest.json."""

    image: str
    sha256: str
    photograph: str
    row_id: str
    name: str
    negative: bool
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    groups: Mapping[str, str]
    strata: Mapping[str, str]
    source: str
    license: str


class Manifest(Section):
    """What `curate bundle` wrote."""

    format: int
    model: str
    dataset: str
    task: Task
    linked: bool
    classes: tuple[str, ...]
    photographs: tuple[Kept, ...]


@dataclass(frozen=True)
class Labels:
    """What one reviewer says of one photograph."""

    boxes: tuple[Box, ...] = ()
    label: str | None = None


Review = Mapping[str, Labels]  # by the image's path in the bundle
Entry = tuple[int, str, Labels]  # which of those who share a file, from 1; the photograph; what they say of it


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a bundle.

    Raises
    ------
    DataError
        When it is none.
    """
    path = folder / MANIFEST
    try:
        return check(Manifest, parse_json(read_text(path, str(path), max_bytes=MOST), str(path)), str(path))
    except ParamsError as error:
        raise DataError(error.problems) from error


def read_reviews(folder: Path, manifest: Manifest) -> tuple[dict[str, Review], list[Problem]]:
    """Return what each reviewer says, by name, and what is wrong with the files; several files of one name are one."""
    pages = {posixpath.basename(page.image).rpartition(".")[0]: page for page in manifest.photographs}
    found: dict[str, dict[str, Labels]] = {}
    problems: list[Problem] = []
    for path in sorted((folder / REVIEWS).glob("*")):
        found.setdefault(path.stem, {})
        try:
            for person, name, labels in _entries(path, manifest, pages):
                page = _page(name, str(path), pages)
                mine = found.setdefault(path.stem if person == 1 else f"{path.stem} ({person})", {})
                if isinstance(page, Problem):
                    problems.append(page)
                elif mine.setdefault(page.image, labels) != labels:
                    where, remedy = f"{path}: {page.image}", "keep what holds"
                    problems.append(Problem(where, "each photograph once", "it again, labelled otherwise", remedy))
        except DataError as error:
            problems += error.problems
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            problems.append(Problem(str(path), "a review in one of the known forms", repr(error), "export it again"))
    return dict(found), problems


def _page(name: str, where: str, pages: Mapping[str, Kept]) -> Kept | Problem:
    """Return the photograph that an entry names: by its path in the bundle, or its name alone."""
    plain = name.partition("?d=")[2] or name.removeprefix(LOCAL)
    if inside(plain) is None:
        return Problem(f"{where}: {name}", "a path within the bundle", "one that leaves it", "correct it")
    page = pages.get(posixpath.basename(plain).rpartition(".")[0])
    if page is None or (posixpath.dirname(plain) and not page.image.endswith(plain)):
        return Problem(f"{where}: {name}", "a photograph of the bundle", "another", "remove it, or correct its name")
    return page


def _entries(path: Path, manifest: Manifest, pages: Mapping[str, Kept]) -> Iterator[Entry]:
    if path.is_dir():
        for file in sorted(path.glob("*.txt")):
            page = pages.get(file.stem)
            yield 1, file.with_suffix(".jpg").name, _yolo(file, page, manifest)
    elif path.suffix == ".csv":
        yield from _csv(path, manifest.task)
    else:
        content = parse_json(read_text(path, str(path), max_bytes=MOST), str(path))
        yield from _label_studio(content, pages, str(path)) if isinstance(content, list) else _coco(content)


def _csv(path: Path, task: Task) -> Iterator[Entry]:
    """Yield the class of each photograph.

    Raises
    ------
    DataError
        When boxes were asked for, a column is missing, or it is no CSV.
    """
    if task == "detect":
        got, remedy = "a CSV of one class for each photograph", "export COCO, Label Studio's JSON or YOLO"
        raise DataError([Problem(str(path), "boxes", got, remedy)])
    table = csv_text.read(path)
    missing = [name for name in ("image", "label") if name not in table.columns]
    got, remedy = ", ".join(table.columns), "name the columns image and label"
    refuse_any(DataError, (Problem(f"{path}:1", f"a column {name}", got, remedy) for name in missing))
    for name, label in zip(table.column("image"), table.column("label"), strict=True):
        yield 1, name, Labels(label=label or None)


def _yolo(file: Path, page: Kept | None, manifest: Manifest) -> Labels:
    boxes = []
    lines = read_text(file, str(file), max_bytes=MOST).splitlines()
    for place, line in enumerate(lines, start=1):
        numbers = [number(word) for word in line.split()]
        if len(numbers) != 5 or any(one is None for one in numbers):
            expected = "class, centre, width and height: five numbers"
            raise DataError([Problem(f"{file}:{place}", expected, line, "correct it")])
        identity, x, y, wide, high = (float(one or 0) for one in numbers)
        known = identity.is_integer() and 0 <= identity < len(manifest.classes)
        name = manifest.classes[int(identity)] if known else f"class {identity:g}"
        if page is not None:
            boxes.append(_of_centre(name, x * page.width, y * page.height, wide * page.width, high * page.height))
    return Labels(tuple(boxes))


def _of_centre(name: str, x: float, y: float, wide: float, high: float) -> Box:
    return name, x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


def _coco(content: Mapping[str, Any]) -> Iterator[Entry]:
    names = {one["id"]: one["name"] for one in content["categories"]}
    boxes: dict[Any, list[Box]] = {one["id"]: [] for one in content["images"]}
    for one in content["annotations"]:
        x, y, wide, high = map(float, one["bbox"])
        name = names.get(one["category_id"], f"category {one['category_id']}")
        boxes[one["image_id"]].append((name, x, y, x + wide, y + high))
    for image in content["images"]:
        yield 1, image["file_name"], Labels(tuple(boxes[image["id"]]))


def _label_studio(content: list[Any], pages: Mapping[str, Kept], where: str) -> Iterator[Entry]:
    """Yield the tasks that somebody answered, once for each who did; a task that was skipped is none."""
    for task in content:
        done = [one for one in task.get("annotations", []) if not one.get("was_cancelled")]
        for person, one in enumerate(done, start=1):
            name = str(task["data"]["image"])
            page = pages.get(posixpath.basename(name).rpartition(".")[0])
            yield person, name, _results(one["result"], page, f"{where}: {name}")


def _results(results: list[Any], page: Kept | None, where: str) -> Labels:
    """Return what one person says of a task.

    Raises
    ------
    DataError
        When a rectangle is turned: its corners are not those of a box.
    """
    boxes, label = [], None
    for one in results:
        value = one["value"]
        if value.get("rotation"):
            got, remedy = f"a rectangle turned by {value['rotation']} degrees", "draw it again, upright"
            raise DataError([Problem(where, "an upright box", got, remedy)])
        if one["type"] == "choices":
            label = str(value["choices"][0])
        elif page is not None:
            x, y, wide, high = (float(value[key]) / 100 for key in ("x", "y", "width", "height"))
            corners = (x * page.width, y * page.height, (x + wide) * page.width, (y + high) * page.height)
            boxes.append((str(value["rectanglelabels"][0]), *corners))
    return Labels(tuple(boxes), label)


def need_reviews(folder: Path) -> None:
    """Return when there is a review.

    Raises
    ------
    DataError
        When there is none.
    """
    expected, remedy = "what reviewers exported", "export NAME.json, NAME.csv or a folder NAME of YOLO files into it"
    none = not any((folder / REVIEWS).glob("*"))
    refuse_any(DataError, [Problem(str(folder / REVIEWS), expected, "nothing", remedy)] if none else [])
