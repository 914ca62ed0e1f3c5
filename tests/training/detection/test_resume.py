"""An interrupted training goes on from its last checkpoint."""

import pytest
import torch

from training.pictures import STARTS, draw, lesson, training
from vouch.training.frameworks import framework


class Killed(BaseException):
    pass


def killed_after_first(function):
    """Do as `function` does, once, and then die."""

    def once(*arguments, **keywords):
        function(*arguments, **keywords)
        raise Killed

    return once


def killed_within_second(save):
    """Do as `torch.save` does, once, and die half-way through the next checkpoint."""
    saved = []

    def partly(content, path):
        save(content, path)
        if saved:
            path.write_bytes(path.read_bytes()[:1000])
            raise Killed
        saved.append(path)

    return partly


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    return draw(tmp_path_factory.mktemp("data") / "photographs")


def interrupt(name, photographs, scratch, where, killed=killed_after_first):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(where[0], where[1], killed(getattr(*where)))
        with pytest.raises(Killed):
            framework(name).train(lesson(photographs), training(), STARTS[name], scratch)
    assert any(scratch.rglob("last.pt"))


def test_torchvision_resumed_gives_the_bytes_of_an_uninterrupted_run(photographs, tmp_path):
    learn = framework("torchvision").train
    whole = learn(lesson(photographs), training(), STARTS["torchvision"], tmp_path / "whole")
    interrupt("torchvision", photographs, tmp_path / "broken", (torch, "save"), killed_within_second)
    resumed = learn(lesson(photographs), training(resume=True), STARTS["torchvision"], tmp_path / "broken")
    assert resumed.curve.equals(whole.curve)
    assert all(torch.equal(resumed.tensors[key], whole.tensors[key]) for key in whole.tensors)


def test_ultralytics_resumes_with_the_epoch_that_follows(photographs, tmp_path):
    from ultralytics.engine.trainer import BaseTrainer

    learn = framework("ultralytics").train
    interrupt("ultralytics", photographs, tmp_path / "broken", (BaseTrainer, "save_model"))
    resumed = learn(lesson(photographs), training(resume=True), STARTS["ultralytics"], tmp_path / "broken")
    assert resumed.curve["epoch"].tolist() == [1, 2]
    assert all(tensor.isfinite().all() for tensor in resumed.tensors.values())
    assert not (tmp_path / "broken").exists()


def test_without_resume_an_interrupted_run_leaves_no_trace(photographs, tmp_path):
    learn = framework("ultralytics").train
    whole = learn(lesson(photographs), training(), STARTS["ultralytics"], tmp_path / "whole")
    from ultralytics.engine.trainer import BaseTrainer

    interrupt("ultralytics", photographs, tmp_path / "broken", (BaseTrainer, "save_model"))
    again = learn(lesson(photographs), training(), STARTS["ultralytics"], tmp_path / "broken")
    assert again.curve.equals(whole.curve)
    assert all(torch.equal(again.tensors[key], whole.tensors[key]) for key in whole.tensors)
