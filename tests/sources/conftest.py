from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from vouch.sources.descriptor import Descriptor, check_descriptor
from vouch.sources.reading import complete, read_source
from vouch.sources.records import Reading
from vouch.sources.tree import walk

Plant = Callable[[Mapping[str, str | bytes]], Path]


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Write files below a fresh folder; a photograph is any bytes, since no source decodes one."""

    def planted(files: Mapping[str, str | bytes]) -> Path:
        root = tmp_path / "source"
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return root

    return planted


@pytest.fixture
def describe() -> Callable[..., Descriptor]:
    def described(form: str, **fields: object) -> Descriptor:
        return check_descriptor({"name": "a", "format": form, "unlabelled": "refuse", **fields}, "test")

    return described


@pytest.fixture
def read(plant: Plant, describe: Callable[..., Descriptor]) -> Callable[..., Reading]:
    """Plant files and read them as an import would."""

    def reading(files: Mapping[str, str | bytes], form: str, **fields: object) -> Reading:
        tree = walk(plant(files))
        return read_source(tree, complete(tree, describe(form, **fields)))

    return reading
