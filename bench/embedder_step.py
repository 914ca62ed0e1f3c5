"""A training step of an embedder, beside timm and a library: `PYTHONPATH=src python bench/embedder_step.py`.

Both have the same network, batches and optimizer. Ours also keeps the averaged weights and looks at one batch of
val_select; the peer does neither.
"""

import importlib.util
import math
import sys

import numpy as np
import timm
import torch
from torch import nn
from torch.nn import functional

from sides import in_turns
from vouch import params
from vouch.training.backbones import timm_backbone
from vouch.training.embedding import margin, network
from vouch.training.embedding.params import EmbedderTraining
from vouch.training.optimization import loop
from vouch.training.optimization.loop import Feed

RUNS, STEPS, PRODUCTS = 5, 8, 24
GOAL = 1 / 1.1  # ours may take a tenth longer


class Plain(nn.Module):
    """What a careful user writes: timm's features, a neck, embeddings for the loss of the library."""

    def __init__(self, backbone: nn.Module, width: int) -> None:
        super().__init__()
        self.backbone, self.neck = backbone, nn.Linear(backbone.num_features, width, bias=False)
        self.norm = nn.BatchNorm1d(width)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return functional.normalize(self.norm(self.neck(self.backbone(images))))


def main() -> None:
    if importlib.util.find_spec("pytorch_metric_learning") is None:
        sys.exit("bench/embedder_step.py: the peer pytorch-metric-learning is not installed; run `make setup`")
    from pytorch_metric_learning.losses import ArcFaceLoss

    asked = params.load(EmbedderTraining, "models", "sku", "train_embedder")
    wanted = asked.model_copy(update={"epochs": 1, "patience_epochs": 1})
    torch.set_num_threads(wanted.threads)
    side = wanted.size_px
    images = torch.rand(STEPS, wanted.batch, 3, side, side).to(memory_format=torch.preserve_format)
    batches = [
        (one.contiguous(memory_format=torch.channels_last), torch.arange(wanted.batch) % PRODUCTS) for one in images
    ]
    described = timm_backbone.describe(wanted.backbone.name, wanted.backbone.options, side)
    architecture = network.Architecture(backbone=described, embedding=wanted.embedding, scale=wanted.scale)
    ours = network.started(architecture, PRODUCTS, start="none").to(memory_format=torch.channels_last)
    feed = Feed(lambda _: iter(batches), STEPS, lambda: iter([images[0, :4]]), np.arange(4))

    inner = timm.create_model(wanted.backbone.name, num_classes=0, **wanted.backbone.options)
    plain = Plain(inner, wanted.embedding).to(memory_format=torch.channels_last)
    loss = ArcFaceLoss(PRODUCTS, wanted.embedding, margin=math.degrees(wanted.margin_rad), scale=wanted.scale)
    learning = [*plain.parameters(), *loss.parameters()]
    optimizer = torch.optim.AdamW(learning, lr=wanted.learning_rate, weight_decay=wanted.weight_decay, fused=True)

    def peer() -> None:
        plain.train()
        for seen, class_ids in batches:
            optimizer.zero_grad()
            loss(plain(seen), class_ids).backward()
            nn.utils.clip_grad_norm_(learning, wanted.max_gradient_norm)
            optimizer.step()

    sides = {"ours": lambda: loop.fit(ours, feed, wanted, margin.minimised(wanted), None), "peer": peer}
    _, seconds = in_turns(sides, RUNS)
    mine, theirs = (seconds[one] / STEPS * 1000 for one in ("ours", "peer"))
    print("| what | ours | peer | ratio | goal |\n|---|---|---|---|---|")
    what = f"a training step of sku, {wanted.batch} crops of {side} px, beside timm and pytorch-metric-learning"
    print(f"| {what} | {mine:.0f} ms | {theirs:.0f} ms | {theirs / mine:.2f} | {GOAL:.2f} |")


if __name__ == "__main__":
    main()
