"""Bundles whose hashes fit and whose content does not: each is refused by name, or answers in range."""

import json
import os
import shutil
import socket

import numpy as np
import pytest

from deployment.bundles import CLASSES, SHARED, build, detector, photographs
from vouch import io
from vouch.errors import BundleError
from vouch.release.bundle import MANIFEST, read, write_bundle
from vouch.release.inference import answer
from vouch.release.opening import open_bundle
from vouch.vision.images.source import files
from vouch.vision.preprocess import OUTPUTS

KINDS = ("detector", "classifier", "finds_nothing", "says_the_prior")
DIGITS = "9" * 400
SWAPS = ("null", "true", "0", "-1", "0.5", "1e308", '"x"', '""', "[]", "{}", "NaN", DIGITS)
NOTHING = {"kind": "operating_point", "feasible": False, "guarantee": "none", **SHARED} | {"thresholds": {}}
NOBODY = {"kind": "threshold", "feasible": False, "guarantee": "none", **SHARED, "alpha": 0.5, "delta": 0.5} | {
    "positive": None,
    "threshold": None,
}
IDENTITY = {"method": "identity"}
TRIVIAL = {
    "finds_nothing": {
        "calibrator": {"kind": "scalar", "floor": 0.0, "global": IDENTITY, "classes": {"works": IDENTITY}},
        "policy": NOTHING,
    },
    "says_the_prior": {
        "calibrator": {"kind": "multiclass", "classes": CLASSES, "map": IDENTITY, "gate": None},
        "policy": NOBODY,
        "prior": {"prior": [0.75, 0.25]},
    },
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A folder with a bundle of each kind and photographs."""
    folder = tmp_path_factory.mktemp("bundles")
    build(folder / "detector", "detect")
    build(folder / "classifier", "classify")
    for kind, parts in TRIVIAL.items():
        contents = {"labels": {"classes": CLASSES}, **parts}
        files = {f"{name}.json": io.dumps(content).encode() for name, content in contents.items()}
        task = "classify" if "prior" in parts else "detect"
        write_bundle(folder / kind, "m", "0.0.0", task, "trivial", files)
    (folder / "photographs").mkdir()
    photographs(folder / "photographs")
    return folder


@pytest.fixture
def copied(sources, tmp_path):
    """Return a bundle of a kind that a test may spoil."""

    def copy(kind):
        shutil.copytree(sources / kind, tmp_path / kind)
        return tmp_path / kind

    return copy


def put(folder, name, content):
    """Write a file and let the manifest agree with it."""
    (folder / name).write_bytes(content)
    manifest = json.loads((folder / MANIFEST).read_bytes())
    manifest["files"][name] |= {"sha256": io.sha256(folder / name), "bytes": len(content)}
    (folder / MANIFEST).write_text(io.dumps(manifest))


def changed(folder, name, **values):
    content = json.loads((folder / name).read_bytes()) | values
    put(folder, name, json.dumps(content).encode())


def places(content, path=()):
    """Return the path of every value within a document, the document's own first; of long lists both ends."""
    yield path
    if isinstance(content, dict):
        for key, value in content.items():
            yield from places(value, (*path, key))
    elif isinstance(content, list):
        for index in sorted({0, len(content) - 1} & set(range(len(content)))):
            yield from places(content[index], (*path, index))


def spelled(content, path, text):
    """Return the document as text with this text in place of one value."""
    mark = "@@here@@"
    copy = json.loads(json.dumps({"top": content}))
    holder, last = copy, "top"
    for step in path:
        holder, last = holder[last], step
    holder[last] = mark
    return json.dumps(copy["top"]).replace(f'"{mark}"', text)


def mutations(content):
    """Return texts: every value swapped, taken away, repeated or joined by a key that is unknown."""
    yield "[" * 5000 + "]" * 5000
    yield '{"a":' * 5000 + "0" + "}" * 5000
    for path in places(content):
        value = content
        for step in path:
            value = value[step]
        yield from (spelled(content, path, swap) for swap in SWAPS)
        if isinstance(value, dict):
            for key in value:
                yield spelled(content, path, json.dumps({one: value[one] for one in value if one != key}))
                yield spelled(content, path, json.dumps(value)[:-1] + f", {json.dumps(key)}: null}}")
            yield spelled(content, path, json.dumps(value | {"zebra": 1}))
        if isinstance(value, list):
            yield spelled(content, path, json.dumps(value[1:]))
            yield spelled(content, path, json.dumps([*value, *value[:1]]))
            yield spelled(content, path, json.dumps(value[::-1]))


def spoiled(text):
    """Return bytes that are no JSON of ours, made of some that are."""
    content = text.encode()
    return [content[:-2], content[: len(content) // 2], content + b"{}", content + b"\0", b"", b"\xff" + content]


def in_range(found, images):
    numbers = found.select_dtypes("number").to_numpy(float)
    assert np.isfinite(numbers).all()
    assert found["accept"].dtype == bool
    assert ((found["confidence"] >= 0) & (found["confidence"] <= 1)).all()
    assert set(found["class_pred"]) <= set(CLASSES)
    if "x1" not in found:
        assert len(found) == len(images)
        shares = found[[f"probability_{name}" for name in CLASSES]]
        np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)


def outcome(folder, images):
    """Open and answer; True where that is right, False where a BundleError refuses. Anything else is a failure."""
    try:
        opened = open_bundle(folder)
    except BundleError:
        return False
    if opened.runtime is not None:
        in_range(answer(opened, files(images)).rows, images)
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_that_was_changed_with_its_hash_is_refused_or_answers_in_range(kind, copied, sources):
    folder, images = copied(kind), sorted((sources / "photographs").iterdir())[:1]
    names = [name for name in json.loads((folder / MANIFEST).read_bytes())["files"] if name.endswith(".json")]
    refused, tried = 0, 0
    for name in names:
        original = (folder / name).read_bytes()
        texts = {text.encode() for text in mutations(json.loads(original))}
        for content in [*sorted(texts), *spoiled(original.decode())]:
            put(folder, name, content)
            refused, tried = refused + (not outcome(folder, images)), tried + 1
        put(folder, name, original)
        assert outcome(folder, images)
    assert refused > 0.8 * tried > 100


@pytest.mark.parametrize("kind", KINDS)
def test_a_manifest_that_was_changed_is_refused_or_names_another_release(kind, copied, sources):
    folder = copied(kind)
    original = (folder / MANIFEST).read_bytes()
    opened = []
    for content in [*{text.encode() for text in mutations(json.loads(original))}, *spoiled(original.decode())]:
        for form in (content, _canonical(content)):
            (folder / MANIFEST).write_bytes(form)
            try:
                opened.append(read(folder).manifest)
            except BundleError:
                continue
    assert {(one["name"], one["version"]) for one in opened} <= {("x", "0.1.0"), ("x", "0.0.0")} | _release(original)
    assert all(one["files"] == json.loads(original)["files"] for one in opened)


def _canonical(content):
    try:
        return io.dumps(json.loads(content)).encode()
    except (ValueError, RecursionError):
        return content


def _release(original):
    manifest = json.loads(original)
    return {(manifest["name"], manifest["version"])}


def manifest_with(**values):
    def spoil(folder):
        manifest = json.loads((folder / MANIFEST).read_bytes()) | values
        (folder / MANIFEST).write_text(io.dumps({key: value for key, value in manifest.items() if value != "gone"}))

    return spoil


def repeat_key(folder):
    text = (folder / MANIFEST).read_text()
    (folder / MANIFEST).write_text(text.replace('"kind"', '"kind": "trained",\n  "kind"', 1))


def append(folder):
    with (folder / MANIFEST).open("a") as stream:
        stream.write("\n")


def link_manifest(folder):
    (folder / MANIFEST).rename(folder.parent / "elsewhere.json")
    (folder / MANIFEST).symlink_to(folder.parent / "elsewhere.json")


def bind(folder):
    here = os.open(folder, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(f"/proc/self/fd/{here}/s")  # the name of a socket may have 107 bytes
    os.close(here)


def pipe_for_labels(folder):
    (folder / "labels.json").unlink()
    os.mkfifo(folder / "labels.json")


def empty_for_labels(folder):
    (folder / "labels.json").unlink()
    (folder / "labels.json").mkdir()


def true_bytes(folder):
    manifest = json.loads((folder / MANIFEST).read_bytes())
    manifest["files"]["labels.json"]["bytes"] = True
    (folder / MANIFEST).write_text(io.dumps(manifest))


FOLDERS = {
    "no name": (manifest_with(name="gone"), "name: expected a value, got nothing"),
    "no version": (manifest_with(version="gone"), "version: expected a value"),
    "misspelt name": (manifest_with(name="gone", nmae="m"), "nmae: expected a known key"),
    "a name that is a path": (manifest_with(name="../m"), "name: expected String should match"),
    "a version that is no version": (manifest_with(version="latest"), "version: expected String should match"),
    "list for a name": (manifest_with(name=["m"]), "name: expected Input should be a valid string"),
    "list of files": (manifest_with(files=[]), "files: expected Input should be a valid dictionary"),
    "no task": (manifest_with(task="gone"), "task: expected a value, got nothing"),
    "a task that nobody knows": (manifest_with(task="segment"), "task: expected Input should be 'detect'"),
    "another task": (manifest_with(task="classify"), r"postprocess\.json: expected only the files of a trained bundle"),
    "unknown key": (manifest_with(signed=True), "signed: expected a known key"),
    "truth value for a size": (true_bytes, r"labels\.json\.bytes: expected Input should be a valid integer"),
    "duplicate key": (repeat_key, "key 'kind' appears twice"),
    "trailing bytes": (append, "expected JSON as `vouch` writes it"),
    "manifest is a link": (link_manifest, r"manifest\.json: expected a regular file, got a link"),
    "empty folder": (lambda folder: (folder / "d").mkdir(), "'d': expected no file beyond the manifest, got a folder"),
    "link to a folder": (lambda folder: (folder / "d").symlink_to("/etc"), "got a link"),
    "dangling link": (lambda folder: (folder / "d").symlink_to("nowhere"), "got a link"),
    "hidden file": (lambda folder: (folder / ".x").write_text(""), r"'\.x': .*got a regular file"),
    "pipe": (lambda folder: os.mkfifo(folder / "p"), "got a pipe"),
    "socket": (bind, "got a socket"),
    "pipe for labels": (pipe_for_labels, r"labels\.json: expected a regular file, got a pipe"),
    "folder for labels": (empty_for_labels, r"labels\.json: expected a regular file, got a folder"),
}


@pytest.mark.parametrize(("spoil", "said"), FOLDERS.values(), ids=FOLDERS)
def test_every_entry_of_the_folder_is_accounted_for(copied, spoil, said):
    folder = copied("detector")
    spoil(folder)
    with pytest.raises(BundleError, match=said):
        read(folder)


DOCUMENTS = {  # kind, file, what changes in it, what is said of it
    "a label twice": ("detector", "labels", {"classes": ["works", "works"]}, "labels.json: classes"),
    "an empty label": ("detector", "labels", {"classes": ["works", " "]}, "labels.json: classes"),
    "labels shorter than outputs": ("finds_nothing", "labels", {"classes": ["clear"]}, "classes.works"),
    "labels of a classifier in another order": ("classifier", "labels", {"classes": CLASSES[::-1]}, "the order of"),
    "no detections at most": ("detector", "postprocess", {"limit": -1}, "postprocess.json: limit"),
    "truth value for a limit": ("detector", "postprocess", {"limit": True}, "postprocess.json: limit"),
    "boundless limit": ("detector", "postprocess", {"limit": 10**9}, "postprocess.json: limit"),
    "floor that is no number": ("detector", "postprocess", {"floor": float("nan")}, "NaN is not a number"),
    "no overlap": ("detector", "postprocess", {"max_iou": 0}, "postprocess.json: max_iou"),
    "positive class that is none": ("classifier", "policy", {"positive": "zebra"}, "positive: expected one of"),
    "threshold of no class": ("detector", "policy", {"thresholds": {"zebra": 0.5}}, "thresholds.zebra"),
    "400 digits": ("detector", "calibrator", {"floor": 10**400}, "is out of range"),
    "a map of no class": ("finds_nothing", "calibrator", {"classes": {"zebra": IDENTITY}}, "classes.zebra"),
    "a map that overflows": (
        "detector",
        "calibrator",
        {"global": {"method": "beta", "a": 1e308, "b": 1e308, "c": 0.0}},
        "a finite number",
    ),
    "numbers as text": (
        "detector",
        "calibrator",
        {"global": {"method": "isotonic", "scores": ["0", "1"], "confidences": [0, 1]}},
        "rising numbers",
    ),
    "a decision by a gate that is not there": ("says_the_prior", "policy", {"kind": "gate"}, "calibrator.json: gate"),
    "prior of another number": ("says_the_prior", "prior", {"prior": [0.5, 0.25, 0.25]}, "2 shares"),
    "prior that does not sum to one": ("says_the_prior", "prior", {"prior": [0.5, 0.6]}, "sum to one"),
    "impossible class": ("says_the_prior", "prior", {"prior": [1.0, 0.0]}, "above 0"),
    "sides with a point": ("detector", "preprocess", {"size_px": 32.0}, "preprocess.json"),
    "boundless sides": ("detector", "preprocess", {"size_px": 2**20, "stride_px": 2**20}, "preprocess.json"),
    "a stride of nothing": ("detector", "preprocess", {"stride_px": 0}, "preprocess.json"),
    "output of another task": ("detector", "preprocess", {"task": "classify"}, "preprocess.json"),
    "another task than the manifest's": (
        "detector",
        "preprocess",
        {"task": "classify", "output": OUTPUTS["classify"]},
        "preprocess.json: task: expected detect, as the manifest says, got classify",
    ),
    "a short sample": ("detector", "sample", {"output": [0.0] * 255}, "sample.json: output"),
}


@pytest.mark.parametrize(("kind", "name", "values", "said"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_part_that_is_none_or_contradicts_another_is_named(copied, kind, name, values, said):
    folder = copied(kind)
    changed(folder, f"{name}.json", **values)
    with pytest.raises(BundleError) as refused:
        open_bundle(folder)
    assert said in str(refused.value)


FOREIGN = {  # kind, file, a valid one of another kind of bundle, what is said of it
    "detector's policy in a classifier": ("classifier", "policy", NOTHING, "policy.json: kind: expected one of ('thr"),
    "classifier's policy in a detector": ("detector", "policy", NOBODY, "policy.json: kind: expected one of ('oper"),
    "classifier's calibrator in a detector": (
        "detector",
        "calibrator",
        TRIVIAL["says_the_prior"]["calibrator"],
        "calibrator.json: kind: expected scalar",
    ),
    "detector's calibrator in a classifier": (
        "classifier",
        "calibrator",
        TRIVIAL["finds_nothing"]["calibrator"],
        "calibrator.json: kind: expected multiclass",
    ),
}


@pytest.mark.parametrize(("kind", "name", "content", "said"), FOREIGN.values(), ids=FOREIGN)
def test_a_part_of_another_kind_of_bundle_is_named(copied, kind, name, content, said):
    folder = copied(kind)
    put(folder, f"{name}.json", json.dumps(content).encode())
    with pytest.raises(BundleError) as refused:
        open_bundle(folder)
    assert said in str(refused.value)


def test_labels_in_another_order_than_the_network_says_are_refused(sources, tmp_path):
    named = _network(labels={"0": CLASSES[0], "1": CLASSES[1]})
    build(tmp_path / "right", "detect", network=named)
    changed(tmp_path / "right", "labels.json", classes=CLASSES[::-1])
    with pytest.raises(BundleError, match="metadata labels"):
        open_bundle(tmp_path / "right")


def test_a_network_that_says_another_preprocessing_is_refused(tmp_path):
    with pytest.raises(BundleError, match="metadata preprocess"):
        build(tmp_path / "bundle", "detect", network=_network(preprocess={"size_px": 64}))


def _network(**metadata):
    made = detector()
    for key, value in metadata.items():
        made.metadata_props.add(key=key, value=json.dumps(value))
    return made


@pytest.mark.parametrize(("kind", "classes"), [("detector", [*CLASSES, "third"]), ("classifier", [*CLASSES, "a", "b"])])
def test_outputs_that_are_not_as_many_as_labels_are_refused(copied, kind, classes):
    folder = copied(kind)
    changed(folder, "labels.json", classes=classes)
    if kind == "classifier":
        calibrator = {"kind": "multiclass", "classes": classes, "map": IDENTITY, "gate": None}
        put(folder, "calibrator.json", json.dumps(calibrator).encode())
    with pytest.raises(BundleError, match=f"for the {len(classes)} classes of labels.json"):
        open_bundle(folder)


def test_problems_of_every_part_are_told_at_once(copied):
    folder = copied("detector")
    changed(folder, "postprocess.json", limit=-1, floor=2)
    changed(folder, "labels.json", classes=[])
    put(folder, "sample.json", b"[")
    with pytest.raises(BundleError) as refused:
        read(folder)
    assert len(refused.value.problems) == 4


def test_what_is_larger_than_its_role_allows_is_not_read(copied):
    folder = copied("detector")
    with (folder / "sample.json").open("r+b") as stream:
        stream.truncate(2**40)  # sparse: it takes no room on the disk, and would take a terabyte in memory
    with pytest.raises(BundleError, match=r"sample\.json"):
        read(folder)


def test_a_folder_that_is_none_is_refused(tmp_path):
    for name in ("absent", "x" * 300, "\0"):
        with pytest.raises(BundleError):
            read(tmp_path / name)
