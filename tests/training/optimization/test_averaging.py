"""One average for every loop: warmed up for a classifier, towards 1 for a teacher, frozen tensors shared."""

import pytest
import torch
from timm.utils import ModelEmaV3
from torch import nn

from vouch.training.optimization.averaging import copied, follow, towards_one, warmed_up


def network():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def test_averaged_weights_follow_at_once_and_lag_later():
    module = nn.Linear(3, 2)
    average = copied(module)
    with torch.no_grad():
        module.weight += 1.0
        follow(average, module, warmed_up(0.9, 1))
        assert torch.equal(average.weight, module.weight)
        before = average.weight.clone()
        module.weight += 1.0
        follow(average, module, warmed_up(0.9, 10_000))
    torch.testing.assert_close(average.weight, before + 0.1)


def test_the_average_is_that_of_timm_and_the_frozen_is_not_held_twice():
    one = network()
    one[0].requires_grad_(False)
    average, other = copied(one), ModelEmaV3(one, 0.9, use_warmup=True)
    written = average[0].weight._version
    for step in range(1, 5):
        with torch.no_grad():
            one[2].weight.add_(1.0)
        one(torch.randn(8, 3))  # moves the running statistics, and counts a batch
        follow(average, one, warmed_up(0.9, step))
        other.update(one, step=step)
    expected = other.module.state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in average.state_dict().items())
    assert int(average[1].num_batches_tracked) == 4
    assert average[0].weight._version == written
    pairs = zip(average.parameters(), one.parameters(), strict=True)
    assert all((own is its) != its.requires_grad for own, its in pairs)
    assert not average.training
    assert not any(own.requires_grad for own in average.parameters())


def test_a_teacher_slows_down_to_a_halt():
    # half-way the cosine is 0: 1 - .1 / 2
    assert [towards_one(0.9, step, 10) for step in (0, 5, 10)] == pytest.approx([0.9, 0.95, 1.0])
