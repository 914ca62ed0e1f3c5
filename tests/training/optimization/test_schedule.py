"""One schedule for every loop."""

import pytest
import torch

from vouch.training.optimization.params import Schedule
from vouch.training.optimization.schedule import set_learning_rate


def schedule(**changes):
    values = {"epochs": 10, "learning_rate": 0.1, "final_learning_rate": 0.1, "warmup_epochs": 2.0}
    return Schedule.model_validate(values | changes)


def solver(*scales):
    return torch.optim.SGD([{"params": [torch.zeros(1)], "lr": 1.0, "lr_scale": scale} for scale in scales])


def test_the_rate_warms_up_in_a_line_and_falls_on_a_cosine():
    found = [set_learning_rate(solver(1.0), schedule(), epochs) for epochs in (0.0, 1.0, 5.0, 10.0)]
    # at 5 of 10 epochs the cosine is a half: .1 * (.1 + .9 / 2)
    assert found == pytest.approx([0.0001 / 2, 0.05 * (0.1 + 0.9 * 0.97553), 0.055, 0.01], rel=0.01)


def test_each_group_learns_at_its_own_share_of_the_rate():
    optimizer = solver(1.0, 0.25)
    assert set_learning_rate(optimizer, schedule(warmup_epochs=0.0), 0.0) == 0.1
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.025]
