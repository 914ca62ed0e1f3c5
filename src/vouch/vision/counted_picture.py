"""The picture of what was counted: every object in the colour and with the number of its product, and a legend.

The number is the product's place in the gallery, so that one product has one number and one colour on every picture.
Facings of a product that stand side by side bear its name once. No text lies over another: what has no room is left
out, first the name, then the number, and the colour and the legend still say it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vouch.vision.facing_groups import Box, facing_groups
from vouch.vision.legend import Entry, draw_legend
from vouch.vision.lettering import Font, Pen, broken, dashed, font_of, ink_on, line_px

# Okabe and Ito's seven, then what is farthest from all before and from grey, in CIELAB and as a person without green
# cones sees it: no two of the forty are nearer than 25 (CIE76)
PALETTE = (
    *("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#6900FF", "#00FF00", "#FF0FE1"),
    *("#FF005A", "#785AE1", "#69690F", "#87F078", "#FFB487", "#A53C3C", "#F01E96", "#00F0F0", "#C3D287", "#007800"),
    *("#B4A5FF", "#962D96", "#FF0000", "#A5F01E", "#FF87FF", "#B42DF0", "#87A50F", "#874B00", "#0087FF", "#00F0B4"),
    *("#00B400", "#004BFF", "#FF695A", "#FF8796", "#785AA5", "#2D692D", "#C30F5A", "#00B45A", "#D2B44B", "#C30F0F"),
)
UNKNOWN_COLOUR = "#FFFFFF"
EDGE = "#101010"  # around what is drawn: it shows on any background
WIDTH_PX = 52  # that half of the boxes have at least, once the picture is enlarged: three digits and a name fit in
LARGEST = 3.0  # times that a small photograph is enlarged
LONGEST_PX = 4000  # of a side after that
TINT = 0.16  # of the colour over the object: seen, and the label below still read
LETTERS = 0.3  # of the width that half of the boxes have at least: height of letters
SMALLER = 0.75  # of that, for names that have no room otherwise
LINES = 3  # that a name is broken into at most
TOP = 0.5  # of an object's height that a name covers at most
SMALLEST_PX, TALLEST_PX = 12, 30  # of letters


@dataclass(frozen=True)
class Style:
    """How large letters and lines are on one picture."""

    letters: Font
    small: Font
    digits: Font
    stroke_px: int
    pad_px: int


@dataclass(frozen=True)
class Label:
    """Lines of text on a patch of colour."""

    place: Box
    lines: tuple[str, ...]
    font: Font
    fill: str


def draw_counted(
    picture: Image.Image,
    boxes_xyxy: NDArray[np.float64],
    named: Sequence[str | None],
    *,
    products: Sequence[str],
    title: str,
) -> Image.Image:
    """Return the picture, in RGB and enlarged where objects are small, with what was counted and a legend beside it.

    Parameters
    ----------
    picture : any mode, upright
    boxes_xyxy : shape (n, 4), pixels of the picture; parts outside it are not drawn
    named : n products, None for an unknown one
    products : what the gallery holds, in its order, which numbers and colours follow
    title : what stands above the legend, "" for nothing

    Raises
    ------
    ValueError
        When a name is no product of the gallery, or there is not one for every box.
    """
    boxes = _ordered(np.asarray(boxes_xyxy, np.float64).reshape(-1, 4))
    if len(boxes) != len(named):
        raise ValueError(f"{len(boxes)} boxes and {len(named)} names")
    numbers = {product: place for place, product in enumerate(products, start=1)}
    if strange := sorted({name for name in named if name is not None} - numbers.keys()):
        raise ValueError(f"products of the gallery, not {strange}")
    scale = _scale(boxes, picture.size)
    size = (round(picture.width * scale), round(picture.height * scale))
    drawn = picture.convert("RGB")
    drawn = drawn if size == picture.size else drawn.resize(size, Image.Resampling.LANCZOS)
    boxes = np.clip(boxes * scale, -10.0 * max(size), 10.0 * max(size))  # Pillow's own coordinates end at 2**31
    style = style_of(boxes, size)
    drawn = _tinted(drawn, boxes, named, numbers)
    pen = ImageDraw.Draw(drawn)
    _outlines(pen, boxes, named, numbers, style)
    for label in labels(boxes, named, numbers, style, size):
        _write(pen, label, style.pad_px)
    return draw_legend(drawn, _entries(named, numbers), title=title)


def colour_of(number: int) -> str:
    """Return the colour of the product with this number, from 1; after forty they begin again."""
    return PALETTE[(number - 1) % len(PALETTE)]


def _entries(named: Sequence[str | None], numbers: Mapping[str, int]) -> list[Entry]:
    """Return the lines of the legend, in order of the gallery, unknown ones last."""
    counted = Counter(named)
    known = [
        Entry(str(number), name, counted[name], colour_of(number)) for name, number in numbers.items() if counted[name]
    ]
    return known + ([Entry("?", "unknown", counted[None], None)] if counted[None] else [])


def _ordered(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])
    return np.concatenate([low, high], axis=1)


def _scale(boxes: NDArray[np.float64], size: tuple[int, int]) -> float:
    width = float(np.median(boxes[:, 2] - boxes[:, 0])) if len(boxes) else float(WIDTH_PX)
    wanted = min(max(1.0, WIDTH_PX / max(width, 1.0)), LARGEST)
    return max(1.0, min(wanted, LONGEST_PX / max(size)))


def style_of(boxes: NDArray[np.float64], size: tuple[int, int]) -> Style:
    """Return how large letters and lines are where objects are so wide; shape (n, 4), pixels as drawn."""
    width = float(np.median(boxes[:, 2] - boxes[:, 0])) if len(boxes) else max(size) / 20
    height_px = min(max(LETTERS * width, SMALLEST_PX), TALLEST_PX)
    stroke_px = max(2, round(width / 26)) if width < 200 else 8
    return Style(
        font_of(height_px),
        font_of(SMALLER * height_px),
        font_of(0.9 * height_px),
        stroke_px,
        max(2, round(height_px / 5)),
    )


def _tinted(
    picture: Image.Image, boxes: NDArray[np.float64], named: Sequence[str | None], numbers: Mapping[str, int]
) -> Image.Image:
    """Lay a breath of each product's colour over its objects."""
    colours = picture.copy()
    pen = ImageDraw.Draw(colours)
    for box, name in zip(boxes.tolist(), named, strict=True):
        pen.rectangle(box, fill=UNKNOWN_COLOUR if name is None else colour_of(numbers[name]))
    return Image.blend(picture, colours, TINT)


def _outlines(
    pen: Pen, boxes: NDArray[np.float64], named: Sequence[str | None], numbers: Mapping[str, int], style: Style
) -> None:
    """Draw every box in its colour on a dark edge, inside its own bounds so that neighbours stay apart."""
    for box, name in zip(boxes.tolist(), named, strict=True):
        x1, y1, x2, y2 = (round(value) for value in box)
        width = max(1, min(style.stroke_px, (x2 - x1) // 4, (y2 - y1) // 4))
        pen.rectangle((x1 - 1, y1 - 1, x2 + 1, y2 + 1), outline=EDGE, width=width + 2)
        if name is None:
            dashed(pen, (x1, y1, x2, y2), width=width, fill=UNKNOWN_COLOUR)
        else:
            pen.rectangle((x1, y1, x2, y2), outline=colour_of(numbers[name]), width=width)


def labels(
    boxes: NDArray[np.float64],
    named: Sequence[str | None],
    numbers: Mapping[str, int],
    style: Style,
    size: tuple[int, int],
) -> list[Label]:
    """Return what is written and where: no two labels overlap, and none leaves the picture.

    Parameters
    ----------
    boxes : shape (n, 4), pixels of the picture as it is drawn, corners in order
    named : n products, None for an unknown one
    numbers : of the products
    size : width and height of the picture, pixels
    """
    placed: list[Label] = []
    for group in facing_groups(boxes, named):
        _place(placed, _names(boxes[group], named[group[0]], numbers, style), size)
    for box, name in zip(boxes.tolist(), named, strict=True):
        _place(placed, _marks(box, name, numbers, style), size)
    return placed


def _place(placed: list[Label], wanted: Iterator[Label], size: tuple[int, int]) -> None:
    """Add the first of the labels that has room, if any has."""
    for label in wanted:
        x1, y1, x2, y2 = label.place
        inside = x1 >= 0 and y1 >= 0 and x2 <= size[0] and y2 <= size[1]
        others = (other.place for other in placed)
        if inside and not any(x1 < right and left < x2 and y1 < low and top < y2 for left, top, right, low in others):
            placed.append(label)
            return


def _names(boxes: NDArray[np.float64], name: str | None, numbers: Mapping[str, int], style: Style) -> Iterator[Label]:
    """Yield the name of a group of facings at its top, in ever smaller forms; an unknown one has its mark alone."""
    if name is None:
        return
    x1, y1, x2 = float(boxes[:, 0].min()), float(boxes[:, 1].min()), float(boxes[:, 2].max())
    most_px = TOP * float((boxes[:, 3] - boxes[:, 1]).min())
    text = f"{name} x{len(boxes)}" if len(boxes) > 1 else name
    for font, most in ((style.letters, 1), (style.small, 1), (style.letters, 2), (style.small, LINES)):
        lines = broken(text, font, x2 - x1 - 2 * style.pad_px, most=most)
        if lines is not None:
            label = _label(lines, font, (x1, y1), colour_of(numbers[name]), style)
            if label.place[3] - y1 <= most_px:
                yield label


def _marks(box: Sequence[float], name: str | None, numbers: Mapping[str, int], style: Style) -> Iterator[Label]:
    """Yield the number of an object's product, or a question mark, at its foot, in its middle and at its top."""
    x1, y1, x2, y2 = box
    text, fill = ("?", UNKNOWN_COLOUR) if name is None else (str(numbers[name]), colour_of(numbers[name]))
    _, _, width, height = _label([text], style.digits, (0, 0), fill, style).place
    for top in (y2 - height, (y1 + y2 - height) / 2, y1):
        yield _label([text], style.digits, ((x1 + x2 - width) / 2, top), fill, style)


def _label(lines: Sequence[str], font: Font, corner: tuple[float, float], fill: str, style: Style) -> Label:
    width = max(font.getlength(line) for line in lines) + 2 * style.pad_px
    height = len(lines) * line_px(font) + style.pad_px
    return Label((*corner, corner[0] + width, corner[1] + height), tuple(lines), font, fill)


def _write(pen: Pen, label: Label, pad_px: int) -> None:
    pen.rectangle(label.place, fill=label.fill, outline=EDGE)
    for number, line in enumerate(label.lines):
        corner = label.place[0] + pad_px, label.place[1] + pad_px / 2 + number * line_px(label.font)
        pen.text(corner, line, font=label.font, fill=ink_on(label.fill))
