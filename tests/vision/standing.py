"""Photographs that stand in every way, written byte by byte: what the code under test reads, it did not write."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

CELL_PX = 16  # of one colour, so that a JPEG keeps it
CELLS = np.array(  # three rows of two: no turn or flip of it is another
    [[(250, 0, 0), (0, 250, 0)], [(0, 0, 250), (250, 250, 0)], [(0, 250, 250), (120, 120, 120)]], np.uint8
)
UPRIGHT = CELLS.repeat(CELL_PX, axis=0).repeat(CELL_PX, axis=1)  # RGB, 32 wide, 48 high
SIDES = {  # EXIF 2.3, 4.6.4: where row 0 and column 0 of the stored pixels lie on the picture
    1: ("top", "left"),
    2: ("top", "right"),
    3: ("bottom", "right"),
    4: ("bottom", "left"),
    5: ("left", "top"),
    6: ("right", "top"),
    7: ("right", "bottom"),
    8: ("left", "bottom"),
}
TYPES = {"BYTE": (1, "B"), "SHORT": (3, "H"), "LONG": (4, "I")}
XMP_MARKER = b"http://ns.adobe.com/xap/1.0/\0"


def stored(orientation):
    """Return the pixels that a file holds whose picture is `UPRIGHT`, by the standard's table."""
    row, column = SIDES[orientation]
    height, width = UPRIGHT.shape[:2]
    shape = (width, height) if row in ("left", "right") else (height, width)
    found = np.empty((*shape, 3), np.uint8)
    for r in range(shape[0]):
        for c in range(shape[1]):
            place = dict.fromkeys((row, column))
            place[row], place[column] = r, c
            y = place["top"] if "top" in place else height - 1 - place["bottom"]
            x = place["left"] if "left" in place else width - 1 - place["right"]
            found[r, c] = UPRIGHT[y, x]
    return found


def exif(orientation, kind="SHORT", order="<"):
    """Return a TIFF header with one directory of one entry."""
    number, form = TYPES[kind]
    value = struct.pack(order + form, orientation).ljust(4, b"\0")
    start = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8)
    return start + struct.pack(f"{order}HHHI", 1, 274, number, 1) + value + bytes(4)


def xmp(orientation, form="attribute"):
    said = f'tiff:Orientation="{orientation}"/>'
    if form == "element":
        said = f"><tiff:Orientation>{orientation}</tiff:Orientation></rdf:Description>"
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" {said}</rdf:RDF></x:xmpmeta>'
    ).encode()


def encoded(pixels, file_format, **options):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, file_format, **options)
    return stream.getvalue()


def jpeg(pixels, *segments, **options):
    """Return a JPEG with APP1 segments behind its JFIF header."""
    content = encoded(pixels, "JPEG", quality=95, subsampling=0, **options)
    behind = 4 + int.from_bytes(content[4:6], "big")
    parts = [b"\xff\xe1" + struct.pack(">H", len(part) + 2) + part for part in segments]
    return content[:behind] + b"".join(parts) + content[behind:]


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(pixels, *chunks, behind=False):
    """Return a PNG with chunks before its pixels, or behind them."""
    content = encoded(pixels, "PNG")
    place = content.index(b"IEND" if behind else b"IDAT") - 4
    return content[:place] + b"".join(chunks) + content[place:]


def raw_profile(name, content):
    """Return what ImageMagick writes into a PNG text."""
    digits = content.hex()
    lines = "\n".join(digits[start : start + 72] for start in range(0, len(digits), 72))
    return f"Raw profile type {name}\0".encode(), f"\n{name}\n{len(content):8}\n{lines}\n".encode()


def webp(pixels, **metadata):
    return encoded(pixels, "WEBP", lossless=True, **metadata)


def tiff(pixels, *entries, order="<", packed=False):
    """Return an RGB TIFF of one strip; `entries` are (tag, type, content): the value, or the bytes of a tag 700."""
    body = zlib.compress(pixels.tobytes()) if packed else pixels.tobytes()
    height, width = pixels.shape[:2]
    fields = {
        256: (3, width),
        257: (3, height),
        258: (3, 8),
        259: (3, 8 if packed else 1),
        262: (3, 2),
        273: (4, 8),
        277: (3, 3),
        278: (3, height),
        279: (4, len(body)),
    }
    fields |= {tag: (kind, content) for tag, kind, content in entries}
    count, extra = len(fields), b""
    behind = 8 + len(body) + 2 + 12 * count + 4
    rows = []
    for tag, (kind, content) in sorted(fields.items()):
        if isinstance(content, bytes):
            rows.append(struct.pack(f"{order}HHII", tag, kind, len(content), behind + len(extra)))
            extra += content
        else:
            form = {number: letter for number, letter in TYPES.values()}[kind]
            rows.append(struct.pack(f"{order}HHI", tag, kind, 1) + struct.pack(order + form, content).ljust(4, b"\0"))
    start = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8 + len(body))
    return start + body + struct.pack(f"{order}H", count) + b"".join(rows) + bytes(4) + extra
