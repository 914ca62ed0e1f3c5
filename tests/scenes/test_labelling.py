import numpy as np

from vouch.scenes import labelling

BOX = {"class": "cone", "x1": 100.0, "y1": 50.0, "x2": 120.0, "y2": 90.0, "row": 2}
SIZE_PX = (200, 100)


def test_a_box_moves_with_its_picture_and_keeps_what_else_it_says():
    assert labelling.moved(BOX, (1, -1, 1, -1), SIZE_PX) == {**BOX, "x1": 101.0, "y1": 49.0, "x2": 121.0, "y2": 89.0}
    assert list(labelling.moved(BOX, (1, 2, 3, 4), SIZE_PX).values()) == ["cone", 101.0, 52.0, 123.0, 94.0, 2]


def test_a_box_ends_where_its_picture_ends():
    found = labelling.moved(BOX, (-101, -51, 80.5, 11), SIZE_PX)
    assert [found[name] for name in labelling.CORNERS] == [0.0, 0.0, 200.0, 100.0]


def test_label_noise_spares_or_spoils_as_many_boxes_as_it_says():
    given = labelling.careless([BOX] * 2000, 0.5, SIZE_PX, np.random.default_rng(0))
    same = sum(other == BOX for other in given)  # half the noise drops, half moves: 75 % kept, 75 % of those untouched
    assert abs(len(given) - 1500) < 3 * np.sqrt(2000 * 0.75 * 0.25)
    assert abs(same - 1125) < 3 * np.sqrt(2000 * 0.5625 * 0.4375)
    # .12 of 20 and of 40 pixels
    assert all(abs(other["x1"] - 100) <= 2.4 and abs(other["y2"] - 90) <= 4.8 for other in given)
    assert max(abs(other["y2"] - 90) for other in given) > 4.5


def test_a_third_of_the_noise_is_mistakes_where_something_is_mistaken():
    given = labelling.careless(
        [BOX] * 3000, 0.3, SIZE_PX, np.random.default_rng(0), lambda box, _: {**box, "class": "post"}
    )
    mistaken = sum(one["class"] == "post" for one in given)  # 90 % of the boxes are kept, a tenth of those mistaken
    assert abs(len(given) - 2700) < 3 * np.sqrt(3000 * 0.9 * 0.1)
    assert abs(mistaken - 270) < 3 * np.sqrt(3000 * 0.09 * 0.91)


def test_without_noise_the_boxes_are_the_true_ones():
    assert labelling.careless([BOX, BOX], 0.0, SIZE_PX, np.random.default_rng(0), lambda box, _: {}) == [BOX, BOX]
