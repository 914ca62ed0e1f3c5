"""Small photographs of two classes in groups, and parameters for trainings of a second or two."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from vouch.training.classification.params import CachedTraining, ClassifierTraining, Extraction
from vouch.training.images.batches import Photographs
from vouch.training.images.decoded import Album
from vouch.vision.images.source import files

CLASSES = ("clear", "road_work")
SIZE_PX = 32
PLAIN_LOSS = {"kind": "cross_entropy", "smoothing": 0.1, "class_weights": "balanced", "aux_weight": 0.5}


def draw(folder: Path, count: int = 24) -> Path:
    """Draw photographs of 40 x 30 pixels on grey noise; every second has an orange square."""
    folder.mkdir(parents=True)
    for number in range(count):
        rng = np.random.default_rng(number)
        picture = Image.fromarray(rng.integers(90, 140, (30, 40, 3), dtype=np.uint8))
        if number % 2:
            x, y = rng.integers(2, 18, 2)
            ImageDraw.Draw(picture).rectangle([x, y, x + 10, y + 10], fill=(240, 120, 10))
        picture.save(folder / f"{number:02d}.png")
    return folder


def album(folder: Path, count: int = 24) -> Album:
    """Label them, two neighbours a group: two thirds are train, the others val_select."""
    cut = count * 2 // 3

    def part(start: int, stop: int) -> Photographs:
        numbers = range(start, stop)
        images = files(folder / f"{number:02d}.png" for number in numbers)
        return Photographs(images, np.arange(start, stop) % 2, tuple(f"g{number // 2}" for number in numbers))

    return Album(CLASSES, part(0, cut), part(cut, count))


def backbone(name: str = "resnet10t", **options: object) -> dict[str, object]:
    """Return the narrowest ResNet, or another."""
    narrow = {"channels": (8, 8, 16, 16), "stem_width": 8} if name == "resnet10t" else {}
    return {"name": name, "options": narrow | options, "attention": "sdpa"}


def views(**changes: object) -> dict[str, object]:
    whole = {"tiles_per_side": 0, "overlap": 0.15, "side_px": SIZE_PX, "aggregator": "mean", "top_k": 2}
    return whole | changes


def loss(**changes: object) -> dict[str, object]:
    return PLAIN_LOSS | ({"gate_folds": 0} if changes.get("kind") not in ("selective", "gamblers") else {}) | changes


def fitting(**changes: object) -> dict[str, object]:
    values = {
        "epochs": 2,
        "patience_epochs": 10,
        "choose_by": "nll",
        "batch": 4,
        "optimizer": "AdamW",
        "learning_rate": 0.003,
        "final_learning_rate": 0.01,
        "warmup_epochs": 0.5,
        "weight_decay": 0.01,
        "layer_decay": 0.8,
        "max_gradient_norm": 1.0,
        "ema_decay": 0.9,
        "head_width": 16,
        "dropout": 0.3,
        "positive": "road_work",
        "loss": loss(),
        "device": "cpu",
        "threads": 1,
        "seed": 1,
    }
    return values | changes


def training(**changes: object) -> ClassifierTraining:
    values = fitting() | {
        "backbone": backbone(),
        "adapters": {"kind": "none"},
        "size_px": SIZE_PX,
        "views": views(),
        "precision": "float32",
        "augmentation": "moderate",
        "resume": False,
    }
    return ClassifierTraining.model_validate(values | changes)


def cached_training(**changes: object) -> CachedTraining:
    return CachedTraining.model_validate(fitting(**changes))


def extraction(**changes: object) -> Extraction:
    values = {
        "backbone": backbone(),
        "size_px": SIZE_PX,
        "views": views(),
        "batch": 8,
        "precision": "float32",
        "storage": "float32",
        "device": "cpu",
        "threads": 1,
        "seed": 1,
    }
    return Extraction.model_validate(values | changes)
