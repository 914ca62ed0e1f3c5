"""What counts as a photograph: by its name, by its format, and in which words anything else is refused."""

SUFFIXES = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
LISTED = (*SUFFIXES, ".gif")  # taken up from a folder: a GIF is refused by its name, for passed over nobody would know
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")  # 8 bits a channel or fewer, and no question about the colours
DEEP_MODES = ("F", "I", "I;16", "I;16B", "I;16L", "I;16N")
MOST_MEGAPIXELS = 128.0  # phones' 108 fit; decoded and turned that is .8 GB, by way of Pillow .9 GB
MOST_SIDE_PX = 65_500  # libjpeg's own limit; OpenCV's tables for a side of 10^8 pixels would take 3 GB
MOST_BYTES = 2**29  # of a file: 128 megapixels without any compression are 384 MB, 512 MB with an alpha channel

_REPAIR = "restore the file or save it again as 8-bit RGB JPEG or PNG"
REFUSALS = {  # name: what was expected, and what to do; each keeps a photograph from being used
    "missing_image": ("a photograph", "restore the file or remove its label"),
    "empty_file": ("a photograph", _REPAIR),
    "unsupported_format": ("JPEG, PNG, WebP, BMP or TIFF", _REPAIR),
    "truncated": ("a whole photograph", _REPAIR),
    "corrupt": ("a readable photograph", _REPAIR),
    "too_large": (
        f"at most `scan.max_megapixels`, {MOST_MEGAPIXELS:.0f} megapixels and {MOST_SIDE_PX} pixels a side",
        "scale it down or raise the limit",
    ),
    "animated": ("one picture in the file", "save the frame that was labelled"),
    "bit_depth": ("8 bits a channel", _REPAIR),
    "colour_mode": ("grey, palette or RGB colours", _REPAIR),
}


def described(file_format: str, mode: str, width: int, height: int) -> str:
    """Return what a header says, in words.

    >>> described("JPEG", "CMYK", 640, 480), described("", "", 0, 0)
    ('JPEG, mode CMYK, 640 x 480', 'no known format')
    """
    return f"{file_format}, mode {mode}, {width} x {height}" if file_format else "no known format"
