import copy

import pytest
import torch
from torch import nn

from training.classifier_pictures import training
from vouch.training.backbones import adapters, timm_backbone
from vouch.training.backbones.params import Doran, Views
from vouch.training.classification.heads import Heads, Mean, Top
from vouch.training.classification.network import Network
from vouch.training.optimization import optimizers
from vouch.training.optimization.schedule import set_learning_rate


def network(name="resnet10t", **options):
    torch.manual_seed(1)
    options = {"channels": (8, 8, 16, 16), "stem_width": 8} | options if name == "resnet10t" else options
    backbone = timm_backbone.build(timm_backbone.describe(name, options, 32))
    heads = Heads(backbone.width, 8, 2, gate=False, aux=False, abstention=False, dropout=0.5)
    whole = {"tiles_per_side": 0, "overlap": 0.0, "side_px": 32, "aggregator": "mean", "top_k": 1}
    return Network(backbone, Views.model_validate(whole), Top(heads, Mean()))


def linear():
    torch.manual_seed(1)
    return nn.Linear(3, 2), torch.randn(8, 3), torch.randn(8, 2)


def test_layers_learn_slower_the_further_they_are_from_the_heads_and_vectors_do_not_decay():
    one = network("vit_tiny_patch16_224", depth=3)
    found = optimizers.optimizer(one, training(layer_decay=0.5, weight_decay=0.02))
    set_learning_rate(found, training(layer_decay=0.5, warmup_epochs=0.0, learning_rate=0.01), 0.0)
    named = {id(parameter): name for name, parameter in one.named_parameters()}
    rates, decays = {}, {}
    for group in found.param_groups:
        for parameter in group["params"]:
            rates[named[id(parameter)]] = group["lr"]
            decays[named[id(parameter)]] = group["weight_decay"]
    assert rates.keys() == dict(one.named_parameters()).keys()
    assert rates["top.heads.trunk.weight"] == pytest.approx(0.01)
    blocks = [rates[f"backbone.inner.blocks.{number}.attn.qkv.weight"] for number in range(3)]
    assert blocks == pytest.approx([0.00125, 0.0025, 0.005])
    assert rates["backbone.inner.patch_embed.proj.weight"] == pytest.approx(0.000625)
    for name, parameter in one.named_parameters():
        kept = parameter.ndim <= 1 or name.endswith(("pos_embed", "cls_token"))
        assert decays[name] == (0.0 if kept else 0.02), name


@pytest.mark.parametrize(
    ("name", "options", "targets"),
    [("vit_tiny_patch16_224", {"depth": 3}, ("qkv", "proj")), ("resnet10t", {}, ("conv1", "conv2"))],
)
def test_adapters_alone_learn_at_the_rate_of_their_layer_and_lengths_do_not_decay(name, options, targets):
    one = network(name, **options)
    wanted = {"kind": "doran", "rank": 2, "alpha": 4.0, "dropout": 0.0, "blocks": 3, "targets": targets}
    adapters.inject(one.backbone, Doran.model_validate(wanted | {"hidden": 2, "tau": 0.01}))
    found = optimizers.optimizer(one, training(layer_decay=0.5, weight_decay=0.02))
    named = {id(parameter): name for name, parameter in one.named_parameters()}
    groups = {named[id(parameter)]: group for group in found.param_groups for parameter in group["params"]}
    assert groups.keys() == {name for name, parameter in one.named_parameters() if parameter.requires_grad}
    lengths = {name for name in groups if name.endswith(("magnitude", "rho", "bias")) or "magnitude_vector" in name}
    assert {name for name, group in groups.items() if group["weight_decay"] == 0} == lengths
    last = {group["lr_scale"] for name, group in groups.items() if ".blocks.2." in name or ".layer4.0." in name}
    before = {group["lr_scale"] for name, group in groups.items() if ".blocks.1." in name or ".layer3.0." in name}
    assert (last, before) == ({0.5}, {0.25})


def test_friendly_sam_steps_along_the_gradient_at_the_perturbed_weights():
    module, inputs, wanted = linear()
    twin = copy.deepcopy(module)
    fitting = training(optimizer="FriendlySAM", weight_decay=0.0, learning_rate=0.01, max_gradient_norm=0.05)
    optimizer = optimizers.optimizer(module, fitting)

    def mean_square():
        return (module(inputs) - wanted).square().mean()

    by_hand = torch.optim.AdamW(twin.parameters(), lr=0.01, weight_decay=0.0)
    momentum = [torch.zeros_like(parameter) for parameter in twin.parameters()]
    for number in range(3):
        optimizers.step(module, optimizer, mean_square, max_norm=0.05, seed=1, number=number)
        old = [parameter.detach().clone() for parameter in twin.parameters()]
        raw = torch.autograd.grad((twin(inputs) - wanted).square().mean(), list(twin.parameters()))
        away = [one - before for one, before in zip(raw, momentum, strict=True)]
        momentum = [0.9 * before + 0.1 * one for one, before in zip(raw, momentum, strict=True)]
        if number == 0:
            momentum, away = list(raw), list(raw)
        norm = torch.cat([one.flatten() for one in away]).norm()
        with torch.no_grad():
            for parameter, one in zip(twin.parameters(), away, strict=True):
                parameter += 0.05 * one / norm
        by_hand.zero_grad()
        (twin(inputs) - wanted).square().mean().backward()
        nn.utils.clip_grad_norm_(twin.parameters(), 0.05)
        with torch.no_grad():
            for parameter, before in zip(twin.parameters(), old, strict=True):
                parameter.copy_(before)
        by_hand.step()
    torch.testing.assert_close(module.weight, twin.weight)
    torch.testing.assert_close(module.bias, twin.bias)


@pytest.mark.parametrize("name", ["AdamW", "FriendlySAM"])
def test_a_step_moves_running_statistics_once_and_draws_dropout_alike_in_both_passes(name):
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 1))
    inputs, masks = torch.randn(16, 3), []
    module[2].register_forward_hook(lambda layer, given, out: masks.append(out == 0))
    expected = module[1].running_mean * 0.9 + 0.1 * module[0](inputs).mean(0).detach()
    optimizer = optimizers.optimizer(module, training(optimizer=name))
    optimizers.step(module, optimizer, lambda: module(inputs).square().mean(), max_norm=1.0, seed=3, number=0)
    torch.testing.assert_close(module[1].running_mean, expected)
    assert int(module[1].num_batches_tracked) == 1
    assert module[1].track_running_stats
    assert len(masks) == (1 if name == "AdamW" else 2)
    assert torch.equal(masks[0], masks[-1])


def test_a_long_gradient_is_clipped():
    module, inputs, wanted = linear()
    optimizer = optimizers.optimizer(module, training())
    optimizers.step(
        module, optimizer, lambda: 1e6 * (module(inputs) - wanted).square().mean(), max_norm=0.5, seed=1, number=0
    )
    norm = torch.cat([parameter.grad.flatten() for parameter in module.parameters()]).norm()
    assert float(norm) == pytest.approx(0.5, rel=1e-4)
