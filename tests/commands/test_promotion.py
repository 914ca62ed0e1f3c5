import errno

import pytest

from deployment.bundles import build
from full_disk import full_disk
from release import judged
from vouch import io
from vouch.commands.promotion import promote
from vouch.errors import BundleError, ParamsError, WorkspaceError
from vouch.params import read_params
from vouch.release.bundle import verify
from vouch.release.verdict import open_verdict

PARAMS = "pipeline:\n  unpromoted: # until promoted\n    m:\n      dataset: d\n    other:\n      dataset: d\n"


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    judged.make(tmp_path)
    (tmp_path / "params.yaml").write_text(PARAMS)
    return tmp_path


def promoted(root, model="m"):
    return promote(model, root / "models/m/bundle", root / f"registry/{model}/bundle", verdict=open_verdict("m"))


def test_promotion_copies_tracks_and_takes_the_model_off_the_list_and_may_be_repeated(workspace):
    judged.track(workspace)
    for _ in range(2):
        assert promoted(workspace) == "0.1.0"
        assert verify(workspace / "registry/m/bundle")["name"] == "m"
        assert (workspace / "registry/m/bundle.dvc").is_file()
        assert read_params(workspace / "params.yaml") == {"pipeline": {"unpromoted": {"other": {"dataset": "d"}}}}
        assert "# until promoted" in (workspace / "params.yaml").read_text()


def test_another_models_bundle_is_refused_and_nothing_changes(workspace):
    with pytest.raises(BundleError, match="a bundle of other"):
        promoted(workspace, "other")
    assert (workspace / "params.yaml").read_text() == PARAMS


def held(root):
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file() and ".dvc" not in path.parts}


def test_a_full_disk_leaves_registry_and_params_as_they_were(workspace):
    build(workspace / "registry/m/bundle", "detect")  # the baseline of before
    before = held(workspace)
    with full_disk(), pytest.raises(OSError, match="File too large") as caught:
        promoted(workspace)
    assert caught.value.errno == errno.EFBIG  # by which `cli.main` names it
    assert held(workspace) == before


def test_a_full_disk_leaves_no_registry_where_there_was_none(workspace):
    with full_disk(), pytest.raises(OSError, match="File too large"):
        promoted(workspace)
    assert not (workspace / "registry").exists()


def test_a_bundle_that_was_not_judged_is_refused_and_nothing_changes(workspace):
    io.write_json(workspace / "models/m/policy.json", {"made": "anew"})
    judged.write_verdict(workspace, judged.rule())  # the gate ran again, bundle did not
    with pytest.raises(BundleError, match=r"policy\.json: expected the file that the gate judged"):
        promoted(workspace)
    assert (workspace / "params.yaml").read_text() == PARAMS
    assert not (workspace / "registry").exists()


def test_a_list_that_cannot_be_edited_refuses_before_anything_is_copied(workspace):
    (workspace / "params.yaml").write_text("pipeline:\n  unpromoted: []\n")
    with pytest.raises(ParamsError, match="a block mapping"):
        promoted(workspace)
    assert not (workspace / "registry").exists()


def test_a_copy_that_fails_leaves_the_list_as_it_was(workspace):
    (workspace / "registry").write_text("in the way")
    with pytest.raises(OSError, match="registry"):
        promoted(workspace)
    assert (workspace / "params.yaml").read_text() == PARAMS


def test_a_bundle_that_dvc_does_not_record_is_named_and_kept(workspace):
    with pytest.raises(WorkspaceError, match=r"dvc add .*registry/m/bundle: expected success"):
        promoted(workspace)  # no DVC here
    assert (workspace / "registry/m/bundle/manifest.json").is_file()
