"""How a photograph stands: EXIF's orientation, wherever a file may carry it, and the pixels turned by it.

Carriers, the first that states a value from 1 to 8 counts:

1. EXIF (JPEG, PNG, WebP) or the TIFF's own tag, as BYTE, SHORT or LONG: what cameras write and browsers show
2. EXIF as ImageMagick puts it into PNG, in hexadecimal ("Raw profile type exif", "Raw profile type APP1")
3. XMP's tiff:Orientation: the Metadata Working Group's guidelines give EXIF precedence, XMP is for files without
"""

import re
import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

TAG = 274
UPRIGHT = 1
SIDEWAYS = (5, 6, 7, 8)  # width and height change places
INTEGERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 16: "Q", 17: "q"}  # TIFF types, 16 and 17 of BigTIFF alone
MOST_TEXT = 2**20  # bytes of a metadata chunk that are read: EXIF has at most 64 kB
XMP = re.compile(rb"tiff:Orientation\s*(?:=\s*[\"']|>)\s*([1-8])\s*[\"'<]")
XMP_MARKER = b"http://ns.adobe.com/xap/1.0/\0"
EXIF_MARKER = b"Exif\0\0"
RAW = ("Raw profile type exif", "Raw profile type APP1", "Raw profile type xmp")


def orientation(stream: BinaryIO, file_format: str, info: dict[Any, Any]) -> int:
    """Return EXIF's orientation, 1 (upright) to 8; a damaged statement is none, and none is 1. The stream is rewound.

    Parameters
    ----------
    stream : the photograph's file
    file_format : of those in `formats.SUFFIXES`
    info : what Pillow read of the file: "exif" and "xmp" count for JPEG and WebP, "xmp" for TIFF
    """
    if file_format == "PNG":
        statements = _of_png(stream)
    else:
        statements = _of_tiff(stream) if file_format == "TIFF" else _of_exif(_bytes(info, "exif"))
        statements = [*statements, *_of_xmp(_bytes(info, "xmp"))]
    stream.seek(0)
    return next(iter(statements), UPRIGHT)


def turned(pixels: NDArray[np.uint8], value: int) -> NDArray[np.uint8]:
    """Turn pixels (height, width, 3), stored under the orientation `value`, upright; contiguous."""
    if value in SIDEWAYS:
        pixels = cv2.transpose(pixels).astype(np.uint8, copy=False)
    flip = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(value)  # OpenCV: 1 left and right, 0 top and bottom, -1 both
    return pixels if flip is None else cv2.flip(pixels, flip).astype(np.uint8, copy=False)


def turned_back(pixels: NDArray[np.uint8], value: int) -> NDArray[np.uint8]:
    """Undo `turned`: each turn undoes itself but those by a quarter."""
    return turned(pixels, {6: 8, 8: 6}.get(value, value))


def _bytes(info: dict[Any, Any], name: str) -> bytes:
    found = info.get(name)
    return found if isinstance(found, bytes) else b""


def _of_exif(content: bytes) -> list[int]:
    return _of_tiff(BytesIO(content.removeprefix(EXIF_MARKER)))


def _of_xmp(content: bytes) -> list[int]:
    found = XMP.search(content)
    return [int(found[1])] if found else []


def _of_tiff(stream: BinaryIO) -> list[int]:
    """Return what the first directory of a TIFF states, which an EXIF block is; nothing where it is damaged."""
    try:
        found = next((value for value in _entries(stream) if value in range(1, 9)), None)
    except struct.error:  # it ends too early
        return []
    return [] if found is None else [found]


def _entries(stream: BinaryIO) -> Iterator[int]:
    stream.seek(0)
    start = stream.read(16)
    order = {b"II": "<", b"MM": ">"}.get(start[:2])
    if order is None:
        return
    big = struct.unpack_from(f"{order}H", start, 2)[0] == 43  # BigTIFF: offsets of eight bytes
    count_form, offset_form, entry_size = ("Q", "Q", 20) if big else ("H", "I", 12)
    (offset,) = struct.unpack_from(order + offset_form, start, 8 if big else 4)
    if offset >= 2**63:  # no file reaches so far
        return
    stream.seek(offset)
    (count,) = struct.unpack(order + count_form, stream.read(struct.calcsize(order + count_form)))
    for _ in range(min(count, 2**16)):
        entry = stream.read(entry_size)
        tag, kind, values = struct.unpack_from(f"{order}HH{offset_form}", entry)
        if tag == TAG and values == 1 and kind in INTEGERS:
            yield struct.unpack_from(order + INTEGERS[kind], entry, entry_size - (8 if big else 4))[0]


def _of_png(stream: BinaryIO) -> list[int]:
    """Return what PNG's chunks state, best first; they may follow the pixels, where Pillow's header does not look."""
    exif: list[int] = []
    raw: list[int] = []
    xmp: list[int] = []
    for kind, content in _chunks(stream):
        if kind == b"eXIf":
            exif += _of_exif(content)
            continue
        name, text = _text(kind, content)
        if name in RAW:
            profile = _unhexed(text)
            packet = name.endswith("xmp") or profile.startswith(XMP_MARKER)
            (xmp if packet else raw).extend(_of_xmp(profile) if packet else _of_exif(profile))
        elif name == "XML:com.adobe.xmp":
            xmp += _of_xmp(text)
    return exif + raw + xmp


def _chunks(stream: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kind and content of metadata chunks; all others are passed over unread."""
    position = 8  # behind the signature
    stream.seek(position)
    while len(head := stream.read(8)) == 8 and head[4:] != b"IEND":
        length = int.from_bytes(head[:4], "big")
        if head[4:] in (b"eXIf", b"tEXt", b"zTXt", b"iTXt") and length <= MOST_TEXT:
            yield head[4:], stream.read(length)
        position += 12 + length
        stream.seek(position)


def _text(kind: bytes, content: bytes) -> tuple[str, bytes]:
    """Return the keyword and text of a PNG text chunk; no text where it is damaged or inflates beyond a megabyte."""
    keyword, _, rest = content.partition(b"\0")
    name, packed = keyword.decode("latin-1"), kind == b"zTXt"
    if name not in (*RAW, "XML:com.adobe.xmp"):
        return name, b""
    if kind == b"iTXt":
        packed = rest[:1] == b"\1"
        rest = rest[2:].partition(b"\0")[2].partition(b"\0")[2]  # behind language and translated keyword
    elif packed:
        rest = rest[1:]
    try:
        return name, zlib.decompressobj().decompress(rest, MOST_TEXT) if packed else rest
    except zlib.error:
        return name, b""


def _unhexed(text: bytes) -> bytes:
    """Return ImageMagick's profile: a line break, its name, its length, then lines of hexadecimal digits."""
    try:
        return bytes.fromhex(b"".join(text.split(b"\n")[3:]).decode("ascii"))
    except ValueError:  # UnicodeDecodeError is one
        return b""
