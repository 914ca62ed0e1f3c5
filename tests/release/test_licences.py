"""A bundle carries the licences that its network names, and no others."""

import json

import pytest

from deployment.bundles import build, classifier
from vouch import io, paths
from vouch.deployment.folders import write_beside
from vouch.errors import BundleError
from vouch.release import bundle
from vouch.release.licences import licences_in, licences_text
from vouch.release.opening import open_bundle
from vouch.stages import bundle as bundle_stage

SAID = {"weights==2": "Free to use.\n", "other": "Also free."}
TEXT = b"other\n=====\n\nAlso free.\n\n\nweights==2\n==========\n\nFree to use.\n"


def named(said=SAID):
    made = classifier()
    made.metadata_props.add(key="licences", value=said if isinstance(said, str) else json.dumps(said))
    return made


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A bundle as the stage builds it of a model whose network names licences, and of one that names none."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(
        "models: {m: {bundle: {version: 0.1.0}}, plain: {bundle: {version: 0.1.0}}}\n"
    )
    for model, network in (("m", named()), ("plain", classifier())):
        build(tmp_path / "scratch" / model, "classify")
        for name in bundle_stage.FILES:
            content = (tmp_path / "scratch" / model / name).read_bytes()
            io.write_bytes(paths.model(model, name), network.SerializeToString() if name == "model.onnx" else content)
        bundle_stage.run(model)
    return tmp_path / "models"


def test_the_texts_stand_in_one_file_in_the_order_of_names():
    assert licences_text(SAID) == TEXT


def test_a_bundle_carries_what_its_network_names_with_role_and_hash(built):
    entry = bundle.verify(built / "m/bundle")["files"]["licences.txt"]
    assert (built / "m/bundle/licences.txt").read_bytes() == TEXT
    assert entry == {"role": "licences", "bytes": len(TEXT), "sha256": io.sha256(built / "m/bundle/licences.txt")}
    assert open_bundle(built / "m/bundle").runtime is not None


def test_a_bundle_whose_network_names_none_has_the_files_it_always_had(built):
    assert "licences.txt" not in bundle.verify(built / "plain/bundle")["files"]


def test_a_folder_for_a_server_carries_them_too(built, tmp_path):
    write_beside(bundle.read(built / "m/bundle"), tmp_path)
    assert (tmp_path / "licences.txt").read_bytes() == TEXT


@pytest.mark.parametrize(
    ("model", "text", "said"),
    [
        ("m", None, "expected the licences of weights==2, other, got nothing"),
        ("m", b"None of yours.\n", "expected the licences of weights==2, other, got another text"),
        ("plain", TEXT, "expected no licences, for the network names none, got another text"),
    ],
)
def test_a_bundle_without_the_texts_that_its_network_names_is_refused(built, tmp_path, model, text, said):
    files = {
        path.name: path.read_bytes()
        for path in (built / model / "bundle").iterdir()
        if path.name not in (bundle.MANIFEST, "licences.txt")
    } | ({} if text is None else {"licences.txt": text})
    bundle.write_bundle(tmp_path / "other", "m", "0.1.0", "classify", "trained", files)
    with pytest.raises(BundleError, match=said):
        open_bundle(tmp_path / "other")


def test_a_trivial_bundle_has_no_licences(tmp_path):
    held = {name: b"{}" for name in ("labels.json", "calibrator.json", "policy.json", "licences.txt")}
    with pytest.raises(BundleError, match="only the files of a trivial bundle"):
        bundle.write_bundle(tmp_path / "bundle", "m", "0.1.0", "detect", "trivial", held)


@pytest.mark.parametrize("said", ["[]", "{}", '{"a": 1}', '{"a": ""}', "{", '{"a": NaN}'])
def test_what_is_no_map_of_texts_is_refused(said):
    with pytest.raises(BundleError, match="metadata licences"):
        licences_in({"licences": said}, "model.onnx")
