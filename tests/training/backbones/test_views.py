import numpy as np
import pytest
import torch

from training.classifier_pictures import views
from vouch.training.backbones.params import Views
from vouch.training.backbones.views import canvas_views, tile_corners


def seen(**changes):
    return Views.model_validate(views(**changes))


def test_tiles_of_a_third_overlap_by_the_fraction_asked_for():
    # 100 / (3 - 2 * .15) = 37.04, so 37 pixels, beginning at 0, 31.5 and 63; neighbours share 5.5 of 37
    assert tile_corners(100, seen(tiles_per_side=3, overlap=0.15)) == (37, [0, 32, 63])


@pytest.mark.parametrize("size_px", [64, 97, 224])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_tiles_cover_the_canvas_and_stay_on_it(size_px, count):
    side, starts = tile_corners(size_px, seen(tiles_per_side=count, overlap=0.2))
    covered = np.zeros(size_px, int)
    for start in starts:
        assert 0 <= start <= size_px - side
        covered[start : start + side] += 1
    assert covered.min() >= 1


def test_a_look_is_the_whole_canvas_and_then_its_tiles_row_by_row():
    canvas = torch.kron(torch.arange(9.0).reshape(3, 3), torch.ones(32, 32))[None, None].expand(2, 3, -1, -1)
    found = canvas_views(canvas, seen(tiles_per_side=3, overlap=0.0, side_px=32))
    assert found.shape == (2, 10, 3, 32, 32)
    assert found[:, 1:].mean(dim=(2, 3, 4)).tolist() == [list(range(9))] * 2
    assert found[:, 0].mean() == pytest.approx(4.0, abs=1e-4)


def test_without_tiles_the_canvas_is_not_touched():
    canvas = torch.rand(2, 3, 32, 32)
    assert torch.equal(canvas_views(canvas, seen())[:, 0], canvas)
