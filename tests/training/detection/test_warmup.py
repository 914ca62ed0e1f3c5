"""A warm-up never takes a larger step than the training that it leads to: what a start has learnt stays."""

import pytest

from training.pictures import STARTS, draw, lesson, training
from vouch.training import weights
from vouch.training.frameworks import framework

SMALL_RATE = 1e-6  # AdamW moves a parameter by about the learning rate a step, and two epochs here have six


@pytest.mark.parametrize("name", ["torchvision", "ultralytics"])
def test_a_start_outlives_the_warmup(name, tmp_path):
    photographs, start = lesson(draw(tmp_path / "photographs")), tmp_path / "start"
    adapter = framework("detect", name)
    first = adapter.train(photographs, training(epochs=1), STARTS[name], tmp_path / "first")
    weights.write(start, first.tensors, first.description)
    asked = training(epochs=2, optimizer="AdamW", learning_rate=SMALL_RATE, warmup_epochs=1.0)
    second = adapter.train(photographs, asked, start, tmp_path / "second")
    biases = [key for key in first.tensors if key.endswith(".bias")]
    assert biases
    for key in biases:
        assert (second.tensors[key].float() - first.tensors[key].float()).abs().max() < 1e-3, key
