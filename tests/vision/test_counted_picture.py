"""The picture of what was counted: colours, numbers and names that a person can read."""

import io
from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from vouch.vision.counted_picture import PALETTE, draw_counted, labels, style_of
from vouch.vision.facing_groups import facing_groups
from vouch.vision.legend import Entry, draw_legend
from vouch.vision.lettering import broken, fitted, font_of, ink_on

PRODUCTS = ("apple juice", "cola", "container_brand_alpha_330ml", "water")
ORANGE, BLUE = (0xE6, 0x9F, 0x00), (0x56, 0xB4, 0xE9)


def grey(width=400, height=300):
    return Image.new("RGB", (width, height), (90, 90, 90))


def draw(boxes, named, picture=None, title=""):
    return draw_counted(picture or grey(), np.array(boxes, np.float64), named, products=PRODUCTS, title=title)


def shelf(count, *, width=28.0, height=70.0, in_row=25):
    """So many boxes in rows, with little between them."""
    place = np.arange(count)
    x, y = place % in_row * (width + 3) + 4, place // in_row * (height + 12) + 4
    return np.stack([x, y, x + width, y + height], axis=1)


def overlaps(one, other):
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def test_a_box_has_the_colour_of_its_product_whatever_else_is_on_the_picture():
    for boxes, named in ([[(60, 60, 160, 260)], ["cola"]], [[(200, 60, 300, 260), (60, 60, 160, 260)], [None, "cola"]]):
        drawn = np.asarray(draw(boxes, named))
        assert (drawn[200, 60] == BLUE).all()  # the second of the gallery
        assert not (drawn[200, 70] == BLUE).all()  # the object itself is seen


def test_forty_products_have_forty_colours_that_are_told_apart():
    rgb = np.array([[int(colour[place : place + 2], 16) for place in (1, 3, 5)] for colour in PALETTE])
    assert len(set(PALETTE)) == 40
    assert min(np.abs(one - other).sum() for one, other in combinations(rgb, 2)) > 45
    lab = cielab(rgb / 255)
    assert min(np.linalg.norm(one - other) for one, other in combinations(lab, 2)) > 25
    assert np.hypot(lab[:, 1], lab[:, 2]).min() > 30  # none is a grey, which unknown ones are


def cielab(rgb):
    """CIE 1976, white D65, written out for this test."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = linear @ np.array([[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]])
    f = np.cbrt(xyz / np.array([0.9505, 1.0, 1.089]))  # no colour here is dark enough for the linear part
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


def test_an_unknown_object_is_dashed_in_white():
    drawn = np.asarray(draw([(60, 60, 160, 260)], [None]))
    edge = drawn[62:258, 60].astype(int)
    white = (edge == 255).all(axis=1)
    assert 0.3 < white.mean() < 0.7
    assert np.count_nonzero(np.diff(white.astype(int))) > 6  # on and off and on again


def test_no_label_lies_over_another_or_leaves_the_picture_with_150_objects():
    boxes = shelf(150)
    named = [None if place % 17 == 0 else PRODUCTS[place // 3 % 4] for place in range(150)]
    numbers = {name: place for place, name in enumerate(PRODUCTS, start=1)}
    size = (800, 500)
    placed = labels(boxes, named, numbers, style_of(boxes, size), size)
    assert not any(overlaps(one.place, other.place) for one, other in combinations(placed, 2))
    assert all(label.place[0] >= 0 and label.place[2] <= 800 and label.place[3] <= 500 for label in placed)
    marks = [label for label in placed if label.lines[0] in {"?", "1", "2", "3", "4"}]
    assert len(marks) == 150  # each object bears its number
    for label, (x1, y1, x2, y2) in zip(marks, boxes, strict=True):
        left, top, right, low = label.place
        assert (left >= x1, top >= y1, right <= x2, low <= y2) == (True,) * 4


def test_where_objects_cover_each_other_or_leave_the_picture_labels_give_way():
    rng = np.random.default_rng(4)
    corners = rng.uniform(-30, 290, (60, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(20, 90, (60, 2))], axis=1)
    named = [PRODUCTS[place % 4] for place in range(60)]
    numbers = {name: place for place, name in enumerate(PRODUCTS, start=1)}
    placed = labels(boxes, named, numbers, style_of(boxes, (300, 300)), (300, 300))
    assert len(placed) > 30
    assert not any(overlaps(one.place, other.place) for one, other in combinations(placed, 2))
    corners = np.array([label.place for label in placed])
    assert (corners.min(), corners.max()) >= (0, 200)
    assert corners.max() <= 300


def test_small_objects_are_enlarged_until_letters_fit_and_large_pictures_are_not():
    small = draw_counted(grey(800, 500), shelf(150), ["cola"] * 150, products=PRODUCTS, title="")
    assert small.height == round(500 * 52 / 28)
    assert draw([(10, 10, 110, 210)], ["cola"]).height == 300
    assert draw([(10, 10, 12, 40)], ["cola"]).height == 900  # not more than three times
    assert draw([(10, 10, 12, 40)], ["cola"], grey(3900, 300)).height == round(300 * 4000 / 3900)


def test_boxes_side_by_side_of_one_product_bear_its_name_once_with_how_many_they_are():
    boxes = np.array([[10, 50, 70, 200], [75, 40, 135, 200], [150, 50, 210, 200]], np.float64)
    numbers = {name: place for place, name in enumerate(PRODUCTS, start=1)}
    placed = labels(boxes, ["cola", "cola", "water"], numbers, style_of(boxes, (400, 300)), (400, 300))
    assert [" ".join(label.lines) for label in placed] == ["cola x2", "water", "2", "2", "4"]
    assert placed[0].fill == "#56B4E9"


def test_a_name_without_room_is_left_out_and_the_number_stays():
    boxes = np.array([[10, 50, 40, 200]], np.float64)
    numbers = {name: place for place, name in enumerate(PRODUCTS, start=1)}
    placed = labels(boxes, [PRODUCTS[2]], numbers, style_of(boxes, (400, 300)), (400, 300))
    assert [label.lines for label in placed] == [("3",)]


@pytest.mark.parametrize(
    ("boxes", "named", "expected"),
    [
        ([(0, 0, 10, 30), (12, 0, 22, 30), (24, 0, 34, 30)], "aaa", [[0, 1, 2]]),
        ([(24, 0, 34, 30), (12, 0, 22, 30), (0, 0, 10, 30)], "aaa", [[2, 1, 0]]),  # from the left, in any order given
        ([(0, 0, 10, 30), (12, 0, 22, 30), (24, 0, 34, 30)], "aba", [[0], [1], [2]]),
        ([(0, 0, 10, 30), (17, 0, 27, 30)], "aa", [[0], [1]]),  # .7 of a width between them: a gap of the shelf
        ([(0, 0, 10, 30), (12, 20, 22, 50)], "aa", [[0], [1]]),  # a third of the height shared: another shelf
        ([(0, 0, 10, 30), (0, 40, 10, 70)], "aa", [[0], [1]]),
        ([(0, 0, 10, 30), (12, 0, 22, 30), (4, 0, 14, 30)], "aab", [[0], [2], [1]]),  # another one stands between
        ([], "", []),
    ],
)
def test_facings_are_grouped_as_they_stand(boxes, named, expected):
    assert facing_groups(np.array(boxes, np.float64).reshape(-1, 4), list(named)) == expected


def test_two_unknown_objects_side_by_side_are_a_group():
    assert facing_groups(np.array([[0, 0, 10, 30], [12, 0, 22, 30]], np.float64), [None, None]) == [[0, 1]]


def test_the_same_picture_has_the_same_bytes():
    def png():
        stream = io.BytesIO()
        draw([(60, 60, 160, 260), (200, 60, 300, 260)], ["cola", None], title="shelf 3").save(stream, format="PNG")
        return stream.getvalue()

    assert png() == png()


def test_the_picture_itself_is_left_alone_and_any_mode_and_no_box_are_fine():
    picture = grey()
    before = picture.tobytes()
    draw([(60, 60, 160, 260)], ["cola"], picture)
    assert picture.tobytes() == before
    assert draw(np.empty((0, 4)), [], Image.new("L", (50, 40), 7)).mode == "RGB"


def test_boxes_outside_turned_around_and_of_no_area_do_no_harm():
    boxes = [(-500, -500, -400, -400), (160, 260, 60, 60), (5, 5, 5, 5), (-50, -50, 900, 900), (1e12, 0, 2e12, 9)]
    drawn = np.asarray(draw(boxes, ["water", "cola", "water", None, "water"]))
    assert (drawn[:, :, :] == BLUE).all(axis=2).any()


def test_a_name_that_the_gallery_lacks_and_a_missing_name_are_refused():
    with pytest.raises(ValueError, match=r"products of the gallery, not \['rum'\]"):
        draw([(0, 0, 9, 9)], ["rum"])
    with pytest.raises(ValueError, match="1 boxes and 2 names"):
        draw([(0, 0, 9, 9)], ["cola", None])


def entries(count):
    return [Entry(str(n), f"product {n}", n, "#E69F00") for n in range(1, count + 1)]


def test_a_legend_has_a_swatch_a_line_and_further_columns_where_the_picture_is_low():
    found = []
    for height in (900, 300):
        drawn = draw_legend(grey(400, height), entries(20), title="shelf 3")
        assert drawn.height == height
        orange = (np.asarray(drawn)[:, 400:] == ORANGE).all(axis=2)
        lines, columns = (np.diff(orange.any(axis=axis).astype(int), prepend=0) == 1 for axis in (1, 0))
        found.append((lines.sum(), columns.sum()))
    assert found[0] == (20, 1)
    assert found[1][0] * found[1][1] >= 20
    assert found[1][1] > 1


def test_a_legend_that_a_small_picture_does_not_hold_makes_it_higher():
    drawn = draw_legend(grey(60, 10), entries(3), title="a title")
    assert drawn.height > 40
    assert (np.asarray(drawn)[:10, :60] == 90).all()


def test_text_is_broken_after_words_and_shortened_where_it_must_be():
    font = font_of(20)
    wide = font.getlength("apple juice")
    assert broken("apple juice", font, wide, most=1) == ["apple juice"]
    assert broken("apple juice", font, wide - 1, most=2) == ["apple", "juice"]
    assert broken("apple juice", font, wide - 1, most=1) is None
    assert broken("apple_juice", font, font.getlength("apple_"), most=2) == ["apple_", "juice"]
    assert broken("apples", font, font.getlength("apple"), most=3) is None
    assert broken("", font, 100, most=1) is None
    assert fitted("apple juice", font, wide) == "apple juice"
    assert fitted("apple juice", font, wide - 1) == "apple jui…"
    assert fitted("apple juice", font, 10) == ""


def test_letters_are_black_on_bright_colours_and_white_on_dark_ones():
    assert [ink_on(colour) for colour in ("#FFFFFF", "#F0E442", "#004BFF", "#874B00")] == [
        "#000000",
        "#000000",
        "#FFFFFF",
        "#FFFFFF",
    ]
