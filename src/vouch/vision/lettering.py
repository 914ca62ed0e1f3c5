"""Letters and lines on a picture: sizes, contrast, text that fits and dashes."""

import re

from PIL import ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Pen = ImageDraw.ImageDraw

LEAST_LETTERS = 4  # of a name that is shortened; fewer say nothing
BRIGHT = 0.36  # relative luminance from which on black letters are read more easily than white ones
DASH = 4  # strokes that a dash is long


def font_of(height_px: float) -> Font:
    """Return Pillow's own face at this height: the same on every machine."""
    return ImageFont.load_default(height_px)


def line_px(font: Font) -> float:
    """Return the height of a line of text, letters above and below the others included."""
    return float(font.getbbox("Äg0")[3])


def ink_on(colour: str) -> str:
    """Return black or white, whichever is read more easily on the colour.

    >>> ink_on("#F0E442"), ink_on("#0072B2")
    ('#000000', '#FFFFFF')
    """
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return "#000000" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > BRIGHT else "#FFFFFF"


def fitted(text: str, font: Font, room_px: float) -> str:
    """Return the text, or as much of its beginning as there is room for, "" where that says nothing."""
    for length in (len(text), *range(len(text) - 1, LEAST_LETTERS - 1, -1)):
        shown = text if length == len(text) else text[:length].rstrip(" _-") + "…"
        if font.getlength(shown) <= room_px:
            return shown
    return ""


def broken(text: str, font: Font, room_px: float, *, most: int) -> list[str] | None:
    """Return the text in at most so many lines, broken after spaces and underscores; None where it has no room."""
    lines = [""]
    for word in re.findall(r"[^ _]*[ _]*", text):
        if font.getlength((lines[-1] + word).rstrip(" ")) <= room_px:
            lines[-1] += word
        else:
            lines.append(word)
    shown = [line.rstrip(" ") for line in lines if line.strip(" ")]
    fits = len(shown) <= most and all(font.getlength(line) <= room_px for line in shown)
    return shown if fits and shown else None


def dashed(pen: Pen, box: tuple[int, int, int, int], *, width: int, fill: str) -> None:
    """Draw the outline of a box in dashes."""
    x1, y1, x2, y2 = box
    dash = DASH * width
    for start in range(x1, x2, 2 * dash):
        end = min(start + dash, x2)
        pen.rectangle((start, y1, end, y1 + width - 1), fill=fill)
        pen.rectangle((start, y2 - width + 1, end, y2), fill=fill)
    for start in range(y1, y2, 2 * dash):
        end = min(start + dash, y2)
        pen.rectangle((x1, start, x1 + width - 1, end), fill=fill)
        pen.rectangle((x2 - width + 1, start, x2, end), fill=fill)
