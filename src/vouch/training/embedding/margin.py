"""What an embedder minimises: cross-entropy with an angular margin, and pairs that a batch confuses."""

import importlib
import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from vouch.errors import Problem, WorkspaceError
from vouch.training.embedding.network import Embedded
from vouch.training.embedding.params import EmbedderTraining, MultiSimilarity
from vouch.training.optimization.loop import Minimised

EDGE = 1e-6  # of a cosine: at 1 the gradient of its angle is infinite


def arcface(logits: Tensor, class_ids: Tensor, *, margin_rad: float, scale: float) -> Tensor:
    """Return logits (n, K) in which each crop's own product is `margin_rad` further away.

    Where the angle and the margin pass pi, cos(theta) - margin sin(margin) stands for cos(theta + margin), so that a
    larger angle never counts as nearer.

    Parameters
    ----------
    logits : float32 (n, K)
        scale x cosine.
    class_ids : int64 (n,)
    margin_rad : float
        In [0, pi / 2).

    References
    ----------
    Deng et al., "ArcFace", arXiv:1801.07698, equation 3.
    """
    own = class_ids[:, None]
    cosine = (logits.gather(1, own) / scale).clamp(-1 + EDGE, 1 - EDGE)
    angle = torch.acos(cosine)
    further = torch.where(
        angle <= math.pi - margin_rad, torch.cos(angle + margin_rad), cosine - margin_rad * math.sin(margin_rad)
    )
    return logits.scatter(1, own, scale * further)


def ramped(margin_rad: float, *, ramp_epochs: float, epochs: float) -> float:
    """Return the margin after so many epochs: from 0 it grows evenly to the whole."""
    return margin_rad * min(1.0, epochs / ramp_epochs) if ramp_epochs else margin_rad


def minimised(wanted: EmbedderTraining) -> Minimised:
    """Return what the loop of epochs makes small.

    Raises
    ------
    WorkspaceError
        When pairs are wanted and pytorch-metric-learning is not installed.
    """
    pairs = _pairs(wanted.pairs) if isinstance(wanted.pairs, MultiSimilarity) else None

    def loss(outputs: Embedded, class_ids: Tensor, epochs: float, memory: dict[str, object]) -> tuple[Tensor, Any]:
        margin = ramped(wanted.margin_rad, ramp_epochs=wanted.ramp_epochs, epochs=epochs)
        pushed = arcface(outputs.logits, class_ids, margin_rad=margin, scale=wanted.scale)
        value = functional.cross_entropy(pushed, class_ids)
        return value if pairs is None else value + pairs(outputs.embedding, class_ids), memory

    return Minimised(loss, {})


def _pairs(wanted: MultiSimilarity) -> Any:
    try:
        losses, miners = (importlib.import_module(f"pytorch_metric_learning.{name}") for name in ("losses", "miners"))
    except ImportError as error:
        remedy = "install it, or set `pairs` to none"
        problem = Problem("pairs.kind", "pytorch-metric-learning for multi_similarity", str(error), remedy)
        raise WorkspaceError([problem]) from error
    mine = miners.MultiSimilarityMiner(epsilon=wanted.epsilon)
    weigh = losses.MultiSimilarityLoss(alpha=wanted.alpha, beta=wanted.beta, base=wanted.base)
    return lambda embedding, class_ids: wanted.weight * weigh(embedding, class_ids, mine(embedding, class_ids))
