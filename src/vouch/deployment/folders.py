"""What every folder for a server is made from: the bundle's network, and its own files beside it."""

from pathlib import Path

from vouch.errors import BundleError, Problem
from vouch.release.bundle import Contents
from vouch.release.opening import Bundle
from vouch.vision.runtime import Runtime

BESIDE = ("calibrator.json", "labels.json", "policy.json", "postprocess.json", "preprocess.json")


def network_of(bundle: Bundle) -> Runtime:
    """Return the network of a bundle.

    Raises
    ------
    BundleError
        When the bundle is trivial: it has none to deploy.
    """
    if bundle.runtime is None:
        where = f"bundle {bundle.manifest['name']}"
        raise BundleError([Problem(where, "a trained bundle", "a trivial one", "run `dvc repro`, or name another")])
    return bundle.runtime


def write_beside(contents: Contents, folder: Path) -> None:
    """Write, byte for byte as it was checked, what turns the network's output into an answer."""
    for name in BESIDE:
        if name in contents.files:
            (folder / name).write_bytes(contents.files[name])
