"""Pictures that a command draws: which forms there are, how long a side each holds, and a file whole or absent."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from vouch import io
from vouch.errors import DataError, Problem, so_many
from vouch.vision.images.source import File, read_image

PICTURES = {  # what a drawn answer may be written as, by suffix
    **dict.fromkeys((".jpg", ".jpeg"), "JPEG"),
    **dict.fromkeys((".tif", ".tiff"), "TIFF"),
    **{".png": "PNG", ".webp": "WEBP", ".bmp": "BMP"},
}
LONGEST_PX = {"JPEG": 65500, "WEBP": 16383}  # of a side; the other forms hold more than any photograph has


def refuse_undrawable(images: Sequence[Path], output: Path) -> None:
    """Return when there is one photograph, and the form of `output` holds it.

    Raises
    ------
    DataError
        When there are more, it cannot be read, or is too long.
    """
    if len(images) != 1:
        got = so_many(len(images), "photograph")
        raise DataError([Problem("--output", "one photograph to draw", got, "use --csv for many")])
    refuse_long(max(read_image(File(images[0])).shape[:2]), output)


def refuse_long(side_px: int, output: Path) -> None:
    """Refuse a picture with a longer side than its form holds.

    Raises
    ------
    DataError
        When it is longer.
    """
    most = LONGEST_PX.get(PICTURES[output.suffix.lower()])
    if most is not None and side_px > most:
        where, expected = f"--output {output}", f"at most {most} pixels a side, as {output.suffix} holds"
        raise DataError([Problem(where, expected, f"a photograph of {side_px}", "name a .png or .tif")])


def save(picture: Image.Image, output: Path) -> None:
    """Write a picture in the form of its suffix.

    Raises
    ------
    DataError
        When it is longer than that holds: words beside it make it larger than the photograph.
    """
    refuse_long(max(picture.size), output)
    with io.replacing(output) as temporary:
        picture.save(temporary, format=PICTURES[output.suffix.lower()])
