"""A system's bundle: both bundles whole, and nothing else; what does not belong together is refused."""

import json
import shutil
from pathlib import Path

import pytest

from deployment import bundles
from systems import made_systems
from systems.made_systems import COLOURS, photograph
from vouch.errors import BundleError
from vouch.systems.bundle import is_system, manifest_sha256, open_system, write_system
from vouch.systems.counted import counted
from vouch.systems.system import system_of
from vouch.vision.images.source import File

MODELS = {"detector": "m", "identifier": "sku"}
FOLDER = Path("models/s/bundle")


@pytest.fixture
def models(tmp_path, monkeypatch):
    """The bundles of a detector `m` and an embedder `sku`."""
    monkeypatch.chdir(tmp_path)
    bundles.build(Path("models/m/bundle"), "detect")
    made_systems.identifier(Path("models/sku/bundle"))


def test_the_bundle_of_both_answers_as_both_do(models):
    write_system(FOLDER, "s", "1.2.3", MODELS)
    manifest, system = open_system(FOLDER)
    path = photograph(Path("a.png"), {(0, 0): COLOURS["cola"], (0, 3): COLOURS["lime"]})
    (one,) = counted(system, [File(path)], batch=1)
    assert one.counts == {"cola": 1, "lime": 1}
    assert (manifest["name"], manifest["version"], manifest["kind"]) == ("s", "1.2.3", "system")
    for part, model in MODELS.items():
        own = Path("models", model, "bundle")
        assert manifest["parts"][part]["name"] == model
        assert manifest["parts"][part]["manifest_sha256"] == manifest_sha256(own)
        files = {file.name: file.read_bytes() for file in own.iterdir()}
        assert {file.name: file.read_bytes() for file in (FOLDER / part).iterdir()} == files
    assert is_system(FOLDER)
    assert not is_system(Path("models/m/bundle"))
    assert not is_system(Path("models/m"))
    before = {file: file.read_bytes() for file in FOLDER.rglob("*.json")}
    write_system(FOLDER, "s", "1.2.3", MODELS)
    assert {file: file.read_bytes() for file in FOLDER.rglob("*.json")} == before


def another_manifest(part):
    path = FOLDER / part / "manifest.json"
    path.write_text(path.read_text().replace('"version": "0.', '"version": "9.'))


def without(*keys):
    def change():
        content = json.loads((FOLDER / "manifest.json").read_text())
        inner = content
        for key in keys[:-1]:
            inner = inner[key]
        del inner[keys[-1]]
        (FOLDER / "manifest.json").write_text(json.dumps(content))

    return change


SPOILED = {
    "a part of another manifest": (lambda: another_manifest("identifier"), "identifier/manifest.json: expected sha256"),
    "a part that is gone": (lambda: shutil.rmtree(FOLDER / "detector"), "detector/manifest.json: expected a manifest"),
    "a file beside the parts": (lambda: (FOLDER / "more.bin").write_bytes(b"x"), "'more.bin': expected nothing"),
    "a changed network": (lambda: (FOLDER / "detector/model.onnx").write_bytes(b"x"), "detector/model.onnx"),
    "a manifest without a part": (without("parts", "detector"), r"parts\.detector: expected an entry"),
    "a manifest without a name": (without("name"), "manifest.json: name"),
    "no manifest": (lambda: (FOLDER / "manifest.json").unlink(), "manifest.json"),
}


@pytest.mark.parametrize(("spoil", "words"), SPOILED.values(), ids=SPOILED)
def test_a_bundle_that_is_not_whole_is_never_opened(models, spoil, words):
    write_system(FOLDER, "s", "1.2.3", MODELS)
    spoil()
    with pytest.raises(BundleError, match=words):
        open_system(FOLDER)


def test_a_bundle_of_another_model_is_refused_and_nothing_is_written(models):
    shutil.rmtree("models/m/bundle")
    shutil.copytree("models/sku/bundle", "models/m/bundle")
    with pytest.raises(BundleError, match=r"models/m/bundle: expected the bundle of m, got that of sku"):
        write_system(FOLDER, "s", "1.2.3", MODELS)
    assert not FOLDER.exists()


def test_two_of_one_task_are_no_system(models):
    with pytest.raises(BundleError, match=r"bundle sku: expected one to detect, got one to identify"):
        write_system(FOLDER, "s", "1.2.3", {"detector": "sku", "identifier": "sku"})


def test_a_gallery_of_another_network_is_refused(models, tmp_path):
    with pytest.raises(BundleError, match="model_sha256"):
        made_systems.identifier(tmp_path / "other", model_sha256="0" * 64)


@pytest.mark.parametrize("word", ["unknown", "Unknown"])
def test_a_product_called_as_what_is_none_is_refused(tmp_path, word):
    detector = bundles.build(tmp_path / "m", "detect")
    with pytest.raises(BundleError, match=f"expected no product called unknown, got {word}"):
        system_of(detector, made_systems.identifier(tmp_path / "sku", COLOURS | {word: (0, 0, 255)}))
