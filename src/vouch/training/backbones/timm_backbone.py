"""Backbones from timm by name, with their own normalisation inside, so that what ships takes pixels in [0, 1].

DINOv2 and DINOv3 (timm's `vit_*_dinov2`, `vit_*_dinov3`, `convnext_*.dinov3`), EfficientNet, ResNet and small ones.
"""

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any, Self

import safetensors.torch
import timm
import torch
from safetensors import SafetensorError
from timm.data import resolve_data_config
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from vouch.errors import BundleError, ParamsError, Problem, WorkspaceError
from vouch.params import Section
from vouch.training import weights

Option = bool | int | float | str | tuple[int, ...]
TRANSFORMERS = ("vit_", "deit", "beit", "eva", "test_vit")  # their position embedding has to know the canvas
DIGITS = 6  # decimals that a description keeps; CLIP's mean has eight

# float32 means it: on a card PyTorch multiplies matrices so, but rounds what convolutions take to ten bits of mantissa
torch.backends.cudnn.allow_tf32 = False


class BackboneArchitecture(Section):
    """All that rebuilds a backbone, but its weights."""

    name: str
    options: dict[str, Option]
    side_px: int
    mean: tuple[float, float, float]  # of RGB in [0, 1]
    std: tuple[float, float, float]


class Normalised(nn.Module):
    """A timm network that takes float32 (n, 3, side, side), RGB in [0, 1], and gives features (n, width)."""

    mean: Tensor
    std: Tensor

    def __init__(self, inner: Any, architecture: BackboneArchitecture) -> None:
        super().__init__()
        self.inner = inner
        self.name, self.side_px = architecture.name, architecture.side_px
        self.width = int(inner.head_hidden_size)
        self.stride_px = int(inner.feature_info[-1]["reduction"])
        for name, values in (("mean", architecture.mean), ("std", architecture.std)):
            self.register_buffer(name, torch.tensor(values).reshape(1, 3, 1, 1), persistent=False)

    def train(self, mode: bool = True) -> Self:
        """Learn or not; a batch normalisation whose weights are frozen keeps its statistics too."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, _BatchNorm) and module.affine and not module.weight.requires_grad:
                module.eval()
        return self

    def forward(self, images: Tensor) -> Tensor:
        """Normalise and look."""
        device = images.device.type
        if torch.is_autocast_enabled(device):
            refuse_half_precision(self.name, str(torch.get_autocast_dtype(device)).removeprefix("torch."))
        refuse_half_precision(self.name, str(next(self.inner.parameters()).dtype).removeprefix("torch."))
        features: Tensor = self.inner((images - self.mean) / self.std)
        return features


def describe(name: str, options: dict[str, Option], side_px: int) -> BackboneArchitecture:
    """Return what rebuilds the backbone; mean and deviation are those of timm's entry.

    Raises
    ------
    ParamsError
        When timm knows no such name, or the side is no multiple of the patch.
    """
    if not timm.is_model(name):
        raise ParamsError([Problem("backbone.name", "a name of timm.list_models()", name, "choose one")])
    patch = re.search(r"patch(\d+)", name)
    if patch and side_px % int(patch[1]):
        got = f"{side_px} px for {name}"
        raise ParamsError([Problem("views.side_px", f"a multiple of {patch[1]}", got, "change the side")])
    published = timm.get_pretrained_cfg(name, allow_unregistered=False).to_dict()
    config = resolve_data_config(pretrained_cfg=published)
    mean, std = (tuple(round(value, DIGITS) for value in config[key]) for key in ("mean", "std"))
    return BackboneArchitecture(name=name, options=options, side_px=side_px, mean=mean, std=std)


def build(architecture: BackboneArchitecture, start: str = "none") -> Normalised:
    """Return the backbone, without weights (`none`), from the hub (`hub`) or from timm's .safetensors.

    Raises
    ------
    ParamsError
        When timm refuses the options.
    BundleError
        When the file is truncated, or lacks or adds tensors.
    WorkspaceError
        When the hub does not answer.
    """
    arguments = _habits(architecture) | architecture.options
    try:
        inner = timm.create_model(architecture.name, pretrained=start == "hub", num_classes=0, **arguments)
    except (TypeError, ValueError, AssertionError, RuntimeError) as error:
        got = f"{arguments}: {error}"
        raise ParamsError([Problem("backbone.options", f"arguments of {architecture.name}", got, "correct")]) from error
    except OSError as error:
        problem = Problem(architecture.name, "weights from the hub", str(error), "give a .safetensors file as `start`")
        raise WorkspaceError([problem]) from error
    if start not in ("none", "hub"):
        _fill_from_file(inner, Path(start))
    return Normalised(inner, architecture)


def _habits(architecture: BackboneArchitecture) -> dict[str, Option]:
    arguments: dict[str, Option] = {}
    if architecture.name.startswith(TRANSFORMERS):
        arguments["img_size"] = architecture.side_px
    if "dinov2" in architecture.name:
        arguments["dynamic_img_size"] = True
    if "dinov3" in architecture.name and architecture.name.startswith("vit_"):
        arguments["global_pool"] = "token"  # timm's default averages, upstream reads the class token
    return arguments


def _fill_from_file(inner: Any, path: Path) -> None:
    try:
        tensors = safetensors.torch.load(path.read_bytes())
    except (OSError, SafetensorError) as error:
        problem = Problem(str(path), "a .safetensors of timm", str(error), "pull or download it again")
        raise BundleError([problem]) from error
    convert = getattr(sys.modules[type(inner).__module__], "checkpoint_filter_fn", None)
    if convert is not None:  # resamples the position embedding to the canvas, renames the publisher's tensors
        tensors = convert(tensors, inner)
    classes = inner.pretrained_cfg.get("classifier") or ()
    prefixes = tuple(f"{name}." for name in ([classes] if isinstance(classes, str) else classes))
    tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith(prefixes)}
    weights.fill(inner, tensors, str(path))


def is_dino(name: str) -> bool:
    """Say whether a timm name is of the DINO family (EUPE are distilled DINOv3)."""
    return "dino" in name or "eupe" in name


def refuse_half_precision(name: str, precision: str) -> None:
    """Refuse float16 with any DINO backbone: its activations overflow (facebookresearch/dinov3#181).

    Raises
    ------
    ParamsError
        When it is one.
    """
    if precision == "float16" and is_dino(name):
        raise ParamsError([Problem("precision", "float32 or bfloat16 with DINO", f"float16 with {name}", "choose one")])


def refuse_adapters(name: str) -> None:
    """Refuse timm's `_qkvb` variants: they read the weight of `qkv` past any adapter, which then learns nothing.

    Raises
    ------
    ParamsError
        When it is one.
    """
    if "_qkvb" in name:
        remedy = f"use {name.replace('_qkvb', '').split('.')[0]}"
        raise ParamsError([Problem("backbone.name", "no `_qkvb` variant with adapters", name, remedy)])


def attention_in_force(network: nn.Module, wanted: str, device: str, precision: str) -> str:
    """Choose the attention kernels and return, for the log, which run and why.

    FlashAttention-3 needs its kernels, a CUDA device and half-width tensors; PyTorch's own runs everywhere.
    """
    if not any(hasattr(module, "fused_attn") for module in network.modules()):
        return "none: the backbone has no attention"
    if wanted == "sdpa":
        return f"scaled_dot_product_attention of PyTorch {torch.__version__.split('+')[0]} on {device}"
    missing = [
        text
        for text, there in (
            ("flash_attn_3 is not installed", importlib.util.find_spec("flash_attn_interface") is not None),
            ("the device is no CUDA device", device == "cuda"),
            ("the precision is float32", precision != "float32"),
        )
        if not there
    ]
    if missing:
        return f"scaled_dot_product_attention instead of FlashAttention-3: {', '.join(missing)}"
    torch.nn.attention.activate_flash_attention_impl("FA3")
    return "FlashAttention-3"


def refuse_machine(device: str, precision: str) -> None:
    """Refuse a device that is not there, or a precision that it only emulates.

    Raises
    ------
    WorkspaceError
        When CUDA is wanted and absent, or bfloat16 on a card before compute capability 8.
    """
    if device == "cpu":
        return
    if not torch.cuda.is_available():
        raise WorkspaceError([Problem("device", "a CUDA device", "none", "set device to cpu")])
    if precision == "bfloat16" and torch.cuda.get_device_capability()[0] < 8:
        got = torch.cuda.get_device_name()
        raise WorkspaceError([Problem("precision", "a card that multiplies bfloat16", got, "set it to float32")])
