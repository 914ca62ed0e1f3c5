"""Boxes on a picture, with what they are and how sure the model is: `vouch predict` and the report draw alike."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

# Okabe and Ito (2008): told apart with every common colour blindness; black is left out, photographs are dark
PALETTE = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#FFFFFF")


def caption(class_name: str, confidence: float | None) -> str:
    """Return what stands on a box: the class, and its confidence in [0, 1] with two decimals where there is one.

    >>> caption("phone", 0.8739), caption("phone", None)
    ('phone 0.87', 'phone')
    """
    return class_name if confidence is None else f"{class_name} {confidence:.2f}"


def draw_boxes(
    picture: Image.Image,
    boxes_xyxy: NDArray[np.float64],
    *,
    captions: Sequence[str],
    colours: Sequence[int],
) -> Image.Image:
    """Return a copy of the picture, in RGB, with every box and its caption drawn; the first box lies on top.

    Parameters
    ----------
    picture : any mode, upright
    boxes_xyxy : shape (n, 4), pixels of the picture; parts outside it are not drawn
    captions : n texts, "" for a box without one
    colours : n indices into PALETTE, taken modulo its length (a class id, say)
    """
    drawn = picture.convert("RGB")  # a copy, also where it is RGB already
    pen = ImageDraw.Draw(drawn)
    stroke_px = max(3, round(max(drawn.size) / 250))
    height_px = min(max(drawn.size) / 40, min(drawn.size))  # no higher than a sliver is wide
    font = ImageFont.load_default(max(12.0, height_px))  # Pillow's own face: the same on every machine
    boxes = np.asarray(boxes_xyxy, np.float64).reshape(-1, 4)
    for box, text, colour in reversed(list(zip(boxes.tolist(), captions, colours, strict=True))):
        fill = PALETTE[colour % len(PALETTE)]
        _outline(pen, _ordered(box), stroke_px, fill)
        if text:
            _label(pen, _ordered(box), text, font, fill, drawn.size)
    return drawn


def _ordered(box_xyxy: Sequence[float]) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = box_xyxy
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def _outline(pen: ImageDraw.ImageDraw, box: tuple[float, float, float, float], stroke_px: int, fill: str) -> None:
    """Draw the box around the object, not over it, on a thin black edge that shows on any background."""
    x1, y1, x2, y2 = (round(value) for value in box)
    outer = (x1 - stroke_px - 1, y1 - stroke_px - 1, x2 + stroke_px + 1, y2 + stroke_px + 1)
    pen.rectangle(outer, outline="#000000", width=stroke_px + 2)
    pen.rectangle((x1 - stroke_px, y1 - stroke_px, x2 + stroke_px, y2 + stroke_px), outline=fill, width=stroke_px)


def _label(
    pen: ImageDraw.ImageDraw,
    box: tuple[float, float, float, float],
    text: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    fill: str,
    size: tuple[int, int],
) -> None:
    """Write above the box, or below it, or inside, wherever there is room; always within the picture."""
    left, top, right, bottom = pen.textbbox((0, 0), text, font=font)
    pad = 3
    width, height = right - left + 2 * pad, bottom - top + 2 * pad
    x = min(max(box[0], 0), max(size[0] - width, 0))
    above, below = box[1] - height - pad, box[3] + pad
    y = above if above >= 0 else below if below + height <= size[1] else max(box[1], 0)
    pen.rectangle((x, y, x + width, y + height), fill=fill)
    ink = "#FFFFFF" if fill == "#0072B2" else "#000000"  # the one dark colour of the palette
    pen.text((x + pad - left, y + pad - top), text, font=font, fill=ink)
