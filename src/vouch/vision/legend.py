"""A legend beside a picture: a line for each product with its number, colour, name and how many there are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from vouch.errors import so_many
from vouch.vision.lettering import Font, Pen, broken, fitted, font_of, ink_on

PAPER, INK, FAINT, HATCH = "#FFFFFF", "#1A1A1A", "#D9D9D9", "#8C8C8C"
LINES = 34  # that the height of a picture holds, unless letters would be too small
SMALLEST_PX, TALLEST_PX = 13, 34  # of letters
NARROWEST, WIDEST = 12, 24  # heights of a line that a column is wide


@dataclass(frozen=True)
class Entry:
    """One line; without a colour it is hatched."""

    mark: str
    name: str
    count: int
    colour: str | None


def draw_legend(picture: Image.Image, entries: Sequence[Entry], *, title: str) -> Image.Image:
    """Return the picture with its legend on the right, in as many columns as its height asks for.

    Its head says how many objects, products and unknown ones there are.
    """
    height_px = min(max(picture.height / LINES, SMALLEST_PX), TALLEST_PX)
    letters, heading = font_of(0.72 * height_px), font_of(0.85 * height_px)
    line, pad = round(1.35 * height_px), round(0.6 * height_px)
    needed = max((letters.getlength(f"{entry.name}{entry.count}") for entry in entries), default=0.0) + 2.5 * line
    room = round(min(max(needed, NARROWEST * height_px), WIDEST * height_px))
    head = [(part, heading) for part in broken(title, heading, room, most=2) or [fitted(title, heading, room)] if part]
    head += [(part, letters) for part in _counted(entries)]
    top = len(head) * line + 2 * pad
    columns = max(1, -(-len(entries) // max(1, (picture.height - top - pad) // line)))
    lines = -(-len(entries) // columns)
    width = room + 2 * pad
    canvas = Image.new("RGB", (picture.width + columns * width, max(picture.height, top + lines * line + pad)), PAPER)
    canvas.paste(picture, (0, 0))
    pen, left = ImageDraw.Draw(canvas), picture.width + pad
    for place, (said, font) in enumerate(head):
        pen.text((left, pad + place * line), said, font=font, fill=INK)
    pen.line((left, top - pad, canvas.width - pad, top - pad), fill=FAINT, width=2)
    for place, entry in enumerate(entries):
        _line(pen, (left + place // lines * width, top + place % lines * line), entry, letters, line, room)
    return canvas


def _counted(entries: Sequence[Entry]) -> Iterator[str]:
    unknown = sum(entry.count for entry in entries if entry.colour is None)
    products = so_many(sum(entry.colour is not None for entry in entries), "product")
    yield f"{so_many(sum(entry.count for entry in entries), 'object')}, {products}"
    if unknown:
        yield f"{unknown} unknown"


def _line(pen: Pen, corner: tuple[int, int], entry: Entry, font: Font, line: int, room: int) -> None:
    """Draw a swatch with the mark, the name, and the count at the right end."""
    x, y = corner
    swatch = (x, y + 2, x + round(1.7 * line), y + line - 3)
    if entry.colour is None:
        _hatched(pen, swatch)
    else:
        pen.rectangle(swatch, fill=entry.colour, outline=INK)
    middle = (swatch[0] + swatch[2]) / 2, (swatch[1] + swatch[3]) / 2
    pen.text(middle, entry.mark, font=font, fill=ink_on(entry.colour or PAPER), anchor="mm")
    count = str(entry.count)
    pen.text((x + room, middle[1]), count, font=font, fill=INK, anchor="rm")
    start = swatch[2] + line / 3
    left = x + room - font.getlength(count) - line / 3 - start
    pen.text((start, middle[1]), fitted(entry.name, font, left), font=font, fill=INK, anchor="lm")


def _hatched(pen: Pen, swatch: tuple[int, int, int, int]) -> None:
    x1, y1, x2, y2 = swatch
    pen.rectangle(swatch, fill=PAPER, outline=INK)
    height = y2 - y1
    for start in range(x1 - height, x2, 7):
        low, high = max(start, x1), min(start + height, x2)
        pen.line((low, y2 - (low - start), high, y2 - (high - start)), fill=HATCH, width=1)
