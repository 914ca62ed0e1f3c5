"""A log of a training is short."""

import logging
import sys

import pytest

from training.pictures import STARTS, draw, lesson, training
from vouch.training.detection.ultralytics_log import said_by_epoch
from vouch.training.frameworks import framework


def test_without_a_terminal_a_training_says_one_line_an_epoch(tmp_path, capsys):
    logger = logging.getLogger("ultralytics")
    photographs = lesson(draw(tmp_path / "photographs"))
    adapter = framework("detect", "ultralytics")
    before = logger.level
    capsys.readouterr()
    trained = adapter.train(photographs, training(epochs=3), STARTS["ultralytics"], tmp_path / "scratch")
    said = capsys.readouterr()
    lines = [line for line in said.out.splitlines() if line.startswith("epoch ")]
    losses = trained.curve[["train_box_loss", "train_class_loss", "train_distribution_loss"]].sum(axis=1)
    assert [line.split(":")[0] for line in lines] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert [float(line.split()[4].strip(",")) for line in lines] == pytest.approx(losses.tolist(), abs=1e-3)
    assert [float(line.split()[-1]) for line in lines] == pytest.approx(trained.curve["val_select_map50"], abs=1e-4)
    assert len(said.out.splitlines()) + len(said.err.splitlines()) <= 10
    assert "\r" not in said.out + said.err
    assert logger.level == before


def test_on_a_terminal_ultralytics_draws_its_own_bars(monkeypatch):
    class Trainer:
        def add_callback(self, event, function):
            raise AssertionError(event)

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    logger = logging.getLogger("ultralytics")
    before = logger.level
    with said_by_epoch(Trainer()):
        assert logger.level == before
