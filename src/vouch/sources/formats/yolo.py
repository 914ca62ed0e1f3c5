"""YOLO: a text file per photograph, one line per box, `class cx cy width height` as fractions of the picture.

The label of a photograph is the same path with its last folder `images` replaced by `labels` and the suffix
`.txt`; where no folder is called `images` it lies beside the photograph. Upstream splits are not read: the lock
file splits.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from vouch.documents import DocumentError, parse_yaml
from vouch.errors import ManifestError, Problem, refuse_any
from vouch.sources.descriptor import Descriptor
from vouch.sources.parsing import number
from vouch.sources.records import Box, Reading, Record, unlabelled
from vouch.sources.tree import Tree, strays
from vouch.sources.unread import unread_problems
from vouch.sources.vocabulary import is_fit

ROUNDING = 1e-6  # a number this far outside [0, 1] is the rounding of six written decimals; further is a mistake
NOT_LABELS = frozenset({"classes.txt", "train.txt", "val.txt", "valid.txt", "test.txt", "readme.txt", "license.txt"})
COLUMNS = "5 columns `class cx cy width height`"


def read(tree: Tree, descriptor: Descriptor) -> Reading:
    """Read every photograph and its label file; corners may leave [0, 1], which validation judges."""
    photographs = _photographs(tree)
    problems = strays(tree, {_folder(image) for image in photographs if "images" in _parents(image)})
    problems += [one for one in unread_problems(tree, _candidates(tree, photographs)) if one not in problems]
    records, files, owners = [], [], defaultdict(list)
    for image in photographs:
        label = label_path(image)
        owners[label].append(image)
        if label not in tree.files:
            records.append(Record(image, image, unlabelled(descriptor.unlabelled)))
            continue
        files.append(label)
        boxes, found = _read_label(tree, label, descriptor.classes)
        problems += found
        records.append(Record(image, label, "labelled" if boxes else "negative", boxes=boxes))
    problems += [*_shared(owners), *_orphans(tree, photographs, owners), *_left_out(tree, photographs)]
    return Reading(tuple(records), tuple(files), frozenset(descriptor.classes), problems=tuple(problems))


def label_path(image: str) -> str:
    """Path of the label file that belongs to a photograph.

    Examples
    --------
    >>> label_path("images/train/a.jpg"), label_path("b.png")
    ('labels/train/a.txt', 'b.txt')
    """
    parts = image.split("/")
    for index in reversed(range(len(parts) - 1)):
        if parts[index] == "images":
            parts[index] = "labels"
            break
    return PurePosixPath(*parts).with_suffix(".txt").as_posix()


def parse_label(text: str, where: str, classes: tuple[str, ...]) -> tuple[tuple[Box, ...], list[Problem]]:
    """Parse one label file; an empty one says that nothing is there."""
    boxes, problems = [], []
    for line, words in enumerate((line.split() for line in text.split("\n")), start=1):
        if not words:
            continue
        found = list(_line_problems(words, f"{where}:{line}", classes))
        problems += found
        if not found:
            x, y, width, height = (float(word) for word in words[1:])
            box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
            boxes.append((classes[int(words[0])], *box))
    return tuple(boxes), problems


def _line_problems(words: list[str], where: str, classes: tuple[str, ...]) -> Iterator[Problem]:
    if len(words) != 5:
        yield Problem(where, COLUMNS, *_columns(len(words)))
        return
    name = words[0]
    if not (name.isascii() and name.isdigit() and len(name) < 10 and int(name) < len(classes)):
        remedy = "correct the id, or add its name to the classes"
        yield Problem(where, f"a class id from 0 to {len(classes) - 1}", ascii(name), remedy)
    for column, word in zip(("cx", "cy", "width", "height"), words[1:], strict=True):
        value = number(word)
        if value is None or not -ROUNDING <= value <= 1 + ROUNDING:
            remedy = "write fractions of the picture's width and height, not pixels"
            yield Problem(where, f"{column} in [0, 1]", ascii(word), remedy)


def _columns(count: int) -> tuple[str, str]:
    if count < 5:
        return f"{count} (too few)", "complete the line"
    if count == 6:
        return "6: a prediction with its confidence?", "import labels that a person confirmed, without the confidence"
    return f"{count}: a polygon or key points?", "export boxes, or import the COCO file of the same data set"


def _read_label(tree: Tree, label: str, classes: tuple[str, ...]) -> tuple[tuple[Box, ...], list[Problem]]:
    text = tree.text(label)
    return ((), [text]) if isinstance(text, Problem) else parse_label(text, label, classes)


def _photographs(tree: Tree) -> list[str]:
    """All photographs, or those in folders `images` where there are any."""
    held = [image for image in tree.photographs if "images" in _parents(image)]
    return sorted(held or tree.photographs)


def _candidates(tree: Tree, photographs: list[str]) -> Iterator[str]:
    """Files that would be photographs here in a format that is read."""
    apart = any("images" in _parents(image) for image in photographs)
    return (path for path in tree.files if not apart or "images" in _parents(path))


def _parents(path: str) -> list[str]:
    return path.split("/")[:-1]


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _shared(owners: dict[str, list[str]]) -> Iterator[Problem]:
    for label, images in owners.items():
        if len(images) > 1:
            yield Problem(label, "one photograph", f"{len(images)}: {', '.join(images)}", "rename all but one")


def _orphans(tree: Tree, photographs: list[str], owners: Mapping[str, list[str]]) -> Iterator[Problem]:
    """Label files that no photograph reads: without a photograph, in another folder, or in capital letters."""
    flat = {_folder(image) for image in photographs if "images" not in _parents(image)}
    bare = {_stem(image) for label, images in owners.items() if label not in tree.files for image in images}
    spelt = {label.lower(): label for label in owners}
    for path in tree.files:
        name = path.rpartition("/")[2].lower()
        if not name.endswith(".txt") or name in NOT_LABELS or path in owners:
            continue
        if path.lower() in spelt:
            yield Problem(path, f"the name {spelt[path.lower()]}", "another case of the letters", "rename it")
        elif "labels" in _parents(path.lower()) or _folder(path) in flat or _stem(path) in bare:
            yield Problem(path, "a photograph of this name", "none", "add the photograph or remove the label file")


def _stem(path: str) -> str:
    return PurePosixPath(path).stem


def _left_out(tree: Tree, photographs: list[str]) -> Iterator[Problem]:
    """Photographs in a folder that is `images` but for the case of its letters, where others are in `images`."""
    for path in tree.photographs.difference(photographs):
        if "images" in _parents(path.lower()):
            yield Problem(path, "a folder called `images`", "another case of the letters", "rename the folder")


def complete(tree: Tree, descriptor: Descriptor) -> Descriptor:
    """Add the class names from the data.yaml or classes.txt of the source, where the descriptor has none.

    Raises
    ------
    ManifestError
        When no file names the classes, or one names them wrongly, or two of them otherwise or in another order.
    """
    if descriptor.classes:
        return descriptor
    named = {path: names for path in sorted(tree.files) if (names := _names(tree, path)) is not None}
    if not named:
        expected = "a file that names the classes (data.yaml with `names`, or classes.txt)"
        raise ManifestError([Problem("the source's folder", expected, "none", "add one")])
    refuse_any(ManifestError, _misnamed(named))
    refuse_any(ManifestError, _contradictions(named))
    return descriptor.model_copy(update={"classes": next(iter(named.values()))})


def _misnamed(named: Mapping[str, tuple[str, ...]]) -> Iterator[Problem]:
    for path, names in named.items():
        if not names or len(set(names)) != len(names) or not all(is_fit(name) for name in names):
            yield Problem(f"{path}: names", "ids from 0 on, each with a name of its own", repr(names), "correct")


def _contradictions(named: Mapping[str, tuple[str, ...]]) -> Iterator[Problem]:
    """Files by which an id is another class than by the first of them: tools leave classes.txt beside data.yaml."""
    (first, known), *others = named.items()
    for path, names in others:
        if names != known:
            expected = f"the classes of {first}, in the same order: {', '.join(known)}"
            remedy = "remove the one that the ids of the labels are not of"
            yield Problem(f"{path}: names", expected, ", ".join(names), remedy)


def _names(tree: Tree, path: str) -> tuple[str, ...] | None:
    """Class names that a file states in the order of their ids, () where it states them wrongly, None if not at all."""
    if path.lower() in ("classes.txt", "labels/classes.txt"):
        return tuple(_text(tree, path).split("\n")[: len(_text(tree, path).rstrip().split("\n"))])
    if "/" in path or not path.lower().endswith((".yaml", ".yml")):
        return None
    try:
        content = parse_yaml(_text(tree, path), path)
    except DocumentError as error:
        raise ManifestError(error.problems) from error
    return _listed(content["names"]) if isinstance(content, dict) and "names" in content else None


def _listed(names: Any) -> tuple[str, ...]:
    if isinstance(names, dict):
        names = [names.get(index, names.get(str(index))) for index in range(len(names))]
    if not isinstance(names, list) or any(name is None or isinstance(name, dict | list) for name in names):
        return ()
    return tuple(str(name) for name in names)


def _text(tree: Tree, path: str) -> str:
    text = tree.text(path)
    if isinstance(text, Problem):
        raise ManifestError([text])
    return text.replace("\r\n", "\n")
