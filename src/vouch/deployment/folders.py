"""The folder that a server takes: new, whole or absent, with the bundle's own files beside the network."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vouch import io
from vouch.errors import BundleError, Problem, WorkspaceError
from vouch.release.opened import Opened
from vouch.vision.runtime import Runtime

BESIDE = ("calibrator.json", "labels.json", "policy.json", "postprocess.json", "preprocess.json")


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder that becomes `folder` when all is written, and nothing when it is not.

    Raises
    ------
    WorkspaceError
        When something is there already.
    """
    if folder.is_symlink() or folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise WorkspaceError(
            [Problem(str(folder), "no folder, or an empty one", "files", "name another, or remove it")]
        )
    with io.replacing(folder) as temporary:
        temporary.mkdir(parents=True)
        yield temporary


def network_of(opened: Opened) -> Runtime:
    """Return the network of a bundle.

    Raises
    ------
    BundleError
        When the bundle is trivial: it has none to deploy.
    """
    if opened.runtime is None:
        where = f"bundle {opened.manifest['name']}"
        raise BundleError([Problem(where, "a trained bundle", "a trivial one", "run `dvc repro`, or name another")])
    return opened.runtime


def copy_beside(bundle: Path, folder: Path) -> None:
    """Copy, byte for byte, what turns the network's output into an answer."""
    for name in BESIDE:
        if (bundle / name).is_file():
            (folder / name).write_bytes((bundle / name).read_bytes())
