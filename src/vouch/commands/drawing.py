"""Pictures that a command writes for a person: a photograph with words below it, or several side by side."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

BAND, INK = "#FFFFFF", "#000000"
NARROWEST_PX = 320  # of a picture with words below it: a thumbnail is not wide enough for a sentence
PAD_PX = 6


def captioned(picture: Image.Image, lines: Sequence[str]) -> Image.Image:
    """Return the picture, in RGB, above a white band that holds the lines, broken where they are too long."""
    shown = picture.convert("RGB")
    width = max(shown.width, NARROWEST_PX)
    font = ImageFont.load_default(max(12.0, min(max(shown.size) / 40, width / 24)))
    pen = ImageDraw.Draw(shown)
    broken = [part for line in lines for part in _broken(pen, line, font, width - 2 * PAD_PX)]
    height_px = round(pen.textbbox((0, 0), "Äg", font=font)[3]) + PAD_PX
    canvas = Image.new("RGB", (width, shown.height + height_px * len(broken) + 2 * PAD_PX), BAND)
    canvas.paste(shown, ((width - shown.width) // 2, 0))
    pen = ImageDraw.Draw(canvas)
    for number, line in enumerate(broken):
        pen.text((PAD_PX, shown.height + PAD_PX + number * height_px), line, font=font, fill=INK)
    return canvas


def side_by_side(pictures: Sequence[Image.Image]) -> Image.Image:
    """Return the pictures in a row, each from the top, with a gap between them."""
    width = sum(one.width for one in pictures) + PAD_PX * (len(pictures) - 1)
    canvas = Image.new("RGB", (width, max(one.height for one in pictures)), BAND)
    left = 0
    for one in pictures:
        canvas.paste(one, (left, 0))
        left += one.width + PAD_PX
    return canvas


def _broken(
    pen: ImageDraw.ImageDraw, line: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, most_px: int
) -> list[str]:
    """Break a line between words, and a word that is too long by itself between letters."""
    parts = [""]
    for word in line.split(" "):
        longer = f"{parts[-1]} {word}".strip()
        if pen.textlength(longer, font=font) <= most_px:
            parts[-1] = longer
            continue
        parts.append("")
        for letter in word:
            if pen.textlength(parts[-1] + letter, font=font) > most_px:
                parts.append("")
            parts[-1] += letter
    return [part for part in parts if part]
