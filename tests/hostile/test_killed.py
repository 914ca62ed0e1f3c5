"""kill -9 within a command: nothing half-written is visible, nothing of a person's is lost, the same command finishes.

DVC is a stand-in here (hostile.ground), so that a case takes milliseconds; tests/pipeline/test_interrupted.py kills it.
"""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from hostile import contract, ground, killing, labels, pool
from hostile.entering import staged, typed
from vouch.stages import scan, split

pytestmark = pytest.mark.slow
MOMENTS = 10  # of each command: the first, the last and some between
IMPORT = ("--format", "yolo", "--group", "session=value:s1", "--strata", "light=value:day")
COMMANDS = {
    "predict --csv": lambda: typed("predict", "driver", "new", "--csv", "out.csv"),
    "predict -o": lambda: typed("predict", "driver", "new/p0.jpg", "-o", "out.png"),
    "export jsonl": lambda: typed("manifest", "export", "driver", "-o", "out.jsonl"),
    "export yolo": lambda: typed("manifest", "export", "driver", "-o", "out", "--format", "yolo"),
    "deploy": lambda: typed("deploy", "driver", "out", "--to", "triton"),
    "promote": lambda: typed("promote", "driver"),
    "import": lambda: typed("import", "driver", "../source", *IMPORT),
    "undo": lambda: typed("import", "driver", "--undo"),
    "scan": lambda: staged(scan, "driver"),
    "split": lambda: staged(split, "driver"),
}
BEFORE = {"undo": "import"}  # what has run already
REMOVED = {"import": ("data/sources/driver/mine",), "undo": ("data/sources/driver/mine",), "scan": ("data/quality",)}
OUTPUTS = ("predict --csv", "predict -o", "export jsonl", "export yolo", "deploy")
ONCE = (*OUTPUTS, "import", "undo")  # refuse what is already there, or nothing to undo
TAKES_AWAY = ("import", "undo")  # one source for another: in between, neither may be there
WHOLE = ("out", "registry/driver/bundle", "data/sources/driver/imported")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The ground of the hostile tests, and a source beside it."""
    folder = tmp_path_factory.mktemp("killed")
    pool.build(folder)
    labels.plant(folder / "source", "yolo", labels.photos(np.random.default_rng(5), 6), "negative")
    return folder


@pytest.fixture
def fresh(made):
    """A way to stand in a new copy of the ground, as it is before a command runs."""
    before = Path.cwd()

    def copied(name):
        os.chdir(made)
        shutil.rmtree("here", ignore_errors=True)
        shutil.copytree("ground", "here", symlinks=True)
        os.chdir("here")
        for path in REMOVED.get(name, ()):
            shutil.rmtree(path)
        if name in BEFORE:
            assert killing.run(entering(made, BEFORE[name]))[0] == 0
        return made / "here"

    yield copied
    os.chdir(before)


def entering(made, name):
    """Return a call of a command that finds the stand-in for DVC."""

    def enter():
        ground.without_dvc(made)
        COMMANDS[name]()

    return enter


def visible(folder):
    """Return what is there but hidden files, which no reader of Vouch looks at."""
    entries = contract.snapshot(folder)
    shown = (path for path in entries if not any(part.startswith(".") for part in path.split("/")))
    return {path: (folder / path).read_bytes() if entries[path][0] == "file" else entries[path][0] for path in shown}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_killed_command_leaves_nothing_half_written_and_is_finished_by_the_next(made, fresh, name):
    folder, enter = fresh(name), entering(made, name)
    before = visible(folder)
    ended, total = killing.run(enter)
    assert ended == 0
    after = visible(folder)
    assert before != after
    for moment in sorted({1, total, *range(1, total, max(1, total // MOMENTS))}):
        folder = fresh(name)
        assert killing.run(enter, moment)[0] == -9
        halfway, when = visible(folder), f"at {moment} of {total}"
        for path, entry in halfway.items():
            assert entry in (before.get(path), after.get(path)), f"{path} is half-written {when}"
        for root in WHOLE:
            new = {path for path in after.keys() - before.keys() if path.startswith(f"{root}/")}
            assert new <= halfway.keys() or not new & halfway.keys(), f"{root} is half there {when}"
        lost = before.keys() & after.keys() - halfway.keys()
        assert not lost or name in TAKES_AWAY, f"{sorted(lost)} gone {when}"
        ended, _ = killing.run(enter)
        assert ended == 0 or (name in ONCE and halfway == after), f"not to be repeated {when}"
        assert visible(folder) == after, f"not finished {when}"
