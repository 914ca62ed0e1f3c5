"""A training of a detector takes as many threads as it is given, on a machine that others work on too."""

import pytest
import torch

from training.pictures import STARTS, draw, lesson, training
from vouch.training.frameworks import framework


@pytest.mark.parametrize("name", ["torchvision", "ultralytics"])
def test_a_detector_trains_on_as_many_threads_as_it_is_given(name, tmp_path):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        photographs = lesson(draw(tmp_path / "photographs"))
        framework("detect", name).train(photographs, training(threads=2, epochs=1), STARTS[name], tmp_path / "scratch")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
