"""The feature cache: what a frozen backbone saw, with a key that says of what; any other key is refused."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from vouch import io
from vouch.errors import DataError, Problem, refuse_any
from vouch.training.backbones import timm_backbone
from vouch.training.backbones.frozen import Frozen, describe_frozen, refuse_views, started_backbone, view_features
from vouch.training.backbones.timm_backbone import BackboneArchitecture, Normalised
from vouch.training.classification.params import Extraction
from vouch.training.images import batches
from vouch.vision.images.source import Image
from vouch.vision.preprocess import Preprocess, to_json

FEATURES = "features"


def key(weights_sha256: str, description: Mapping[str, Any], images_sha256: Sequence[str]) -> dict[str, str]:
    """Return the cache's key: hashes of the weights, of how pixels become input, of the photographs in order."""
    return {
        "weights": weights_sha256,
        "preprocessing": _hash(io.dumps(description)),
        "images": _hash("\n".join(images_sha256)),
    }


def backbone(extraction: Extraction, start: str) -> tuple[Normalised, BackboneArchitecture]:
    """Return the frozen backbone on its device: at random, from the hub or from weights, as `start` says.

    Raises
    ------
    ParamsError, BundleError, WorkspaceError
        When its parameters contradict each other or the machine, or its weights do not fit.
    """
    wanted = extraction.backbone
    timm_backbone.refuse_half_precision(wanted.name, extraction.precision)
    timm_backbone.refuse_machine(extraction.device, extraction.precision)
    refuse_views(extraction.views, extraction.size_px)
    torch.set_num_threads(extraction.threads)
    torch.manual_seed(extraction.seed)
    architecture = timm_backbone.describe(wanted.name, wanted.options, extraction.views.side_px)
    frozen, _ = started_backbone(architecture, start)
    ran = timm_backbone.attention_in_force(frozen, wanted.attention, extraction.device, extraction.precision)
    print(f"attention: {ran}")
    return frozen.to(extraction.device).to(memory_format=torch.channels_last).eval(), architecture


def describe(frozen: Normalised, architecture: BackboneArchitecture, extraction: Extraction) -> dict[str, Any]:
    """Return what says how photographs become features, beside the weights."""
    taken = Frozen(backbone=architecture, views=extraction.views, precision=extraction.precision)
    preprocess = Preprocess(extraction.size_px, frozen.stride_px, task="classify")
    described = describe_frozen(frozen, taken, extraction.size_px)
    return described | {"preprocess": to_json(preprocess), "storage": extraction.storage}


def extract(frozen: Normalised, images: tuple[Image, ...], extraction: Extraction) -> Tensor:
    """Return features (n, views, width) of photographs, on the CPU, in the cache's precision.

    Raises
    ------
    DataError
        When a photograph does not decode.
    """
    source = batches.canvases(images, extraction.size_px, cache_bytes=0)  # each is looked at once
    return seen(frozen, batches.in_order(source, len(images), extraction.batch, extraction.device), extraction)


def seen(frozen: Normalised, inputs: Iterable[Tensor], extraction: Extraction) -> Tensor:
    """Return features (n, views, width) of batches, on the CPU, in the cache's precision."""
    dtype, views, precision = getattr(torch, extraction.storage), extraction.views, extraction.precision
    narrow = torch.autocast(extraction.device, getattr(torch, precision), enabled=precision != "float32")
    with torch.no_grad(), narrow:  # around all batches, so that weights are narrowed once
        given = (view_features(frozen, batch, views, precision).to(dtype) for batch in inputs)
        found = [features.to("cpu", non_blocking=True) for features in given]
    if extraction.device == "cuda":
        torch.cuda.synchronize()  # once: waiting for each batch would leave the card idle until the next is launched
    return torch.cat(found)


def write(path: Path, found: Tensor, made_of: dict[str, str]) -> None:
    """Write features and their key, whole or not at all."""
    # one entry: safetensors does not sort its metadata
    metadata = {"key": json.dumps(made_of, sort_keys=True)}
    io.write_bytes(path, safetensors.torch.save({FEATURES: found.contiguous()}, metadata=metadata))


def read(path: Path, made_of: dict[str, str], *, rows: int) -> Tensor:
    """Return the features float32 (rows, views, width).

    Raises
    ------
    DataError
        When the file is absent, truncated or no feature cache, or was made with other weights, other preprocessing or
        of other photographs.
    """
    remedy = "extract the features again"
    try:
        with safetensors.safe_open(path, framework="pt") as stream:
            found_key = json.loads((stream.metadata() or {}).get("key", "{}"))
            found: Tensor = stream.get_tensor(FEATURES)
    except (OSError, ValueError, SafetensorError) as error:
        raise DataError([Problem(str(path), "a feature cache", str(error), remedy)]) from error
    problems = [
        Problem(str(path), f"features of {name} {made_of[name][:12]}", str(found_key.get(name))[:12], remedy)
        for name in made_of
        if found_key.get(name) != made_of[name]
    ]
    if not problems and (found.ndim != 3 or len(found) != rows):
        problems.append(Problem(str(path), f"features of {rows} photographs", str(tuple(found.shape)), remedy))
    refuse_any(DataError, problems)
    return found.float()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
