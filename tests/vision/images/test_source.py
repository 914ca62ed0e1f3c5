"""A file, the bytes of a request and a crop give the same pixels; what gives none is named, nothing else is lost."""

import numpy as np
import pytest
from PIL import Image

from vouch.errors import DataError
from vouch.vision.images import source
from vouch.vision.images.source import Crop, Encoded, File, parts, read_image, read_images, required, size_of

PIXELS = np.random.default_rng(5).integers(0, 256, (30, 40, 3), np.uint8)


@pytest.fixture
def photograph(tmp_path):
    Image.fromarray(PIXELS[..., ::-1]).save(tmp_path / "a.png")
    return File(tmp_path / "a.png")


def test_a_file_its_bytes_and_their_crops_have_the_same_pixels(photograph):
    sent = Encoded("upload", photograph.path.read_bytes())
    for whole in (photograph, sent):
        np.testing.assert_array_equal(read_image(whole), PIXELS)
        np.testing.assert_array_equal(read_image(Crop(whole, (3, 5, 40, 6))), PIXELS[5:6, 3:40])
        assert (size_of(whole), size_of(Crop(whole, (3, 5, 40, 6)))) == ((40, 30), (37, 1))


def test_a_crop_lies_in_the_upright_photograph(tmp_path):
    picture = Image.fromarray(PIXELS[..., ::-1])
    exif = picture.getexif()
    exif[274] = 6  # turned by a quarter: upright it is 30 x 40
    picture.save(tmp_path / "a.png", exif=exif)
    upright = np.rot90(PIXELS, -1)
    np.testing.assert_array_equal(read_image(Crop(File(tmp_path / "a.png"), (0, 30, 30, 40))), upright[30:40])


BAD = {
    "no width": (5, 5, 5, 9),
    "no height": (5, 5, 9, 5),
    "turned": (9, 5, 5, 9),
    "left of it": (-1, 0, 5, 5),
    "above it": (0, -1, 5, 5),
    "right of it": (0, 0, 41, 5),
    "below it": (0, 0, 5, 31),
}


@pytest.mark.parametrize("name", BAD)
def test_a_crop_of_no_area_or_outside_its_photograph_is_refused_by_name(photograph, name):
    with pytest.raises(DataError, match="inside its 40 x 30 pixels") as caught:
        read_image(Crop(photograph, BAD[name]))
    assert caught.value.problems[0].where == f"{photograph.path}: crop {BAD[name]}"


def test_bytes_that_are_no_image_are_refused_by_name():
    with pytest.raises(DataError, match=r"upload: expected JPEG, PNG, WebP, BMP or TIFF, got no known format"):
        read_image(Encoded("upload", b"no image"))


def test_what_fails_takes_no_other_with_it_and_names_every_crop_of_its_own(photograph, tmp_path, monkeypatch):
    decode, decoded = source.decode, []
    monkeypatch.setattr(source, "decode", lambda *given, **named: decoded.append(1) or decode(*given, **named))
    absent, junk = File(tmp_path / "absent.png"), Encoded("upload", b"")
    inside, outside = (Crop(photograph, box) for box in ((0, 0, 9, 9), (0, 0, 99, 9)))
    found = list(read_images([photograph, inside, outside, inside, Crop(junk, (0, 0, 1, 1)), absent, photograph]))
    assert [isinstance(one, DataError) for one in found] == [False, False, True, False, True, True, False]
    np.testing.assert_array_equal(found[3], PIXELS[:9, :9])
    assert len(decoded) == 3  # the photograph twice, not five times; the bytes once
    with pytest.raises(DataError) as caught:
        list(required(found))
    assert [problem.where for problem in caught.value.problems] == [outside.name, str(absent.path), "upload"]


def test_parts_keep_the_crops_of_a_photograph_together(photograph):
    crops = [Crop(photograph, (0, 0, side, side)) for side in range(1, 6)]
    others = [Encoded(str(place), b"") for place in range(5)]
    assert list(parts(others, 2)) == [others[:2], others[2:4], others[4:]]
    assert list(parts([*others[:2], *crops, *others[2:]], 3)) == [others[:2], crops, others[2:]]
    assert list(parts(iter(()), 3)) == []
