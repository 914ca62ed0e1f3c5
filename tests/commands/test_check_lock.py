"""What `make check` says of dvc.lock, where all data are here, a part of them, or none."""

import shutil
from pathlib import Path

import pytest

from vouch import paths
from vouch.commands.check_lock import check_lock
from vouch.errors import WorkspaceError

BUNDLE = "models/m/bundle"


def refused():
    with pytest.raises(WorkspaceError) as error:
        check_lock()
    return {problem.where: (problem.got, problem.remedy) for problem in error.value.problems}


def test_what_is_in_step_passes_whole_and_without_data(recorded):
    check_lock()
    shutil.rmtree(BUNDLE)
    paths.model("m", "policy.json").unlink()
    check_lock()


def test_a_folder_of_which_files_are_absent_is_named_with_what_brings_it_back(recorded):
    count = len(list(Path(BUNDLE).iterdir()))
    Path(BUNDLE, "model.onnx").unlink()
    bring_back = "run `dvc checkout`, or `dvc pull` where a remote holds it; then repeat"
    assert refused() == {
        BUNDLE: (f"{count - 1} of {count} files", bring_back),
        "bundle@m": ("others", "bring back what is here in part first"),
    }


def test_absent_data_that_a_changed_stage_reads_are_named_instead_of_a_missing_file(recorded):
    signed = f"  sign:\n    cmd: echo signed\n    deps:\n      - {BUNDLE}\n"
    Path("dvc.yaml").write_text(Path("dvc.yaml").read_text() + signed)  # a stage that never ran
    shutil.rmtree(BUNDLE)
    found = refused()
    assert found == {
        BUNDLE: ("nothing", "run `dvc checkout`, or `dvc pull` where a remote holds it; then repeat"),
        "sign": ("others", "run `make repro`, and commit dvc.lock"),
    }


def test_a_stage_that_changed_is_named_with_the_command_that_runs_it(recorded):
    Path("dvc.yaml").write_text(Path("dvc.yaml").read_text().replace("echo bundled", "echo again"))
    assert refused() == {"bundle@m": ("others", "run `make repro`, and commit dvc.lock")}
