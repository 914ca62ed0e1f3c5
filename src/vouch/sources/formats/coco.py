"""COCO detection: JSON files of images, annotations (boxes in pixels) and categories.

An image that a file lists without annotations is a negative, as an empty label file is. Segmentations are not
read; a `score` marks predictions, which are no labels.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from vouch.documents import DocumentError, parse_json
from vouch.errors import ManifestError, Problem
from vouch.sources.descriptor import FILE, Descriptor
from vouch.sources.parsing import size_problems
from vouch.sources.records import Box, Reading, Record, stated
from vouch.sources.schema import problems as broken
from vouch.sources.tree import Tree, inside, outside_problem

SCHEMA = "formats/coco.schema.yaml"
LISTS = ("images", "annotations", "categories")
Item = dict[str, Any]


def read(tree: Tree, descriptor: Descriptor) -> Reading:
    """Read every annotation file that the descriptor names."""
    records: list[Record] = []
    problems: list[Problem] = []
    classes: set[str] = set()
    crowds = 0
    for path in descriptor.annotations:
        lists, found = _load(tree, path)
        problems += found
        names = {item["id"]: item["name"] for item in lists["categories"]}
        boxes, crowded, found = _boxes(lists, names, path, descriptor.crowd)
        problems += found
        crowds += sum(crowded.values())
        classes.update(names.values())
        folder = descriptor.images
        if folder is None and len(descriptor.annotations) > 1:
            folder = _own_folder(tree, [item["file_name"] for item in lists["images"]], path)
        images = [{**item, "file_name": _place(tree, item["file_name"], path, folder)} for item in lists["images"]]
        made, found = _records(images, boxes, crowded, path)
        records += made
        problems += found
    dropped_crowds = {"boxes around crowds": crowds} if crowds else {}
    return Reading(tuple(records), descriptor.annotations, frozenset(classes), dropped_crowds, problems=tuple(problems))


def _load(tree: Tree, path: str) -> tuple[dict[str, list[Item]], list[Problem]]:
    """Return the three lists without the items that break the schema or repeat an id."""
    empty: dict[str, list[Item]] = {key: [] for key in LISTS}
    text = tree.text(path)
    if isinstance(text, Problem):
        return empty, [text]
    try:
        content = parse_json(text, path)
    except DocumentError as error:
        return empty, list(error.problems)
    if not isinstance(content, dict) or not all(isinstance(content.get(key), list) for key in LISTS):
        return empty, [Problem(path, f"an object with the lists {', '.join(LISTS)}", "another form", "export as COCO")]
    problems: list[Problem] = []
    for key in LISTS:
        empty[key] = list(_sound(content[key], f"{path}: {key}", ("properties", key, "items"), problems))
        problems += _repeated(empty[key], f"{path}: {key}")
    for item in empty["images"]:
        problems += size_problems(item, f"{path}: image {item['id']}")
    return empty, problems


def _sound(items: list[Any], where: str, keys: tuple[str, ...], problems: list[Problem]) -> Iterator[Item]:
    for index, item in enumerate(items):
        found = broken(item, f"{where}[{index}]", name=SCHEMA, keys=keys)
        problems += found
        if not found:
            yield item


def _repeated(items: Iterable[Item], where: str) -> Iterator[Problem]:
    counts = Counter(item["id"] for item in items if "id" in item)
    for identity, count in counts.items():
        if count > 1:
            yield Problem(where, f"id {identity} once", f"{count} times", "give each entry an id of its own")


def _boxes(
    lists: dict[str, list[Item]], names: dict[int, str], path: str, crowd: str
) -> tuple[dict[int, list[Box]], Counter[int], list[Problem]]:
    sizes = {item["id"]: (item["width"], item["height"]) for item in lists["images"]}
    boxes: dict[int, list[Box]] = defaultdict(list)
    problems: list[Problem] = []
    crowded: Counter[int] = Counter()
    for index, item in enumerate(lists["annotations"]):
        found = list(_annotation_problems(item, f"{path}: annotation {item.get('id', index)}", names, sizes, crowd))
        problems += found
        if item.get("iscrowd") == 1 and crowd == "drop":
            crowded[item["image_id"]] += 1
        elif not found:
            x, y, width, height = item["bbox"]
            across, down = sizes[item["image_id"]]
            box = (x / across, y / down, (x + width) / across, (y + height) / down)
            boxes[item["image_id"]].append((names[item["category_id"]], *box))
    return boxes, crowded, problems


def _annotation_problems(
    item: Item, where: str, names: dict[int, str], sizes: dict[int, tuple[int, int]], crowd: str
) -> Iterator[Problem]:
    if item["image_id"] not in sizes:
        yield Problem(
            where, "an image_id that images list", str(item["image_id"]), "correct it or remove the annotation"
        )
    if item["category_id"] not in names:
        yield Problem(
            where, "a category_id that categories list", str(item["category_id"]), "correct it or add the category"
        )
    if "score" in item:
        yield Problem(where, "a label", "a prediction with a score", "import labels that a person confirmed")
    if item.get("iscrowd") == 1 and crowd == "refuse":
        yield Problem(where, "a box around one object", "iscrowd: 1", "label the objects, or import with --drop-crowds")


def _records(
    images: list[Item], boxes: dict[int, list[Box]], crowded: Counter[int], path: str
) -> tuple[list[Record], list[Problem]]:
    records, problems = [], []
    for item in images:
        where = f"{path}: image {item['id']}"
        name = inside(item["file_name"])
        held = tuple(boxes.get(item["id"], ()))
        nothing = "missing" if crowded[item["id"]] else "negative"  # a crowd left out is not nothing
        annotation = stated(item.get("annotation", ""), holds=bool(held), otherwise=nothing)
        if name is None:
            problems.append(outside_problem(item["file_name"], where))
        elif annotation is None:
            problems.append(
                Problem(where, "an annotation that fits the boxes", item["annotation"], "correct one of them")
            )
        else:
            records.append(_record(name, where, annotation, item, held))
    return records, problems


def _record(image: str, where: str, annotation: str, item: Item, boxes: tuple[Box, ...]) -> Record:
    groups, strata = item.get("groups", {}), item.get("strata", {})
    width, height = int(item["width"]), int(item["height"])
    return Record(image, where, annotation, None, width, height, groups, strata, boxes, split=item.get("split"))


def _place(tree: Tree, name: str, path: str, folder: str | None) -> str:
    """Where the photograph lies: the stated folder, else beside the file, the source's folder, or its `images`."""
    if inside(name) is None:
        return name
    if folder is not None:
        return f"{folder}/{name}"
    beside = f"{path.rpartition('/')[0]}/{name}".lstrip("/")
    return next((place for place in (beside, name, f"images/{name}") if place in tree.files), name)


def _own_folder(tree: Tree, names: list[str], path: str) -> str | None:
    """Return the one folder from which all names of one of several files lead to a photograph, as COCO's own come.

    None where a name leads to one without it.
    """
    if not names or any(_place(tree, name, path, None) in tree.photographs for name in names):
        return None
    ends = [image.removesuffix(f"/{names[0]}") for image in tree.photographs if image.endswith(f"/{names[0]}")]
    fits = [folder for folder in ends if all(f"{folder}/{name}" in tree.photographs for name in names)]
    return fits[0] if len(fits) == 1 else None


def complete(tree: Tree, descriptor: Descriptor) -> Descriptor:
    """Name the annotation files: every JSON file of the source, where the descriptor names none.

    Raises
    ------
    ManifestError
        When there is none.
    """
    if descriptor.annotations:
        return descriptor
    files = tuple(sorted(path for path in tree.files if path.lower().endswith(".json") and path != FILE))
    if not files:
        remedy = "name it with --annotations"
        raise ManifestError([Problem("the source's folder", "a COCO annotation file (*.json)", "none", remedy)])
    return descriptor.model_copy(update={"annotations": files})
