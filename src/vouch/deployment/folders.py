"""What every folder for a server is made from: the bundle's own files beside its network."""

from pathlib import Path

from vouch.paths import GALLERY
from vouch.release.bundle import Contents

BESIDE = (
    "calibrator.json",
    GALLERY,
    "labels.json",
    "licences.txt",
    "policy.json",
    "postprocess.json",
    "preprocess.json",
)


def write_beside(contents: Contents, folder: Path) -> None:
    """Write, byte for byte as it was checked, what turns the network's output into an answer."""
    for name in BESIDE:
        if name in contents.files:
            (folder / name).write_bytes(contents.files[name])
