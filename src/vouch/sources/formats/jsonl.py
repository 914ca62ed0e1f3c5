"""JSONL: one photograph a line; manifest.schema.yaml states the fields."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from vouch.documents import DocumentError, parse_json
from vouch.errors import Problem
from vouch.sources.descriptor import Descriptor
from vouch.sources.formats.table import unknown_columns
from vouch.sources.parsing import place_problems, size_problems
from vouch.sources.records import NOWHERE, Box, Place, Reading, Record, stated, unlabelled
from vouch.sources.schema import problems as broken
from vouch.sources.tree import Tree, inside, outside_problem
from vouch.tables import GROUP, SPLIT_STATED, STRATUM

SCHEMA = "formats/manifest.schema.yaml"
FILE = "manifest.jsonl"


def read(tree: Tree, descriptor: Descriptor) -> Reading:
    """Read every manifest that the descriptor names, else manifest.jsonl."""
    records: list[Record] = []
    problems: list[Problem] = []
    files = descriptor.annotations or (FILE,)
    for path in files:
        text = tree.text(path)
        made, found = ([], [text]) if isinstance(text, Problem) else parse(text, path, descriptor.unlabelled)
        records += made
        problems += found
    stated = {key for record in records for key in _columns(record)}
    problems += unknown_columns(descriptor.ignore, stated, ", ".join(files))
    return Reading(tuple(_without(record, descriptor.ignore) for record in records), files, problems=tuple(problems))


def _columns(record: Record) -> list[str]:
    """Group keys, strata and split of a line, called as the columns of a CSV are."""
    split = [] if record.split is None else [SPLIT_STATED]
    return [*(GROUP + key for key in record.groups), *(STRATUM + name for name in record.strata), *split]


def _without(record: Record, ignore: Collection[str]) -> Record:
    if not ignore:
        return record
    groups = {key: value for key, value in record.groups.items() if GROUP + key not in ignore}
    strata = {name: value for name, value in record.strata.items() if STRATUM + name not in ignore}
    split = None if SPLIT_STATED in ignore else record.split
    return replace(record, groups=groups, strata=strata, split=split)


def parse(text: str, where: str, policy: str) -> tuple[list[Record], list[Problem]]:
    """Parse a manifest; blank lines are passed over, every other line is a record or problems."""
    records: list[Record] = []
    problems: list[Problem] = []
    for index, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            found = _line(line, f"{where}:{index}", policy)
            if isinstance(found, Record):
                records.append(found)
            else:
                problems += found
    return records, problems


def _line(line: str, where: str, policy: str) -> Record | list[Problem]:
    try:
        content = parse_json(line, where)
    except DocumentError as error:
        return list(error.problems)
    problems = broken(content, where, name=SCHEMA) or size_problems(content, where)
    problems = problems or place_problems(content.get("boxes", ()), where)
    if problems:
        return problems
    image = inside(content["image"])
    if image is None:
        return [outside_problem(content["image"], where)]
    label, boxes = content.get("label"), content.get("boxes")
    nothing = unlabelled(policy) if boxes is None else "negative"
    annotation = stated(content.get("annotation", ""), holds=bool(boxes or label), otherwise=nothing)
    if annotation is None:
        expected = "an annotation that fits the boxes and the label"
        return [Problem(where, expected, content["annotation"], "correct the annotation")]
    return _record(image, where, annotation, content)


def _record(image: str, where: str, annotation: str, content: dict[str, Any]) -> Record:
    width, height = content.get("width"), content.get("height")
    boxes: tuple[Box, ...] = ()
    if content.get("boxes"):
        across, down = float(content["width"]), float(content["height"])
        boxes = tuple(
            (box["class"], box["x1"] / across, box["y1"] / down, box["x2"] / across, box["y2"] / down)
            for box in content["boxes"]
        )
    return Record(
        image,
        where,
        annotation,
        label=content.get("label"),
        width=None if width is None else int(width),
        height=None if height is None else int(height),
        groups=content.get("groups", {}),
        strata=content.get("strata", {}),
        boxes=boxes,
        places=_places(content.get("boxes", ())),
        split=content.get("split"),
    )


def _places(boxes: Iterable[dict[str, Any]]) -> tuple[Place, ...]:
    """Return what is stated of each box besides its class and corners; nothing where it is stated of none."""
    places = tuple(
        Place(box.get("product"), *(int(box[name]) if name in box else None for name in ("row", "position")))
        for box in boxes
    )
    return places if any(place != NOWHERE for place in places) else ()
