"""A bundle: everything that serves a model, with the hash of each file; what does not check is never loaded.

manifest.json     {name, version, kind, files: {path: {sha256, bytes, role}}}
model.onnx        role model        absent from a trivial bundle, which does not look at photographs
preprocess.json   role preprocess   absent from a trivial bundle
postprocess.json  role postprocess  how a detector's candidates become detections
sample.json       role sample       one input's expected output; absent from a trivial bundle
prior.json        role prior        what a trivial classifier says of every photograph
labels.json       role labels
calibrator.json   role calibrator
policy.json       role policy       exactly one
"""

from pathlib import Path
from typing import Any

from vouch import io
from vouch.errors import BundleError, Problem, refuse_any
from vouch.policies.validity import validate_policy

MANIFEST = "manifest.json"
ROLES = {
    "model.onnx": "model",
    "preprocess.json": "preprocess",
    "postprocess.json": "postprocess",
    "sample.json": "sample",
    "prior.json": "prior",
    "labels.json": "labels",
    "calibrator.json": "calibrator",
    "policy.json": "policy",
}
DECIDES = {"labels.json", "calibrator.json", "policy.json"}
ANSWERS = {"model.onnx", "preprocess.json", "sample.json"}
KINDS = {
    "detector": frozenset(DECIDES | ANSWERS | {"postprocess.json"}),
    "classifier": frozenset(DECIDES | ANSWERS),
    "finds_nothing": frozenset(DECIDES),
    "says_the_prior": frozenset(DECIDES | {"prior.json"}),
}


def write_bundle(folder: Path, name: str, version: str, kind: str, files: dict[str, bytes]) -> None:
    """Write a bundle whole: its files and the manifest of their hashes.

    Raises
    ------
    BundleError
        When the files are not those of `kind`, or the policy is not exactly one.
    """
    with io.replacing_folder(folder) as temporary:
        temporary.mkdir(parents=True)
        for path in sorted(files):
            (temporary / path).write_bytes(files[path])
        entries = {path: _entry(temporary / path) for path in sorted(files)}
        manifest = {"name": name, "version": version, "kind": kind, "files": entries}
        (temporary / MANIFEST).write_text(io.dumps(manifest), encoding="utf-8")
        verify(temporary)


def _entry(path: Path) -> dict[str, Any]:
    return {"sha256": io.sha256(path), "bytes": path.stat().st_size, "role": ROLES.get(path.name, "unknown")}


def verify(folder: Path) -> dict[str, Any]:
    """Return a bundle's manifest after checking every file against it.

    Raises
    ------
    BundleError
        Listing every file that is missing, extra, changed, a link, or of the wrong role; an unknown kind; a policy
        that is not exactly one.
    """
    try:
        manifest: dict[str, Any] = io.read_json(folder / MANIFEST)
        kind, entries = manifest["kind"], manifest["files"]
        listed = {path: (entry["sha256"], entry["bytes"], entry["role"]) for path, entry in entries.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BundleError([Problem(str(folder), "a readable manifest.json", repr(error), "build it again")]) from error
    if kind not in KINDS:
        raise BundleError([Problem(str(folder), f"a kind of {', '.join(KINDS)}", str(kind), "build it again")])
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()} - {MANIFEST}
    problems = [Problem(f"{folder}/{path}", "a file", "nothing", "build it again") for path in KINDS[kind] - present]
    for path in present | listed.keys():
        problems += _file_problems(folder / path, path, listed.get(path), KINDS[kind])
    refuse_any(BundleError, problems)
    validate_policy(io.read_json(folder / "policy.json"))
    return manifest


def _file_problems(file: Path, path: str, listed: Any, allowed: frozenset[str]) -> list[Problem]:
    if path not in allowed or listed is None:
        return [Problem(str(file), "no file beyond the manifest", "an extra one", "remove it or build again")]
    if file.is_symlink() or not file.is_file():
        return [Problem(str(file), "a regular file", "a link or nothing", "build it again")]
    found = (io.sha256(file), file.stat().st_size, ROLES[path])
    return [] if found == listed else [Problem(str(file), str(listed), str(found), "build or pull it again")]
