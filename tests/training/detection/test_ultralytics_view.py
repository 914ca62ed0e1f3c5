"""Ultralytics trains on the pixels that predict reads, or on a copy that holds them."""

import numpy as np
import pytest
from PIL import Image
from ultralytics.utils.patches import imread

from vision import standing
from vision.standing import UPRIGHT
from vouch.errors import DataError
from vouch.training.detection.framework import Labelled, Lesson
from vouch.training.detection.ultralytics_view import write_view
from vouch.vision.images.source import File, read_image


def held(orientation):
    return standing.stored(orientation)


PHOTOGRAPHS = {
    "plain.jpg": standing.jpeg(UPRIGHT),
    "plain.png": standing.png(UPRIGHT),
    "turned.jpg": standing.jpeg(held(6), b"Exif\0\0" + standing.exif(6)),
    "xmp.jpg": standing.jpeg(held(6), standing.XMP_MARKER + standing.xmp(6)),
    "long.png": standing.png(held(8), standing.chunk(b"eXIf", standing.exif(8, "LONG", ">"))),
    "turned.tif": standing.tiff(held(5), (274, 3, 5)),
    "trailing.jpg": standing.jpeg(UPRIGHT) + b"a film of a second",
}


def lesson(folder, *names):
    examples = tuple(Labelled(File(folder / name), np.array([[0, 0, 1, 1.0]]), np.array([0])) for name in names)
    return Lesson(("can",), train=examples, val_select=examples[:1])


def test_every_photograph_is_seen_as_predict_sees_it(tmp_path):
    for name, content in PHOTOGRAPHS.items():
        (tmp_path / name).write_bytes(content)
    for _ in range(2):  # a second time over what the first left
        write_view(lesson(tmp_path, *PHOTOGRAPHS), tmp_path / "view")
        for name, line in zip(PHOTOGRAPHS, (tmp_path / "view/train.txt").read_text().split(), strict=True):
            np.testing.assert_array_equal(imread(line), read_image(File(tmp_path / name)), err_msg=name)
            assert line.endswith(".png") or not line.endswith(".jpg") or PHOTOGRAPHS[name].endswith(b"\xff\xd9")
    links = [path.name for path in sorted((tmp_path / "view/images/train").iterdir()) if path.is_symlink()]
    assert links == ["0000000.jpg", "0000001.png", "0000002.jpg", "0000005.tif"]
    assert all((tmp_path / name).read_bytes() == content for name, content in PHOTOGRAPHS.items())


def test_what_ultralytics_would_leave_out_is_refused_by_name(tmp_path):
    for name, size in {"a.png": (64, 48), "b.png": (9, 300), "c.png": (300, 9), "d.png": (10, 10)}.items():
        Image.new("RGB", size).save(tmp_path / name)
    with pytest.raises(DataError) as caught:
        write_view(lesson(tmp_path, "a.png", "b.png", "c.png", "d.png"), tmp_path / "view")
    assert [problem.got for problem in caught.value.problems] == ["9 x 300", "300 x 9"]
    assert not (tmp_path / "view").exists()
