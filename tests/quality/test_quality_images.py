import io
import os
import struct
import zlib
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.fft
from PIL import Image

from vision import standing
from vouch.errors import WorkspaceError
from vouch.quality import images
from vouch.quality.checks import CHECKS, UNUSABLE
from vouch.tables import SCAN
from vouch.vision.images import decoding

NOISE = np.random.default_rng(7).integers(0, 256, (48, 64, 3), dtype=np.uint8)


def smooth(seed, height=120, width=160):
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def encode(pixels, file_format, mode=None, **options):
    stream = io.BytesIO()
    image = Image.fromarray(pixels) if isinstance(pixels, np.ndarray) else pixels
    (image.convert(mode) if mode else image).save(stream, file_format, **options)
    return stream.getvalue()


def animated(file_format):
    frames = [Image.fromarray(NOISE), Image.fromarray(255 - NOISE)]
    return encode(frames[0], file_format, save_all=True, append_images=frames[1:])


def png_claiming(width, height, bit_depth=8, colour=2):
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, bit_depth, colour, 0, 0, 0)
    body = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


class Deadly(type(Path())):
    """A path that ends the process that is given it."""

    def __reduce__(self):
        return os._exit, (1,)


def examine(content, suffix=".jpg", max_megapixels=50.0):
    return images.examine(io.BytesIO(content), suffix, max_megapixels=max_megapixels)


def sixteen_bit_rgb(file_format):
    return cv2.imencode(file_format, NOISE.astype(np.uint16) * 257)[1].tobytes()


GOOD = encode(NOISE, "JPEG")
BAD = {
    "zero bytes": (b"", ".jpg", "empty_file"),
    "text": (b"not a picture", ".jpg", "unsupported_format"),
    "gif": (encode(NOISE, "GIF"), ".gif", "unsupported_format"),
    "animated gif named jpg": (animated("GIF"), ".jpg", "unsupported_format"),
    "half a jpeg": (GOOD[: len(GOOD) // 2], ".jpg", "truncated"),
    "half a png": (encode(NOISE, "PNG")[:2000], ".png", "truncated"),
    "half a webp": (encode(NOISE, "WEBP")[:900], ".webp", "unsupported_format"),
    "jpeg header only": (GOOD[:20], ".jpg", "unsupported_format"),
    "png named jpg": (encode(NOISE, "PNG"), ".jpg", "wrong_extension"),
    "jpeg without extension": (GOOD, "", "wrong_extension"),
    "16-bit grey png": (encode(Image.fromarray(NOISE[..., 0].astype(np.uint16) * 257), "PNG"), ".png", "bit_depth"),
    "16-bit rgb png": (sixteen_bit_rgb(".png"), ".png", "bit_depth"),
    "16-bit rgb tiff": (sixteen_bit_rgb(".tiff"), ".tif", "bit_depth"),
    "float tiff": (encode(Image.fromarray(NOISE[..., 0].astype(np.float32)), "TIFF"), ".tif", "bit_depth"),
    "cmyk jpeg": (encode(NOISE, "JPEG", "CMYK"), ".jpg", "colour_mode"),
    "lab tiff": (encode(NOISE, "TIFF", "LAB"), ".tif", "colour_mode"),
    "animated webp": (animated("WEBP"), ".webp", "animated"),
    "animated png": (animated("PNG"), ".png", "animated"),
    "tiff of two pages": (animated("TIFF"), ".tiff", "animated"),
    "400 megapixels in a header": (png_claiming(20_000, 20_000), ".png", "too_large"),
    "two problems at once": (encode(NOISE, "JPEG", "CMYK"), ".png", "colour_mode,wrong_extension"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_picture_is_a_row_that_names_its_problem(name):
    content, suffix, problem = BAD[name]
    record = examine(content, suffix)
    assert record["problem"] == problem
    assert (record["sha256"] != "") == (problem == "wrong_extension")
    assert {*record, "sample_id"} == set(SCAN)


def test_what_cannot_be_decoded_can_only_block_or_be_set_aside():
    named = {problem for _, _, problems in BAD.values() for problem in problems.split(",")}
    levels = {CHECKS[name].levels for name in named - {"wrong_extension"}}
    assert levels == {UNUSABLE}
    assert CHECKS["missing_image"].levels == UNUSABLE


def test_header_is_judged_before_pixels_are_decoded(monkeypatch):
    monkeypatch.setattr(Image.Image, "load", lambda image: pytest.fail("decoded"))
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda image: pytest.fail("decoded"))
    record = examine(png_claiming(20_000, 20_000), ".png")
    assert (record["width"], record["height"], record["sha256"]) == (20_000, 20_000, "")


def test_size_limit_is_the_parameter_and_not_pillows():
    assert examine(GOOD, max_megapixels=64 * 48 / 1e6)["problem"] == ""
    assert examine(GOOD, max_megapixels=63 * 48 / 1e6)["problem"] == "too_large"
    assert Image.MAX_IMAGE_PIXELS is not None


def test_phone_jpeg_with_embedded_preview_is_a_jpeg():
    content = animated("MPO")
    assert (examine(content)["problem"], examine(content)["format"]) == ("", "JPEG")


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA"])
def test_ordinary_modes_decode(mode):
    record = examine(encode(NOISE, "PNG", mode), ".png")
    assert (record["problem"], record["mode"]) == ("", mode)


def test_palette_with_transparency_decodes_without_a_warning():
    palette = Image.fromarray(NOISE).convert("P")
    assert examine(encode(palette, "PNG", transparency=bytes(range(256))), ".png")["problem"] == ""


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_turned_by_exif_hashes_as_the_upright_one(orientation):
    held = standing.stored(orientation)
    record = examine(standing.png(held, standing.chunk(b"eXIf", standing.exif(orientation))), ".png")
    plain = examine(encode(standing.UPRIGHT, "PNG"), ".png")
    assert record["orientation"] == orientation
    assert (record["height"], record["width"]) == held.shape[:2]
    assert (record["sha256"], record["phash"]) == (plain["sha256"], plain["phash"])


def test_statistics_of_hand_made_pictures():
    grey = np.zeros((100, 100, 3), dtype=np.uint8)
    grey[:, 50:] = 200
    record = examine(encode(grey, "PNG"), ".png")
    assert (record["mean"], record["deviation"]) == (100.0, 100.0)
    assert record["thumbnail"] == (bytes(8) + bytes([200] * 8)) * 16
    flat = examine(encode(np.full((90, 70, 3), 40, dtype=np.uint8), "PNG"), ".png")
    assert (flat["mean"], flat["deviation"], flat["sharpness"]) == (40.0, 0.0, 0.0)


def test_blur_lowers_sharpness_and_size_hardly_matters():
    sharp = smooth(2, 300, 400)
    sharp[np.arange(300) // 10 % 2 == 0] = 0
    blurred = cv2.GaussianBlur(sharp, (0, 0), 5)
    twice = cv2.resize(sharp, (800, 600), interpolation=cv2.INTER_NEAREST)
    score = [examine(encode(picture, "PNG"), ".png")["sharpness"] for picture in (sharp, blurred, twice)]
    assert score[1] < score[0] / 10
    assert score[2] == pytest.approx(score[0], rel=0.3)


def test_hash_of_the_pixels_is_the_same_in_every_lossless_format():
    hashes = {examine(encode(NOISE, kind), "")["sha256"] for kind in ("PNG", "BMP", "TIFF")}
    assert len(hashes) == 1
    turned = examine(encode(np.zeros((48, 64, 3), dtype=np.uint8), "PNG"), ".png")["sha256"]
    assert turned != examine(encode(np.zeros((64, 48, 3), dtype=np.uint8), "PNG"), ".png")["sha256"]


@pytest.mark.parametrize("seed", range(20))
def test_perceptual_hash_agrees_with_a_slow_dct(seed):
    grey = cv2.resize(smooth(seed)[..., 1], (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = scipy.fft.dctn(grey.astype(np.float64), norm="ortho")[:8, :8]
    margin = low - np.median(low)
    bits = np.array([int(bit) for bit in f"{images.perceptual_hash(grey):064b}"]).reshape(8, 8)
    clear = np.abs(margin) > 0.02
    assert clear.sum() > 55
    assert np.array_equal(bits[clear], (margin > 0)[clear].astype(int))


def test_perceptual_hash_survives_scaling_encoding_and_exposure_and_tells_pictures_apart():
    hashes = [examine(encode(smooth(seed), "PNG"), ".png")["phash"] for seed in range(8)]
    changed = np.clip(cv2.resize(smooth(0), (97, 71)) * 0.85 + 8, 0, 255).astype(np.uint8)
    again = examine(encode(changed, "JPEG", quality=70))["phash"]
    assert (again ^ hashes[0]).bit_count() <= 6
    assert min((hashes[0] ^ other).bit_count() for other in hashes[1:]) > 12


def test_flat_pictures_have_no_random_bits():
    hashes = {images.perceptual_hash(np.full((32, 32), level, dtype=np.float32)) for level in (1, 77, 200, 255)}
    assert hashes == {1 << 63}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
def test_damaged_bytes_never_crash(kind):
    content = np.frombuffer(encode(NOISE, kind), dtype=np.uint8)
    generator = np.random.default_rng(3)
    for _ in range(60):
        hurt = content.copy()
        hurt[generator.integers(0, min(len(hurt), 300), 4)] = generator.integers(0, 256, 4)
        assert set(examine(hurt.tobytes(), f".{kind.lower()}")) == set(SCAN) - {"sample_id"}


def test_table_is_the_same_for_every_number_of_workers(tmp_path):
    paths = []
    for number in range(40):
        path = tmp_path / f"{number}.png"
        path.write_bytes(encode(smooth(number), "PNG"))
        paths.append(path)
    paths += [tmp_path / "absent.png", tmp_path]
    tables = [
        images.tabulate([path.name for path in paths], list(images.scan(paths, max_megapixels=1.0, workers=workers)))
        for workers in (1, 2, 3)
    ]
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])
    assert list(tables[0]["problem"][-2:]) == ["missing_image", "missing_image"]
    assert tables[0]["phash"].dtype == np.uint64
    assert list(tables[0].columns) == list(SCAN)


def test_no_process_is_a_copy_of_this_one_and_of_the_locks_that_its_threads_hold(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(encode(NOISE, "PNG"))
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("a process was forked"))
    with decoding._LOCK:  # as a thread does that reads a photograph
        records = list(images.scan([path], max_megapixels=1.0, workers=2))
    assert [record["problem"] for record in records] == [""]


def test_a_killed_process_is_a_clear_error(tmp_path):
    with pytest.raises(WorkspaceError, match="one that was killed"):
        list(images.scan([tmp_path / "a", Deadly(tmp_path / "b")], max_megapixels=1.0, workers=2))


@contextmanager
def as_a_user_of_few_rights(folder):
    """Become nobody, whom permissions bind as they do not bind root; at the end, who one was."""
    folder.chmod(0o755)
    before = os.getresuid()
    if os.geteuid() == 0:
        os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(*before)


def test_every_photograph_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["a.jpg", "b.jpg", "folder/c.jpg", "gone.jpg"]
    Path("folder").mkdir()
    for name in names[:3]:
        Path(name).write_bytes(b"x")
    Path("b.jpg").chmod(0)
    Path("a.jpg").chmod(0o644)
    Path("folder").chmod(0)
    with as_a_user_of_few_rights(tmp_path), pytest.raises(WorkspaceError) as caught:
        list(images.scan([Path(name) for name in names], max_megapixels=1, workers=1))
    Path("folder").chmod(0o755)
    assert [(problem.where, problem.expected) for problem in caught.value.problems] == [
        ("b.jpg", "permission to read"),
        ("folder/c.jpg", "permission to read"),
    ]


def test_scan_of_nothing_is_an_empty_table():
    assert images.tabulate([], list(images.scan([], max_megapixels=1.0, workers=2))).empty
