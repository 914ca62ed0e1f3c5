import pytest
import torch

from vouch.training.classification.heads import GatedAttention, Heads, Mean, Top, TopK


@pytest.fixture
def heads():
    torch.manual_seed(1)
    return Heads(5, 7, 3, gate=True, aux=True, abstention=False, dropout=0.5)


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
