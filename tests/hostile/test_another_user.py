"""Another user than the one who cloned may read the workspace, and not write: answers or named errors, no traceback."""

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

from hostile import contract, ground, labels, pool
from hostile.contract import Attempt
from hostile.entering import staged, typed
from vouch.stages import gate, ingest, scan, split, validate

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user"),
]
NOBODY = 65534
IMPORT = ("--format", "yolo", "--group", "session=value:s1", "--strata", "light=value:day", "--name", "more")
READS = {
    "predict": lambda: typed("predict", "driver", "new"),
    "gate": lambda: typed("gate", "driver"),
    "compare": lambda: typed("compare", "driver"),
}
WRITES = {
    "predict --csv": lambda: typed("predict", "driver", "new", "--csv", "out.csv"),
    "predict -o": lambda: typed("predict", "driver", "new/p0.jpg", "-o", "out.png"),
    "export": lambda: typed("manifest", "export", "driver", "-o", "out.jsonl"),
    "export yolo": lambda: typed("manifest", "export", "driver", "-o", "out", "--format", "yolo"),
    "deploy": lambda: typed("deploy", "driver", "out", "--to", "triton"),
    "promote": lambda: typed("promote", "driver"),
    "import": lambda: typed("import", "driver", "../source", *IMPORT),
    "undo": lambda: typed("import", "driver", "--undo"),
    **{
        f"stage {one.__name__.rpartition('.')[2]}": lambda one=one: staged(one, "driver")
        for one in (ingest, scan, validate, split)
    },
    "stage gate": lambda: staged(gate, "driver", "driver"),
}
SECRETS = ("params.yaml", "metrics/driver/gate.json", "models/driver/bundle/manifest.json", "new/p0.jpg", "new")


@pytest.fixture(scope="module")
def made():
    """A ground that everybody may read: pytest's own folders are for their owner alone."""
    folder = Path(tempfile.mkdtemp(prefix="vouch-user-"))
    folder.chmod(0o755)
    pool.build(folder)
    labels.plant(folder / "source", "yolo", labels.photos(np.random.default_rng(5), 6), "negative")
    yield folder
    shutil.rmtree(folder)


def as_another(folder, enter):
    """Return the outcome and the finding of an attempt by another user."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        said = "broken\n"
        try:
            said = _as_another(folder, enter)
        except BaseException:  # nothing of the forked process may run on
            said += contract.last_frames()
        finally:
            os.write(writing, said.encode("utf-8", "replace"))
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        outcome, _, finding = stream.read().partition("\n")
    os.waitpid(child, 0)
    shutil.rmtree(folder / "warm", ignore_errors=True)
    return outcome, finding


def _as_another(folder, enter):
    """Warm up as root in a copy: Python itself may lie where only root can read it, and is then imported already."""
    ground.without_dvc(folder)
    warm = folder / "warm"
    shutil.copytree(folder / "ground", warm, symlinks=True)
    os.chdir(warm)
    contract.judged(Attempt("", enter, lambda _: ""), warm)
    os.chdir(folder / "here")
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    verdict = contract.judged(Attempt("", enter, lambda _: ""), folder / "here")
    return f"{verdict.outcome}\n{verdict.finding}"


@pytest.fixture
def here(made):
    shutil.rmtree(made / "here", ignore_errors=True)
    shutil.copytree(made / "ground", made / "here", symlinks=True)
    return made / "here"


@pytest.mark.parametrize("name", READS)
def test_what_only_reads_answers(made, here, name):
    assert as_another(made, READS[name]) == ("accepted", "")


@pytest.mark.parametrize("name", WRITES)
def test_what_cannot_write_says_so(made, here, name):
    assert as_another(made, WRITES[name]) == ("refused", "")


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("path", SECRETS)
def test_what_cannot_be_read_is_named(made, here, name, path):
    (here / path).chmod(0)
    _, finding = as_another(made, READS[name])
    assert not finding
