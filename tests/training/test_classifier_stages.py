"""The stage on a small data set: photographs to weights."""

import json
from pathlib import Path

import pandas as pd
import pytest
import torch

from training.classifier_pictures import CLASSES, SIZE_PX, album, draw, loss, training
from vouch import io
from vouch.errors import DataError
from vouch.stages import train_classifier
from vouch.training import checkpoints
from vouch.training.classifier import network


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A repository with one data set, `roads`, of which one photograph has no label."""
    monkeypatch.chdir(tmp_path)
    pictures = album(draw(tmp_path / "photographs"))
    rows = [
        {"sample_id": image.stem, "image": str(image), "label": CLASSES[class_id], "group": group, "split": split}
        for split, part in (("train", pictures.train), ("val_select", pictures.val_select))
        for image, class_id, group in zip(part.images, part.class_ids, part.groups, strict=True)
    ]
    table = pd.DataFrame(rows)
    table.loc[0, "label"] = None
    io.write_table(tmp_path / "data/manifests/roads/samples.parquet", table[["sample_id", "image", "label"]])
    for split, part in table.groupby("split"):
        io.write_table(tmp_path / f"data/splits/roads/{split}.csv", part[["sample_id", "group"]])
    write_params()
    io.write_text(Path("none.yaml"), "pretrained: none\n")
    return tmp_path


def write_params():
    model = {"train_classifier": training(loss=loss(gate_folds=2)).model_dump(mode="json")}
    content = {"datasets": {"roads": {"ingest": {"classes": CLASSES}}}, "models": {"m": model}}
    io.write_text(Path("params.yaml"), json.dumps(content))  # JSON is YAML


def test_a_trained_classifier_is_weights_a_description_and_a_curve(workspace):
    train_classifier.run("m", "roads", "none.yaml")
    tensors, description = checkpoints.read(workspace / "models/m")
    with torch.no_grad():
        assert network(description, tensors)(torch.rand(2, 3, SIZE_PX, SIZE_PX)).shape == (2, 3)
    curve = pd.read_csv(workspace / "plots/m/train.csv")
    assert curve["epoch"].tolist() == [1, 2]
    assert {"val_select_accuracy", "val_select_nll", "val_select_augrc"} <= set(curve.columns)
    assert not (workspace / ".dvc/tmp/vouch/train/m").exists()


def test_it_gives_the_same_bytes_twice(workspace):
    written = ["plots/m/train.csv", *(f"models/m/{file}" for file in (checkpoints.WEIGHTS, checkpoints.DESCRIPTION))]
    found = []
    for _ in range(2):
        train_classifier.run("m", "roads", "none.yaml")
        found.append([(workspace / path).read_bytes() for path in written])
    assert found[0] == found[1]


def test_a_label_that_is_no_class_is_refused_before_anything_is_written(workspace):
    samples = io.read_table(workspace / "data/manifests/roads/samples.parquet")
    samples.loc[5, "label"] = "cone"
    io.write_table(workspace / "data/manifests/roads/samples.parquet", samples)
    with pytest.raises(DataError, match="05: expected one of clear, road_work, got cone"):
        train_classifier.run("m", "roads", "none.yaml")
    assert not (workspace / "models").exists()
