import pytest
import torch
from pydantic import TypeAdapter

from vouch.errors import ParamsError
from vouch.training import adapters, backbones
from vouch.training.classifier_params import Adapters

VIT, RESNET = ("vit_tiny_patch16_224", {"depth": 2}), ("resnet10t", {"channels": (8, 8, 16, 16), "stem_width": 8})
DINOV3 = ("vit_small_patch16_dinov3", {"depth": 2})
BESIDE = {"rank": 4, "alpha": 8.0, "dropout": 0.0, "blocks": 1, "targets": ("qkv", "proj")}
KINDS = ("lora", "dora", "doran")


def wanted(kind, **changes):
    own = {"hidden": 4, "tau": 0.01} if kind == "doran" else {}
    return TypeAdapter(Adapters).validate_python({"kind": kind} | BESIDE | own | changes)


def backbone(name, options, side_px=32):
    torch.manual_seed(1)
    built = backbones.build(backbones.describe(name, options, side_px)).eval()
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


def test_the_last_blocks_alone_are_adapted_and_all_else_is_frozen():
    network = backbone(*VIT)
    adapters.inject(network, wanted("lora"))
    places = {name.split(".lora_")[0] for name, one in network.named_parameters() if one.requires_grad}
    assert places == {"inner.blocks.1.attn.qkv", "inner.blocks.1.attn.proj"}


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
