"""The whole embedder: backbone, a linear neck with batch normalisation, and a direction for every product of train."""

from contextlib import nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from vouch.params import Section
from vouch.training import weights
from vouch.training.backbones.frozen import EMBEDDER, started_backbone
from vouch.training.backbones.params import Precision
from vouch.training.backbones.timm_backbone import BackboneArchitecture, Normalised

FRAMEWORK = EMBEDDER


class Architecture(Section):
    """All that rebuilds an embedder, but its weights and the names of its products."""

    backbone: BackboneArchitecture
    embedding: int
    scale: float


class Embedded(NamedTuple):
    """Of n crops: scale x cosine to each product's direction (n, K), and the unit embeddings (n, d)."""

    logits: Tensor
    embedding: Tensor


class Embedder(nn.Module):
    """Crops, float32 (n, 3, L, L), RGB in [0, 1], to `Embedded`.

    The neck's batch normalisation has no shift, so that embeddings lie around the origin before they are scaled to unit
    length (BNNeck: Luo et al., arXiv:1903.07071).
    """

    def __init__(self, backbone: Normalised, architecture: Architecture, products: int) -> None:
        super().__init__()
        self.backbone, self.scale = backbone, architecture.scale
        self.neck = nn.Linear(backbone.width, architecture.embedding, bias=False)
        self.norm = nn.BatchNorm1d(architecture.embedding)
        self.norm.bias.requires_grad_(False)
        self.products = nn.Parameter(functional.normalize(torch.randn(products, architecture.embedding)))
        self.precision: Precision = "float32"  # of the backbone's pass in training; judged is what ships, in float32

    def embed(self, images: Tensor) -> Tensor:
        """Return unit embeddings, float32 (n, d)."""
        plain = self.precision == "float32" or not self.training
        with nullcontext() if plain else torch.autocast(images.device.type, getattr(torch, self.precision)):
            features: Tensor = self.backbone(images)
        return functional.normalize(self.norm(self.neck(features.float())))

    def forward(self, images: Tensor) -> Embedded:
        """Embed, and compare with every product."""
        embedding = self.embed(images)
        return Embedded(self.scale * functional.linear(embedding, functional.normalize(self.products)), embedding)


class Exported(nn.Module):
    """What ships: unit embeddings, float32 (n, d)."""

    def __init__(self, embedder: Embedder) -> None:
        super().__init__()
        self.embedder = embedder

    def forward(self, images: Tensor) -> Tensor:
        """Embed."""
        return self.embedder.embed(images)


def network(description: dict[str, Any], tensors: dict[str, Tensor]) -> nn.Module:
    """Rebuild the network for export: float32 (n, 3, size, size) in [0, 1] -> (n, d)."""
    architecture = weights.architecture(Architecture, description)
    built = started(architecture, len(description["classes"]), start="none")
    weights.fill(built, tensors, "weights.safetensors")
    return Exported(built.eval()).eval()


def started(architecture: Architecture, products: int, *, start: str) -> Embedder:
    """Return the network that a training starts from: the backbone as `start` says, the products at random.

    Of a folder of an embedder the neck is taken too, as far as it fits.

    Raises
    ------
    BundleError, DataError
        As `started_backbone` does.
    """
    backbone, others = started_backbone(architecture.backbone, start)
    embedder = Embedder(backbone, architecture, products)
    neck = {name: tensor for name, tensor in others.items() if name.startswith(("neck.", "norm."))}
    if neck:
        loaded, _ = weights.fill_matching(embedder, neck)
        print(f"starting weights: the backbone and {loaded} of {len(neck)} tensors of the neck fit")
    return embedder
