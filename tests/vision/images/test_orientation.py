"""However a photograph stands in its file, every door sees the same upright picture."""

import io
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from vision import standing
from vision.standing import TYPES, UPRIGHT, XMP_MARKER, chunk, exif, raw_profile, stored, xmp
from vouch.commands.data import _measured
from vouch.quality import images
from vouch.quality.labels import annotation_findings
from vouch.vision.images.source import File, read_image


def app1(*args):
    return b"Exif\0\0" + exif(*args)


def text(name, content):
    return chunk(b"tEXt", b"\0".join(raw_profile(name, content)))


def packed(name, content):
    keyword, body = raw_profile(name, content)
    return chunk(b"zTXt", keyword + b"\0" + zlib.compress(body))


def itxt(content, compressed):
    flag, body = (b"\1\0", zlib.compress(content)) if compressed else (b"\0\0", content)
    return chunk(b"iTXt", b"XML:com.adobe.xmp\0" + flag + b"\0\0" + body)


def mpo(pixels, orientation):
    preview = [Image.new("RGB", (64, 64))]
    options = {"save_all": True, "append_images": preview, "exif": app1(orientation)}
    return standing.encoded(pixels, "MPO", quality=95, subsampling=0, **options)


CARRIERS = {  # (format, name): bytes of a file with these pixels and this orientation
    **{
        (suffix, f"exif {kind} {order}"): lambda pixels, way, kind=kind, order=order, make=make: make(
            pixels, way, kind, order
        )
        for kind in TYPES
        for order in "<>"
        for suffix, make in {
            ".jpg": lambda pixels, *said: standing.jpeg(pixels, app1(*said)),
            ".png": lambda pixels, *said: standing.png(pixels, chunk(b"eXIf", exif(*said))),
            ".webp": lambda pixels, *said: standing.webp(pixels, exif=exif(*said)),
            ".tif": lambda pixels, way, kind, order: standing.tiff(pixels, (274, TYPES[kind][0], way), order=order),
        }.items()
    },
    **{
        (suffix, f"xmp {form}"): lambda pixels, way, form=form, make=make: make(pixels, xmp(way, form))
        for form in ("attribute", "element")
        for suffix, make in {
            ".jpg": lambda pixels, said: standing.jpeg(pixels, XMP_MARKER + said),
            ".png": lambda pixels, said: standing.png(pixels, itxt(said, compressed=False)),
            ".webp": lambda pixels, said: standing.webp(pixels, xmp=said),
            ".tif": lambda pixels, said: standing.tiff(pixels, (700, 1, said)),
        }.items()
    },
    (".jpg", "mpo"): mpo,
    (".webp", "exif with marker"): lambda pixels, way: standing.webp(pixels, exif=app1(way)),
    (".tif", "packed"): lambda pixels, way: standing.tiff(pixels, (274, 3, way), packed=True),
    (".png", "exif behind"): lambda pixels, way: standing.png(pixels, chunk(b"eXIf", exif(way)), behind=True),
    (".png", "raw exif"): lambda pixels, way: standing.png(pixels, text("exif", app1(way))),
    (".png", "raw exif without marker"): lambda pixels, way: standing.png(pixels, text("exif", exif(way))),
    (".png", "raw exif packed"): lambda pixels, way: standing.png(pixels, packed("exif", app1(way))),
    (".png", "raw exif behind"): lambda pixels, way: standing.png(pixels, packed("exif", app1(way)), behind=True),
    (".png", "raw APP1 exif"): lambda pixels, way: standing.png(pixels, packed("APP1", app1(way))),
    (".png", "raw APP1 xmp"): lambda pixels, way: standing.png(pixels, packed("APP1", XMP_MARKER + xmp(way))),
    (".png", "raw xmp"): lambda pixels, way: standing.png(pixels, packed("xmp", xmp(way))),
    (".png", "xmp packed"): lambda pixels, way: standing.png(pixels, itxt(xmp(way), compressed=True)),
    (".png", "xmp behind"): lambda pixels, way: standing.png(pixels, itxt(xmp(way), compressed=False), behind=True),
}


def assert_every_door_agrees(path: Path, stated):
    """Compare scan, the model's reader, validate and export with the picture known by hand."""
    model = read_image(File(path))[..., ::-1]
    assert model.shape == UPRIGHT.shape
    assert np.abs(model.astype(int) - UPRIGHT).max() <= (12 if path.suffix == ".jpg" else 0)
    record = images.examine(io.BytesIO(path.read_bytes()), path.suffix, max_megapixels=1.0)
    plain = standing.encoded(np.ascontiguousarray(model), "PNG")
    assert record["sha256"] == images.examine(io.BytesIO(plain), ".png", max_megapixels=1.0)["sha256"]
    assert (record["problem"], record["orientation"]) == ("", stated)
    samples = pd.DataFrame({"sample_id": ["a"], "image": [str(path)], "annotation": ["labelled"], "label": ["can"]})
    samples = samples.assign(group_g="g", width=UPRIGHT.shape[1], height=UPRIGHT.shape[0])
    boxes = pd.DataFrame({"sample_id": pd.Series([], dtype="str")})
    found = pd.concat(annotation_findings(samples, boxes, images.tabulate(["a"], [record]), classes=["can"]))
    assert "size_mismatch" not in set(found["check"])
    unstated = samples.assign(width=pd.array([None], "Int64"), height=pd.array([None], "Int64"))
    assert tuple(_measured(unstated)[["width", "height"]].iloc[0]) == (UPRIGHT.shape[1], UPRIGHT.shape[0])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("suffix", "carrier"), CARRIERS)
def test_every_door_sees_the_upright_picture(suffix, carrier, orientation, tmp_path):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(CARRIERS[suffix, carrier](stored(orientation), orientation))
    assert_every_door_agrees(path, orientation)


def test_a_bitmap_says_nothing_of_how_it_stands(tmp_path):
    (tmp_path / "a.bmp").write_bytes(standing.encoded(UPRIGHT, "BMP"))
    assert_every_door_agrees(tmp_path / "a.bmp", 1)


RIVALS = {  # two carriers that disagree: the first counts
    "jpeg: exif before xmp": (
        ".jpg",
        lambda pixels, way, other: standing.jpeg(pixels, XMP_MARKER + xmp(other), app1(way)),
    ),
    "jpeg: the first of two exif": (".jpg", lambda pixels, way, other: standing.jpeg(pixels, app1(way), app1(other))),
    "png: exif before a raw profile before it": (
        ".png",
        lambda pixels, way, other: standing.png(pixels, packed("exif", app1(other)), chunk(b"eXIf", exif(way))),
    ),
    "png: a raw profile before xmp before it": (
        ".png",
        lambda pixels, way, other: standing.png(pixels, itxt(xmp(other), compressed=True), text("exif", app1(way))),
    ),
    "webp: exif before xmp": (
        ".webp",
        lambda pixels, way, other: standing.webp(pixels, exif=exif(way), xmp=xmp(other)),
    ),
    "tiff: its tag before xmp": (
        ".tif",
        lambda pixels, way, other: standing.tiff(pixels, (274, 3, way), (700, 1, xmp(other))),
    ),
}


@pytest.mark.parametrize("name", RIVALS)
@pytest.mark.parametrize(("way", "other"), [(1, 6), (6, 1), (6, 3), (8, 6), (5, 7)])
def test_carriers_that_disagree_have_an_order(name, way, other, tmp_path):
    suffix, make = RIVALS[name]
    (tmp_path / f"a{suffix}").write_bytes(make(stored(way), way, other))
    assert_every_door_agrees(tmp_path / f"a{suffix}", way)


@pytest.mark.parametrize("value", [0, 9, 255])
def test_a_value_that_is_none_leaves_the_word_to_the_next_carrier(value, tmp_path):
    (tmp_path / "a.jpg").write_bytes(standing.jpeg(stored(6), app1(value), XMP_MARKER + xmp(6)))
    assert_every_door_agrees(tmp_path / "a.jpg", 6)


HURT = {
    "cut": exif(6)[:-8],
    "no order": b"XX" + exif(6)[2:],
    "far offset": exif(6)[:4] + b"\xff\xff\xff\x7f" + exif(6)[8:],
    "two values": exif(6).replace(b"\3\0\1\0", b"\3\0\2\0"),
    "a ratio": exif(6).replace(b"\3\0\1\0", b"\5\0\1\0"),
    "empty": b"",
}


@pytest.mark.parametrize("name", HURT)
def test_damaged_metadata_says_nothing(name, tmp_path):
    for suffix, content in {
        ".jpg": standing.jpeg(UPRIGHT, b"Exif\0\0" + HURT[name]),
        ".png": standing.png(UPRIGHT, chunk(b"eXIf", HURT[name]), chunk(b"zTXt", b"Raw profile type exif\0\0nonsense")),
    }.items():
        (tmp_path / f"a{suffix}").write_bytes(content)
        assert_every_door_agrees(tmp_path / f"a{suffix}", 1)
