import cv2
import numpy as np
import pytest
from PIL import Image

from vouch.errors import BundleError, DataError
from vouch.vision.images.source import File, read_image
from vouch.vision.preprocess import Preprocess, from_json, letterbox, to_input, to_json, to_photograph


@pytest.mark.parametrize(("width", "height"), [(320, 240), (240, 320), (416, 416), (101, 37), (64, 64), (333, 77)])
def test_the_letterbox_is_ultralytics_own(width, height):
    from ultralytics.data.augment import LetterBox

    image = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    expected = LetterBox((128, 128), auto=False, scaleup=True)(image=image)
    canvas, _ = letterbox(image, 128)
    np.testing.assert_array_equal(canvas, expected)


@pytest.mark.parametrize(("width", "height"), [(320, 240), (101, 37), (64, 64)])
def test_a_box_comes_back_where_it_was(width, height):
    _, placement = letterbox(np.zeros((height, width, 3), np.uint8), 128)
    box = np.array([[width * 0.25, height * 0.25, width * 0.75, height * 0.75]])
    there = box * placement.scale + np.array([placement.left_px, placement.top_px] * 2)
    np.testing.assert_allclose(to_photograph(there, placement, (width, height)), box, atol=1e-9)


def test_boxes_are_clipped_to_the_photograph():
    _, placement = letterbox(np.zeros((50, 100, 3), np.uint8), 128)
    assert to_photograph(np.array([[-9.0, 0, 999, 999]]), placement, (100, 50)).tolist() == [[0, 0, 100, 50]]


def test_input_is_rgb_planes_in_the_unit_interval():
    canvas = np.zeros((1, 2, 2, 3), np.uint8)
    canvas[..., 0] = 255  # blue in OpenCV's order
    planes = to_input(canvas)
    assert (planes.dtype, planes.shape) == (np.float32, (1, 3, 2, 2))
    assert planes[0, :, 0, 0].tolist() == [0.0, 0.0, 1.0]


def test_a_photograph_is_turned_upright(tmp_path):
    picture = Image.new("RGB", (20, 10))
    exif = picture.getexif()
    exif[274] = 6
    picture.save(tmp_path / "a.jpg", exif=exif)
    assert read_image(File(tmp_path / "a.jpg")).shape == (20, 10, 3)


@pytest.mark.parametrize("content", [None, b"", b"not a picture"])
def test_what_does_not_decode_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.jpg"):
        read_image(File(tmp_path / "a.jpg"))


def test_preprocessing_reads_back_and_another_form_is_refused():
    ours = Preprocess(320, 32, task="detect")
    assert from_json(to_json(ours), "x") == ours
    for change in ({"scale": "1/127.5"}, {"colour": "BGR"}, {"extra": 1}):
        with pytest.raises(BundleError):
            from_json(to_json(ours) | change, "x")


def test_opencv_reads_what_training_reads(tmp_path):
    image = np.random.default_rng(0).integers(0, 255, (32, 48, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "a.jpg"), image)
    np.testing.assert_array_equal(read_image(File(tmp_path / "a.jpg")), cv2.imread(str(tmp_path / "a.jpg")))


CONTENT = to_json(Preprocess(64, 32, task="detect"))


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        "x",
        {},
        CONTENT | {"size_px": 64.0},
        CONTENT | {"size_px": True, "stride_px": True},
        CONTENT | {"size_px": 4096},
        CONTENT | {"size_px": 48},  # no multiple of its stride
        CONTENT | {"stride_px": 0},
        CONTENT | {"stride_px": -32},
        CONTENT | {"task": ["detect"]},
        CONTENT | {"task": "identify"},
        CONTENT | {"padding": 114.0},
        CONTENT | {"colour": "BGR"},
        CONTENT | {"zebra": 1},
        {key: value for key, value in CONTENT.items() if key != "layout"},
    ],
)
def test_another_form_of_preprocessing_is_refused(content):
    with pytest.raises(BundleError, match=r"preprocess\.json"):
        from_json(content, "preprocess.json")


def test_a_classifier_may_look_at_a_canvas_that_its_stride_does_not_divide():
    views = Preprocess(48, 32, task="classify")
    assert from_json(to_json(views), "preprocess.json") == views
