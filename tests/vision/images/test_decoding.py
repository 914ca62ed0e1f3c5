"""One list of what is a photograph, one refusal, one decoder; and no door takes more memory than the pixels need."""

import io
import struct
import subprocess
import sys
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from PIL import Image

from vision import standing
from vision.standing import UPRIGHT, chunk, encoded
from vouch.errors import DataError
from vouch.quality import images
from vouch.quality.checks import CHECKS
from vouch.stages.scan import Params
from vouch.vision.images.decoding import Header, decode, measure, read_header
from vouch.vision.images.formats import LISTED, MOST_BYTES, MOST_MEGAPIXELS, REFUSALS, SUFFIXES
from vouch.vision.images.source import File, files, read_image, read_images, required
from vouch.vision.preprocess import letterbox, place, to_photograph

ALPHA = np.dstack([UPRIGHT, np.arange(UPRIGHT.shape[0] * UPRIGHT.shape[1]).reshape(UPRIGHT.shape[:2]) % 256])
RGBA = Image.fromarray(ALPHA.astype(np.uint8))
DEEP = cv2.imencode(".png", UPRIGHT.astype(np.uint16) * 257)[1].tobytes()
NOISE = np.random.default_rng(7).integers(0, 256, (48, 64, 3), dtype=np.uint8)
GOOD = encoded(NOISE, "JPEG")


def saved(image, file_format, **options):
    stream = io.BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def claiming(width, height):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


def tiled(side_px):
    """Return a TIFF of 10 x 10 pixels whose one tile claims to be larger."""
    body = zlib.compress(bytes(3000))
    fields = {256: (4, 10), 257: (4, 10), 258: (3, 8), 259: (3, 8), 262: (3, 1), 277: (3, 1)}
    fields |= {322: (4, side_px), 323: (4, side_px), 324: (4, 8), 325: (4, len(body))}
    rows = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, (kind, value) in fields.items())
    return b"II*\0" + struct.pack("<I", 8 + len(body)) + body + struct.pack("<H", len(fields)) + rows + bytes(4)


REFUSED = {
    "empty": (b"", "empty_file"),
    "text": (b"no picture", "unsupported_format"),
    "gif": (encoded(UPRIGHT, "GIF"), "unsupported_format"),
    "ppm": (encoded(UPRIGHT, "PPM"), "unsupported_format"),
    "cmyk": (saved(Image.fromarray(UPRIGHT).convert("CMYK"), "JPEG"), "colour_mode"),
    "16 bits": (DEEP, "bit_depth"),
    "animated png": (
        saved(Image.fromarray(UPRIGHT), "PNG", save_all=True, append_images=[Image.fromarray(255 - UPRIGHT)]),
        "animated",
    ),
    "2^30 pixels": (claiming(2**15, 2**15), "too_large"),
    "a long side": (claiming(2**20, 2), "too_large"),
    "a huge tile": (tiled(30_000), "corrupt"),
    "half a jpeg": (GOOD[: len(GOOD) // 2], "truncated"),
    "half a png": (encoded(NOISE, "PNG")[:-2000], "truncated"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_scan_refuses_the_model_refuses_in_the_same_words(name, tmp_path):
    content, problem = REFUSED[name]
    record = images.examine(io.BytesIO(content), ".jpg", max_megapixels=MOST_MEGAPIXELS)
    assert set(record["problem"].split(",")) - {"wrong_extension"} == {problem}
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_image(File(tmp_path / "a.jpg"))
    said = [(one.where, one.expected, one.remedy) for one in caught.value.problems]
    assert said == [(str(tmp_path / "a.jpg"), CHECKS[problem].expected, CHECKS[problem].remedy)]


def test_a_file_larger_than_any_photograph_is_refused_unread(tmp_path):
    with (tmp_path / "a.jpg").open("wb") as stream:
        stream.write(GOOD)
        stream.truncate(MOST_BYTES + 1)
    assert read_header(tmp_path / "a.jpg").problems == ("too_large",)
    with pytest.raises(DataError, match=REFUSALS["too_large"][0][:20]):
        read_image(File(tmp_path / "a.jpg"))


def test_scan_may_not_let_through_what_no_model_reads():
    assert Params(max_megapixels=MOST_MEGAPIXELS)
    with pytest.raises(ValueError, match="128"):
        Params(max_megapixels=MOST_MEGAPIXELS + 1)


def test_an_absent_photograph_and_a_folder_are_refused_in_the_same_words(tmp_path):
    for path in (tmp_path, tmp_path / "absent.jpg"):
        with pytest.raises(DataError, match=REFUSALS["missing_image"][1]):
            read_image(File(path))


DECODED = {
    "jpeg 4:2:0": encoded(UPRIGHT, "JPEG", subsampling=2),
    "jpeg 4:2:2": encoded(UPRIGHT, "JPEG", subsampling=1),
    "jpeg progressive": encoded(UPRIGHT, "JPEG", progressive=True),
    "jpeg grey": encoded(UPRIGHT[..., 0], "JPEG"),
    "jpeg in RGB": saved(Image.fromarray(UPRIGHT), "JPEG", keep_rgb=True),
    "png": encoded(UPRIGHT, "PNG"),
    "png alpha": saved(RGBA, "PNG"),
    "png grey alpha": saved(RGBA.convert("LA"), "PNG"),
    "png grey": encoded(UPRIGHT[..., 0], "PNG"),
    "png 1 bit": saved(Image.fromarray(UPRIGHT).convert("1"), "PNG"),
    "png palette": saved(Image.fromarray(UPRIGHT).convert("P"), "PNG"),
    "png palette, transparent": saved(Image.fromarray(UPRIGHT).convert("P"), "PNG", transparency=bytes(range(256))),
    "webp": encoded(UPRIGHT, "WEBP", quality=70),
    "webp alpha": saved(RGBA, "WEBP", lossless=True),
    "bmp": encoded(UPRIGHT, "BMP"),
    "bmp palette": saved(Image.fromarray(UPRIGHT).convert("P"), "BMP"),
    "bmp alpha": saved(RGBA, "BMP"),
    "tiff": encoded(UPRIGHT, "TIFF"),
    "tiff alpha": saved(RGBA, "TIFF"),
    "tiff lzw": saved(Image.fromarray(UPRIGHT), "TIFF", compression="tiff_lzw"),
    "tiff jpeg": saved(Image.fromarray(UPRIGHT), "TIFF", compression="jpeg"),
    "tiff zstd": saved(Image.fromarray(UPRIGHT), "TIFF", compression="zstd"),
    "tiff fax": saved(Image.fromarray(UPRIGHT).convert("1"), "TIFF", compression="group4"),
}


@pytest.mark.parametrize("name", DECODED)
def test_every_kind_of_file_has_the_pixels_that_pillow_reads(name):
    _, pixels = decode(io.BytesIO(DECODED[name]), max_megapixels=1.0)
    expected = Image.open(io.BytesIO(DECODED[name]))
    visible = expected.convert("RGBA") if "transparency" in expected.info else expected
    np.testing.assert_array_equal(pixels[..., ::-1], np.asarray(visible.convert("RGB")))


def test_a_large_tiff_is_copied_in_strips_that_meet():
    rows = np.random.default_rng(0).integers(0, 256, (1500, 1000, 3), np.uint8)  # one and a half strips
    _, pixels = decode(io.BytesIO(standing.tiff(rows, packed=True)), max_megapixels=2.0)
    np.testing.assert_array_equal(pixels[..., ::-1], rows)


def test_threads_that_read_at_once_leave_the_filter_of_warnings_as_it_was():
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: measure(io.BytesIO(content), max_megapixels=1.0), list(DECODED.values()) * 20))
    assert warnings.filters == before


def test_a_header_turned_by_a_quarter_changes_its_sides():
    assert [Header("JPEG", "RGB", 40, 30, way).size for way in (1, 4, 5, 8)] == [(40, 30), (40, 30), (30, 40), (30, 40)]


def test_what_is_listed_and_refused_is_a_gif():
    assert set(LISTED) - set(SUFFIXES) == {".gif"}


def test_every_photograph_that_cannot_be_read_is_named(tmp_path):
    paths = []
    for number, (content, _) in enumerate([(GOOD, ""), *REFUSED.values(), (GOOD, "")]):
        paths.append(tmp_path / f"{number:02d}.jpg")
        paths[-1].write_bytes(content)
    with pytest.raises(DataError) as caught:
        list(required(read_images(files(paths))))
    assert [problem.where for problem in caught.value.problems] == [str(path) for path in paths[1:-1]]


@pytest.mark.parametrize(("width", "height"), [(1, 65_500), (65_500, 1), (1, 640), (640, 1)])
def test_a_sliver_keeps_a_pixel_on_the_canvas(width, height):
    canvas, placement = letterbox(np.full((height, width, 3), 255, np.uint8), 320)
    assert (placement.width_px, placement.height_px) == ((1, 320) if height > width else (320, 1))
    assert (canvas == 255).all(axis=2).sum() == 320
    corners = np.array([[placement.left_px, placement.top_px, placement.left_px + 320, placement.top_px + 320.0]])
    assert to_photograph(corners, placement, (width, height))[0].tolist() == [0, 0, width, height]
    assert place(300, 200, 320).height_px == 213


DOORS = """
import resource, sys
from pathlib import Path
import numpy as np
from PIL import Image
from vouch.quality import images
from vouch.report.pictures import Mistake, data_uri, plain_uri
from vouch.training.detection.augmentation import augmented
from vouch.training.detection.framework import Augmentation, Labelled
from vouch.vision.draw import draw_boxes
from vouch.vision.images.decoding import read_header
from vouch.vision.images.source import File, read_image
from vouch.vision.preprocess import as_input
box = np.array([[0, 0, 1, 1.0]])
changes = dict.fromkeys(("flip_left_right", "scale", "translate", "hue", "saturation", "value", "mosaic"), 0.1)
changes = Augmentation(**changes, close_mosaic_epochs=0)
def picture(path):
    return Image.fromarray(read_image(File(path))[..., ::-1])
def scan(path):
    (record,) = images.scan([path], max_megapixels=50.0, workers=1)
    assert record["problem"] == "" and np.isfinite(record["sharpness"])
doors = {
    "header": read_header,
    "predict": lambda path: as_input(File(path), 320),
    "augment": lambda path: augmented(Labelled(File(path), box, np.array([0])), 320, changes, np.random.default_rng(0)),
    "drift": lambda path: plain_uri(picture(path)),
    "report": lambda path: data_uri(picture(path), Mistake("a", "a", "miss", box, ("can 0.50",))),
    "draw": lambda path: draw_boxes(picture(path), box, captions=["can 0.50"], colours=[0]),
    "scan": scan,
}
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = peak()
for name, door in doors.items():
    for path in map(Path, sys.argv[1:]):
        door(path)
        print(name, path.name, peak() - before)
"""


def test_no_door_takes_more_memory_for_a_sliver_than_for_an_ordinary_photograph(tmp_path):
    paths = []
    for shape in [(65_500, 1), (1, 65_500), (65_500, 3), (3, 65_500)]:
        paths.append(tmp_path / f"{shape[1]}x{shape[0]}.png")
        paths[-1].write_bytes(encoded(np.full((*shape, 3), 90, np.uint8), "PNG"))
    command = [sys.executable, "-c", DOORS, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    grown = {tuple(line.split()[:2]): int(line.split()[2]) for line in done.stdout.splitlines()}
    assert len(grown) == 7 * 4
    assert max(grown.values()) < 200, grown  # MiB; a photograph of 12 megapixels takes 90


def test_a_webp_that_claims_more_than_pillow_bears_is_a_refusal():
    body = b"WEBPVP8X" + (10).to_bytes(4, "little") + bytes(4) + b"\xff" * 6  # 2**24 pixels a side
    content = b"RIFF" + len(body).to_bytes(4, "little") + body
    header, pixels = decode(io.BytesIO(content), max_megapixels=100)
    assert (header.problems, pixels) == (("unsupported_format",), None)
