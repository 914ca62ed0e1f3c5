"""On a CUDA device: what trains there ships for a CPU and answers alike, in both precisions and with adapters.

Sums run in another order there, so values agree to a tolerance, never bit by bit. Times are in bench/gpu.py.
"""

import importlib.util

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter

from training.classifier_pictures import CLASSES, SIZE_PX, album, backbone, draw, extraction, training, views
from training.interrupted import interrupt
from vouch.training.backbones import adapters, timm_backbone
from vouch.training.backbones.params import Adapters, Views
from vouch.training.classification import features
from vouch.training.classification import network as classifier_network
from vouch.training.classification import training as classifier
from vouch.training.images import batches

DEVICE = "cuda"
FLOAT32 = 1e-4  # of logits and features about 1 in size: float32 in another order
BFLOAT16 = 0.03  # of logits whose deviation between photographs is about 0.2: eight bits of mantissa, twelve blocks
SMALL = {"resnet": backbone(), "vit": backbone("vit_tiny_patch16_224", depth=2)}

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return album(draw(tmp_path_factory.mktemp("data") / "photographs"))


def train(pictures, scratch, **changes):
    return classifier.train(pictures, training(**({"device": DEVICE, "dropout": 0.0} | changes)), "none", scratch)


def photographs(pictures, device):
    source = batches.canvases(pictures.train.images, SIZE_PX)
    return batches.pixels(source(np.arange(len(pictures.train.images))), device)


def noise(side_px):
    return torch.rand(8, 3, side_px, side_px, generator=torch.Generator().manual_seed(2))


def learned(network):
    """Move all that may learn, for at its start an adapter adds nothing, and a block of timm's hardly anything."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for one in network.parameters():
            if one.requires_grad:
                one.add_(0.05 * torch.randn(one.shape, generator=generator).to(one.device))
    return network


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", SMALL)
def test_what_a_card_trains_is_what_a_cpu_trains_and_ships_for_it(kind, precision, pictures, tmp_path):
    changes = {"backbone": SMALL[kind], "epochs": 1}
    found = train(pictures, tmp_path / "card", precision=precision, **changes)
    plain = train(pictures, tmp_path / "cpu", device="cpu", **changes)
    assert {tensor.device.type for tensor in found.tensors.values()} == {"cpu"}
    assert {tensor.dtype for tensor in found.tensors.values()} <= {torch.float32, torch.int64}
    assert found.description == plain.description
    for column in ("train_loss", "val_select_nll"):
        assert found.curve[column][0] == pytest.approx(plain.curve[column][0], rel=5e-3), column


@pytest.mark.parametrize("kind", SMALL)
def test_a_network_answers_on_a_card_as_on_a_cpu(kind, pictures, tmp_path):
    found = train(pictures, tmp_path, backbone=SMALL[kind])
    network = learned(classifier.network(found.description, found.tensors))
    with torch.no_grad():
        expected = network(photographs(pictures, "cpu"))
        answers = network.to(DEVICE)(photographs(pictures, DEVICE)).cpu()
    assert expected.std(dim=0).min() > 20 * FLOAT32
    torch.testing.assert_close(answers, expected, atol=FLOAT32, rtol=FLOAT32)


def test_bfloat16_gives_the_logits_of_float32_to_a_tolerance():
    # dinov2 scales what a block adds by a hundred-thousandth at its start; by 1, all twelve blocks count
    name, options = "vit_small_patch14_dinov2", {"init_values": 1.0}
    torch.manual_seed(1)
    whole = Views.model_validate(views(side_px=224))
    described = timm_backbone.describe(name, options, 224)
    architecture = classifier_network.describe(described, whole, training(), CLASSES)
    network = classifier_network.build(architecture, 2).to(DEVICE).eval()
    found = {}
    for network.precision in ("float32", "bfloat16"):
        with torch.no_grad():
            found[network.precision] = network(noise(224).to(DEVICE)).logits
    assert found["bfloat16"].dtype == torch.float32
    assert 0 < (found["bfloat16"] - found["float32"]).abs().max() < BFLOAT16


@pytest.mark.parametrize("kind", SMALL)
def test_features_from_a_card_are_those_of_a_cpu(kind, pictures):
    on_cpu, on_card = (extraction(backbone=SMALL[kind], device=device, batch=5) for device in ("cpu", DEVICE))
    frozen = learned(features.backbone(on_cpu, "none")[0])
    expected = features.extract(frozen, pictures.train.images, on_cpu)
    found = features.extract(frozen.to(DEVICE), pictures.train.images, on_card)
    assert found.device.type == "cpu"
    torch.testing.assert_close(found, expected, atol=FLOAT32, rtol=FLOAT32)


def test_an_interrupted_training_goes_on_where_it_was(pictures, tmp_path):
    changes = {"device": DEVICE, "epochs": 3, "backbone": SMALL["vit"]}  # with dropout: each step's draw is seeded
    whole = train(pictures, tmp_path / "whole", dropout=0.3, **changes)
    interrupt(lambda: train(pictures, tmp_path / "broken", dropout=0.3, **changes), tmp_path / "broken")
    resumed = train(pictures, tmp_path / "broken", dropout=0.3, resume=True, **changes)
    assert resumed.curve["learning_rate"].equals(whole.curve["learning_rate"])
    for column in ("train_loss", "val_select_nll"):
        np.testing.assert_allclose(resumed.curve[column], whole.curve[column], rtol=1e-3)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", ["lora", "doran"])
def test_every_adapter_learns_on_a_card_and_merges_there(kind, precision):
    own = {"hidden": 4, "tau": 0.01} if kind == "doran" else {}
    beside = {"rank": 4, "alpha": 8.0, "dropout": 0.0, "blocks": 2, "targets": ("qkv",)}
    torch.manual_seed(1)
    network = timm_backbone.build(timm_backbone.describe("vit_tiny_patch16_224", {"depth": 2}, SIZE_PX)).to(DEVICE)
    adapters.inject(network, TypeAdapter(Adapters).validate_python({"kind": kind} | beside | own))
    learned(network)
    learning = {name: one for name, one in network.named_parameters() if one.requires_grad}
    optimizer = torch.optim.AdamW(learning.values(), lr=1e-3, fused=True)
    with torch.autocast(DEVICE, torch.bfloat16, enabled=precision == "bfloat16"):
        found = network(noise(SIZE_PX).to(DEVICE))
    found.float().square().mean().backward()
    before = {name: one.detach().clone() for name, one in learning.items()}
    optimizer.step()
    assert learning
    for name, one in learning.items():
        assert one.device.type == DEVICE, name
        assert one.grad.abs().max() > 0, name
        assert not torch.equal(one, before[name]), name
    with torch.no_grad():
        expected = network.eval()(noise(SIZE_PX).to(DEVICE))
        adapters.merge(network)
        assert all(one.device.type == DEVICE for one in network.parameters())
        torch.testing.assert_close(network(noise(SIZE_PX).to(DEVICE)), expected, atol=FLOAT32, rtol=FLOAT32)


def test_the_log_says_whether_flashattention_3_runs_and_why_not():
    vit = timm_backbone.build(timm_backbone.describe("vit_tiny_patch16_224", {"depth": 2}, SIZE_PX)).to(DEVICE).eval()
    images = noise(SIZE_PX).to(DEVICE)

    def looked():
        with torch.no_grad(), torch.autocast(DEVICE, torch.bfloat16):
            return vit(images).float()

    expected = looked()
    ran = timm_backbone.attention_in_force(vit, "fa3", DEVICE, "bfloat16")
    if importlib.util.find_spec("flash_attn_interface") is None:
        assert ran == "scaled_dot_product_attention instead of FlashAttention-3: flash_attn_3 is not installed"
        return
    try:
        assert ran == "FlashAttention-3"
        torch.testing.assert_close(looked(), expected, atol=BFLOAT16, rtol=BFLOAT16)
    finally:
        torch.nn.attention.restore_flash_attention_impl()
