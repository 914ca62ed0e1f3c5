"""CSV: one row per photograph or one row per box, with a header; also the side manifest beside other formats.

Columns with a meaning: `image` (or `file`), `label`, `annotation`, `width`, `height`, `group_<key>`,
`stratum_<name>`, and together `class`, `x1`, `y1`, `x2`, `y2` (pixels); beside these `product`, `row` and `position`
of the box. Other columns wait for a rule.
"""

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping

from vouch.documents import separator_problems
from vouch.errors import Problem
from vouch.names import closest
from vouch.sources.descriptor import Descriptor
from vouch.sources.parsing import number, size
from vouch.sources.records import ANNOTATIONS, NOWHERE, Box, Place, Reading, Record, stated, unlabelled
from vouch.sources.tree import Tree, inside, outside_problem
from vouch.tables import PLACED

FILE = "manifest.csv"
IMAGE = ("image", "file")
CORNERS = ("x1", "y1", "x2", "y2")
BOX = ("class", *CORNERS)
OF_BOX = frozenset({*BOX, *PLACED})  # what differs among the rows of one photograph
Row = Mapping[str, str]
Held = tuple[Box, Place]


def read(tree: Tree, descriptor: Descriptor) -> Reading:
    """Read every CSV manifest that the descriptor names, else manifest.csv."""
    files = descriptor.annotations or (FILE,)
    held: dict[str, tuple[str, Row]] = {}
    boxes: dict[str, list[Held]] = {}
    problems: list[Problem] = []
    columns: set[str] = set()
    for path in files:
        for where, row in _rows(tree, path, problems, columns, descriptor.ignore):
            found = list(_add(row, where, held, boxes))
            problems += found
    problems += unknown_columns(descriptor.ignore, columns, ", ".join(files))
    if descriptor.unlabelled == "negative":
        problems += _silent(held)
    records, found = _records(held, boxes, unlabelled(descriptor.unlabelled))
    rows = {image: row for image, (_, row) in held.items()}
    return Reading(tuple(records), files, rows=rows, problems=(*problems, *found))


def _silent(held: Mapping[str, tuple[str, Row]]) -> list[Problem]:
    """A manifest that says of no photograph what is on it: the side manifest of another format, perhaps."""
    if not held or any(name in row for _, row in held.values() for name in ("label", "annotation", "class")):
        return []
    where, row = next(iter(held.values()))
    expected = f"a column `label` or `annotation`, or the columns {', '.join(BOX)}"
    remedy = "check the format; where nothing is on any photograph, let `annotation` say `negative`"
    return [Problem(f"{where.rpartition(':')[0]}:1", expected, ", ".join(row), remedy)]


def unknown_columns(ignored: Iterable[str], columns: Collection[str], file: str) -> list[Problem]:
    """Columns that are to be ignored and are not there; of a file that could not be read, nothing is said."""
    return [
        Problem(f"--ignore {name}", f"a column of {file}", "none of this name", closest(name, columns))
        for name in ignored
        if columns and name not in columns
    ]


def read_side(tree: Tree, path: str, ignore: Collection[str] = ()) -> tuple[dict[str, Row], list[Problem]]:
    """Read a side manifest: one row per photograph, without the columns to ignore.

    Returns
    -------
    tuple
        The rows by photograph, and the problems: among them a photograph with two rows.
    """
    held: dict[str, Row] = {}
    problems: list[Problem] = []
    columns: set[str] = set()
    for where, row in _rows(tree, path, problems, columns, ignore):
        image = row["image"]
        if image in held:
            problems.append(Problem(where, "one row per photograph", f"a second row of {image}", "remove one"))
        held[image] = row
    return held, [*problems, *unknown_columns(ignore, columns, path)]


def _rows(
    tree: Tree, path: str, problems: list[Problem], columns: set[str], ignore: Collection[str]
) -> Iterator[tuple[str, Row]]:
    """Yield the sound rows with their place; note all columns. That of the photograph is always called `image`."""
    text = tree.text(path)
    if isinstance(text, Problem):
        problems.append(text)
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        columns.update(header)
        found = _header_problems([name for name in header if name not in ignore], path)
        problems += found
        if found:
            return
        names = [None if name in ignore else "image" if name in IMAGE else name for name in header]
        for cells in reader:
            if cells:
                yield from _row(names, cells, f"{path}:{reader.line_num}", problems)
    except csv.Error as error:
        problems.append(Problem(f"{path}:{reader.line_num}", "well-formed CSV", str(error), "fix the line"))


def _row(names: list[str | None], cells: list[str], where: str, problems: list[Problem]) -> Iterator[tuple[str, Row]]:
    """Yield a row by its columns; None stands for one that is ignored."""
    if len(cells) != len(names):
        problems.append(Problem(where, f"{len(names)} columns", str(len(cells)), "complete or quote the cells"))
        return
    row = {name: cell for name, cell in zip(names, cells, strict=True) if name is not None}
    image = inside(row["image"])
    if image is None:
        problems.append(outside_problem(row["image"], where))
        return
    row["image"] = image
    yield where, row


def _header_problems(header: list[str], path: str) -> list[Problem]:
    where = f"{path}:1"
    if apart := separator_problems(header, where):
        return apart
    problems = []
    if sum(name in IMAGE for name in header) != 1:
        got = ", ".join(header) or "nothing"
        problems.append(
            Problem(where, "one column `image` or `file`", got, "name the column of the photographs' paths")
        )
    if len(set(header)) != len(header):
        problems.append(Problem(where, "each column once", ", ".join(header), "rename the repeated column"))
    if any(name in CORNERS for name in header) and not set(BOX) <= set(header):
        got = ", ".join(name for name in BOX if name in header)
        problems.append(Problem(where, f"the columns {', '.join(BOX)} together", got, "add the others"))
    return problems


def _add(row: Row, where: str, held: dict[str, tuple[str, Row]], boxes: dict[str, list[Held]]) -> Iterator[Problem]:
    """Take one row in: the first of its photograph, or one more box of it."""
    image = row["image"]
    box, problems = _object(row, where)
    yield from problems
    if image not in held:
        held[image] = (where, row)
        boxes[image] = [] if box is None else [box]
        return
    first, known = held[image]
    if box is None or not boxes[image]:
        if not problems:
            yield Problem(where, "one row per photograph without boxes", f"{image} again (see {first})", "remove one")
        return
    if row.keys() != known.keys():
        got, remedy = ", ".join(sorted(row.keys() ^ known.keys())), "give the rows of one photograph the same columns"
        yield Problem(where, f"the columns that {first} has", f"{got} in one of the two", remedy)
        return
    for name, cell in row.items():
        if name not in OF_BOX and cell != known[name]:
            yield Problem(
                f"{where}: {name}", f"{known[name]!r} as in {first}", repr(cell), "write the same in all rows"
            )
    boxes[image].append(box)


def _object(row: Row, where: str) -> tuple[Held | None, list[Problem]]:
    """Return a row's box and place; columns of a place mean one only beside those of a box."""
    if "x1" not in row:
        return None, []
    place, problems = _placed(row, where)
    if any(row[name] for name in BOX):
        box, found = _box(row, where)
        return None if box is None or problems else (box, place), [*problems, *found]
    if place != NOWHERE:
        got = ", ".join(f"{name} {row[name]!r}" for name in PLACED if row.get(name))
        remedy = "add its corners, or leave the column out with --ignore"
        problems.append(Problem(where, "a box of which this holds", got, remedy))
    return None, problems


def _placed(row: Row, where: str) -> tuple[Place, list[Problem]]:
    expected, remedy = "a whole number from 1, or nothing", "correct it, or leave the column out with --ignore"
    problems = [
        Problem(f"{where}: {name}", expected, repr(row[name]), remedy)
        for name in ("row", "position")
        if row.get(name) and size(row[name]) is None
    ]
    return Place(row.get("product") or None, size(row.get("row", "")), size(row.get("position", ""))), problems


def _box(row: Row, where: str) -> tuple[Box | None, list[Problem]]:
    width, height = size(row.get("width", "")), size(row.get("height", ""))
    corners = [number(row[name]) for name in CORNERS]
    problems = [
        Problem(f"{where}: {name}", "a finite number", repr(row[name]), "correct the corner")
        for name, corner in zip(CORNERS, corners, strict=True)
        if corner is None
    ]
    if not row["class"]:
        problems.append(Problem(f"{where}: class", "the box's class", "nothing", "name the class"))
    if width is None or height is None:
        got = f"{row.get('width')!r} × {row.get('height')!r}"
        problems.append(Problem(where, "width and height of the photograph in pixels", got, "add both columns"))
    if problems or width is None or height is None:
        return None, problems
    x1, y1, x2, y2 = (corner or 0.0 for corner in corners)
    return (row["class"], x1 / width, y1 / height, x2 / width, y2 / height), []


def _records(
    held: dict[str, tuple[str, Row]], boxes: dict[str, list[Held]], nothing: str
) -> tuple[list[Record], list[Problem]]:
    records, problems = [], []
    for image, (where, row) in held.items():
        label = row.get("label") or None
        annotation = stated("", holds=bool(label or boxes[image]), otherwise=nothing)
        found = tuple(box for box, _ in boxes[image])
        places = tuple(place for _, place in boxes[image])
        places = places if any(place != NOWHERE for place in places) else ()
        records.append(Record(image, where, annotation or nothing, label, boxes=found, places=places))
        if label is not None and label != label.strip():
            problems.append(Problem(f"{where}: label", "no outer spaces", repr(label), "remove them"))
    return records, problems


def cell_annotation(row: Row, annotation: str, where: str) -> str | Problem:
    """Return the annotation of a photograph in the light of its row's `annotation`, if it has one."""
    explicit = row.get("annotation", "")
    if explicit and explicit not in ANNOTATIONS:
        return Problem(f"{where}: annotation", f"one of {', '.join(ANNOTATIONS)}", repr(explicit), "correct it")
    found = stated(explicit, holds=annotation == "labelled", otherwise=annotation)
    expected = "an annotation that fits the boxes and the label"
    return Problem(where, expected, explicit, "correct the annotation") if found is None else found


def cell_label(row: Row, known: str | None, where: str) -> str | Problem | None:
    """Return the label that the source itself gives; the row may not contradict it."""
    said = row.get("label", "")
    if known is None or said in ("", known):
        return known
    return Problem(f"{where}: label", f"{known!r} as the source itself says", repr(said), "correct one of them")


def cell_size(row: Row, name: str, known: int | None, where: str) -> int | Problem | None:
    """Return the width or height that the source or the row states; the two must agree."""
    text = row.get(name, "")
    if not text:
        return known
    value = size(text)
    if value is None:
        return Problem(f"{where}: {name}", "a positive whole number of pixels", repr(text), "correct it")
    if known is not None and known != value:
        return Problem(f"{where}: {name}", f"{known} as the label file says", str(value), "correct one of them")
    return value
