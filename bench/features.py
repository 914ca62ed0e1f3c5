"""What the feature cache saves, and what extraction costs on top of the network: a frozen ViT-S/14 at 112 pixels.

1. An epoch of heads on cached features against the same epoch, same batches, through the frozen backbone.
2. Photographs per second of `features.extract`, from the file to the cache, against the bare network on ready tensors.
The weights are random: no time depends on them. Photographs are drawn, 640 x 480 JPEG.
Run: PYTHONPATH=src python bench/features.py
"""

import tempfile
from pathlib import Path

import cv2
import numpy as np
import torch

from sides import in_turns
from vouch.training.classification import features, network
from vouch.training.classification.cached import Cached, fit_top, objective
from vouch.training.classification.params import CachedTraining, Extraction
from vouch.training.images import batches as image_batches
from vouch.training.optimization import loop
from vouch.training.optimization.loop import Feed
from vouch.vision.images.source import files

PHOTOGRAPHS, RUNS, BATCH, SIZE_PX = 256, 5, 32, 112
EXTRACTION = {
    "backbone": {"name": "vit_small_patch14_dinov2", "options": {}, "attention": "sdpa"},
    "size_px": SIZE_PX,
    "views": {"tiles_per_side": 0, "overlap": 0.15, "side_px": SIZE_PX, "aggregator": "mean", "top_k": 1},
    "batch": BATCH,
    "precision": "float32",
    "storage": "float32",
    "device": "cpu",
    "threads": 1,
    "seed": 1,
}
TRAINING = {
    "epochs": 1,
    "patience_epochs": 1,
    "choose_by": "nll",
    "batch": BATCH,
    "optimizer": "AdamW",
    "learning_rate": 0.001,
    "final_learning_rate": 0.01,
    "warmup_epochs": 0.5,
    "weight_decay": 0.01,
    "layer_decay": 1.0,
    "max_gradient_norm": 1.0,
    "ema_decay": 0.999,
    "head_width": 768,
    "dropout": 0.3,
    "positive": None,
    "loss": {
        "kind": "cross_entropy",
        "smoothing": 0.1,
        "class_weights": "none",
        "aux_weight": 0.5,
        "gate_folds": 0,
    },
    "device": "cpu",
    "threads": 1,
    "seed": 1,
}


def draw(folder):
    rng = np.random.default_rng(1)
    for number in range(PHOTOGRAPHS):
        coarse = rng.integers(0, 255, (12, 16, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{number:03d}.jpg"), cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC))
    return files(sorted(folder.iterdir()))


def row(what, ours, peer, ratio, goal):
    print(f"| {what} | {ours} | {peer} | {ratio:.3g} | {goal} |")


def main():
    extraction, training = Extraction.model_validate(EXTRACTION), CachedTraining.model_validate(TRAINING)
    frozen, described = features.backbone(extraction, "none")
    class_ids = np.arange(PHOTOGRAPHS) % 2
    architecture = network.describe(described, extraction.views, training, ("first", "second"))
    with tempfile.TemporaryDirectory() as folder:
        images = draw(Path(folder))
        source = image_batches.canvases(images, SIZE_PX)
        inputs = list(image_batches.in_order(source, PHOTOGRAPHS, BATCH, "cpu"))

        def bare():
            with torch.no_grad():
                return torch.cat([frozen(batch) for batch in inputs])

        seen = features.extract(frozen, images, extraction)
        np.testing.assert_allclose(seen[:, 0].numpy(), bare().numpy(), atol=1e-5)
        looking = {"ours": lambda: features.extract(frozen, images, extraction), "bare": bare}
        _, looked_s = in_turns(looking, RUNS)
        cached = Cached(seen, class_ids, tuple(map(str, range(PHOTOGRAPHS))))
        few = cached.part(np.arange(8))  # both sides judge the same few, so that the epoch itself is timed

        def on_features():
            fit_top(architecture, 2, cached, few, training, shown=False)

        def through_the_backbone():
            torch.manual_seed(training.seed)
            top = network.top(architecture, frozen.width, 2, training.dropout)

            def batches(epoch):
                parts = image_batches.shuffled(PHOTOGRAPHS, BATCH, seed=training.seed, epoch=epoch)
                for pixels, truths in image_batches.batches(source, class_ids, parts, "cpu"):
                    with torch.no_grad():
                        found = frozen(pixels)[:, None]
                    yield found, truths

            steps = image_batches.steps(PHOTOGRAPHS, BATCH)
            feed = Feed(batches, steps, lambda: iter([few.features]), few.class_ids)
            loop.fit(top, feed, training, objective(training.loss, class_ids, 2, None, "cpu"), None)

        _, epoch_s = in_turns({"heads": on_features, "whole": through_the_backbone}, RUNS)
    heads, whole = epoch_s["heads"], epoch_s["whole"]
    what = f"heads, an epoch on cached features of {PHOTOGRAPHS} photographs, against through the frozen ViT-S/14"
    row(what, f"{heads * 1e3:.0f} ms", f"{whole * 1e3:.0f} ms", whole / heads, ">= 50")
    ours, theirs = PHOTOGRAPHS / looked_s["ours"], PHOTOGRAPHS / looked_s["bare"]
    row(
        "feature extraction from the file, against the bare network on ready tensors",
        f"{ours:.1f} /s",
        f"{theirs:.1f} /s",
        ours / theirs,
        ">= 0.9",
    )


if __name__ == "__main__":
    main()
