"""Folders of photographs as people bring them: real pictures, one colour each, a few hundred bytes."""

import io
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from PIL import ExifTags, Image

from vouch.params import read_presets
from vouch.sources.tree import Tree, walk

PRESETS = read_presets(Path(__file__).parents[1] / "params.yaml")


def photograph(*, size: tuple[int, int] = (64, 48), taken: datetime | None = None) -> bytes:
    exif = Image.Exif()
    if taken is not None:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = f"{taken:%Y:%m:%d %H:%M:%S}"
    stream = io.BytesIO()
    Image.new("RGB", size, "grey").save(stream, "JPEG", exif=exif)
    return stream.getvalue()


GREY = photograph()


def planted(root: Path, files: Mapping[str, str | bytes]) -> Tree:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return walk(root)


def yolo(names: Iterable[str], *, box: str = "0 .5 .5 .5 .5\n") -> dict[str, str | bytes]:
    """Photographs of this name with one box each, and a data.yaml of two classes, of which each second is the other."""
    files: dict[str, str | bytes] = {"data.yaml": "names: [cone, cube]\n"}
    for place, name in enumerate(names):
        files[f"images/{name}.jpg"] = GREY
        files[f"labels/{name}.txt"] = f"{place % 2}{box[1:]}"
    return files


def in_classes(counts: Mapping[str, int], *, name: str = "{}") -> dict[str, str | bytes]:
    """A folder for each class."""
    return {f"{one}/{name.format(place)}.jpg": GREY for one, count in counts.items() for place in range(count)}


def manifest(rows: Iterable[Mapping[str, object]]) -> str:
    held = list(rows)
    lines = [",".join(held[0]), *(",".join(str(cell) for cell in row.values()) for row in held)]
    return "\n".join(lines) + "\n"
