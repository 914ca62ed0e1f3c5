"""Hostile pictures: every format, mode and size, damaged, and turned by every carrier of an orientation.

A sound picture is red in its first quarter and green in its second, so that where a detector finds the two says how
the picture was turned; `TURNS` lists the eight ways.
"""

import io
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin, TiffImagePlugin

from hostile.values import noisy, pick

ORIENTATION = 274
FORMATS = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "BMP": ".bmp", "TIFF": ".tif", "GIF": ".gif", "PPM": ".ppm"}
CARRIERS = {  # of a format: ways to say an orientation
    "JPEG": ("exif", "exif LONG", "exif BYTE", "XMP"),
    "PNG": ("exif", "exif LONG", "exif BYTE", "XMP", "raw profile", "raw profile zTXt"),
    "WEBP": ("exif", "exif LONG", "exif BYTE", "XMP"),
    "TIFF": ("tag", "tag LONG", "XMP"),
}
LOSSLESS = {"PNG", "BMP", "TIFF", "PPM"}
SIZES = (
    (1, 1),
    (1, 2),
    (1, 65500),
    (65500, 1),
    (3, 20000),
    (20000, 3),
    (2, 300),
    (300, 2),
    (1, 700),
    (31, 33),
    (1, 16),
)
MODES = {
    "JPEG": ("L", "CMYK", "RGB"),
    "PNG": ("1", "L", "LA", "P", "RGBA", "I;16", "RGB"),
    "WEBP": ("RGB", "RGBA"),
    "BMP": ("1", "L", "P", "RGB"),
    "TIFF": ("1", "L", "CMYK", "I;16", "F", "LAB", "YCbCr", "RGBA", "P"),
    "GIF": ("L", "P"),
    "PPM": ("1", "L", "RGB", "I;16"),
}
CLAIMS = ((30000, 30000), (65500, 65500), (40000, 30000), (0, 10), (2**31 - 1, 2**31 - 1), (1, 2**31 - 1), (2**30, 1))


@dataclass(frozen=True)
class Picture:
    """A file's bytes and ending, and what is known of it."""

    content: bytes
    suffix: str
    told: str
    turn: int | None  # the orientation that a sound carrier states, 1 where none does; None where that is disputed
    stored: NDArray[np.uint8] | None  # its pixels where they are stored without loss


def quarters(width: int, height: int) -> NDArray[np.uint8]:
    """Red, green, and dark below, in RGB."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: (height + 1) // 2, : width // 2, 0] = 255
    pixels[: (height + 1) // 2, width // 2 :, 1] = 255
    return pixels


def oriented(rng: np.random.Generator) -> Picture:
    """A sound picture with an orientation."""
    form = pick(rng, tuple(CARRIERS))
    carrier, turn = pick(rng, CARRIERS[form]), int(rng.integers(1, 9))
    width, height = pick(rng, ((64, 40), (40, 64), (96, 64), (64, 64)))
    pixels = quarters(width, height)
    content = encoded(form, Image.fromarray(pixels), carrier=carrier, turn=turn)
    known = turn if carrier in ("exif", "tag") else None
    told = f"{form} {width} × {height}, orientation {turn} as {carrier}"
    return Picture(content, FORMATS[form], told, known, pixels if form in LOSSLESS else None)


def doubtful(rng: np.random.Generator) -> Picture:
    """A sound picture whose orientation is out of range, or stated twice with two values."""
    form = pick(rng, ("JPEG", "PNG", "WEBP"))
    picture = Image.fromarray(quarters(64, 40))
    turn = int(pick(rng, (0, 9, 255, 65535)))
    if rng.random() < 0.5:
        content = encoded(form, picture, carrier="exif", turn=turn)
        return Picture(content, FORMATS[form], f"{form}, orientation {turn}", 1, None)
    exif = picture.getexif()
    exif[ORIENTATION] = 6
    stream = io.BytesIO()
    picture.save(stream, form, exif=exif, **_xmp(form, 3))
    return Picture(stream.getvalue(), FORMATS[form], f"{form}, orientation 6 in EXIF and 3 in XMP", None, None)


def encoded(form: str, picture: Image.Image, *, carrier: str, turn: int) -> bytes:
    """Encode a picture with an orientation."""
    stream = io.BytesIO()
    if carrier == "XMP":
        picture.save(stream, form, **_xmp(form, turn))
    elif carrier.startswith("raw profile"):
        picture.save(stream, form, pnginfo=_raw_profile(turn, zipped="zTXt" in carrier))
    elif carrier.startswith("tag"):
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        tags[ORIENTATION] = turn
        if carrier == "tag LONG":
            tags.tagtype[ORIENTATION] = 4
        picture.save(stream, form, tiffinfo=tags)
    else:
        picture.save(stream, form, exif=_exif(turn, carrier.partition(" ")[2] or "SHORT"), quality=95)
    return stream.getvalue()


def _exif(turn: int, kind: str) -> bytes:
    code, value = {"SHORT": (3, struct.pack("<HH", turn, 0)), "LONG": (4, struct.pack("<I", turn))}.get(
        kind, (1, struct.pack("<BBH", turn & 255, 0, 0))
    )
    entry = struct.pack("<HHI", ORIENTATION, code, 1) + value
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", 0)


def _packet(turn: int) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" rdf:about="" '
        f'tiff:Orientation="{turn}"/></rdf:RDF></x:xmpmeta>'
    ).encode()


def _xmp(form: str, turn: int) -> dict[str, object]:
    if form == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", _packet(turn).decode())
        return {"pnginfo": info}
    if form == "TIFF":
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        tags[700] = _packet(turn)
        tags.tagtype[700] = 1
        return {"tiffinfo": tags}
    return {"xmp": _packet(turn)}


def _raw_profile(turn: int, *, zipped: bool) -> PngImagePlugin.PngInfo:
    exif = _exif(turn, "SHORT")
    text = f"\nexif\n{len(exif):8d}\n{exif.hex()}\n"
    info = PngImagePlugin.PngInfo()
    info.add_text("Raw profile type exif", text, zip=zipped)
    return info


def sized(rng: np.random.Generator) -> Picture:
    """A sliver, or a picture of very few pixels."""
    form = pick(rng, ("PNG", "BMP", "TIFF", "JPEG", "WEBP", "GIF"))
    width, height = pick(rng, SIZES)
    if form == "WEBP":
        width, height = min(width, 16383), min(height, 16383)
    pixels = np.full((height, width, 3), 90, np.uint8)
    pixels[::2] += 60
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, form)
    return Picture(
        stream.getvalue(), FORMATS[form], f"{form} {width} × {height}", 1, pixels if form in LOSSLESS else None
    )


def moded(rng: np.random.Generator) -> Picture:
    """A picture of another mode or depth, or of a format that is none of ours."""
    form = pick(rng, tuple(MODES))
    mode = pick(rng, MODES[form])
    grey = Image.fromarray(quarters(64, 40)).convert("L")
    picture = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257) if mode == "I;16" else None
    picture = picture or Image.fromarray(quarters(64, 40)).convert("RGB").convert(mode)
    stream = io.BytesIO()
    picture.save(stream, form)
    return Picture(stream.getvalue(), FORMATS[form], f"{form} of mode {mode}", 1, None)


def animated(rng: np.random.Generator) -> Picture:
    """Several pictures in one file."""
    form = pick(rng, ("GIF", "PNG", "WEBP", "TIFF"))
    frames = [Image.fromarray(np.roll(quarters(64, 40), 9 * shift, 1)) for shift in range(3)]
    stream = io.BytesIO()
    frames[0].save(stream, form, save_all=True, append_images=frames[1:])
    return Picture(stream.getvalue(), FORMATS[form], f"{form} of three pictures", 1, None)


def claimed(rng: np.random.Generator) -> Picture:
    """A header that claims another size than the pixels that follow."""
    width, height = pick(rng, CLAIMS)
    form = pick(rng, ("PNG", "BMP", "PPM", "GIF"))
    if form == "PNG":
        data = zlib.compress(b"\0" * 4000)
        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        parts = [(b"IHDR", header), (b"IDAT", data), (b"IEND", b"")]
        chunks = [
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
            for name, body in parts
        ]
        content = b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
    elif form == "BMP":
        content = b"BM" + struct.pack("<IHHIIiiHHIIiiII", 100, 0, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
        content += b"\0" * 46
    elif form == "PPM":
        content = f"P6\n{width} {height}\n255\n".encode() + b"\0" * 100
    else:
        content = b"GIF89a" + struct.pack("<HHBBB", width & 65535, height & 65535, 0x80, 0, 0) + b"\0" * 60
    return Picture(content, FORMATS[form], f"{form} that claims {width} × {height}", None, None)


def damaged(rng: np.random.Generator) -> Picture:
    """A sound picture with its bytes spoiled."""
    sound = pick(rng, (oriented, moded, animated))(rng)
    content = sound.content
    for _ in range(int(rng.integers(1, 4))):
        content = noisy(rng, content)
    return Picture(content, sound.suffix, f"{sound.told}, spoiled to {len(content)} bytes", None, None)


def misnamed(rng: np.random.Generator) -> Picture:
    """A picture under the ending of another format, or what is no picture under that of one."""
    suffix = pick(rng, (".jpg", ".png", ".tif", ".webp", ".bmp", ".JPG", ".jpeg", ".tiff"))
    texts = (b"", b"\0", b"not a picture", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.4\n", b"II*\0" * 9)
    if rng.random() < 0.5:
        content = pick(rng, texts)
        return Picture(content, suffix, f"{content[:12]!r} called {suffix}", None, None)
    sound = oriented(rng)
    return Picture(sound.content, suffix, f"{sound.told}, called {suffix}", sound.turn, None)


def large(rng: np.random.Generator) -> Picture:
    """More pixels than the parameters let in, in few bytes."""
    side = int(pick(rng, (2100, 9000)))  # 4.4 and 81 megapixels, where 4 are let in
    stream = io.BytesIO()
    Image.new("1", (side, side)).save(stream, "PNG")
    return Picture(stream.getvalue(), ".png", f"PNG {side} × {side}", None, None)


PICTURES = {
    "orientations": oriented,
    "doubtful orientations": doubtful,
    "sizes": sized,
    "modes": moded,
    "several pictures": animated,
    "claims": claimed,
    "damage": damaged,
    "names": misnamed,
    "large": large,
}


def turned(pixels: NDArray[np.uint8], turn: int) -> NDArray[np.uint8]:
    """Bring stored pixels upright by an orientation, as the EXIF standard draws the eight."""
    if turn in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if turn in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels[::-1] if turn in (3, 4, 7, 8) else pixels


def seen_turn(red: tuple[float, float], green: tuple[float, float], stored: NDArray[np.uint8]) -> int:
    """Say how stored quarters were turned whose red and green were found at these places (x, y).

    >>> seen_turn((48, 10), (48, 30), quarters(40, 64)), seen_turn((16, 30), (48, 30), quarters(64, 40))
    (6, 4)
    """
    found = np.array([red, green])
    return min(range(1, 9), key=lambda turn: float(np.abs(_centres(turned(stored, turn)) - found).sum()))


def _centres(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.array([np.argwhere(pixels[..., colour] > 128).mean(axis=0)[::-1] for colour in (0, 1)])
