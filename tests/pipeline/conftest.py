import shutil

import pytest

from pipeline import workspace


def built(tmp_path_factory, overrides, examples, *targets):
    """Return a workspace in which these stages have run once and everything is committed."""
    folder = tmp_path_factory.mktemp("tiny")
    workspace.make(folder, tmp_path_factory.mktemp("cache"), overrides, examples)
    workspace.done(folder, "dvc", "repro", *targets)
    workspace.commit(folder)
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A workspace in which the whole graph has run once and everything is committed; nobody changes it."""
    folder = tmp_path_factory.mktemp("tiny")
    workspace.make(folder, tmp_path_factory.mktemp("cache"))
    (folder / "output.txt").write_text(workspace.done(folder, "dvc", "repro"), encoding="utf-8")
    shutil.move(folder / "output.txt", folder.with_name("output.txt"))
    workspace.commit(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_classifier(tmp_path_factory):
    """The same with two classifiers in place of the detector: one trained whole, one on a frozen backbone."""
    return built(tmp_path_factory, workspace.ROADWORK_ALONE, ("roadwork_dino",), *workspace.ROADWORK_TARGETS)


@pytest.fixture(scope="session")
def tiny_embedder(tmp_path_factory):
    """The same with an embedder of products on shelves."""
    return built(tmp_path_factory, workspace.SHELF_ALONE, ("shelf_int8",), *workspace.SKU_TARGETS)


@pytest.fixture(scope="session")
def tiny_system(tmp_path_factory):
    """The same with a detector and an embedder of products that count together."""
    return built(tmp_path_factory, workspace.SHELF_COUNT, ("shelf_int8",), *workspace.SYSTEM_TARGETS)


@pytest.fixture
def mine(tiny, tmp_path):
    """A copy of it to change."""
    return workspace.copy(tiny, tmp_path / "mine")


@pytest.fixture(scope="session")
def with_torchvision(tiny, tmp_path_factory):
    """A copy whose detector is torchvision's, trained and exported."""
    folder = workspace.copy(tiny, tmp_path_factory.mktemp("torchvision") / "workspace")
    entry = {"framework": "torchvision", "start": "models/architectures/ssdlite320.yaml"}
    workspace.change(folder, {f"pipeline.detectors.driver.{key}": value for key, value in entry.items()})
    workspace.done(folder, "dvc", "repro", "parity@driver")
    return folder
