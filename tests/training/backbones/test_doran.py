import math

import peft
import pytest
import torch
from torch import nn

from vouch.training.backbones.doran import DoranQkv
from vouch.training.backbones.params import Doran

WIDTH, RANK, ALPHA = 12, 3, 6.0


def wanted(**changes):
    values = {"kind": "doran", "rank": RANK, "alpha": ALPHA, "dropout": 0.0, "blocks": 1, "targets": ("qkv",)}
    return Doran.model_validate(values | {"hidden": 4, "tau": 0.01} | changes)


def linear(*, bias=True):
    torch.manual_seed(1)
    return nn.Linear(WIDTH, 3 * WIDTH, bias=bias)


def adapted(*, bias=True, learn=0.3, **changes):
    """A layer whose adapters are anywhere but at their start."""
    layer = DoranQkv(linear(bias=bias).requires_grad_(False), wanted(**changes))
    with torch.no_grad():
        for parameter in layer.parameters():
            if parameter.requires_grad:
                parameter.add_(learn * torch.randn_like(parameter))
    return layer


def inputs():
    return torch.randn(2, 5, WIDTH, generator=torch.Generator().manual_seed(2))


def by_hand(layer, x):
    """m V / (||V|| + tau) x + bias in float64, V materialised; rows of k as they were."""
    weight, x = layer.base_layer.weight.double(), x.double()
    gelu = [0.5 * u * (1 + torch.erf(u / math.sqrt(2))) for u in (layer.shared_a.double(), layer.shared_b.double())]
    parts = []
    for number, rows in ((0, weight[:WIDTH]), (None, weight[WIDTH : 2 * WIDTH]), (1, weight[2 * WIDTH :])):
        if number is not None:
            a, b = gelu[0] @ layer.own_a[number].double(), layer.own_b[number].double() @ gelu[1].T
            v = rows + ALPHA / RANK * b @ a
            tau = math.log1p(math.exp(layer.rho[number].item()))
            m = layer.magnitude[number * WIDTH : (number + 1) * WIDTH].double()
            rows = (m / (v.square().sum(1).sqrt() + tau))[:, None] * v
        parts.append(x @ rows.T)
    bias = layer.base_layer.bias
    return torch.cat(parts, dim=-1) + (0 if bias is None else bias.double())


@pytest.mark.parametrize("bias", [True, False])
def test_it_starts_from_the_layer_bit_by_bit(bias):
    layer = DoranQkv(linear(bias=bias), wanted(tau=0.5))
    assert torch.equal(layer(inputs()), linear(bias=bias)(inputs()))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layer(inputs()), linear(bias=bias)(inputs()))


@pytest.mark.parametrize("bias", [True, False])
def test_it_is_the_formula_though_v_is_never_made(bias):
    layer = adapted(bias=bias)
    found = layer(inputs())
    assert (found - by_hand(layer, inputs())).abs().max() < 1e-5
    assert (found - layer.base_layer(inputs())).abs().max() > 0.1


def test_lengths_are_measured_in_float32_whatever_the_precision_of_the_pass():
    layer = adapted()
    plain = layer._factors("cpu")
    with torch.autocast("cpu", torch.bfloat16):
        assert all(torch.equal(*pair) for pair in zip(layer._factors("cpu"), plain, strict=True))
        assert layer(inputs()).dtype == torch.bfloat16


def test_merged_it_is_one_plain_layer_and_unmerged_the_old_one_bit_by_bit():
    layer, before = adapted(), linear().weight
    expected = layer(inputs())
    layer.merge()
    assert (layer(inputs()) - expected).abs().max() < 1e-5
    assert torch.equal(layer(inputs()), layer.get_base_layer()(inputs()))
    assert torch.equal(layer.base_layer.weight[WIDTH : 2 * WIDTH], before[WIDTH : 2 * WIDTH])
    layer.unmerge()
    assert torch.equal(layer.base_layer.weight, before)
    assert torch.equal(layer(inputs()), expected)


def test_where_tau_vanishes_it_is_dora_of_peft_and_so_are_its_gradients():
    layer = adapted()
    with torch.no_grad():
        layer.rho.fill_(-40.0)  # tau = 4e-18
        a, b = layer._matrices()
    # one adapter of twice the rank on all rows: q takes the first half of A, v the second, k none
    config = peft.LoraConfig(r=2 * RANK, lora_alpha=2 * ALPHA, target_modules=["0"], use_dora=True)
    other = peft.inject_adapter_in_model(config, nn.Sequential(linear()))[0]
    with torch.no_grad():
        other.lora_A["default"].weight.copy_(a.flatten(0, 1))
        other.lora_B["default"].weight.zero_()
        other.lora_B["default"].weight[:WIDTH, :RANK] = b[0]
        other.lora_B["default"].weight[2 * WIDTH :, RANK:] = b[1]
        magnitude = other.lora_magnitude_vector["default"].weight
        magnitude[:WIDTH], magnitude[2 * WIDTH :] = layer.magnitude.view(2, WIDTH)
    ours, theirs = (inputs().requires_grad_() for _ in range(2))
    found, expected = layer(ours), other(theirs)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    (found**3).sum().backward()
    (expected**3).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-4, rtol=1e-4)
    moved = torch.cat([magnitude.grad[:WIDTH], magnitude.grad[2 * WIDTH :]])
    torch.testing.assert_close(layer.magnitude.grad, moved, atol=1e-4, rtol=1e-4)
    # dL/dA of peft, carried on through A = gelu(shared_a) own_a by hand
    through = torch.nn.functional.gelu(layer.shared_a).T @ other.lora_A["default"].weight.grad.view(2, RANK, WIDTH)
    torch.testing.assert_close(layer.own_a.grad, through, atol=1e-4, rtol=1e-4)


def test_a_row_of_nothing_has_bounded_gradients_where_those_of_dora_are_none():
    base = linear()
    with torch.no_grad():
        base.weight[0] = 0.0
    layer = DoranQkv(base.requires_grad_(False), wanted())
    layer(inputs()).square().sum().backward()
    assert all(one.grad.isfinite().all() for one in layer.parameters() if one.requires_grad)
    dora = peft.inject_adapter_in_model(
        peft.LoraConfig(r=RANK, target_modules=["0"], use_dora=True), nn.Sequential(base)
    )
    assert not dora(inputs()).isfinite().all()


@pytest.mark.parametrize(("hidden", "count"), [(8, 13_186), (32, 50_434)])
def test_q_and_v_share_their_first_layers(hidden, count):
    # 2 r h shared + 4 d h of q's and v's own + 2 d magnitudes + 2 of tau, at d = 384 and r = 8
    layer = DoranQkv(nn.Linear(384, 1152).requires_grad_(False), wanted(rank=8, hidden=hidden))
    assert sum(one.numel() for one in layer.parameters() if one.requires_grad) == count
    assert {name for name, one in layer.named_parameters() if one.ndim == 1 and one.requires_grad} == {
        "rho",
        "magnitude",
    }


def test_dropout_is_of_the_low_rank_path_alone():
    layer = adapted(dropout=0.5)
    with torch.no_grad():
        layer.own_b.zero_()
    assert torch.equal(layer.train()(inputs()), layer.eval()(inputs()))
    changing = adapted(dropout=0.5).train()
    assert not torch.equal(changing(inputs()), changing(inputs()))
