"""One resumable state for every loop: whole or absent, and of the same run alone."""

import pytest
import torch
from torch import nn

from vouch.errors import WorkspaceError
from vouch.training.optimization import checkpoint
from vouch.training.optimization.checkpoint import Checkpoint
from vouch.vision.images.source import File


def begun(at):
    return checkpoint.started(at, {"network": nn.Linear(2, 1)}, {"dual": 0.0})


def test_a_run_goes_on_with_its_progress_and_its_parts(tmp_path):
    at, network = Checkpoint(tmp_path / "last.pt", "this", resume=True), nn.Linear(2, 1)
    progress = begun(at)
    assert (progress.epoch, progress.best_epoch, progress.curve) == (0, 0, [])
    for number, best in ((1, {"weight": torch.ones(2)}), (2, None)):
        progress = checkpoint.recorded(progress, {"epoch": number}, best, {"dual": number / 2})
    checkpoint.save(at, progress, {"network": network})
    again = nn.Linear(2, 1)
    found = checkpoint.started(at, {"network": again}, {"dual": 0.0})
    assert (found.epoch, found.best_epoch, found.memory) == (2, 1, {"dual": 1.0})
    assert found.curve == [{"epoch": 1}, {"epoch": 2}]
    assert torch.equal(found.best["weight"], torch.ones(2))
    assert torch.equal(again.weight, network.weight)
    assert [path.name for path in tmp_path.iterdir()] == ["last.pt"]


def test_another_run_or_a_cut_file_is_refused_and_without_resume_not_looked_at(tmp_path):
    at = Checkpoint(tmp_path / "last.pt", "this", resume=True)
    checkpoint.save(at, begun(at), {"network": nn.Linear(2, 1)})
    with pytest.raises(WorkspaceError, match="a checkpoint of this very training, got other parameters"):
        begun(Checkpoint(at.path, "another", resume=True))
    assert begun(Checkpoint(at.path, "another", resume=False)).epoch == 0
    at.path.write_bytes(at.path.read_bytes()[:500])
    with pytest.raises(WorkspaceError, match="a whole checkpoint"):
        begun(at)


@pytest.mark.parametrize(
    ("epoch", "best_epoch", "expected"), [(0, 0, True), (4, 2, True), (5, 2, False), (9, 9, True), (10, 10, False)]
)
def test_a_run_ends_with_its_epochs_or_its_patience(epoch, best_epoch, expected):
    progress = checkpoint.Progress(epoch, best_epoch, {}, [], {})
    assert checkpoint.going(progress, epochs=10, patience_epochs=3) == expected


def test_a_start_or_a_photograph_of_other_bytes_leaves_another_mark(tmp_path):
    file, folder = tmp_path / "start.pt", tmp_path / "start"
    folder.mkdir()
    marks = []
    for content in (b"one", b"two", b"three"):
        file.write_bytes(content)
        (folder / "weights").write_bytes(content)
        marks.append((checkpoint.started_from(file), checkpoint.started_from(folder)))
        marks.append(checkpoint.stand_in([File(file)]))
    assert marks[0][0] != marks[2][0]
    assert marks[0][1] != marks[2][1]
    assert marks[3] != marks[5]  # three bytes, then five
    assert checkpoint.started_from(tmp_path / "absent") == [(tmp_path / "absent").as_posix()]
