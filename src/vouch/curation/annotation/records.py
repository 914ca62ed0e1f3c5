"""What the manifest of an annotation bundle states of its photographs, and what a reviewer says of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from vouch.curation.annotation.bundle import MANIFEST
from vouch.documents import parse_json, read_text
from vouch.errors import DataError, ParamsError
from vouch.params import Section, check
from vouch.tasks import Task

MOST = 2**28  # characters of a manifest or a review
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
    """What one reviewer says of one photograph; neither boxes nor a label: nothing is there."""

    boxes: tuple[Box, ...] = ()
    label: str | None = None


Review = Mapping[str, Labels]  # by the image's path in the bundle


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
