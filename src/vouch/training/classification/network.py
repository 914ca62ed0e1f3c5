"""The whole classifier: backbone, views, heads; rebuilt from its description, exported as one graph."""

from typing import Any, Literal

import torch
from torch import Tensor, nn

from vouch.errors import ParamsError, Problem, refuse_any
from vouch.params import Section
from vouch.training import weights
from vouch.training.backbones.frozen import below, started_backbone, view_features
from vouch.training.backbones.params import Precision, Views
from vouch.training.backbones.timm_backbone import BackboneArchitecture, Normalised
from vouch.training.classification.heads import GatedAttention, Heads, Mean, Outputs, Top, TopK
from vouch.training.classification.params import Gamblers, HeadsAndLoss, Selective

FRAMEWORK = "classifier"


class Architecture(Section):
    """All that rebuilds a classifier, but its weights and the names of its classes."""

    backbone: BackboneArchitecture
    views: Views
    positive: int | None  # index of the class whose logit top_k ranks views by
    head_width: int
    gate: Literal["none", "head", "abstention"]
    aux: bool


class Network(nn.Module):
    """Photographs to outputs: float32 (n, 3, L, L), RGB in [0, 1]."""

    def __init__(self, backbone: Normalised, views: Views, top: Top) -> None:
        super().__init__()
        self.backbone, self.views, self.top = backbone, views, top
        self.precision: Precision = "float32"  # of the backbone's pass in training; judged is what ships, in float32

    def features(self, images: Tensor) -> Tensor:
        """Return (n, views, width) float32."""
        return view_features(self.backbone, images, self.views, self.precision if self.training else "float32")

    def forward(self, images: Tensor) -> Outputs:
        """Answer for each photograph."""
        outputs: Outputs = self.top(self.features(images))
        return outputs


class Exported(nn.Module):
    """What ships: float32 (n, K + 1), class logits, then the gate's; (n, K) where there is no gate."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Answer in one table."""
        return self.embedded(images)[0]

    def embedded(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Answer, and say where each photograph lies among the backbone's features: float32 (n, width)."""
        features = self.network.features(images)
        outputs: Outputs = self.network.top(features)
        gate = gate_logit(outputs)
        table = outputs.logits if gate is None else torch.cat([outputs.logits, gate[:, None]], dim=1)
        return table, self.network.top.pooled(features)


def gate_logit(outputs: Outputs) -> Tensor | None:
    """Return the logit of "this answer is right": the gate's, or ln((1 - p) / p) of the share p that abstains."""
    if outputs.abstention is not None:
        return torch.logsumexp(outputs.logits, dim=-1) - outputs.abstention
    return outputs.gate


def describe(
    backbone: BackboneArchitecture, views: Views, wanted: HeadsAndLoss, classes: tuple[str, ...]
) -> Architecture:
    """Return the architecture that a training asks for.

    Raises
    ------
    ParamsError
        When the positive class is unknown or missing, or the payoff exceeds the number of classes.
    """
    loss, problems = wanted.loss, []
    if wanted.positive is not None and wanted.positive not in classes:
        problems.append(Problem("positive", f"one of {', '.join(classes)}", wanted.positive, "respell it"))
    if views.aggregator == "top_k" and wanted.positive is None:
        problems.append(Problem("positive", "a class, for top_k ranks views by it", "null", "name one"))
    if isinstance(loss, Gamblers) and loss.payoff > len(classes):
        expected = f"at most {len(classes)}, the number of classes"
        problems.append(Problem("loss.payoff", expected, str(loss.payoff), "lower it"))
    refuse_any(ParamsError, problems)
    return Architecture(
        backbone=backbone,
        views=views,
        positive=None if wanted.positive is None else classes.index(wanted.positive),
        head_width=wanted.head_width,
        gate="abstention" if isinstance(loss, Gamblers) else "head" if isinstance(loss, Selective) else "none",
        aux=loss.aux_weight > 0,
    )


def top(architecture: Architecture, width: int, classes: int, dropout: float) -> Top:
    """Return aggregation and heads for features of `width`, at random."""
    heads = Heads(
        width,
        architecture.head_width,
        classes,
        gate=architecture.gate == "head",
        aux=architecture.aux,
        abstention=architecture.gate == "abstention",
        dropout=dropout,
    )
    if architecture.views.aggregator == "attention":
        return Top(heads, GatedAttention(width))
    if architecture.views.aggregator == "top_k":
        assert architecture.positive is not None
        return Top(heads, TopK(architecture.views.top_k, architecture.positive))
    return Top(heads, Mean())


def build(architecture: Architecture, classes: int, *, dropout: float = 0.0) -> Network:
    """Return the network at random, to be filled."""
    return started(architecture, classes, dropout=dropout, start="none")


def network(description: dict[str, Any], tensors: dict[str, Tensor]) -> nn.Module:
    """Rebuild the network for export: float32 (n, 3, size, size) in [0, 1] -> (n, K + 1), or (n, K) without a gate."""
    architecture = weights.architecture(Architecture, description)
    built = build(architecture, len(description["classes"]))
    weights.fill(built, tensors, "weights.safetensors")
    return Exported(built.eval()).eval()


def started(architecture: Architecture, classes: int, *, dropout: float, start: str) -> Network:
    """Return the network that a training starts from: the backbone as `start` says, heads at random.

    Of a folder of our own weights the heads are taken too, as far as they fit.

    Raises
    ------
    BundleError, DataError
        As `started_backbone` does.
    """
    backbone, others = started_backbone(architecture.backbone, start)
    heads = below(others, "top.")
    network = Network(backbone, architecture.views, top(architecture, backbone.width, classes, dropout))
    if heads:
        loaded, total = weights.fill_matching(network.top, heads)
        print(f"starting weights: the backbone and {loaded} of {total} tensors of the heads fit")
    return network
