import errno
import subprocess
import sys

import pytest

from full_disk import full_disk
from vouch import io
from vouch.errors import BundleError, WorkspaceError
from vouch.params import read_params
from vouch.release.bundle import verify, write_bundle
from vouch.release.registry import promote

PARAMS = "pipeline:\n  unpromoted: # until promoted\n    m:\n      dataset: d\n    other:\n      dataset: d\n"

CONTENTS = {
    "labels.json": {"classes": ["a"]},
    "calibrator.json": {"kind": "scalar", "floor": 0.0, "global": {"method": "identity"}, "classes": {}},
    "policy.json": {"kind": "operating_point", "feasible": False, "guarantee": "none", "thresholds": {}}
    | dict.fromkeys(("alpha", "delta", "objective", "evidence", "infeasible")),
}
FILES = {name: io.dumps(content).encode() for name, content in CONTENTS.items()}


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], check=True)
    (tmp_path / "params.yaml").write_text(PARAMS)
    write_bundle(tmp_path / "models/m/bundle", "m", "1.2.3", "finds_nothing", FILES)
    return tmp_path


def test_promotion_copies_tracks_and_takes_the_model_off_the_list(workspace):
    registry = workspace / "registry/m/bundle"
    assert promote("m", workspace / "models/m/bundle", registry) == "1.2.3"
    assert verify(registry)["name"] == "m"
    assert (workspace / "registry/m/bundle.dvc").is_file()
    assert read_params(workspace / "params.yaml") == {"pipeline": {"unpromoted": {"other": {"dataset": "d"}}}}
    assert "# until promoted" in (workspace / "params.yaml").read_text()


def test_promotion_may_be_repeated(workspace):
    for _ in range(2):
        promote("m", workspace / "models/m/bundle", workspace / "registry/m/bundle")


def test_another_models_bundle_is_refused_and_nothing_changes(workspace):
    with pytest.raises(BundleError, match="a bundle of other"):
        promote("other", workspace / "models/m/bundle", workspace / "registry/other/bundle")
    assert (workspace / "params.yaml").read_text() == PARAMS


def held(root):
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file() and ".dvc" not in path.parts}


def test_a_full_disk_leaves_registry_and_params_as_they_were(workspace):
    registry = workspace / "registry/m/bundle"
    write_bundle(registry, "m", "1.0.0", "finds_nothing", FILES)  # the baseline of before
    before = held(workspace)
    with full_disk(), pytest.raises(OSError, match="File too large") as caught:
        promote("m", workspace / "models/m/bundle", registry)
    assert caught.value.errno == errno.EFBIG  # by which `cli.main` names it
    assert held(workspace) == before


def test_what_dvc_refuses_is_told_in_its_words_and_the_same_promotion_goes_on(workspace):
    text = "stages:\n  s:\n    cmd: echo\n    outs:\n    - registry/m/bundle\n"
    (workspace / "dvc.yaml").write_text(text)
    with pytest.raises(WorkspaceError, match=r"dvc add .*: expected success, got ERROR: "):
        promote("m", workspace / "models/m/bundle", workspace / "registry/m/bundle")
    (workspace / "dvc.yaml").unlink()
    assert promote("m", workspace / "models/m/bundle", workspace / "registry/m/bundle") == "1.2.3"
    assert (workspace / "registry/m/bundle.dvc").is_file()
