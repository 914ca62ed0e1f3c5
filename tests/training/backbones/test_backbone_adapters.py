import pytest
import torch
from pydantic import TypeAdapter

from vouch.errors import ParamsError
from vouch.training.backbones import adapters, timm_backbone
from vouch.training.backbones.params import Adapters, NoAdapters

VIT, RESNET = ("vit_tiny_patch16_224", {"depth": 2}), ("resnet10t", {"channels": (8, 8, 16, 16), "stem_width": 8})
DINOV3 = ("vit_small_patch16_dinov3", {"depth": 2})
BESIDE = {"rank": 4, "alpha": 8.0, "dropout": 0.0, "blocks": 1, "targets": ("qkv", "proj")}
KINDS = ("lora", "dora", "doran")


def wanted(kind, **changes):
    own = {"hidden": 4, "tau": 0.01} if kind == "doran" else {}
    return TypeAdapter(Adapters).validate_python({"kind": kind} | BESIDE | own | changes)


def backbone(name, options, side_px=32):
    torch.manual_seed(1)
    built = timm_backbone.build(timm_backbone.describe(name, options, side_px)).eval()
    return learned(built)  # for at its start a block of timm's adds nothing, or a hundred-thousandth


def learned(network):
    """Move all that may learn."""
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter.add_(0.05 * torch.randn_like(parameter))
    return network


def outputs(network):
    with torch.no_grad():
        return network(torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(2)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("model", "targets"), [(VIT, ("qkv", "proj", "fc1")), (DINOV3, ("qkv", "proj")), (RESNET, ("conv1", "conv2"))]
)
def test_nothing_changes_until_a_step_and_merged_is_what_was_learned(kind, model, targets):
    network = backbone(*model)
    plain, names = outputs(network), list(network.state_dict())
    adapters.inject(network, wanted(kind, targets=targets))
    assert torch.equal(outputs(network), plain)
    expected = outputs(learned(network))
    assert (expected - plain).abs().max() > 1e-3
    adapters.merge(network)
    assert list(network.state_dict()) == names
    assert (outputs(network) - expected).abs().max() < 1e-5
    assert not any(hasattr(module, "get_base_layer") for module in network.modules())
    assert type(network.inner) is type(backbone(*model).inner)
    assert vars(network.inner).keys() == vars(backbone(*model).inner).keys()


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_block_alone_is_adapted_and_all_else_is_frozen(kind):
    network = backbone(*VIT)
    adapters.inject(network, wanted(kind, targets=("qkv",)))
    learning = [name for name, one in network.named_parameters() if one.requires_grad]
    assert learning
    assert all(name.startswith("inner.blocks.1.attn.qkv.") and "base_layer" not in name for name in learning)


@pytest.mark.parametrize(
    ("model", "changes", "expected"),
    [
        (VIT, {"targets": ("qkv", "q_proj", "norm1")}, "2 problems"),
        (VIT, {"blocks": 3}, "adapters.blocks: expected at most 2, got 3"),
        (("convnext_atto", {}), {"targets": ("conv_dw",)}, "conv_dw in convnext_atto"),  # each channel by itself
        (("nf_regnet_b0", {}), {"targets": ("conv1",)}, "conv1 in nf_regnet_b0"),  # it standardises its weight
        (("vit_small_patch16_dinov3_qkvb", {"depth": 2}), {}, "use vit_small_patch16_dinov3"),
        (("eva02_tiny_patch14_224", {"depth": 2}), {"targets": ("q_proj",)}, "q_proj in eva02"),
        (("beit_base_patch16_224", {"depth": 1}), {}, "a layer that is called, got blocks.0.attn.qkv"),
    ],
)
def test_what_no_adapter_can_reach_is_refused_and_nothing_is_touched(model, changes, expected):
    network = backbone(*model, side_px=28 if "patch14" in model[0] else 32)
    names = list(network.state_dict())
    with pytest.raises(ParamsError, match=expected):
        adapters.inject(network, wanted("lora", **changes))
    assert list(network.state_dict()) == names
    assert all(one.requires_grad for one in network.parameters())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("model", "targets"), [(VIT, ("qkv", "fc1")), (DINOV3, ("qkv",)), (RESNET, ("conv2",))])
def test_every_adapter_learns_what_adds_at_the_first_step_and_the_rest_at_the_second(kind, model, targets):
    network = backbone(*model).train()
    adapters.inject(network, wanted(kind, targets=targets))
    learning = {name: one for name, one in network.named_parameters() if one.requires_grad}
    optimizer = torch.optim.SGD(learning.values(), lr=1.0)
    moved = []
    for _ in range(2):
        optimizer.zero_grad()
        network(torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(3))).square().sum().backward()
        moved.append({name for name, one in learning.items() if one.grad.abs().max() > 0})
        optimizer.step()
    down = {name for name in learning if any(part in name for part in ("lora_A", "own_a", "shared_"))}
    assert moved[0] == learning.keys() - down
    assert moved[1] == learning.keys()
    assert down


def test_doran_stands_on_the_fused_qkv_alone_and_the_log_says_what_runs():
    def said(kind, model, *targets):
        network, asked = backbone(*model), wanted(kind, targets=targets) if kind != "none" else NoAdapters(kind="none")
        adapters.inject(network, asked)
        return adapters.in_force(network, asked)

    assert said("none", VIT) == "none: all weights of the backbone learn"
    assert said("lora", VIT, "qkv").startswith("LoRA on qkv of 1 blocks; 3,072 of ")  # 4 * (192 + 576)
    assert said("doran", VIT, "qkv", "proj").startswith("DoRAN on qkv of 1 blocks, DoRA on proj of 1 blocks; ")
    reason = "DoRA instead of DoRAN, for no target of resnet10t is q, k and v in one: DoRA on conv2 of 1 blocks; "
    assert said("doran", RESNET, "conv2").startswith(reason)


def test_float16_with_adapters_in_a_dino_backbone_is_refused():
    network = backbone(*DINOV3)
    adapters.inject(network, wanted("doran", targets=("qkv",)))
    with pytest.raises(ParamsError, match="float16"), torch.autocast("cpu", torch.float16):
        network(torch.rand(1, 3, 32, 32))


def test_frozen_batch_normalisation_keeps_its_statistics_and_another_does_not():
    network = backbone(*RESNET)
    network.train()(torch.rand(4, 3, 32, 32))
    assert all(int(one) == 1 for name, one in network.named_buffers() if name.endswith("num_batches_tracked"))
    adapters.inject(network, wanted("lora", targets=("conv2",)))
    network.train()(torch.rand(4, 3, 32, 32))
    assert all(int(one) == 1 for name, one in network.named_buffers() if name.endswith("num_batches_tracked"))
