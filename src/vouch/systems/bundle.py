"""A system's bundle: both bundles whole, and a manifest that names the hash of each of their manifests.

manifest.json         {name, version, kind: system, parts: {detector, identifier: {name, version, manifest_sha256}}}
detector/             the detector's bundle, as `release.bundle` has it
identifier/           the embedder's

A part's manifest names the hash of each of its files, so the system's names everything that answers.
"""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from vouch import io, paths
from vouch.documents import DocumentError, decoded, parse_json, read_bytes
from vouch.errors import BundleError, Problem, refuse_any
from vouch.params import Section
from vouch.release import bundle
from vouch.release.bundle import Contents
from vouch.release.opening import Bundle, open_contents
from vouch.systems.system import System, system_of

MANIFEST = bundle.MANIFEST
PARTS = ("detector", "identifier")
REMEDY = "build or pull it again"


class Part(Section):
    """What the manifest says of a part."""

    name: Annotated[str, Field(max_length=64)]
    version: Annotated[str, Field(max_length=64)]
    manifest_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Manifest(Section):
    """manifest.json."""

    name: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_-]{0,63}$")]
    version: Annotated[str, Field(pattern="^[0-9]+[.][0-9]+[.][0-9]+$", max_length=64)]
    kind: Literal["system"]
    parts: dict[Literal["detector", "identifier"], Part]


def open_parts(models: Mapping[str, str]) -> tuple[dict[str, Contents], System]:
    """Open the bundles of the two models, by part, as they lie under models/.

    Raises
    ------
    BundleError
        When one does not check or is another model's, or both do not go together (`system.system_of`).
    """
    folders = {part: paths.model(models[part], "bundle") for part in PARTS}
    contents = {part: bundle.read(folder) for part, folder in folders.items()}
    refuse_any(
        BundleError,
        [
            Problem(
                str(folders[part]),
                f"the bundle of {models[part]}",
                f"that of {contents[part].manifest['name']}",
                f"run `dvc repro bundle@{models[part]}`",
            )
            for part in PARTS
            if contents[part].manifest["name"] != models[part]
        ],
    )
    return contents, system_of(*(open_contents(contents[part], str(folders[part])) for part in PARTS))


def write_system(folder: Path, name: str, version: str, models: Mapping[str, str]) -> None:
    """Write the bundle of a system whole, from the bundles of its two models.

    Raises
    ------
    BundleError
        As `open_parts` does.
    """
    contents, _ = open_parts(models)
    manifests = {part: io.dumps(one.manifest).encode() for part, one in contents.items()}
    entries = {
        part: {key: one.manifest[key] for key in ("name", "version")} | {"manifest_sha256": _sha256(manifests[part])}
        for part, one in contents.items()
    }
    with io.replacing_folder(folder) as temporary:
        for part, one in contents.items():
            (temporary / part).mkdir(parents=True)
            for path, content in {**one.files, MANIFEST: manifests[part]}.items():
                (temporary / part / path).write_bytes(content)
        manifest = {"name": name, "version": version, "kind": "system", "parts": entries}
        (temporary / MANIFEST).write_text(io.dumps(manifest), encoding="utf-8")
        read_manifest(temporary)


def is_system(folder: Path) -> bool:
    """Whether the manifest in a bundle's folder says that it is a system's; what is none is another reader's affair."""
    try:
        where = f"{folder}/{MANIFEST}"
        content = parse_json(decoded(_bytes(folder / MANIFEST), where), where)
    except DocumentError:
        return False
    return isinstance(content, dict) and content.get("kind") == "system"


def open_system(folder: Path) -> tuple[dict[str, Any], System]:
    """Verify the bundle of a system, load both networks and run their samples; return its manifest too.

    Raises
    ------
    BundleError
        When the manifest is not of its schema, the folder holds anything else, a part is another than it names or does
        not check, or both do not go together.
    """
    manifest = read_manifest(folder)
    opened: dict[str, Bundle] = {part: open_contents(bundle.read(folder / part), f"{folder}/{part}") for part in PARTS}
    return manifest, system_of(opened["detector"], opened["identifier"])


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a system's bundle; what stands in the folder is what it names.

    Raises
    ------
    BundleError
        Listing what is missing, beside it or another.
    """
    where = f"{folder}/{MANIFEST}"
    try:
        content = _bytes(folder / MANIFEST)
        manifest = Manifest.model_validate(parse_json(decoded(content, where), where)).model_dump()
    except DocumentError as error:
        raise BundleError(error.problems) from error
    except ValidationError as error:
        places = (".".join(map(str, item["loc"])) for item in error.errors())
        problems = [Problem(f"{where}: {place}"[:200], "a manifest of a system", "another", REMEDY) for place in places]
        raise BundleError(problems) from error
    refuse_any(BundleError, [*_beside(folder), *_others(folder, manifest["parts"])])
    return manifest


def manifest_sha256(folder: Path) -> str:
    """Return the hash that names the bundle in `folder`, and through it every file."""
    return _sha256(_bytes(folder / MANIFEST))


def _beside(folder: Path) -> Iterator[Problem]:
    for path in sorted(folder.iterdir()):
        if path.name not in (*PARTS, MANIFEST):
            yield Problem(f"{folder}/{path.name!r}"[:200], "nothing beyond the manifest", "something", "remove it")


def _others(folder: Path, parts: Mapping[str, Any]) -> Iterator[Problem]:
    for part in PARTS:
        where, expected = f"{folder}/{part}/{MANIFEST}", parts.get(part, {}).get("manifest_sha256")
        if expected is None:
            yield Problem(f"{folder}/{MANIFEST}: parts.{part}", "an entry", "none", REMEDY)
        elif not (folder / part / MANIFEST).is_file():
            yield Problem(where, "a manifest", "none", REMEDY)
        elif (found := manifest_sha256(folder / part)) != expected:
            yield Problem(where, f"sha256 {expected}", found, REMEDY)


def _bytes(path: Path) -> bytes:
    return read_bytes(path, str(path), max_bytes=bundle.MAX_JSON_BYTES)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
