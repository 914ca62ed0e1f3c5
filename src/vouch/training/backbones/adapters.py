"""Adapters in a frozen backbone: LoRA and DoRA of peft, DoRAN of ours; merged, they leave a plain backbone again.

Layers are replaced where they stand, so that timm's class and names (`blocks.0...`) stay and with them its layer decay.
"""

import importlib
import re
from collections import Counter
from typing import Any

import torch
from timm.layers import Attention, AttentionRope
from timm.models.eva import EvaAttention
from torch import nn

from vouch.errors import ParamsError, Problem, refuse_any
from vouch.training.backbones import timm_backbone
from vouch.training.backbones.doran import DoranQkv
from vouch.training.backbones.params import Adapters, Dora, Doran, Lora, NoAdapters
from vouch.training.backbones.timm_backbone import Normalised

INSIDE_BLOCK = re.compile(r"(.+\.\d+)\.(.+)")  # blocks.3 | attn.qkv; stages.2.blocks.1 | mlp.fc1; layer1.0 | conv1
PLAIN = (nn.Linear, nn.Conv2d)  # exactly: a subclass may standardise its weight or pad, which no adapter knows of

IN_THIRDS = (Attention, AttentionRope, EvaAttention)  # rows of their qkv are q, then k, then v; others mix by head


def inject(backbone: Normalised, wanted: Adapters) -> None:
    """Freeze a backbone and put adapters in place; what it gives stays the same until a step is made.

    DoRAN stands where a target is the fused qkv of an attention, DoRA at the other targets; `in_force` says so.
    What is random comes from torch's own generator. With kind none all weights stay as they are and learn.

    Raises
    ------
    ParamsError
        When the backbone has no such target or fewer blocks with one, or reads a target's weight past any adapter.
    """
    if isinstance(wanted, NoAdapters):
        return
    timm_backbone.refuse_adapters(backbone.name)
    names = _places(backbone, wanted)
    backbone.requires_grad_(False)
    doran = [name for name in names if isinstance(wanted, Doran) and _in_thirds(backbone.inner, name)]
    others = [name for name in names if name not in doran]
    if others:
        _put(backbone.inner, others, wanted)
    for name in doran:
        assert isinstance(wanted, Doran)
        _replace(backbone.inner, name, DoranQkv(backbone.inner.get_submodule(name), wanted))


def in_force(backbone: Normalised, wanted: Adapters) -> str:
    """Return, for the log, which adapters stand where, and how many weights learn."""
    if isinstance(wanted, NoAdapters):
        return "none: all weights of the backbone learn"
    found = Counter(
        f"{_kind(module)} on {name.rpartition('.')[2]}"
        for name, module in backbone.inner.named_modules()
        if hasattr(module, "get_base_layer")
    )
    text = ", ".join(f"{kind} of {count} blocks" for kind, count in found.items())
    if isinstance(wanted, Doran) and not any(kind.startswith("DoRAN") for kind in found):
        text = f"DoRA instead of DoRAN, for no target of {backbone.name} is q, k and v in one: {text}"
    learning = sum(one.numel() for one in backbone.parameters() if one.requires_grad)
    return f"{text}; {learning:,} of {sum(one.numel() for one in backbone.parameters()):,} weights learn"


def _kind(module: nn.Module) -> str:
    if isinstance(module, DoranQkv):
        return "DoRAN"
    return "DoRA" if len(module.lora_magnitude_vector) else "LoRA"  # type: ignore[arg-type]


def _in_thirds(inner: Any, name: str) -> bool:
    parent, _, child = name.rpartition(".")
    return child == "qkv" and type(inner.get_submodule(parent)) in IN_THIRDS


def merge(backbone: Normalised) -> None:
    """Add what the adapters learned to the weights, in place, and restore the plain layers and their names."""
    for name, module in list(backbone.inner.named_modules()):
        if hasattr(module, "get_base_layer"):
            module.merge()
            _replace(backbone.inner, name, module.get_base_layer())
    if hasattr(backbone.inner, "peft_config"):
        del backbone.inner.peft_config


def _put(inner: Any, names: list[str], wanted: Lora | Dora | Doran) -> None:
    peft = importlib.import_module("peft")  # only where wanted: it loads transformers, 6 s
    config = peft.LoraConfig(
        r=wanted.rank,
        lora_alpha=wanted.alpha,
        lora_dropout=wanted.dropout,
        target_modules="|".join(map(re.escape, names)),
        use_dora=not isinstance(wanted, Lora),
    )
    peft.inject_adapter_in_model(config, inner)


def _replace(inner: Any, name: str, module: nn.Module) -> None:
    parent, _, child = name.rpartition(".")
    setattr(inner.get_submodule(parent), child, module)


def _places(backbone: Normalised, wanted: Lora | Dora | Doran) -> list[str]:
    """Return the names of the layers to adapt, in the order of the network."""
    blocks: dict[str, dict[str, str]] = {}  # name -> the target that it is, by block
    for name, module in backbone.inner.named_modules():
        inside = INSIDE_BLOCK.fullmatch(name)
        target = inside and next((one for one in wanted.targets if f".{inside[2]}".endswith(f".{one}")), None)
        if inside and target and type(module) in PLAIN and getattr(module, "groups", 1) == 1:
            blocks.setdefault(inside[1], {})[name] = target
    found = {target for names in blocks.values() for target in names.values()}
    _refuse_absent(backbone, wanted, found, len(blocks))
    names = [name for block in list(blocks.values())[-wanted.blocks :] for name in block]
    _refuse_bypassed(backbone, names)
    return names


def _refuse_absent(backbone: Normalised, wanted: Lora | Dora | Doran, found: set[str], count: int) -> None:
    problems = [
        Problem("adapters.targets", "a plain layer of a block", f"{one} in {backbone.name}", "choose another")
        for one in wanted.targets
        if one not in found
    ]
    if found and wanted.blocks > count:
        problems.append(Problem("adapters.blocks", f"at most {count}", str(wanted.blocks), "lower it"))
    refuse_any(ParamsError, problems)


def _refuse_bypassed(backbone: Normalised, names: list[str]) -> None:
    """Look once and refuse what is never called: timm's EVA and BEiT multiply by the weight of `qkv` themselves."""
    called: set[str] = set()
    hooks = [
        backbone.inner.get_submodule(name).register_forward_hook(lambda *_, name=name: called.add(name))
        for name in names
    ]
    learning = backbone.training
    with torch.no_grad():
        backbone.eval()(torch.zeros(1, 3, backbone.side_px, backbone.side_px, device=backbone.mean.device))
    backbone.train(learning)
    for hook in hooks:
        hook.remove()
    refuse_any(
        ParamsError,
        [
            Problem("adapters.targets", "a layer that is called", f"{name} of {backbone.name}", "choose another")
            for name in names
            if name not in called
        ],
    )
