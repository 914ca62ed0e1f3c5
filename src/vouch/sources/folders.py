"""The sources of a data set: a folder each, and nothing beside them."""

from pathlib import Path

from vouch.errors import ManifestError, Problem, refuse_any
from vouch.sources.tree import JUNK


def source_folders(root: Path) -> list[Path]:
    """Return the folders of a data set's sources; a link or file in their place would be read from elsewhere, or not.

    Raises
    ------
    ManifestError
        Listing all that is no folder, or a link to one.
    """
    remedy = "move it away, and bring what it holds in with `vouch import`"
    held = [path for path in sorted(root.glob("[!.]*")) if path.name not in JUNK]
    refuse_any(
        ManifestError,
        (
            Problem(path.as_posix(), "the folder of a source", "a link" if path.is_symlink() else "a file", remedy)
            for path in [root, *held]
            if path.is_symlink() or (path.exists() and not path.is_dir())
        ),
    )
    return held
