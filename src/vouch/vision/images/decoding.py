"""A photograph from its bytes: whether it can be used, how it stands, and its upright pixels. Every door reads here.

The header is judged before a pixel is decoded: 48 kB of PNG can claim 400 megapixels. OpenCV decodes, told to leave the
orientation alone; Pillow decodes TIFF, of which OpenCV multiplies colours by alpha and lacks two compressions. Of every
other kind of file both give the same pixels (a test compares), but for BMP of 16 bits; OpenCV takes half the time.
"""

import os
import re
import struct
import threading
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import BmpImagePlugin, Image, ImageFile, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

from vouch.errors import Problem
from vouch.vision.images.formats import (
    DEEP_MODES,
    MODES,
    MOST_BYTES,
    MOST_MEGAPIXELS,
    MOST_SIDE_PX,
    REFUSALS,
    described,
)
from vouch.vision.images.orientation import SIDEWAYS, TAG, UPRIGHT, orientation, turned, turned_back

DECODE_ERRORS = (  # what Pillow's parsers raise on hostile bytes; 3,000 mutations of each format brought no other
    OSError,
    Image.DecompressionBombError,  # of a WebP, whose reader has that limit too
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    ArithmeticError,
    AttributeError,
    struct.error,
    zlib.error,
)
STRIP_PIXELS = 2**20  # Pillow's pixels are copied so many at a time: whole, they would lie in memory four times
_LOCK = threading.Lock()
_INSIDE: list[ExitStack] = []  # one for each thread that reads; the first silences warnings, the last restores them
READERS: dict[re.Pattern[bytes], Callable[[BinaryIO, str], ImageFile.ImageFile]] = {  # by how a file begins
    re.compile(rb"\xff\xd8\xff"): JpegImagePlugin.jpeg_factory,
    re.compile(rb"\x89PNG\r\n\x1a\n"): PngImagePlugin.PngImageFile,
    re.compile(rb"RIFF....WEBP", re.DOTALL): WebPImagePlugin.WebPImageFile,
    re.compile(rb"BM"): BmpImagePlugin.BmpImageFile,
    re.compile(rb"II[*+]\0|MM\0[*+]"): TiffImagePlugin.TiffImageFile,  # + is BigTIFF
}
LONGEST_START = 12  # bytes


@dataclass(frozen=True)
class Header:
    """What a file says of its picture before a pixel is decoded, and why the picture cannot be used."""

    format: str = ""  # of those in `formats.SUFFIXES`, or none of them
    mode: str = ""  # Pillow's
    width: int = 0  # pixels, as stored
    height: int = 0
    orientation: int = UPRIGHT  # EXIF's, 1 to 8
    problems: tuple[str, ...] = ()  # of `formats.REFUSALS`

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels as a person sees the photograph."""
        sides = (self.width, self.height)
        return sides[::-1] if self.orientation in SIDEWAYS else sides

    def refusals(self, where: str) -> list[Problem]:
        """Return the problems in the words of every door."""
        said = described(self.format, self.mode, self.width, self.height)
        got = {"missing_image": "no file", "empty_file": "no bytes"}
        return [Problem(where, REFUSALS[name][0], got.get(name, said), REFUSALS[name][1]) for name in self.problems]


def measure(stream: BinaryIO, *, max_megapixels: float) -> Header:
    """Read a photograph's header, orientation included, and judge it; no pixel is decoded.

    Parameters
    ----------
    stream : seekable binary stream
        The file's content.
    max_megapixels : float
        A header that claims more is refused; never more than `formats.MOST_MEGAPIXELS`.
    """
    with _silently():
        return _checked(stream, max_megapixels)[0]


def read_header(path: Path) -> Header:
    """Read the header of a photograph's file; `missing_image` where there is none."""
    if not path.is_file():
        return Header(problems=("missing_image",))
    with path.open("rb") as stream:
        return measure(stream, max_megapixels=MOST_MEGAPIXELS)


def decode(stream: BinaryIO, *, max_megapixels: float) -> tuple[Header, NDArray[np.uint8] | None]:
    """Read a photograph as `measure` does, and its pixels: BGR uint8 (height, width, 3), upright; None with problems.

    An alpha channel is dropped: the colours are those that the file states, visible or not.
    """
    with _silently():
        header, image = _checked(stream, max_megapixels)
        if header.problems or image is None:
            return header, None
        try:
            stored = _by_pillow(image) if header.format == "TIFF" else _by_opencv(stream)
        except DECODE_ERRORS as error:
            return replace(header, problems=_name_of(error)), None
        return header, turned(stored, header.orientation)


@contextmanager
def _silently() -> Iterator[None]:
    """Silence Pillow's warnings, of damaged metadata and of size: both are judged here.

    The filter of warnings is the whole process's: while several threads read, none may restore it under another.
    """
    with _LOCK:
        silence = ExitStack()
        if not _INSIDE:
            silence.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
        _INSIDE.append(silence)
    try:
        yield
    finally:
        with _LOCK:
            if len(_INSIDE) == 1:
                _INSIDE[0].close()
            _INSIDE.pop()


def _checked(stream: BinaryIO, max_megapixels: float) -> tuple[Header, Image.Image | None]:
    length = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if not 0 < length <= MOST_BYTES:
        return Header(problems=("too_large" if length else "empty_file",)), None
    try:
        image = _opened(stream)
    except DECODE_ERRORS:
        return Header(problems=("unsupported_format",)), None
    header = _header(image)
    try:
        header = replace(header, orientation=orientation(stream, header.format, image.info))
        header = replace(header, problems=_header_problems(image, header, max_megapixels))
    except DECODE_ERRORS as error:
        header = replace(header, problems=_name_of(error))
    return header, image


def _opened(stream: BinaryIO) -> ImageFile.ImageFile:
    """Read the header, not by `Image.open`: its limit hides the size that was claimed, and Ultralytics replaces it."""
    stream.seek(0)
    start = stream.read(LONGEST_START)
    stream.seek(0)
    for pattern, reader in READERS.items():
        if pattern.match(start):
            return reader(stream, "")
    raise SyntaxError("no known format")


def _header(image: Image.Image) -> Header:
    # a phone's JPEG with an embedded preview or gain map calls itself MPO; its first picture is the photograph
    real_format = "JPEG" if image.format == "MPO" else str(image.format)
    width, height = image.size
    if isinstance(image, TiffImagePlugin.TiffImageFile):  # Pillow states the size of the turned picture
        width, height = (image.tag_v2[tag] for tag in (TiffImagePlugin.IMAGEWIDTH, TiffImagePlugin.IMAGELENGTH))
    return Header(real_format, image.mode, width, height)


def _header_problems(image: Image.Image, header: Header, max_megapixels: float) -> tuple[str, ...]:
    """Problems that forbid decoding: each makes it unclear which 8-bit picture a model would see."""
    most = min(max_megapixels, MOST_MEGAPIXELS) * 1e6
    found = {
        "corrupt": _tile_pixels(image) > MOST_MEGAPIXELS * 1e6,
        "too_large": header.width * header.height > most or max(header.width, header.height) > MOST_SIDE_PX,
        "animated": image.format != "MPO" and getattr(image, "n_frames", 1) > 1,
        "bit_depth": _is_deep(image),
        "colour_mode": image.mode not in MODES + DEEP_MODES,
    }
    return tuple(problem for problem, is_found in found.items() if is_found)


def _tile_pixels(image: Image.Image) -> int:
    """Return how many pixels a tile of a TIFF has: libtiff makes room for a whole one, 900 MB for 10 x 10 pixels."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return 0
    width, height = (image.tag_v2.get(tag, 0) for tag in (TiffImagePlugin.TILEWIDTH, TiffImagePlugin.TILELENGTH))
    return int(width) * int(height)


def _is_deep(image: Image.Image) -> bool:
    """Tell more than 8 bits a channel, also where Pillow would quietly drop the low byte and call it RGB."""
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) else []
    raw_modes = [tile.args if isinstance(tile.args, str) else str((tile.args or ("",))[0]) for tile in tiles]
    return image.mode in DEEP_MODES or any(";16" in raw_mode for raw_mode in raw_modes)


def _name_of(error: Exception) -> tuple[str]:
    return ("truncated" if "truncated" in str(error) or isinstance(error, EOFError) else "corrupt",)


def _by_opencv(stream: BinaryIO) -> NDArray[np.uint8]:
    """Decode to BGR as stored.

    Raises
    ------
    DECODE_ERRORS
        Pillow's words: OpenCV does not say why it cannot.
    """
    stream.seek(0)
    content = np.frombuffer(stream.read(), np.uint8)
    try:
        pixels = cv2.imdecode(content, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise ValueError(str(error)) from error
    if pixels is None:
        _opened(stream).load()
        raise ValueError("OpenCV does not decode it")
    return pixels.astype(np.uint8, copy=False)


def _by_pillow(image: Image.Image) -> NDArray[np.uint8]:
    """Decode to BGR as stored: Pillow turns a TIFF by its own reading of the orientation, which is undone."""
    turn: Any = image.getexif().get(TAG, UPRIGHT)
    image.load()
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    rows = max(1, STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        visible = strip.convert("RGBA") if "transparency" in strip.info else strip
        pixels[top : top + rows] = np.asarray(visible.convert("RGB"))[..., ::-1]
    return turned_back(pixels, turn) if turn in range(1, 9) else pixels
