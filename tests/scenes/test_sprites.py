import numpy as np
import pytest

from vouch.scenes import draw, sprites
from vouch.scenes.sprites import Solid

SKIN = np.full((20, 40, 3), 120, np.uint8)
TUBE = Solid(((0.0, 0.1), (0.4, 0.1)), SKIN, (200.0, 0.0, 0.0), (0.0, 0.0, 200.0), 0.0, 0.0, 0.1, False)
FLAT = sprites.Sprite(np.full((40, 20, 4), 255, np.uint8), (10.0, 40.0))


def seen(sprite):
    rows, columns = np.nonzero(sprite.pixels[..., 3] > 127)
    return np.ptp(rows) + 1, np.ptp(columns) + 1


@pytest.mark.parametrize(("stretch", "squash"), [(1.0, 0.3), (0.6, 0.8)])
def test_a_tube_is_as_long_as_its_axis_and_half_of_both_ends_and_as_wide_as_they_are(stretch, squash):
    sprite = sprites.revolved(TUBE, sprites.Pose(0.0, stretch, squash, False, 0.0), 200.0, 0.0)
    assert seen(sprite) == pytest.approx((200 * (0.4 * stretch + 2 * 0.1 * squash), 40), abs=2)


@pytest.mark.parametrize(
    ("heading", "angle", "stretch", "base"),
    [
        (0.0, np.pi / 2, 1.0, False),  # to the right: its top is on the right
        (-np.pi / 2, np.pi, 0.6, False),  # towards the camera: its top is below
        (np.pi / 2, np.pi, 0.6, True),  # away: its base is below, and is what is seen
    ],
)
def test_what_lies_is_turned_and_foreshortened_as_the_ground_is(heading, angle, stretch, base):
    pose = sprites.lying(heading, 0.6, 0.0)
    assert np.cos(pose.angle_rad) == pytest.approx(np.cos(angle), abs=1e-9)
    assert np.sin(pose.angle_rad) == pytest.approx(np.sin(angle), abs=1e-9)
    assert (pose.stretch, pose.base_first) == (pytest.approx(stretch), base)
    assert pose.squash == pytest.approx(np.sqrt(1 - stretch**2))


@pytest.mark.parametrize(("base_first", "channel"), [(False, 0), (True, 2)])
def test_the_end_that_faces_the_camera_is_the_one_that_is_seen(base_first, channel):
    sprite = sprites.revolved(TUBE, sprites.Pose(0.0, 0.8, 0.6, base_first, 0.0), 200.0, 0.0)
    end = sprite.pixels[sprites.MARGIN_PX + 12, sprite.pixels.shape[1] // 2]
    assert end[channel] > 150
    assert end[2 - channel] < 60


def test_a_sprite_put_on_a_canvas_owns_what_it_covers():
    paper = draw.canvas(100, 100, 200.0)
    with draw.thing(paper, "can", 0) as owner:
        sprites.put(paper, FLAT, (100.0, 120.0), owner=owner)
    rows, columns = np.nonzero(paper.owner)
    assert (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1) == pytest.approx((80, 120, 90, 110), abs=1)
    assert paper.things[0].painted_px == pytest.approx(800, rel=0.06)
    assert paper.things[0].inside_share == pytest.approx(1.0)
    with draw.thing(paper, "can", 1) as owner:
        sprites.put(paper, FLAT, (0.0, 180.0), owner=owner)
    assert paper.things[1].inside_share == pytest.approx(0.5, abs=0.05)
    with draw.thing(paper, "can", 2) as owner:
        sprites.put(paper, FLAT, (-90.0, 180.0), owner=owner)
    assert paper.things[2].painted_px == 0


def test_a_turned_sprite_turns_about_its_anchor_clockwise():
    paper = draw.canvas(100, 100, 200.0)
    sprites.put(paper, FLAT, (100.0, 100.0), angle_rad=np.pi / 2, owner=1)
    rows, columns = np.nonzero(paper.owner)
    assert (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1) == pytest.approx((90, 110, 100, 140), abs=1)


@pytest.mark.parametrize(("owner", "left"), [(None, 5), (0, 0)])
def test_film_leaves_the_ownership_alone_and_scenery_takes_it(owner, left):
    paper = draw.canvas(100, 100, 200.0)
    paper.owner[:] = 5
    sprites.put(paper, FLAT, (100.0, 120.0), alpha=0.5, owner=owner)
    assert paper.owner[100, 100] == left
    assert paper.pixels[100, 100, 0] == pytest.approx(128, abs=2)


def test_dents_and_dirt_change_a_sprite_and_none_leave_it():
    sprite = sprites.revolved(TUBE, sprites.standing(0.5, 0.0), 200.0, 0.0)
    assert sprites.worn(sprite, np.random.default_rng(0), 0.0, 0.0).pixels is sprite.pixels
    dented = sprites.worn(sprite, np.random.default_rng(0), 0.8, 0.0).pixels
    assert ((dented[..., 3] > 127) != (sprite.pixels[..., 3] > 127)).sum() > 100
    dirty = sprites.worn(sprite, np.random.default_rng(0), 0.0, 0.8).pixels
    assert np.array_equal(dirty[..., 3], sprite.pixels[..., 3])
    assert dirty[..., :3].mean() < 0.95 * sprite.pixels[..., :3].mean()
