"""Killed, run twice at once, out of disk: the next `dvc repro` recovers, and nothing half-written is left."""

import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager, suppress

import pytest

from pipeline import workspace

pytestmark = pytest.mark.slow
PATIENCE_S = 300.0  # of a loaded machine
IN_A_SMALL_DISK = """
mount -t tmpfs -o size={size} tmpfs {folder} || exit 77
sh -c '{command}'
code=$?
find {folder} -type f -printf 'left %p %s\\n'
exit $code
"""


@contextmanager
def in_background(folder, *words):
    """Start a command with a process group of its own, which does not outlive the test."""
    process = subprocess.Popen(words, cwd=folder, env=workspace.environment(folder), start_new_session=True)
    try:
        yield process
    finally:
        with_all(process, signal.SIGKILL)


def with_all(process, number):
    """Signal a command and all that it started; they may be gone."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
    process.wait()


def wait_for(path):
    end = time.monotonic() + PATIENCE_S
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.05)


def same_outputs(folder, tiny, stage):
    paths = [out["path"] for out in workspace.locked(tiny)[stage]["outs"]]
    assert {path: workspace.contents(folder / path) for path in paths} == {
        path: workspace.contents(tiny / path) for path in paths
    }


def test_a_killed_dvc_leaves_a_stage_that_no_other_joins_and_a_killed_stage_is_recovered(mine, tiny):
    workspace.change(mine, {f"models.driver.train_detector.{key}": 100_000 for key in ("epochs", "patience_epochs")})
    with in_background(mine, "dvc", "repro", "--quiet", "train_detector@driver") as dvc:
        wait_for(mine / ".dvc/tmp/vouch/train/driver/run/weights/last.pt")
        os.kill(dvc.pid, signal.SIGKILL)  # the stage goes on
        dvc.wait()
        refused = workspace.run(mine, "dvc", "repro", "train_detector@driver")
        assert refused.returncode != 0
        assert "expected no other run of this stage, got one that still runs" in refused.stdout
    shutil.copyfile(tiny / "params.yaml", mine / "params.yaml")
    assert workspace.repro(mine, "--no-run-cache", "train_detector@driver") == {"train_detector@driver"}
    same_outputs(mine, tiny, "train_detector@driver")


def test_a_killed_render_is_recovered(mine, tiny):
    shutil.rmtree(mine / "data/sources/driver")
    workspace.change(mine, {"datasets.driver.render.trips_per_driver": 200})  # minutes of drawing
    with in_background(mine, "dvc", "repro", "--quiet", "--no-run-cache", "render@driver"):
        wait_for(mine / "data/sources/driver")  # drawing has begun
    assert not (mine / "data/sources/driver/render").exists()
    shutil.copyfile(tiny / "params.yaml", mine / "params.yaml")
    assert workspace.repro(mine, "--no-run-cache") == {"render@driver"}
    same_outputs(mine, tiny, "render@driver")


@pytest.mark.parametrize(
    ("stage", "folder", "size"),
    [
        ("render@driver", "data/sources", "64k"),
        ("scan@driver", "data/quality", "8k"),
        ("predict_candidate@driver", "data/predictions", "8k"),
        ("report@driver", "reports", "16k"),
    ],
)
def test_a_full_disk_is_named_and_nothing_half_written_stays(mine, stage, folder, size):
    command = workspace.locked(mine)[stage]["cmd"]
    script = IN_A_SMALL_DISK.format(size=size, folder=folder, command=command)
    finished = workspace.run(mine, "unshare", "--mount", "--map-root-user", "sh", "-c", script)
    if finished.returncode == 77 or "unshare" in finished.stdout:
        pytest.skip("this machine lets nobody mount a small disk")
    assert finished.returncode == 1, finished.stdout
    assert "vouch: cannot run here: 1 problem" in finished.stdout
    assert "expected free disk space, got No space left on device" in finished.stdout
    left = dict(line.split()[1:] for line in finished.stdout.splitlines() if line.startswith("left "))
    assert left == {path: str((mine / path).stat().st_size) for path in left}  # whole, or absent
