import numpy as np
import pytest
from PIL import Image

from vouch.vision.draw import caption, draw_boxes


def black(width=200, height=120):
    return Image.new("RGB", (width, height))


def draw(picture, box, text="", colour=3):
    return np.asarray(draw_boxes(picture, np.array([box], np.float64), captions=[text], colours=[colour]))


def test_the_box_is_drawn_around_the_object_not_over_it():
    drawn = draw(black(), (50, 40, 90, 80))
    yellow = (drawn == (0xF0, 0xE4, 0x42)).all(axis=2)
    assert not yellow[40:81, 50:91].any()
    assert yellow[39, 50:91].all()
    assert yellow[81, 50:91].all()
    assert yellow[40:81, 49].all()
    assert yellow[40:81, 91].all()


def test_the_picture_itself_is_left_alone():
    picture = black()
    draw(picture, (10, 10, 50, 50), "phone 0.91")
    assert not np.asarray(picture).any()


@pytest.mark.parametrize("box", [(0, 0, 30, 20), (170, 100, 199, 119), (0, 0, 200, 120), (-50, -50, 500, 500)])
def test_a_label_stays_within_the_picture(box):
    bare = draw(black(), box)
    labelled = draw(black(), box, "phone 0.91")
    assert (bare != labelled).any(axis=2).sum() > 300  # a patch of at least 50 by 12 pixels has become visible


def test_a_box_outside_the_picture_or_turned_around_does_no_harm():
    assert not draw(black(), (-90, -90, -50, -50)).any()
    assert (draw(black(), (90, 80, 50, 40)) == draw(black(), (50, 40, 90, 80))).all()


def test_the_first_box_lies_on_top():
    boxes = np.array([[50, 40, 90, 80], [50, 40, 90, 80]], np.float64)
    drawn = np.asarray(draw_boxes(black(), boxes, captions=["", ""], colours=[3, 5]))
    assert (drawn[39, 60] == (0xF0, 0xE4, 0x42)).all()


def test_grey_pictures_and_no_boxes_are_fine():
    drawn = draw_boxes(Image.new("L", (20, 20), 7), np.empty((0, 4)), captions=[], colours=[])
    assert drawn.mode == "RGB"
    assert np.asarray(drawn).max() == 7


def test_a_caption_for_each_box_is_asked_for():
    with pytest.raises(ValueError, match="zip"):
        draw_boxes(black(), np.zeros((2, 4)), captions=["a"], colours=[1, 2])


def test_confidence_has_two_decimals():
    assert caption("phone", 0.8739) == "phone 0.87"
    assert caption("phone", None) == "phone"
