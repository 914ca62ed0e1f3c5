"""A cache on another file system, and another user than the one who cloned: the same hashes, or a word that helps."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from pipeline import workspace

pytestmark = pytest.mark.slow
STAGES = ("render@driver", "ingest@driver", "scan@driver", "validate@driver", "split@driver")
READ = "+dac_read_search"  # the Python of these tests may lie where only root can read it; writing is what is tried
NOBODY = (
    *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", f"--inh-caps={READ}", f"--ambient-caps={READ}"),
    *("--bounding-set=-all,+dac_read_search",),
)


def other_disk():
    """Return a folder on another file system than the temporary ones, or skip."""
    memory = Path("/dev/shm")
    if not (memory.is_dir() and os.access(memory, os.W_OK)):
        pytest.skip("no file system in memory")
    if memory.stat().st_dev == Path(tempfile.gettempdir()).stat().st_dev:
        pytest.skip("/dev/shm is on the same file system")
    return Path(tempfile.mkdtemp(dir=memory))


def test_a_cache_on_another_file_system_gives_the_same_hashes(tiny, tmp_path):
    cache = other_disk()
    try:
        folder = workspace.make(tmp_path, cache)
        assert workspace.repro(folder, STAGES[-1]) == set(STAGES)
        ours, theirs = workspace.locked(folder), workspace.locked(tiny)
        assert {name: ours[name]["outs"] for name in STAGES} == {name: theirs[name]["outs"] for name in STAGES}
        scanned = folder / "data/quality/driver/scan.parquet"
        before = scanned.read_bytes()
        shutil.rmtree(folder / "data")
        workspace.done(folder, "dvc", "checkout", "--quiet", *STAGES)  # from one file system to the other
        assert scanned.read_bytes() == before
        assert workspace.repro(folder, STAGES[-1]) == set()
    finally:
        shutil.rmtree(cache)


@pytest.fixture
def theirs(mine):
    """A workspace of root's that another user runs commands in."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can become another user")
    if workspace.run(mine, *NOBODY, "true").returncode != 0:
        pytest.skip("this machine lets nobody keep the right to read alone")
    return mine


@pytest.mark.parametrize(
    "words",
    [
        ("dvc", "repro"),  # git calls the ownership dubious, DVC cannot lock
        ("dvc", "repro", "--force", "ingest@driver"),
        ("env", "PYTHONPATH=src", "python", "-m", "vouch.stages.ingest", "driver"),
        ("env", "PYTHONPATH=src", "python", "-c", "from vouch.cli import main; main()", "promote", "driver"),
    ],
)
def test_another_user_is_told_and_nothing_changes(theirs, words):
    before = workspace.contents(theirs)
    finished = workspace.run(theirs, *NOBODY, *words)
    assert finished.returncode != 0
    assert "Traceback" not in finished.stdout, finished.stdout[-3000:]
    assert len(finished.stdout.strip()) > 20, "without a word"
    assert workspace.contents(theirs) == before
