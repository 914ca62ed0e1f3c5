"""The forms in which tools export labels, read one by one: each yields what somebody says of a photograph.

Who shares a file is told apart by a number from 1; a photograph is called as the tool calls it.
"""

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from vouch import io
from vouch.curation.annotation.records import MOST, Box, Kept, Labels, Manifest
from vouch.curation.benchmark import csv_text
from vouch.documents import parse_json, parse_yaml, read_text
from vouch.errors import DataError, Problem, refuse_any
from vouch.names import shown
from vouch.sources.parsing import number
from vouch.sources.tree import Tree, kind_problems, walk
from vouch.tasks import ByTask

NO_LABEL = "no_label"  # CVAT's ImageNet export puts photographs without a class into a folder of this name
YOLO_LABELS, YOLO_CLASSES = "labels", "classes.txt"  # where Label Studio's YOLO export has labels, and names of classes
YOLO_DATA = "data.yaml"  # where Ultralytics, CVAT and a bundle have names of classes
Entry = tuple[int, str, Labels]  # which of those who share a file, from 1; the photograph; what they say of it
Pages = Mapping[str, Kept]  # by the name of the photograph without its suffix


def entries(path: Path, manifest: Manifest, pages: Pages) -> Iterator[Entry]:
    """Yield what a file or folder below reviews/ says.

    Raises
    ------
    DataError
        When what stands in it cannot be meant. Other errors where it is in none of the known forms.
    """
    if path.is_dir():
        yield from FOLDERS[manifest.task](path, manifest, pages)
    elif path.suffix.lower() == ".csv":
        yield from TABLES[manifest.task](path)
    elif path.suffix.lower() == ".xml":  # of CVAT, say, whose other exports are read
        remedy = "export COCO or YOLO; one class for each photograph as a CSV, or a folder for each class (ImageNet)"
        raise DataError([Problem(str(path), "a review in one of the known forms", "XML", remedy)])
    else:
        where = str(path)
        content = parse_json(read_text(path, where, max_bytes=MOST), where)
        listed = isinstance(content, list)
        yield from _label_studio(content, pages, where) if listed else _coco(content, pages, where)


def stem(name: str) -> str:
    """Return the name of a photograph without its folder and suffix."""
    return posixpath.basename(name).rpartition(".")[0]


def _labels(path: Path) -> Iterator[Entry]:
    """Yield the class of each photograph of a CSV, None where the cell is empty.

    Raises
    ------
    DataError
        When a column is missing, or it is no CSV.
    """
    table = csv_text.read(path)
    missing = [name for name in ("image", "label") if name not in table.columns]
    got, remedy = ", ".join(table.columns), "name the columns image and label"
    refuse_any(DataError, (Problem(f"{path}:1", f"a column {name}", got, remedy) for name in missing))
    for name, label in zip(table.column("image"), table.column("label"), strict=True):
        yield 1, name, Labels(label=label or None)


def _no_labels(path: Path) -> Iterator[Entry]:
    got, remedy = "a CSV of one class for each photograph", "export COCO, Label Studio's JSON or YOLO"
    raise DataError([Problem(str(path), "boxes", got, remedy)])


TABLES: ByTask[Callable[[Path], Iterator[Entry]]] = ByTask(detect=_no_labels, classify=_labels, identify=_labels)


def _class_folders(path: Path, manifest: Manifest, pages: Pages) -> Iterator[Entry]:
    """Yield the class of each photograph by the folder that holds it, None in `NO_LABEL`.

    Raises
    ------
    DataError
        Listing every file that lies in no such folder, is no photograph, or is another one under the same name.
    """
    tree = walk(path)
    refuse_any(DataError, _misplaced(path, tree, pages))
    for name in sorted(tree.files):
        folder = posixpath.dirname(name)
        unsaid = folder == NO_LABEL and NO_LABEL not in manifest.classes
        yield 1, posixpath.basename(name), Labels(label=None if unsaid else folder)


def _misplaced(path: Path, tree: Tree, pages: Pages) -> Iterator[Problem]:
    yield from kind_problems(tree)
    for name in {*tree.links} - tree.files:
        yield Problem(f"{path}/{name}", "a photograph", "a link that leads to none", "put the photograph there")
    for name in tree.files:
        where, page = f"{path}/{name}", pages.get(stem(name))
        if name not in tree.photographs or "/" not in name:
            expected, remedy = "a photograph in a folder named after its class", "move it into one, or remove it"
            yield Problem(where, expected, "another file", remedy)
        elif page is not None and io.sha256(path / name) != page.sha256:
            yield Problem(where, f"sha256 {page.sha256}", "another photograph of this name", "bring it back")
    if not tree.files:
        yield Problem(str(path), "folders of photographs, one for each class", "none", "export it again")


def _yolo_folder(path: Path, manifest: Manifest, pages: Pages) -> Iterator[Entry]:
    """Yield the boxes of each .txt file; numbers of classes are those of the folder's own list where there is one.

    Raises
    ------
    DataError
        When there is no .txt file of a photograph, a line of one holds other than five numbers, or the folder's lists
        of classes are none or contradict each other.
    """
    own = _yolo_classes(path)
    classes = manifest.classes if own is None else own
    named, nested = path / YOLO_CLASSES, path / YOLO_LABELS
    files = [file for file in sorted((nested if nested.is_dir() else path).glob("*.txt")) if file != named]
    if not files:
        remedy = "put the .txt file of each photograph there"
        raise DataError([Problem(str(path), "YOLO's .txt files", "none", remedy)])
    for file in files:
        yield 1, file.with_suffix(".jpg").name, _yolo(file, pages.get(file.stem), classes)


def _yolo_classes(path: Path) -> tuple[str, ...] | None:
    """Return the names of classes by number that a folder states in classes.txt or data.yaml; None where in neither."""
    named, data = path / YOLO_CLASSES, path / YOLO_DATA
    listed = None
    if named.is_file():
        listed = tuple(read_text(named, str(named), max_bytes=MOST).rstrip("\r\n").splitlines())
    if not data.is_file():
        return listed
    where = f"{data}: names"
    content = parse_yaml(read_text(data, str(data), max_bytes=MOST), str(data))
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, dict):
        names = [names.get(place) for place in range(len(names))]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DataError([Problem(where, "a name for each number from 0 on", shown(names), "export it again")])
    if listed is not None and listed != tuple(names):
        expected = f"those of {YOLO_CLASSES}: {', '.join(listed)}"
        raise DataError([Problem(where, expected, ", ".join(names), "remove the one that the numbers are not of")])
    return tuple(names)


FolderOf = Callable[[Path, Manifest, Pages], Iterator[Entry]]
FOLDERS: ByTask[FolderOf] = ByTask(detect=_yolo_folder, classify=_class_folders, identify=_class_folders)


def _yolo(file: Path, page: Kept | None, classes: tuple[str, ...]) -> Labels:
    boxes = []
    lines = read_text(file, str(file), max_bytes=MOST).splitlines()
    for place, line in enumerate(lines, start=1):
        numbers = [number(word) for word in line.split()]
        if len(numbers) != 5 or any(one is None for one in numbers):
            expected = "class, centre, width and height: five numbers"
            raise DataError([Problem(f"{file}:{place}", expected, line, "correct it")])
        identity, x, y, wide, high = (float(one or 0) for one in numbers)
        known = identity.is_integer() and 0 <= identity < len(classes)
        name = classes[int(identity)] if known else f"class {identity:g}"
        if page is not None:
            boxes.append(_of_centre(name, x * page.width, y * page.height, wide * page.width, high * page.height))
    return Labels(tuple(boxes))


def _of_centre(name: str, x: float, y: float, wide: float, high: float) -> Box:
    return name, x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


def _coco(content: Mapping[str, Any], pages: Pages, where: str) -> Iterator[Entry]:
    """Yield the boxes of each image, which are pixels of it.

    Raises
    ------
    DataError
        Listing each image with boxes whose stated size is not that of its photograph.
    """
    names = {one["id"]: one["name"] for one in content["categories"]}
    boxes: dict[Any, list[Box]] = {one["id"]: [] for one in content["images"]}
    for one in content["annotations"]:
        x, y, wide, high = map(float, one["bbox"])
        name = names.get(one["category_id"], f"category {one['category_id']}")
        boxes[one["image_id"]].append((name, x, y, x + wide, y + high))
    boxed = (image for image in content["images"] if boxes[image["id"]])
    sized = ((image["file_name"], image.get("width"), image.get("height")) for image in boxed)
    refuse_any(DataError, _resized(sized, pages, where))
    for image in content["images"]:
        yield 1, image["file_name"], Labels(tuple(boxes[image["id"]]))


def _resized(sized: Iterable[tuple[str, Any, Any]], pages: Pages, where: str) -> Iterator[Problem]:
    """Yield a problem for each name that a tool had at another width and height than the upright photograph's.

    0 and null state nothing.
    """
    for name, width, height in sized:
        page = pages.get(stem(name))
        if page is None:
            continue
        wide, high = float(width or page.width), float(height or page.height)
        if (wide, high) != (page.width, page.height):
            expected, got = f"{page.width} x {page.height} px", f"{wide:g} x {high:g} px"
            yield Problem(f"{where}: {name}", expected, got, "export it at its own size, upright")


def _label_studio(content: list[Any], pages: Pages, where: str) -> Iterator[Entry]:
    """Yield the tasks that somebody answered, once for each who did; a task that was skipped is none.

    Raises
    ------
    DataError
        Listing each task with a box whose stated size of the picture is not that of its photograph; as `_results`.
    """
    done = [
        (person, str(task["data"]["image"]), one["result"])
        for task in content
        for person, one in enumerate((one for one in task["annotations"] if not one.get("was_cancelled")), start=1)
    ]
    sized = (
        (name, one.get("original_width"), one.get("original_height"))
        for _, name, results in done
        for one in results
        if one["type"] != "choices"
    )
    refuse_any(DataError, _resized(sized, pages, where))
    for person, name, results in done:
        yield person, name, _results(results, pages.get(stem(name)), f"{where}: {name}")


def _results(results: list[Any], page: Kept | None, where: str) -> Labels:
    """Return what one person says of a task.

    Raises
    ------
    DataError
        When a rectangle or its picture is turned: its corners are not those of a box; or several classes are chosen.
    """
    boxes, chosen = [], []
    for one in results:
        value = one["value"]
        for what, degrees in (("rectangle", value.get("rotation")), ("picture", one.get("image_rotation"))):
            if degrees:
                got, remedy = f"a {what} turned by {degrees} degrees", "draw it again, upright"
                raise DataError([Problem(where, "an upright box", got, remedy)])
        if one["type"] == "choices":
            chosen += value["choices"]
        elif page is not None:
            x, y, wide, high = (float(value[key]) / 100 for key in ("x", "y", "width", "height"))
            corners = (x * page.width, y * page.height, (x + wide) * page.width, (y + high) * page.height)
            boxes.append((_one_class(value["rectanglelabels"], where), *corners))
    return Labels(tuple(boxes), _one_class(chosen, where) if chosen else None)


def _one_class(names: list[Any], where: str) -> str:
    if len(set(names)) > 1:
        raise DataError([Problem(where, "one class", ", ".join(map(str, names)), "choose the one that holds")])
    return str(names[0])
