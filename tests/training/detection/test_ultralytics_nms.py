"""On a busy machine Ultralytics' suppression leaves photographs out; ours does not let it."""

import pytest
import torch
from ultralytics.utils import nms

from vouch.training.detection.ultralytics_nms import whole_suppression


@pytest.fixture
def busy(monkeypatch):
    """Every look at the clock is a minute after the last."""
    minutes = iter(range(0, 6000, 60))
    monkeypatch.setattr(nms.time, "time", lambda: next(minutes))


def found():
    """Suppress three photographs with one candidate each: centre, size, and scores of two classes."""
    one = torch.tensor([[50.0, 50.0, 20.0, 20.0, 0.9, 0.1]]).T
    return [len(boxes) for boxes in nms.non_max_suppression(torch.stack([one] * 3), 0.25, 0.7)]


def test_a_busy_machine_leaves_no_photograph_out(busy):
    assert found() == [1, 0, 0]  # what it does by itself
    known = nms.non_max_suppression
    with whole_suppression():
        assert found() == [1, 1, 1]
    assert nms.non_max_suppression is known


def test_what_was_changed_is_put_back_when_a_training_fails():
    known = nms.non_max_suppression
    with pytest.raises(RuntimeError), whole_suppression():
        raise RuntimeError
    assert nms.non_max_suppression is known
