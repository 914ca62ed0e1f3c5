import numpy as np
import pytest

from vouch.scenes import draw, photo

WHITE = (255.0, 255.0, 255.0)
LIGHT = photo.Light((1.0, 1.0, 1.0), 1.0, 0.5, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def square(paper, label, x1, y1, x2, y2):
    with draw.thing(paper, label, label) as owner:
        draw.polygon(paper, draw.rectangle(x1, y1, x2, y2), WHITE, owner=owner)


def sides(box):
    return [box[key] for key in ("x1", "y1", "x2", "y2")]


def test_a_box_is_the_extent_that_was_painted():
    paper = draw.canvas(100, 80, 80.0)
    square(paper, "a", 10, 20, 30, 50)
    [(box, share)] = draw.boxes(paper)
    assert sides(box) == pytest.approx([10, 20, 30, 50], abs=0.75)
    assert share == pytest.approx(1.0)


def test_what_lies_in_front_shortens_the_box_and_lowers_the_share():
    paper = draw.canvas(100, 80, 80.0)
    square(paper, "behind", 10, 20, 50, 40)
    draw.polygon(paper, draw.rectangle(20, 0, 60, 80), (0, 0, 0))
    [(box, share)] = draw.boxes(paper)
    assert sides(box) == pytest.approx([10, 20, 20, 40], abs=0.75)
    assert share == pytest.approx(0.25, abs=0.03)


def test_what_only_tints_hides_nothing():
    paper = draw.canvas(100, 80, 80.0)
    square(paper, "a", 10, 20, 50, 40)
    draw.polygon(paper, draw.rectangle(0, 0, 100, 80), (0, 0, 0), alpha=0.5, owner=None)
    [(_, share)] = draw.boxes(paper)
    assert share == pytest.approx(1.0)
    assert paper.pixels[60, 60].max() in (127, 128)


def test_the_border_of_the_picture_cuts_box_and_share():
    paper = draw.canvas(100, 80, 80.0)
    square(paper, "a", -30, 20, 10, 40)
    [(box, share)] = draw.boxes(paper)
    assert sides(box) == pytest.approx([0, 20, 10, 40], abs=0.75)
    assert share == pytest.approx(0.25, abs=0.03)


def test_a_fully_hidden_thing_has_no_box():
    paper = draw.canvas(100, 80, 80.0)
    square(paper, "a", 10, 20, 30, 40)
    draw.polygon(paper, draw.rectangle(0, 0, 100, 80), (0, 0, 0))
    assert draw.boxes(paper) == [(None, 0.0)]


def test_a_local_frame_moves_turns_and_scales():
    paper = draw.canvas(100, 100, 100.0)
    local = draw.within(paper, (50, 50), angle_rad=np.pi / 2, scale=2.0)
    square(local, "a", 0, 0, 10, 5)  # x becomes down, y becomes left
    [(box, _)] = draw.boxes(paper)
    assert sides(box) == pytest.approx([40, 50, 50, 70], abs=0.75)


def test_a_lens_moves_boxes_with_the_picture():
    paper = draw.canvas(60, 60, 60.0)
    square(paper, "a", 10, 20, 30, 40)
    x, y = np.meshgrid(np.arange(120, dtype=np.float32), np.arange(120, dtype=np.float32))
    [(box, _)] = draw.boxes(draw.warped(paper, x - 10, y))  # ten canvas pixels are five of the picture
    assert sides(box) == pytest.approx([15, 20, 35, 40], abs=0.75)


def test_nothing_too_hidden_or_too_small_stays_in_the_scene():
    def paint(dropped):
        paper = draw.canvas(100, 80, 80.0)
        for label, corners in {"hidden": (10, 10, 30, 30), "tiny": (50, 50, 53, 53), "fine": (12, 12, 40, 40)}.items():
            if label not in dropped:
                square(paper, label, *corners)
        return paper

    paper = draw.settled(paint, lambda label: (5.0, 5.0), 0.4)
    assert [thing.label for thing in paper.things] == ["fine"]


def test_a_gradient_runs_from_its_first_to_its_second_colour():
    paper = draw.canvas(20, 50, 50.0)
    draw.polygon(paper, draw.rectangle(0, 0, 20, 50), (200, 0, 0), to=(0, 0, 200))
    column = paper.pixels[:, 20].astype(int)
    assert (np.diff(column[:, 0]) <= 0).all()
    assert column[0, 0] > 190
    assert column[-1, 2] > 190


def test_light_spills_from_what_shines_and_not_from_what_is_bright():
    papers = [draw.canvas(64, 64, 64.0) for _ in range(2)]
    for paper, emit in zip(papers, (draw.DARK, WHITE), strict=True):
        draw.polygon(paper, draw.rectangle(24, 24, 40, 40), (90, 90, 90), emit=emit)
    dull, shining = (photo.developed(paper, LIGHT, None, np.random.default_rng(0)) for paper in papers)
    assert dull[20, 32].max() == 0
    assert shining[20, 32].min() > 20


def test_motion_smears_along_its_direction_only():
    paper = draw.canvas(64, 64, 64.0)
    draw.polygon(paper, draw.rectangle(28, 28, 36, 36), WHITE)
    light = photo.Light((1.0, 1.0, 1.0), 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 6.0, 0.0)
    picture = photo.developed(paper, light, None, np.random.default_rng(0))
    assert picture[32, 26].min() > 20
    assert picture[26, 32].max() == 0


def test_a_repeated_picture_is_moved_by_whole_pixels():
    picture = np.full((20, 30, 3), 100, np.uint8)
    picture[10, 15] = 250
    again = photo.repeated(picture, (1, -1), 1.0, np.random.default_rng(0))
    assert np.unravel_index(again[:, :, 0].argmax(), (20, 30)) == (9, 16)
    assert np.abs(again[:5].astype(int) - 100).max() < 12


def test_a_picture_taken_again_says_by_how_much_it_moved():
    picture = np.full((20, 30, 3), 100, np.uint8)
    picture[10, 15] = 250
    shifts = set()
    for seed in range(60):
        again, (right, down) = photo.again(picture, np.random.default_rng(seed))
        assert np.unravel_index(again[:, :, 0].argmax(), (20, 30)) == (10 + down, 15 + right)
        assert 96.5 < again[:5].mean() < 103.5  # 3 % of the light, and noise
        shifts.add((right, down))
    assert shifts == {(right, down) for right in (-1, 0, 1) for down in (-1, 0, 1)}


def test_a_lamps_light_is_full_at_its_centre_and_a_bell_around_it():
    light = photo.pool((5, 3), (0.5, 0.5), (0.5, 0.25), 0.4)  # x at -1, -.5, 0, .5, 1; y at 0, .5, 1
    assert light.shape == (3, 5)
    assert light[1] == pytest.approx(0.4 * np.exp([-9.0, -4.0, -1.0, 0.0, -1.0]), rel=1e-6)
    assert light[:, 3] == pytest.approx(0.4 * np.exp([-4.0, 0.0, -4.0]), rel=1e-6)


def test_one_of_several_colours_is_as_likely_as_another_and_varied_about_it():
    rng, colours = np.random.default_rng(0), ((40.0, 40.0, 40.0), (120.0, 120.0, 120.0), (200.0, 200.0, 200.0))
    found = np.array([draw.one_of(rng, colours, 12) for _ in range(900)])
    nearest = np.abs(found.mean(axis=1)[:, None] - [40, 120, 200]).argmin(axis=1)
    assert all(abs((nearest == index).sum() - 300) < 4 * np.sqrt(200) for index in range(3))
    off = np.abs(found - np.array(colours)[nearest])
    assert 12 < off.max() <= 16  # 12 and a third of it
