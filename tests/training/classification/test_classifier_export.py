"""The exported classifier: one graph with views and normalisation inside, any batch, the same bytes twice."""

import numpy as np
import onnxruntime
import pytest
import torch

from training.classifier_pictures import CLASSES, cached_training, loss, views
from vouch.deployment.tensorrt import Precision, refuse_half_precision
from vouch.errors import ParamsError
from vouch.stages import export
from vouch.training import weights
from vouch.training.backbones import timm_backbone
from vouch.training.backbones.params import Views
from vouch.training.classification import network as classifier_network
from vouch.training.classification.training import network
from vouch.training.onnx_export import export_onnx

GAMBLERS = loss(kind="gamblers", payoff=1.5, after_epochs=0)
SELECTIVE = loss(kind="selective", max_rate=0.02, coverage_weight=0.1, dual_step=0.1, after_epochs=0)
NARROW = {"channels": (8, 8, 16, 16), "stem_width": 8}
TILES = {"tiles_per_side": 3, "side_px": 32}
CASES = {
    "resnet": ("resnet10t", NARROW, 32, views(), loss()),
    "mobilenet": ("mobilenetv3_small_050", {}, 32, views(), SELECTIVE),
    "dinov2": ("vit_small_patch14_dinov2", {"depth": 1}, 28, views(side_px=28), SELECTIVE),
    "dinov3": ("vit_small_patch16_dinov3", {"depth": 1}, 32, views(), GAMBLERS),
    "ten views, mean": ("resnet10t", NARROW, 48, views(**TILES), SELECTIVE),
    "ten views, top k": ("resnet10t", NARROW, 48, views(**TILES, aggregator="top_k"), SELECTIVE),
    "ten views, attention": ("resnet10t", NARROW, 48, views(**TILES, aggregator="attention"), GAMBLERS),
}


def described(case):
    name, options, size_px, looks, one = CASES[case]
    torch.manual_seed(1)
    backbone = timm_backbone.describe(name, options, looks["side_px"])
    fitting = cached_training(loss=one | {"aux_weight": 0.0})
    architecture = classifier_network.describe(backbone, Views.model_validate(looks), fitting, CLASSES)
    tensors = classifier_network.build(architecture, 2).state_dict()
    description = {"architecture": architecture.model_dump(mode="json"), "classes": CLASSES, "size_px": size_px}
    return description, tensors


def built(case):
    description, tensors = described(case)
    return network(description, tensors), description["size_px"]


@pytest.mark.parametrize("case", CASES)
def test_the_exported_network_answers_as_the_trained_one_for_any_batch(case):
    one, size_px = built(case)
    session = onnxruntime.InferenceSession(export_onnx(one, size_px=size_px, metadata={}))
    for count in (1, 5):
        batch = np.random.default_rng(count).random((count, 3, size_px, size_px), np.float32)
        with torch.no_grad():
            expected = one(torch.from_numpy(batch)).numpy()
            embedding = one.network.features(torch.from_numpy(batch)).mean(dim=1).numpy()
        found, embedded = session.run(["output0", "embedding"], {"images": batch})
        if "attention" not in case:  # it weighs the views
            np.testing.assert_allclose(embedded, embedding, atol=1e-3)
        assert found.dtype == np.float32
        assert found.shape == (count, 2 if case == "resnet" else 3)
        np.testing.assert_allclose(found, expected, atol=1e-3)


def test_an_exported_file_names_the_backbone_that_must_not_be_served_in_half_precision(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    description, tensors = described("dinov3")
    weights.write(tmp_path / "models/m", tensors, description | {"framework": "classifier", "stride_px": 16})
    (tmp_path / "params.yaml").write_text("pipeline: {models: {m: {task: classify}}}\n")
    export.run("m")
    with pytest.raises(ParamsError, match="float32 or bfloat16 with DINO"):
        refuse_half_precision((tmp_path / "models/m/model.onnx").read_bytes(), Precision.FLOAT16)


def test_an_export_has_the_same_bytes_twice():
    first, second = (export_onnx(built("ten views, top k")[0], size_px=48, metadata={}) for _ in range(2))
    assert first == second


def test_the_gate_of_a_gambler_is_the_log_odds_of_not_abstaining():
    one, size_px = built("dinov3")
    batch = torch.rand(4, 3, size_px, size_px)
    with torch.no_grad():
        answers = one.network(batch)
        shares = torch.softmax(torch.cat([answers.logits, answers.abstention[:, None]], 1), 1)
        np.testing.assert_allclose(torch.sigmoid(one(batch)[:, 2]), 1 - shares[:, 2], atol=1e-6)
