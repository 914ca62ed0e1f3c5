import subprocess
import sys

import pytest

from vouch import io
from vouch.errors import BundleError
from vouch.params import read_params
from vouch.release.bundle import verify, write_bundle
from vouch.release.registry import promote

PARAMS = "pipeline:\n  unpromoted: # until promoted\n    m:\n      dataset: d\n    other:\n      dataset: d\n"


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], check=True)
    (tmp_path / "params.yaml").write_text(PARAMS)
    contents = {
        "labels.json": {"classes": []},
        "calibrator.json": {"kind": "scalar", "floor": 0.0, "global": {"method": "identity"}, "classes": {}},
        "policy.json": {"kind": "operating_point", "feasible": False, "guarantee": "none", "thresholds": {}}
        | dict.fromkeys(("alpha", "delta", "objective", "evidence", "infeasible")),
    }
    files = {name: io.dumps(content).encode() for name, content in contents.items()}
    write_bundle(tmp_path / "models/m/bundle", "m", "1.2.3", "finds_nothing", files)
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
