import numpy as np
import pytest
import torch

from training.classifier_pictures import views
from vouch.training.backbones.params import Views
from vouch.training.classification.heads import GatedAttention, Heads, Mean, Top, TopK, looks, tile_corners


def seen(**changes):
    return Views.model_validate(views(**changes))


@pytest.fixture
def heads():
    torch.manual_seed(1)
    return Heads(5, 7, 3, gate=True, aux=True, abstention=False, dropout=0.5)


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
    found = looks(canvas, seen(tiles_per_side=3, overlap=0.0, side_px=32))
    assert found.shape == (2, 10, 3, 32, 32)
    assert found[:, 1:].mean(dim=(2, 3, 4)).tolist() == [list(range(9))] * 2
    assert found[:, 0].mean() == pytest.approx(4.0, abs=1e-4)


def test_without_tiles_the_canvas_is_not_touched():
    canvas = torch.rand(2, 3, 32, 32)
    assert torch.equal(looks(canvas, seen())[:, 0], canvas)


def test_top_k_averages_the_views_that_are_highest_in_one_column():
    values = torch.tensor([[[1.0, 5.0], [9.0, 4.0], [3.0, 6.0]], [[0.0, 1.0], [0.0, 2.0], [6.0, 3.0]]])
    assert TopK(2, 1)(values).tolist() == [[2.0, 5.5], [3.0, 2.5]]


def test_mean_is_the_mean():
    assert Mean()(torch.tensor([[[1.0, 2.0], [3.0, 6.0]]])).tolist() == [[2.0, 4.0]]


def test_attention_is_a_weighted_mean_of_views_in_any_order():
    torch.manual_seed(1)
    attention = GatedAttention(4).eval()
    values = torch.randn(3, 10, 4)
    found = attention(values)
    torch.testing.assert_close(found, attention(values[:, torch.randperm(10)]))
    assert ((found >= values.amin(1)) & (found <= values.amax(1))).all()
    assert not torch.allclose(found, values.mean(1), atol=1e-4)
    torch.testing.assert_close(attention(values[:, :1].expand(-1, 10, -1)), values[:, 0])


def test_heads_answer_with_the_shapes_they_say(heads):
    answers = heads(torch.randn(2, 5))
    assert answers.logits.shape == answers.aux.shape == (2, 3)
    assert answers.gate.shape == (2,)
    assert answers.abstention is None
    silent = Heads(5, 7, 3, gate=False, aux=False, abstention=True, dropout=0.0)(torch.randn(2, 5))
    assert (silent.logits.shape, silent.abstention.shape, silent.gate, silent.aux) == ((2, 3), (2,), None, None)


def test_dropout_works_in_training_and_rests_in_evaluation(heads):
    features = torch.randn(4, 5)
    assert not torch.equal(heads(features).logits, heads(features).logits)
    heads.eval()
    assert torch.equal(heads(features).logits, heads(features).logits)


def test_with_top_k_all_heads_are_read_off_the_same_views(heads):
    heads.eval()
    features = torch.randn(6, 10, 5)
    found = Top(heads, TopK(2, 1))(features)
    for number in range(6):
        each = heads(features[number])
        chosen = each.logits[:, 1].argsort(descending=True)[:2]
        for name in ("logits", "gate", "aux"):
            torch.testing.assert_close(getattr(found, name)[number], getattr(each, name)[chosen].mean(0))


@pytest.mark.parametrize("aggregator", [Mean(), TopK(2, 1), GatedAttention(5)])
def test_the_gate_is_linear_in_what_hidden_returns(heads, aggregator):
    top = Top(heads, aggregator).eval()
    features = torch.randn(6, 10, 5)
    expected = top.hidden(features) @ heads.gate.weight[0] + heads.gate.bias
    torch.testing.assert_close(top(features).gate, expected)
