"""Promotion: a person makes the current bundle the baseline; an event outside the graph, recorded by git and DVC."""

import shutil
import subprocess
import sys
from pathlib import Path

from vouch import io
from vouch.errors import BundleError, Problem
from vouch.params import PARAMS
from vouch.pipeline import without_entry
from vouch.release.bundle import verify


def promote(model: str, bundle: Path, registry: Path, params: Path = PARAMS) -> str:
    """Make `bundle` the baseline in `registry`: take the model off `pipeline.unpromoted`, copy, `dvc add`.

    The list is edited first: while a model is on it, `registry` is the output of the stage `baseline`, which DVC would
    not let anyone add. A run that dies in between is finished by running it again.

    Returns
    -------
    str
        The version that is now the baseline.

    Raises
    ------
    BundleError
        When the bundle does not check or is another model's.
    """
    manifest = verify(bundle)
    if manifest["name"] != model:
        raise BundleError([Problem(str(bundle), f"a bundle of {model}", manifest["name"], "promote the right bundle")])
    io.write_text(params, without_entry(params.read_text(encoding="utf-8"), "unpromoted", model))
    with io.replacing(registry) as temporary:
        shutil.copytree(bundle, temporary)
    subprocess.run([sys.executable, "-m", "dvc", "add", "--quiet", str(registry)], check=True)
    return str(manifest["version"])
