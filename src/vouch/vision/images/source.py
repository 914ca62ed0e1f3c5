"""Where an image comes from: a file, the bytes of a request, or a crop of either. Pixels are read when asked for."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, TypeVar, assert_never

import numpy as np
from numpy.typing import NDArray

from vouch.errors import DataError, Problem
from vouch.vision.images.decoding import Header, decode, measure, read_header
from vouch.vision.images.formats import MOST_MEGAPIXELS

T = TypeVar("T")
Pixels = NDArray[np.uint8]  # BGR (height, width, 3), upright


@dataclass(frozen=True)
class File:
    """A photograph on disk."""

    path: Path

    @property
    def name(self) -> str:
        """The path as it was given."""
        return str(self.path)


@dataclass(frozen=True)
class Encoded:
    """The bytes of a photograph's file, say of a request."""

    name: str  # what a refusal calls it
    content: bytes


Photograph = File | Encoded


@dataclass(frozen=True)
class Crop:
    """A part of a photograph, in whole pixels of it upright: columns x1 to below x2, rows y1 to below y2."""

    photograph: Photograph
    box_xyxy: tuple[int, int, int, int]

    @property
    def name(self) -> str:
        """The photograph's name and the corners."""
        return f"{self.photograph.name}: crop {self.box_xyxy}"


Image = File | Encoded | Crop


def files(paths: Iterable[str | Path]) -> tuple[Image, ...]:
    """Return the photographs of these paths."""
    return tuple(File(Path(path)) for path in paths)


def evenly(images: Sequence[Image], count: int) -> list[Image]:
    """Return `count` images evenly spaced over `images`, first and last included; all where there are fewer."""
    chosen = np.unique(np.linspace(0, len(images) - 1, count).astype(int))
    return [images[place] for place in chosen]


def read_image(image: Image) -> Pixels:
    """Decode an image to BGR uint8 of shape (height, width, 3), turned upright by its orientation.

    Raises
    ------
    DataError
        When the file is absent, the photograph is what `scan` refuses (at most `formats.MOST_MEGAPIXELS` megapixels are
        read), or the crop has no area or leaves its photograph.
    """
    match image:
        case File(path):
            return _of_file(path)
        case Encoded(name, content):
            return _of_stream(BytesIO(content), name)
        case Crop(photograph):
            return _cut(read_image(photograph), image)
        case _:
            assert_never(image)


def read_images(images: Iterable[Image]) -> Iterator[Pixels | DataError]:
    """Yield the pixels of each image, or why it cannot be used: one that fails takes no other with it.

    Crops of one photograph that follow each other are views of pixels that are decoded once.
    """
    for photograph, members in groupby(images, photograph_of):
        whole = _attempted(partial(read_image, photograph))
        for member in members:
            if isinstance(member, Crop) and not isinstance(whole, DataError):
                yield _attempted(partial(_cut, whole, member))
            else:
                yield whole


def required(results: Iterable[T | DataError]) -> Iterator[T]:
    """Yield results while none is a refusal.

    Raises
    ------
    DataError
        At the first refusal, with the problems of all that follow too.
    """
    ahead = iter(results)
    for one in ahead:
        if isinstance(one, DataError):
            refusals = [one, *(other for other in ahead if isinstance(other, DataError))]
            raise DataError(problem for refusal in refusals for problem in refusal.problems)
        yield one


def parts(images: Iterable[Image], most: int) -> Iterator[list[Image]]:
    """Yield the images in order, `most` at a time; more only where the crops of one photograph are more."""
    part: list[Image] = []
    for _, members in groupby(images, photograph_of):
        together = list(members)
        if part and len(part) + len(together) > most:
            yield part
            part = []
        part += together
    if part:
        yield part


def photograph_of(image: Image) -> Photograph:
    """Return what must be decoded for an image."""
    return image.photograph if isinstance(image, Crop) else image


def stored_bytes(image: Image) -> int:
    """Return how many bytes the photograph of an image has as it is stored, undecoded."""
    photograph = photograph_of(image)
    return photograph.path.stat().st_size if isinstance(photograph, File) else len(photograph.content)


def size_of(image: Image) -> tuple[int, int]:
    """Return an image's upright (width, height) in pixels by its header, which says (0, 0) of what is no photograph."""
    match image:
        case File(path):
            return read_header(path).size
        case Encoded(_, content):
            return measure(BytesIO(content), max_megapixels=MOST_MEGAPIXELS).size
        case Crop(_, (x1, y1, x2, y2)):
            return x2 - x1, y2 - y1
        case _:
            assert_never(image)


def _attempted(read: Callable[[], Pixels]) -> Pixels | DataError:
    try:
        return read()
    except DataError as refusal:
        return refusal


def _of_file(path: Path) -> Pixels:
    try:
        if path.is_file():
            with path.open("rb") as stream:
                return _of_stream(stream, str(path))
    except OSError as error:
        got = error.strerror or type(error).__name__
        raise DataError([Problem(str(path), "a readable file", got, "correct its permissions or name")]) from error
    raise DataError(Header(problems=("missing_image",)).refusals(str(path)))


def _of_stream(stream: BinaryIO, where: str) -> Pixels:
    header, pixels = decode(stream, max_megapixels=MOST_MEGAPIXELS)
    if pixels is None:
        raise DataError(header.refusals(where))
    return pixels


def _cut(whole: Pixels, crop: Crop) -> Pixels:
    (height, width), (x1, y1, x2, y2) = whole.shape[:2], crop.box_xyxy
    if not (0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height):
        expected = f"x1 < x2 and y1 < y2 inside its {width} x {height} pixels"
        remedy = "clip the box to its photograph, and leave out one of no area"
        raise DataError([Problem(crop.name, expected, f"{crop.box_xyxy}", remedy)])
    return whole[y1:y2, x1:x2]
