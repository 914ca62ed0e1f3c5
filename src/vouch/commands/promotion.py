"""Promotion: a person makes the current bundle the baseline; an event outside the graph, recorded by git and DVC."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vouch import io
from vouch.commands.dvc_busy import dvc
from vouch.commands.params_edit import without_entry
from vouch.errors import BundleError, Problem
from vouch.params import PARAMS
from vouch.release.bundle import MANIFEST, verify
from vouch.release.verdict import judged_files, refuse_others


def promote(model: str, bundle: Path, registry: Path, params: Path = PARAMS, *, verdict: Mapping[str, Any]) -> str:
    """Make `bundle` the baseline in `registry`: copy, take the model off `pipeline.unpromoted`, `dvc add`.

    Whatever can be refused is refused before anything is written, and the list is edited once the copy stands whole
    beside its place, so that a full disk leaves everything as it was. The list is edited before DVC is called: while a
    model is on it, `registry` is the output of the stage `baseline`, which DVC would not let anyone add. A run that
    dies in between is finished by running it again.

    Parameters
    ----------
    verdict : mapping
        From `verdict.open_verdict`.

    Returns
    -------
    str
        The version that is now the baseline.

    Raises
    ------
    BundleError
        When the bundle does not check, is another model's, or is not what the verdict judged.
    WorkspaceError
        When DVC does not record it: the same command, once the cause is fixed, finishes the promotion.
    """
    manifest = verify(bundle)
    if manifest["name"] != model:
        raise BundleError([Problem(str(bundle), f"a bundle of {model}", manifest["name"], "promote the right bundle")])
    _refuse_others(model, bundle, verdict)
    text = without_entry(params.read_text(encoding="utf-8"), "unpromoted", model)
    with io.replacing_folder(registry) as temporary:
        _copy(bundle, temporary)
        _refuse_others(model, temporary, verdict)
        io.write_text(params, text)
    _record(registry)
    return str(manifest["version"])


def is_promoted(bundle: Path, registry: Path) -> bool:
    """Whether `registry` holds this very bundle."""
    both = [folder / MANIFEST for folder in (bundle, registry)]
    return all(path.is_file() for path in both) and both[0].read_bytes() == both[1].read_bytes()


def _refuse_others(model: str, bundle: Path, verdict: Mapping[str, Any]) -> None:
    judged = judged_files(verdict, bundle)
    refuse_others(judged, remedy=f"run `dvc repro gate@{model} bundle@{model}`", error=BundleError)


def _copy(bundle: Path, folder: Path) -> None:
    """Copy a bundle, which is flat: `shutil.copytree` would hide what the system says in an error of its own."""
    folder.mkdir()
    for file in sorted(bundle.iterdir()):
        shutil.copyfile(file, folder / file.name)


def _record(registry: Path) -> None:
    """Let DVC hash the folder and write bundle.dvc."""
    dvc("add", str(registry), remedy="fix the cause, then promote again")
