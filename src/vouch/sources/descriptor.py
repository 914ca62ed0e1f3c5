"""source.json: what a source is and how it is to be read."""

import json
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from vouch.documents import DocumentError, parse_json, read_text
from vouch.errors import ManifestError, Problem
from vouch.names import Name, shown
from vouch.params import Section, wanted
from vouch.sources.matching import groups
from vouch.sources.vocabulary import is_fit

FILE = "source.json"
OPTIONS = "the command's options"  # where a descriptor comes from that no file holds
MOST_BYTES = 2**24  # a label map of 100,000 classes has a few million
Format = Literal["yolo", "coco", "voc", "imagefolder", "csv", "jsonl"]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]


class Rule(Section):
    """Where a group key or a stratum of each photograph comes from: exactly one of four places."""

    column: str | None = None  # of the side manifest, or of a CSV source
    # regular expression with one group, searched in the file name
    pattern: Annotated[str, Field(max_length=10_000)] | None = None
    level: int | None = None  # folder of the path: 1 is the outermost, -1 the one that holds the photograph
    value: str | None = None  # the same for the whole source

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError("exactly one of column, pattern, level, value is needed")
        if self.level == 0:
            raise ValueError("level 0 names no folder: 1 is the outermost, -1 the one that holds the photograph")
        if self.pattern is not None and groups(self.pattern) != 1:
            raise ValueError("pattern must be a regular expression with exactly one group")
        if self.value is not None and not is_fit(self.value):
            raise ValueError("value must be text without control characters or outer spaces")
        return self


class Descriptor(Section):
    """A named source: closed and typed; what is absent here is what the format does by itself."""

    name: Name
    format: Format
    unlabelled: Literal["refuse", "negative"]  # a photograph without a label: missing, or known to hold nothing
    labels: dict[str, str | None] = Field(
        default_factory=dict
    )  # class of the source: class of the data set, null drops
    classes: tuple[str, ...] = ()  # YOLO's names in the order of their ids
    groups: dict[Key, Rule] = Field(default_factory=dict)
    strata: dict[Key, Rule] = Field(default_factory=dict)
    split: Rule | None = None  # the split that the source states, in words of its own
    manifest: str | None = None  # side manifest of a YOLO, COCO, VOC or ImageFolder source
    annotations: tuple[str, ...] = ()  # label files of a COCO, CSV or JSONL source
    images: str | None = None  # folder that the file names of a COCO or VOC source start from
    crowd: Literal["refuse", "drop"] = "refuse"  # COCO boxes around crowds (iscrowd: 1)
    ignore: tuple[str, ...] = ()  # columns of the manifest without a meaning here; in JSONL group_<key>, stratum_<name>

    @model_validator(mode="after")
    def _manifest_beside(self) -> Self:
        if self.manifest is not None and self.format in ("csv", "jsonl"):
            raise ValueError(f"a {self.format} source carries its own groups and strata: it has no side manifest")
        return self

    @model_validator(mode="after")
    def _ignored_or_asked_for(self) -> Self:
        rules = [*self.strata.values(), *self.groups.values(), *([] if self.split is None else [self.split])]
        if asked := sorted({rule.column for rule in rules if rule.column is not None} & set(self.ignore)):
            raise ValueError(f"{', '.join(asked)}: a column that is ignored can have no rule")
        return self


def check_descriptor(content: object, where: str) -> Descriptor:
    """Return the typed descriptor, or refuse it with every problem.

    Raises
    ------
    ManifestError
        For unknown fields, missing fields, wrong types, and rules that name no single place.
    """
    try:
        return Descriptor.model_validate_json(json.dumps(content))
    except ValidationError as error:
        raise ManifestError(_problem(item, where) for item in error.errors(include_url=False)) from error


def _problem(item: object, where: str) -> Problem:
    found = dict(item) if isinstance(item, dict) else {}
    place = ".".join([where, *(str(part) for part in found["loc"])])
    if found["type"] == "literal_error":
        place = f"--{found['loc'][0]}" if where == OPTIONS and len(found["loc"]) == 1 else place
        got = repr(found["input"]) if found["input"] else "nothing"
        return Problem(place, f"one of {found['ctx']['expected']}", got, "choose one")
    if found["type"] == "extra_forbidden":
        return Problem(place, "a known field", "an unknown one", "remove or respell it, see docs/guides/sources.md")
    if found["type"] == "missing":
        return Problem(place, "a value", "nothing", "add the field, see docs/guides/sources.md")
    return Problem(place, wanted(found["msg"]), shown(found["input"]), "correct it, see docs/guides/sources.md")


def read_descriptor(folder: Path) -> Descriptor:
    """Read a source's source.json; its `name` must be the folder's.

    Raises
    ------
    ManifestError
        When it is absent, malformed, or names another folder.
    """
    path = folder / FILE
    try:
        content = parse_json(read_text(path, path.as_posix(), max_bytes=MOST_BYTES), path.as_posix())
    except DocumentError as error:
        raise ManifestError(error.problems) from error
    descriptor = check_descriptor(content, path.as_posix())
    if descriptor.name != folder.name:
        remedy = "rename one of the two"
        raise ManifestError([Problem(path.as_posix(), f"the folder's name {folder.name}", descriptor.name, remedy)])
    return descriptor
