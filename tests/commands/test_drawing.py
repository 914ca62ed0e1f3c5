import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vouch.commands.drawing import NARROWEST_PX, PAD_PX, captioned, side_by_side


def test_a_long_line_is_broken_and_no_letter_of_it_is_cut_off():
    grey = Image.new("L", (400, 50), 128)
    one, long = captioned(grey, ["word"]), captioned(grey, ["word " * 60])
    assert one.mode == long.mode == "RGB"
    assert (one.width, long.width) == (400, 400)
    assert long.height > one.height > 50
    edge = np.asarray(long.crop((long.width - PAD_PX, 50, *long.size)))
    assert (edge == 255).all()


def test_a_word_wider_than_the_picture_is_broken_too():
    drawn = captioned(Image.new("RGB", (10, 10)), ["w" * 200])
    assert drawn.width == NARROWEST_PX
    font = ImageFont.load_default(NARROWEST_PX / 24)
    lines = ImageDraw.Draw(drawn).textlength("w" * 200, font=font) / NARROWEST_PX
    assert drawn.height > 10 + 8 * lines


def test_pictures_stand_side_by_side():
    red, blue = Image.new("RGB", (10, 20), "red"), Image.new("RGB", (30, 5), "blue")
    both = side_by_side([red, blue])
    assert both.size == (40 + PAD_PX, 20)
    assert both.getpixel((5, 19)) == (255, 0, 0)
    assert both.getpixel((10 + PAD_PX, 0)) == (0, 0, 255)
    assert both.getpixel((10 + PAD_PX, 10)) == (255, 255, 255)
