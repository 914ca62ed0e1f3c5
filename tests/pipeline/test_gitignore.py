"""The hand-written .gitignore: outputs stay out of git, records of imports and promotions stay in."""

import shutil

import pytest
from dvc.repo import Repo

from pipeline import workspace
from pipeline.graph import GRAPH, ROOT, outputs


@pytest.fixture
def repository(tmp_path):
    """The ignore files and the graph, under git and DVC, without code or data."""
    for name in (".gitignore", ".dvcignore", "dvc.yaml", "params.yaml", ".dvc/config", ".dvc/.gitignore"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    workspace.done(tmp_path, "git", "init", "--quiet")
    return tmp_path


def ignored(folder, path):
    return workspace.run(folder, "git", "check-ignore", "--quiet", path).returncode == 0


@pytest.mark.parametrize("path", ["data/sources/real", "data/unlabelled/real", "registry/real/bundle"])
def test_what_was_imported_or_promoted_is_known_to_git_and_dvc(repository, path):
    (repository / path).mkdir(parents=True)
    (repository / path / "a.txt").write_text("a photograph")
    before = (repository / ".gitignore").read_bytes()
    workspace.done(repository, "dvc", "add", "--quiet", path)
    assert ignored(repository, f"{path}/a.txt")
    assert not ignored(repository, f"{path}.dvc")
    with Repo(str(repository)) as repo:
        assert str(repository / f"{path}.dvc") in {stage.path for stage in repo.index.stages}
    assert (repository / ".gitignore").read_bytes() == before
    assert workspace.done(
        repository, "git", "ls-files", "--others", "--exclude-standard", path.split("/")[0]
    ).split() == [f"{path}.dvc"]


def test_every_record_of_git_is_in_the_index_of_dvc():
    in_git = workspace.done(ROOT, "git", "ls-files", "--cached", "--others", "--exclude-standard", "*.dvc").split()
    with Repo(str(ROOT)) as repo:
        known = {stage.path for stage in repo.index.stages if stage.path.endswith(".dvc")}
    assert {str(ROOT / name) for name in in_git} == known


def test_an_output_is_ignored_by_git_unless_git_keeps_it(repository):
    for stage in GRAPH.values():
        for path, flags in outputs(stage).items():
            assert ignored(repository, path) == (flags.get("cache") is not False), path


@pytest.mark.parametrize(
    "path",
    [
        "models/starter/driver/weights.safetensors",
        "models/architectures/yolo11p.yaml",
        "models/architectures/lite0.yaml",
        "splits/driver.lock.csv",
        "metrics/driver/test.json",
    ],
)
def test_what_people_keep_is_not_ignored(repository, path):
    assert not ignored(repository, path)
