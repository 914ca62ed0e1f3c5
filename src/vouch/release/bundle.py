"""A bundle: everything that serves a model, with the hash of each file; what does not check is never loaded.

manifest.json     {name, version, task, kind, files: {path: {sha256, bytes, role}}}
model.onnx        role model        absent from a trivial bundle, which does not look at photographs
preprocess.json   role preprocess   absent from a trivial bundle
postprocess.json  role postprocess  how a detector's candidates become detections
sample.json       role sample       one input's expected output; absent from a trivial bundle
prior.json        role prior        what a trivial classifier says of every photograph
gallery.safetensors  role gallery   what an embedder compares a crop with
labels.json       role labels
calibrator.json   role calibrator
policy.json       role policy       exactly one
licences.txt      role licences     of the weights that the network descends from, where its file says so; absent else

Each file is read once: the bytes that were hashed are those that are parsed, loaded and copied.
"""

import hashlib
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from vouch import io
from vouch.documents import DocumentError, decoded, kind_of, parse_json, read_bytes
from vouch.errors import BundleError, Problem, refuse_any
from vouch.params import Section
from vouch.paths import GALLERY
from vouch.release.parts import Parts, checked_parts
from vouch.retrieval.gallery import check
from vouch.tasks import ByTask, Task

MANIFEST = "manifest.json"
ROLES = {
    "model.onnx": "model",
    "preprocess.json": "preprocess",
    "postprocess.json": "postprocess",
    "sample.json": "sample",
    "prior.json": "prior",
    GALLERY: "gallery",
    "labels.json": "labels",
    "calibrator.json": "calibrator",
    "policy.json": "policy",
    "licences.txt": "licences",
}
MAY = frozenset({"licences.txt"})  # be there or not, in a trained bundle
DECIDES = {"labels.json", "calibrator.json", "policy.json"}
ANSWERS = {"model.onnx", "preprocess.json", "sample.json"}
Kind = Literal["trained", "trivial"]
FILES: dict[Kind, ByTask[frozenset[str]]] = {  # a trivial detector finds nothing, a trivial classifier says the prior
    "trained": ByTask(
        detect=frozenset(DECIDES | ANSWERS | {"postprocess.json"}),
        classify=frozenset(DECIDES | ANSWERS),
        identify=frozenset(DECIDES | ANSWERS | {GALLERY}),
    ),
    "trivial": ByTask(
        detect=frozenset(DECIDES), classify=frozenset(DECIDES | {"prior.json"}), identify=frozenset(DECIDES)
    ),
}
MAX_BYTES = {  # by role; nothing larger is read
    "model": 2**31 - 1,  # protobuf has no longer messages
    "calibrator": 2**26,  # matrix scaling of a thousand classes takes 20 MB
    "policy": 2**24,  # evidence by class and stratum
    "gallery": 2**28,  # 50,000 prototypes of 512 values take 100 MB
    "labels": 2**20,
}
MAX_JSON_BYTES = 2**20  # of every other role, and of the manifest
REMEDY = "build or pull it again"


class Entry(Section):
    """What the manifest says of a file."""

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    bytes: Annotated[int, Field(ge=0)]
    role: str


class Manifest(Section):
    """manifest.json."""

    name: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_-]{0,63}$")]
    version: Annotated[str, Field(pattern="^[0-9]+[.][0-9]+[.][0-9]+$", max_length=64)]
    task: Task
    kind: Kind
    files: dict[str, Entry]


@dataclass(frozen=True)
class Contents:
    """A bundle whose files are those of its manifest: that, their bytes by name, and the checked parts."""

    manifest: dict[str, Any]
    files: dict[str, bytes]
    parts: Parts


def write_bundle(folder: Path, name: str, version: str, task: Task, kind: Kind, files: dict[str, bytes]) -> None:
    """Write a bundle whole: its files and the manifest of their hashes.

    Raises
    ------
    BundleError
        When name or version is none, the files are not those of the task and kind, or a part of them does not check.
    """
    with io.replacing_folder(folder) as temporary:
        temporary.mkdir(parents=True)
        for path in sorted(files):
            (temporary / path).write_bytes(files[path])
        entries = {path: _entry(path, files[path]) for path in sorted(files)}
        manifest = {"name": name, "version": version, "task": task, "kind": kind, "files": entries}
        (temporary / MANIFEST).write_text(io.dumps(manifest), encoding="utf-8")
        verify(temporary)


def _entry(path: str, content: bytes) -> dict[str, Any]:
    return {
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "role": ROLES.get(path, "unknown"),
    }


def verify(folder: Path) -> dict[str, Any]:
    """Return a bundle's manifest after checking every file against it, and the files against each other.

    Raises
    ------
    BundleError
        As `read` does.
    """
    return read(folder).manifest


def read(folder: Path) -> Contents:
    """Return what a bundle holds, read once and checked; the network itself is not opened.

    Raises
    ------
    BundleError
        When the manifest is not exactly of its schema; listing everything in the folder that is missing, extra,
        changed, too large, of the wrong role or no regular file; listing what is wrong with a part; when the
        gallery is of another network or preprocessing.
    """
    manifest = _read_manifest(folder)
    entries = manifest["files"]
    refuse_any(BundleError, [*_entry_problems(folder, manifest), *_folder_problems(folder, entries)])
    files: dict[str, bytes] = {}
    problems: list[Problem] = []
    for path, entry in entries.items():
        try:
            files[path] = _read_file(folder, path, entry["bytes"])
        except DocumentError as error:
            problems += error.problems
        else:
            problems += _differences(folder / path, files[path], entry)
    refuse_any(BundleError, problems)
    parts = checked_parts(manifest["task"], files, str(folder))
    if parts.gallery is not None:
        network, prepared = (entries[name]["sha256"] for name in ("model.onnx", "preprocess.json"))
        check(parts.gallery, model_sha256=network, preprocess_sha256=prepared)
    return Contents(manifest, files, parts)


def _read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest, of its schema and as `io.dumps` writes it, so that one content has one form."""
    where = f"{folder}/{MANIFEST}"
    try:
        content = _read_file(folder, MANIFEST, MAX_JSON_BYTES)
        manifest = Manifest.model_validate(parse_json(decoded(content, where), where)).model_dump()
    except DocumentError as error:
        raise BundleError(error.problems) from error
    except ValidationError as error:
        raise BundleError([_manifest_problem(where, item) for item in error.errors()]) from error
    if io.dumps(manifest).encode() != content:
        raise BundleError([Problem(where, "JSON as `vouch` writes it", "another form of the same", REMEDY)])
    return manifest


def _manifest_problem(where: str, item: Any) -> Problem:
    place = ".".join(str(part) for part in item["loc"])
    known = {"missing": ("a value", "nothing"), "extra_forbidden": ("a known key", "an unknown one")}
    expected, got = known.get(item["type"], (item["msg"], repr(item["input"])[:80]))
    return Problem(f"{where}: {place}"[:200], expected, got, REMEDY)


def _read_file(folder: Path, path: str, max_bytes: int) -> bytes:
    """Return a file of the bundle's own: a link is none, whatever it points to.

    Raises
    ------
    DocumentError
        When it is no regular file, or larger.
    """
    try:
        is_link = (folder / path).is_symlink()
    except OSError as error:  # no folder's name is as long
        raise DocumentError([Problem(f"{folder}/{path}"[:200], "a file", str(error.strerror), REMEDY)]) from error
    if is_link:
        raise DocumentError([Problem(f"{folder}/{path}", "a regular file", "a link", REMEDY)])
    return read_bytes(folder / path, f"{folder}/{path}", max_bytes=max_bytes)


def _entry_problems(folder: Path, manifest: dict[str, Any]) -> list[Problem]:
    """List files that such a bundle does not have or lacks, wrong roles, and sizes beyond the role's."""
    where, entries = f"{folder}/{MANIFEST}: files", manifest["files"]
    expected = FILES[manifest["kind"]][manifest["task"]]
    if manifest["kind"] == "trained":
        expected |= MAY & entries.keys()
    such = f"only the files of a {manifest['kind']} bundle to {manifest['task']}"
    problems = [Problem(f"{where}.{path}"[:200], such, "another", REMEDY) for path in entries.keys() - expected]
    for path in sorted(expected):
        role, entry = ROLES[path], entries.get(path, {"role": "no entry", "bytes": 0})
        if entry["role"] != role:
            problems.append(Problem(f"{where}.{path}", f"the role {role}", entry["role"][:80], REMEDY))
        most = MAX_BYTES.get(role, MAX_JSON_BYTES)
        if entry["bytes"] > most:
            problems.append(Problem(f"{where}.{path}", f"at most {most:,} bytes", f"{entry['bytes']:,}", REMEDY))
    return problems


def _folder_problems(folder: Path, entries: dict[str, Any]) -> list[Problem]:
    """List what stands in the folder and not in the manifest: hidden files, folders, links, pipes and devices too."""
    try:
        found = {path.name: kind_of(path.lstat().st_mode) for path in folder.iterdir()}
    except OSError as error:  # no right to list it, or files that go while they are looked at
        return [Problem(str(folder), "a folder that can be listed", str(error.strerror), REMEDY)]
    regular = kind_of(stat.S_IFREG)
    extra = [
        Problem(f"{folder}/{name!r}"[:200], "no file beyond the manifest", kind, "remove it or build again")
        for name, kind in found.items()
        if name not in {MANIFEST, *entries}
    ]
    return extra + [
        Problem(f"{folder}/{path}", regular, found.get(path, "nothing"), REMEDY)
        for path in entries
        if found.get(path) != regular
    ]


def _differences(file: Path, content: bytes, entry: dict[str, Any]) -> list[Problem]:
    found = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    return [
        Problem(f"{file}", f"{key} {entry[key]}", f"{value}", REMEDY)
        for key, value in found.items()
        if value != entry[key]
    ]
