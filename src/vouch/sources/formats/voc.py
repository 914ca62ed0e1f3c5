"""Pascal VOC: an XML file per photograph, boxes in pixels.

Corners are read as written, as edges counted from 0: the first VOC release counted from 1, the tools of today
from 0, and no file says which; the difference is one pixel.
"""

from xml.etree.ElementTree import Element

from vouch.errors import Problem
from vouch.sources.descriptor import Descriptor
from vouch.sources.parsing import number, size, xml
from vouch.sources.records import Box, Reading, Record, unlabelled
from vouch.sources.tree import Tree, inside, outside_problem
from vouch.sources.unread import unread_problems

PHOTOGRAPHS = ("jpegimages", "images")  # folders, in any case, whose every photograph counts, labelled or not
CORNERS = ("xmin", "ymin", "xmax", "ymax")


def read(tree: Tree, descriptor: Descriptor) -> Reading:
    """Read every XML file, and photographs without one beside labelled ones or in JPEGImages or images."""
    records: list[Record] = []
    problems: list[Problem] = []
    files = sorted(path for path in tree.files if path.lower().endswith(".xml"))
    if not files and descriptor.unlabelled == "negative":  # of another format: its every photograph would become one
        problems.append(Problem("the source's folder", "annotation files (*.xml)", "none", "check the path and format"))
    for path in files:
        record, found = _read_file(tree, path, descriptor.images)
        problems += found
        if record is not None:
            records.append(record)
    named = {record.image for record in records}
    folders = {image.rpartition("/")[0] for image in named}
    problems += unread_problems(tree, (path for path in tree.files - named if _counts(path, folders)))
    policy = unlabelled(descriptor.unlabelled)
    alone = sorted(image for image in tree.photographs - named if _counts(image, folders))
    records += [Record(image, image, policy) for image in alone]
    return Reading(tuple(records), tuple(files), problems=tuple(problems))


def _counts(image: str, folders: set[str]) -> bool:
    folder = image.rpartition("/")[0]
    return folder in folders or any(part in PHOTOGRAPHS for part in folder.lower().split("/"))


def _read_file(tree: Tree, path: str, images: str | None) -> tuple[Record | None, list[Problem]]:
    text = tree.text(path)
    root = text if isinstance(text, Problem) else xml(text, path)
    if isinstance(root, Problem):
        return None, [root]
    if root.tag != "annotation":  # CVAT's own XML begins with <annotations>
        remedy = "export Pascal VOC, or COCO or YOLO; of CVAT's formats its own XML is not read"
        return None, [Problem(path, "VOC's <annotation>", f"<{root.tag}>", remedy)]
    name = (root.findtext("filename") or "").strip()
    image = inside(name)
    if image is None:
        return None, [outside_problem(name, f"{path}: filename")]
    boxes, width, height, problems = parse_annotation(root, path)
    annotation = "labelled" if boxes else "negative"
    place = _place(tree, image, path, images)
    return Record(place, path, annotation, width=width, height=height, boxes=boxes), problems


def _place(tree: Tree, image: str, path: str, images: str | None) -> str:
    """Where the named photograph lies: the stated folder, beside the file, JPEGImages, or the source's folder."""
    if images is not None:
        return f"{images}/{image}"
    folder = path.rpartition("/")[0]
    above = folder.rpartition("/")[0]
    places = [
        f"{folder}/{image}",
        f"{above}/JPEGImages/{image}",
        f"{above}/images/{image}",
        f"JPEGImages/{image}",
        image,
    ]
    return next((place for place in (place.lstrip("/") for place in places) if place in tree.files), image)


def parse_annotation(root: Element, where: str) -> tuple[tuple[Box, ...], int | None, int | None, list[Problem]]:
    """Return the boxes as fractions, the stated width and height in pixels, and the problems of one file."""
    width, height = (size(root.findtext(f"size/{side}") or "") for side in ("width", "height"))
    boxes, problems = [], []
    objects = root.findall("object")
    if objects and (width is None or height is None):
        got = f"{root.findtext('size/width')} × {root.findtext('size/height')}"
        problems.append(
            Problem(f"{where}: size", "width and height in pixels", got, "export the file again with its size")
        )
    for index, item in enumerate(objects, start=1):
        name = (item.findtext("name") or "").strip()
        corners = [number((item.findtext(f"bndbox/{corner}") or "").strip()) for corner in CORNERS]
        if not name:
            problems.append(
                Problem(f"{where}: object {index}", "a name", "none", "name the class or remove the object")
            )
        if any(corner is None for corner in corners):
            problems.append(_corner_problem(item, f"{where}: object {index}"))
        elif name and width is not None and height is not None:
            x1, y1, x2, y2 = (corner or 0.0 for corner in corners)
            boxes.append((name, x1 / width, y1 / height, x2 / width, y2 / height))
    return tuple(boxes), width, height, problems


def _corner_problem(item: Element, where: str) -> Problem:
    got = ", ".join(f"{corner} {item.findtext(f'bndbox/{corner}')!r}" for corner in CORNERS)
    return Problem(f"{where}: bndbox", "four finite numbers", got, "correct the corners; rotated boxes are not read")
