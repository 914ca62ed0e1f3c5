"""Capture sessions: photographs taken one after the other, by the time in their names or in their EXIF.

No rule of a source can say "less than half a minute apart", so sessions travel as a column of a side manifest that is
lent to the import.
"""

import csv
import io
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from PIL import ExifTags, Image

from vouch.sources.tree import Tree
from vouch.vision.images.decoding import DECODE_ERRORS

FILE = "sessions.csv"  # the side manifest that is lent
COLUMN = "session_by_time"
GAP = timedelta(seconds=30)  # waste_scenes: 605 photographs of one evening fall into 25 sessions
ENOUGH = 0.9  # share of photographs with a time; the others become one session, which no split can cut
PROBED = 200  # photographs whose EXIF is read first: where few have a time, the others are not opened
UNTIMED = "without_time"
STAMP = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_.]?([01]\d)[-_.]?([0-3]\d)[-_. T]?([0-2]\d)[-_.h]?([0-5]\d)[-_.m]?([0-5]\d)(?!\d{4})"
)


def time_in_name(name: str) -> datetime | None:
    """Return the date and time of day, to the second, that a file's name states.

    >>> time_in_name("20250616_193502_jpg.rf.e6c4.jpg"), time_in_name("IMG_0012.jpg")
    (datetime.datetime(2025, 6, 16, 19, 35, 2), None)
    """
    found = STAMP.search(name)
    if found is None:
        return None
    try:
        return datetime(*(int(part) for part in found.groups()))  # type: ignore[arg-type]  # six numbers, no zone
    except ValueError:
        return None


def time_taken(path: Path) -> datetime | None:
    """Return EXIF's time of exposure (DateTimeOriginal); that of the last change says nothing."""
    with warnings.catch_warnings(action="ignore"):  # of damaged metadata
        try:
            with Image.open(path, formats=("JPEG", "MPO", "PNG", "TIFF", "WEBP")) as image:
                stated = image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal)
            return datetime.strptime(str(stated)[:19], "%Y:%m:%d %H:%M:%S")  # cameras know no zone
        except DECODE_ERRORS:
            return None


def times_taken(paths: Sequence[Path]) -> list[datetime | None]:
    """Return EXIF's times of exposure, none at all where few of evenly spaced photographs have one."""
    probed = paths[:: max(1, len(paths) // PROBED)]
    if not timed([time_taken(path) for path in probed]):
        return [None] * len(paths)
    return [time_taken(path) for path in paths]


def timed(times: Sequence[datetime | None]) -> bool:
    """Say whether enough photographs have a time."""
    return bool(times) and sum(time is not None for time in times) >= ENOUGH * len(times)


def sessions(times: Sequence[datetime | None]) -> list[str]:
    """Return the session of each photograph, named after its first; a gap of more than 30 s begins another.

    >>> sessions([datetime(2025, 6, 1, 9, 0, 30), datetime(2025, 6, 1, 9, 0, 0), datetime(2025, 6, 1, 9, 2)])
    ['20250601_090000', '20250601_090000', '20250601_090200']
    """
    started: dict[datetime, datetime] = {}
    last = None
    for time in sorted({time for time in times if time is not None}):
        started[time] = time if last is None or time - last > GAP else started[last]
        last = time
    return [UNTIMED if time is None else f"{started[time]:%Y%m%d_%H%M%S}" for time in times]


def manifest(images: Sequence[str], values: Sequence[str], columns: Mapping[str, Sequence[str]]) -> str:
    """Return the text of a side manifest: the columns that there are, and the session of each photograph."""
    whole = {**(columns or {"image": images}), COLUMN: values}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(whole)
    writer.writerows(zip(*whole.values(), strict=True))
    return text.getvalue()


def lent(tree: Tree, path: Path) -> Tree:
    """Return a folder's files with the side manifest of sessions among them, which lies at `path`."""
    return replace(tree, files=tree.files | {FILE}, outside={**tree.outside, FILE: path})
