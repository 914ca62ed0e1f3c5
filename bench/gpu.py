"""On a CUDA device: fine-tuning and feature extraction in bfloat16 against timm's plain loop, and what feeds them.

1. The card's matrix rate: a bfloat16 product of two square matrices of random numbers, 2 n^3 FLOP.
2. Fine-tuning steps: `loop.fit` on batches that lie on the device, against autocast, `create_optimizer_v2`
   (AdamW), clipping and ModelEmaV3 on the same batches, in turn. Both normalise colours in the step.
3. Feature extraction: `features.seen` on the same batches, against timm's network under autocast.
4. Photographs that `images.batches` brings to the device, against what the step takes; and the step fed by it.
5. Logits in bfloat16 against float32.

A photograph's pass forwards is L (24 N d^2 + 4 N^2 d) + 2 P 3 p^2 d FLOP: L blocks of width d, P patches of side p, N
tokens; a training step counts three of them. Weights are random, and blocks count fully (`init_values` 1, for DINOv2's
1e-5 would hide them). Photographs are drawn, 640 x 480 JPEG, a few of them many times: the disk is not measured.
Run: PYTHONPATH=src python bench/gpu.py. `--device cpu --tiny` runs all of it on sizes whose times say nothing.
"""

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import timm
import torch
from timm.optim import create_optimizer_v2
from timm.utils import ModelEmaV3

from sides import in_turns
from vouch.training.backbones import timm_backbone
from vouch.training.classification import features
from vouch.training.classification import network as classifier_network
from vouch.training.classification.cached import objective
from vouch.training.classification.params import ClassifierTraining, Extraction
from vouch.training.images import batches as image_batches
from vouch.training.images.augmentation import STRENGTHS
from vouch.training.optimization import loop
from vouch.training.optimization.loop import Feed
from vouch.vision.images.source import files

CLASSES, READY, TOLERANCE = ("first", "second"), 4, 0.03
RATE, DECAY, LAYER_DECAY, CLIP, EMA, SMOOTHING = 1e-4, 0.05, 0.75, 1.0, 0.999, 0.1


@dataclass(frozen=True)
class Sizes:
    models: tuple[str, ...]
    options: dict[str, object]
    side_px: int
    batch: int
    warm: int  # steps before the clock starts
    steps: int  # under the clock
    runs: int
    matrix: int
    drawn: int
    fed_warm: int  # batches, more than the loader prepares ahead
    fed_steps: int


VITS = ("vit_small_patch14_dinov2", "vit_base_patch14_dinov2")
AHEAD = 2 * (os.cpu_count() or 1)
FULL = Sizes(VITS, {"init_values": 1.0}, 224, 128, 5, 20, 5, 8192, 512, AHEAD, 2 * AHEAD)
TINY = Sizes(VITS[:1], {"init_values": 1.0, "depth": 2}, 56, 4, 1, 2, 2, 256, 8, 2, 4)


def training(sizes, name, device):
    views = {"tiles_per_side": 0, "overlap": 0.15, "side_px": sizes.side_px, "aggregator": "mean", "top_k": 1}
    wanted = {"backbone": {"name": name, "options": sizes.options, "attention": "sdpa"}, "adapters": {"kind": "none"}}
    wanted |= {"size_px": sizes.side_px, "views": views, "precision": "bfloat16", "augmentation": "moderate"}
    wanted |= {"epochs": 1, "patience_epochs": 1, "choose_by": "nll", "batch": sizes.batch, "resume": False}
    wanted |= {"optimizer": "AdamW", "learning_rate": RATE, "final_learning_rate": 0.01, "warmup_epochs": 0.0}
    wanted |= {"weight_decay": DECAY, "layer_decay": LAYER_DECAY, "max_gradient_norm": CLIP, "ema_decay": EMA}
    wanted |= {"head_width": 256, "dropout": 0.0, "positive": None, "device": device, "seed": 1}
    loss = {
        "kind": "cross_entropy",
        "smoothing": SMOOTHING,
        "class_weights": "none",
        "aux_weight": 0.0,
        "gate_folds": 0,
    }
    return ClassifierTraining.model_validate(wanted | {"loss": loss, "threads": torch.get_num_threads()})


def extraction(sizes, wanted):
    shared = wanted.model_dump(include={"backbone", "size_px", "views", "batch", "precision", "threads", "seed"})
    return Extraction.model_validate(shared | {"device": wanted.device, "storage": "float32"})


def wait(device):
    if device == "cuda":
        torch.cuda.synchronize()


def timed(batches, warm, device, seconds):
    """Pass batches on; append the seconds from when the step on the last warm one ended to when the last one did."""
    started = time.perf_counter()
    for number, batch in enumerate(batches, 1):
        yield batch
        if number == warm:
            wait(device)
            started = time.perf_counter()
    wait(device)
    seconds.append(time.perf_counter() - started)


def row(what, ours, peer, ratio, goal):
    print(f"| {what} | {ours} | {peer} | {ratio} | {goal} |", flush=True)


def matrix_rate(sizes, device):
    """Return FLOP/s of a bfloat16 product of random numbers."""
    one, other = (torch.randn(sizes.matrix, sizes.matrix, device=device).bfloat16() for _ in range(2))

    def products():
        for _ in range(10):
            one @ other
        wait(device)

    products()
    return 10 * 2 * sizes.matrix**3 / in_turns({"products": products}, sizes.runs)[1]["products"]


def flop(inner, side_px):
    width, patch, blocks = inner.embed_dim, inner.patch_embed.patch_size[0], len(inner.blocks)
    patches = (side_px // patch) ** 2
    tokens = patches + inner.num_prefix_tokens
    return blocks * (24 * tokens * width**2 + 4 * tokens**2 * width) + 2 * patches * 3 * patch**2 * width


class Ours:
    def __init__(self, sizes, wanted):
        self.sizes, self.wanted = sizes, wanted
        torch.manual_seed(wanted.seed)
        described = timm_backbone.describe(wanted.backbone.name, wanted.backbone.options, wanted.views.side_px)
        self.architecture = classifier_network.describe(described, wanted.views, wanted, CLASSES)
        network = classifier_network.build(self.architecture, len(CLASSES))
        self.network = network.to(wanted.device).to(memory_format=torch.channels_last)
        self.network.precision = wanted.precision

    def fit(self, batches, count):
        few = torch.zeros(2, 3, self.sizes.side_px, self.sizes.side_px, device=self.wanted.device)
        feed = Feed(lambda epoch: batches, count, lambda: iter([few]), np.arange(2))
        minimised = objective(self.wanted.loss, np.arange(2), 2, self.architecture.positive, self.wanted.device)
        loop.fit(self.network, feed, self.wanted, minimised, None)

    def look(self, batches):
        return features.seen(self.network.backbone.eval(), batches, extraction(self.sizes, self.wanted))[:, 0]


class Plain:
    """What one writes with timm: nothing waits for the device, nothing is logged."""

    def __init__(self, sizes, wanted, backbone):
        self.device, self.mean, self.std = wanted.device, backbone.mean, backbone.std
        name, arguments = wanted.backbone.name, wanted.backbone.options
        built = timm.create_model(name, num_classes=len(CLASSES), img_size=sizes.side_px, **arguments)
        built.load_state_dict(backbone.inner.state_dict(), strict=False)  # all but the class layer
        self.network = built.to(wanted.device)

    def fit(self, batches):
        network = self.network.train()
        optimizer = create_optimizer_v2(
            network, opt="adamw", lr=RATE, weight_decay=DECAY, layer_decay=LAYER_DECAY, betas=(0.9, 0.999)
        )
        average = ModelEmaV3(network, decay=EMA, use_warmup=True)
        criterion = torch.nn.CrossEntropyLoss(label_smoothing=SMOOTHING)
        for number, (images, class_ids) in enumerate(batches, 1):
            with torch.autocast(self.device, torch.bfloat16):
                loss = criterion(network((images - self.mean) / self.std), class_ids)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
            optimizer.step()
            average.update(network, step=number)

    def look(self, batches):
        network = self.network.eval()
        with torch.no_grad(), torch.autocast(self.device, torch.bfloat16):
            normalised = ((images - self.mean) / self.std for images in batches)
            found = [network.forward_head(network.forward_features(one), pre_logits=True) for one in normalised]
        return torch.cat(found).float().cpu()


def logits(ours, images):
    """Return the largest difference of bfloat16 from float32, and the deviation between photographs."""
    found = {}
    for precision in ("float32", "bfloat16"):
        ours.network.precision = precision
        found[precision] = loop.logits(ours.network, iter([images]))
    distance = np.abs(found["bfloat16"] - found["float32"]).max()
    return distance, found["float32"].std(axis=0).mean()


def measure(sizes, device, card, rate, name, images):
    wanted = training(sizes, name, device)
    ours = Ours(sizes, wanted)
    plain = Plain(sizes, wanted, ours.network.backbone)
    work = flop(ours.network.backbone.inner, sizes.side_px)
    generator = torch.Generator().manual_seed(1)
    shape = (sizes.batch, 3, sizes.side_px, sizes.side_px)
    pixels = [torch.rand(shape, generator=generator).to(device) for _ in range(READY)]
    ready = [
        (one.contiguous(memory_format=torch.channels_last), torch.arange(len(one), device=device) % 2) for one in pixels
    ]
    where = f"{name} at {sizes.side_px} px in bfloat16, batch {sizes.batch}, {card}"

    distance, deviation = logits(ours, ready[0][0])
    looks = [pixels for pixels, _ in ready] * (1 + sizes.steps // READY)
    # the same features, of deviation 1 and to the eight bits of bfloat16, or there is nothing to compare
    torch.testing.assert_close(ours.look(looks[:1]), plain.look(looks[:1]), atol=0.1, rtol=0.0)
    looking = {"ours": lambda: ours.look(looks), "plain": lambda: plain.look(looks)}  # both end with a copy: they wait
    in_turns(looking, 1)  # warms up
    seen = [len(looks) * sizes.batch / seconds for seconds in in_turns(looking, sizes.runs)[1].values()]

    count, taken = sizes.warm + sizes.steps, ([], [])
    turn = [ready[number % READY] for number in range(count)]
    for _ in range(sizes.runs):
        ours.fit(timed(turn, sizes.warm, device, taken[0]), count)
        plain.fit(timed(turn, sizes.warm, device, taken[1]))
    stepped = [sizes.steps * sizes.batch / median(times) for times in taken]

    def rates(found, passes):
        return [f"{one:,.0f} /s, {one * passes * work / rate:.0%} of the matrix rate" for one in found]

    row(
        f"fine-tuning, {where}, against timm's plain loop", *rates(stepped, 3), f"{stepped[0] / stepped[1]:.2f}", ">= 1"
    )
    row(f"feature extraction, {where}, the same", *rates(seen, 1), f"{seen[0] / seen[1]:.2f}", ">= 1")
    feed(sizes, wanted, ours, images, stepped[0], where)
    row(
        f"largest difference of logits from float32, {where}; beside it their deviation",
        f"{distance:.4f}",
        f"{deviation:.4f}",
        f"{distance / deviation:.3f}",
        f"difference <= {TOLERANCE}",
    )


def feed(sizes, wanted, ours, images, consumed, where):
    """Print what the loader brings, of photographs kept decoded and of files, against what the step takes."""
    device, warm, count = wanted.device, sizes.fed_warm, sizes.fed_warm + sizes.fed_steps
    paths = [images[number % len(images)] for number in range(count * sizes.batch)]
    class_ids = np.arange(len(paths)) % 2
    for kept, cache_bytes in (("decoded once", sys.maxsize), ("decoded each epoch", 0)):
        source = image_batches.canvases(tuple(paths), sizes.side_px, cache_bytes=cache_bytes)
        changing = image_batches.changing(source, strength=STRENGTHS[wanted.augmentation], seed=1, epoch=0)
        parts = image_batches.shuffled(len(paths), sizes.batch, seed=1, epoch=0)

        def batches(changing=changing, parts=parts):
            return image_batches.batches(changing, class_ids, parts, device)

        brought, fed = [], []
        for _ in range(sizes.runs):
            for _batch in timed(batches(), warm, device, brought):
                pass
            ours.fit(timed(batches(), warm, device, fed), count)
        photographs = sizes.fed_steps * sizes.batch
        delivered, stepped = (photographs / median(times) for times in (brought, fed))
        cores = len(os.sched_getaffinity(0))
        for what, found, goal in (
            ("brought to the device", delivered, ">= 1"),
            ("fine-tuned on as they come", stepped, ">= 0.95"),
        ):
            row(
                f"photographs {what} by {cores} cores, {kept}, against steps on ready ones, {where}",
                f"{found:,.0f} /s",
                f"{consumed:,.0f} /s",
                f"{found / consumed:.2f}",
                goal,
            )


def draw(folder, count):
    rng = np.random.default_rng(1)
    for number in range(count):
        coarse = rng.integers(0, 255, (12, 16, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{number:03d}.jpg"), cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC))
    return files(sorted(folder.iterdir()))


def main():
    asked = argparse.ArgumentParser()
    asked.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    asked.add_argument("--tiny", action="store_true")
    arguments = asked.parse_args()
    device, sizes = arguments.device, TINY if arguments.tiny else FULL
    if device == "cuda" and not torch.cuda.is_available():
        sys.exit("bench: gpu.py needs a CUDA device")
    timm_backbone.refuse_machine(device, "bfloat16")
    card = torch.cuda.get_device_name() if device == "cuda" else "no card"
    print("| what | ours | peer | ratio | goal |\n|---|---|---|---|---|")
    rate = matrix_rate(sizes, device)
    row(
        f"matrix rate: product of {sizes.matrix} x {sizes.matrix} in bfloat16, {card}",
        f"{rate / 1e12:.3g} TFLOP/s",
        "",
        "",
        "",
    )
    with tempfile.TemporaryDirectory() as folder:
        images = draw(Path(folder), sizes.drawn)
        for name in sizes.models:
            measure(sizes, device, card, rate, name, images)


if __name__ == "__main__":
    main()
