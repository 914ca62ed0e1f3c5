"""A backbone without heads: how it looked at photographs, what says so beside its weights, and what it starts from."""

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from pydantic import ConfigDict
from torch import Tensor

from vouch import params
from vouch.errors import BundleError, ParamsError, Problem, refuse_any
from vouch.params import Section
from vouch.training import weights
from vouch.training.backbones import packaged, timm_backbone
from vouch.training.backbones.params import Precision, Views
from vouch.training.backbones.timm_backbone import BackboneArchitecture, Normalised
from vouch.training.backbones.views import canvas_views

BACKBONE = "classifier_backbone"  # no heads: what was frozen for a feature cache, or pre-trained without labels
EMBEDDER = "embedder"
HOLDERS = {"classifier": "backbone.", EMBEDDER: "backbone.", BACKBONE: ""}  # how the names of its tensors begin


def view_features(backbone: Normalised, images: Tensor, views: Views, precision: Precision) -> Tensor:
    """Return a backbone's features of every view, (n, views, width) float32; `precision` is that of its pass."""
    seen = canvas_views(images, views)
    device = images.device.type
    with nullcontext() if precision == "float32" else torch.autocast(device, getattr(torch, precision)):
        found: Tensor = backbone(seen.flatten(0, 1))
    return found.float().reshape(-1, seen.shape[1], backbone.width)


def refuse_views(views: Views, size_px: int) -> None:
    """Refuse views that contradict each other.

    Raises
    ------
    ParamsError
        When top_k wants more views than there are, or the whole canvas alone would be resized.
    """
    problems, count = [], 1 + views.tiles_per_side**2
    if views.aggregator == "top_k" and views.top_k > count:
        problems.append(Problem("views.top_k", f"at most {count} views", str(views.top_k), "lower it"))
    if views.tiles_per_side == 0 and views.side_px != size_px:
        expected = f"{size_px}, the canvas, where there are no tiles"
        problems.append(Problem("views.side_px", expected, str(views.side_px), "make them equal"))
    refuse_any(ParamsError, problems)


class Frozen(Section):
    """How a backbone without heads looked at photographs."""

    backbone: BackboneArchitecture
    views: Views
    precision: Precision


def describe_frozen(backbone: Normalised, frozen: Frozen, size_px: int) -> dict[str, Any]:
    """Return what says how a backbone without heads is rebuilt; its tensors are its own state."""
    return {
        "framework": BACKBONE,
        "architecture": frozen.model_dump(mode="json"),
        "size_px": size_px,
        "stride_px": backbone.stride_px,
    }


def start_of(path: str) -> str:
    """Return what `start` names: a .yaml says none or hub, or stands for a package itself; weights are their path."""
    said = params.read_params(Path(path))["pretrained"] if path.endswith(".yaml") else path
    return said if isinstance(said, str) else path


def licences_of(start: str) -> dict[str, str]:
    """Return the texts of licences that must accompany what descends from `start`, by name: a package's, or a folder's.

    Raises
    ------
    WorkspaceError
        When the package is not installed.
    BundleError
        When the folder's weights are not whole.
    """
    if start.endswith(".yaml"):
        return packaged.licences(packaged.read(Path(start)))
    return dict(weights.read(Path(start))[1].get("licences", {})) if Path(start).is_dir() else {}


def with_licences(description: dict[str, Any], licences: Mapping[str, str]) -> dict[str, Any]:
    """Return a description of weights that says their licences, where there are any."""
    return description | ({"licences": dict(licences)} if licences else {})


class _Holding(Section):
    """The part of any description that a backbone starts from; the rest is of the heads."""

    model_config = ConfigDict(extra="ignore")

    backbone: BackboneArchitecture


def started_backbone(architecture: BackboneArchitecture, start: str) -> tuple[Normalised, dict[str, Tensor]]:
    """Return the backbone as `start` says and the other tensors of our folder, if it is one.

    It is none, hub, timm's .safetensors, a .yaml that names a package, or a folder of ours. That holds a classifier,
    an embedder, or a backbone alone, which has no other.

    Raises
    ------
    BundleError
        When the starting weights are truncated, lack or add tensors of the backbone, or are of another backbone.
    DataError
        When another framework trained them.
    ParamsError, WorkspaceError
        When a package's weights are another backbone's, or it is not installed.
    """
    folder = Path(start)
    if folder.suffix == ".yaml":
        backbone = timm_backbone.build(architecture)
        packaged.fill(backbone, packaged.read(folder))
        return backbone, {}
    if not folder.is_dir():
        return timm_backbone.build(architecture, start), {}
    tensors, description = weights.read_start(folder, *HOLDERS)
    found = weights.architecture(_Holding, description, str(folder)).backbone
    if (found.name, found.options) != (architecture.name, architecture.options):
        expected, got = (f"backbone {one.name} {one.options}" for one in (architecture, found))
        raise BundleError([Problem(str(folder), expected, got, "correct `start` or `backbone`")])
    backbone = timm_backbone.build(architecture)
    prefix = HOLDERS[description["framework"]]
    weights.fill(backbone, below(tensors, prefix), str(folder))
    return backbone, {name: tensor for name, tensor in tensors.items() if not name.startswith(prefix)}


def below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
