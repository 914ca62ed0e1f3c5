"""An interrupted training goes on from its last checkpoint."""

import dataclasses
import shutil

import pytest
import torch

from training.interrupted import Killed, interrupt
from training.pictures import STARTS, draw, lesson, training
from vouch.errors import WorkspaceError
from vouch.training.frameworks import framework


def killed_after_first(function):
    """Do as `function` does, once, and then die."""

    def once(*arguments, **keywords):
        function(*arguments, **keywords)
        raise Killed

    return once


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    return draw(tmp_path_factory.mktemp("data") / "photographs")


def learn(name, photographs, scratch, **changes):
    return framework("detect", name).train(lesson(photographs), training(**changes), STARTS[name], scratch)


def interrupt_ultralytics(photographs, scratch):
    from ultralytics.engine.trainer import BaseTrainer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseTrainer, "save_model", killed_after_first(BaseTrainer.save_model))
        with pytest.raises(Killed):
            learn("ultralytics", photographs, scratch)
    assert any(scratch.rglob("last.pt"))


def test_torchvision_resumed_gives_the_bytes_of_an_uninterrupted_run(photographs, tmp_path):
    whole = learn("torchvision", photographs, tmp_path / "whole")
    interrupt(lambda: learn("torchvision", photographs, tmp_path / "broken"), tmp_path / "broken")
    resumed = learn("torchvision", photographs, tmp_path / "broken", resume=True)
    assert resumed.curve.equals(whole.curve)
    assert all(torch.equal(resumed.tensors[key], whole.tensors[key]) for key in whole.tensors)


def test_torchvision_takes_up_no_run_of_other_parameters_photographs_boxes_or_start(photographs, tmp_path):
    interrupt(lambda: learn("torchvision", photographs, tmp_path), tmp_path)
    given = lesson(photographs)
    moved = dataclasses.replace(given.train[0], boxes_xyxy=given.train[0].boxes_xyxy / 2)
    copy = shutil.copyfile(STARTS["torchvision"], tmp_path / "start.yaml")
    for changes, other, start in (
        ({"learning_rate": 0.002}, given, STARTS["torchvision"]),
        ({}, dataclasses.replace(given, train=(moved, *given.train[1:])), STARTS["torchvision"]),
        ({}, dataclasses.replace(given, val_select=given.val_select[:-1]), STARTS["torchvision"]),
        ({}, given, copy),
    ):
        with pytest.raises(WorkspaceError, match="a checkpoint of this very training"):
            framework("detect", "torchvision").train(other, training(resume=True, **changes), start, tmp_path)
    last = tmp_path / "last.pt"
    last.write_bytes(last.read_bytes()[:2000])
    with pytest.raises(WorkspaceError, match="a whole checkpoint"):
        learn("torchvision", photographs, tmp_path, resume=True)


def test_ultralytics_resumes_its_own_run_with_the_epoch_that_follows(photographs, tmp_path):
    interrupt_ultralytics(photographs, tmp_path / "broken")
    with pytest.raises(WorkspaceError, match="a checkpoint of this very training"):
        learn("ultralytics", photographs, tmp_path / "broken", resume=True, learning_rate=0.002)
    resumed = learn("ultralytics", photographs, tmp_path / "broken", resume=True)
    assert resumed.curve["epoch"].tolist() == [1, 2]
    assert all(tensor.isfinite().all() for tensor in resumed.tensors.values())
    assert not (tmp_path / "broken").exists()


def test_without_resume_an_interrupted_run_leaves_no_trace(photographs, tmp_path):
    whole = learn("ultralytics", photographs, tmp_path / "whole")
    interrupt_ultralytics(photographs, tmp_path / "broken")
    again = learn("ultralytics", photographs, tmp_path / "broken")
    assert again.curve.equals(whole.curve)
    assert all(torch.equal(again.tensors[key], whole.tensors[key]) for key in whole.tensors)
