"""Twelve small photographs with a red or a blue rectangle each, and lessons on them."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from vouch.training.detection.framework import Augmentation, Labelled, Lesson, Training
from vouch.vision.images.source import File

CLASSES = ("red", "blue")
ARCHITECTURES = Path(__file__).parents[2] / "models/architectures"
STARTS = {"ultralytics": ARCHITECTURES / "yolo11p.yaml", "torchvision": ARCHITECTURES / "ssdlite320.yaml"}


def draw(folder: Path, count: int = 12) -> Path:
    """Draw photographs of 64 x 48 pixels on grey noise."""
    folder.mkdir(parents=True)
    for number in range(count):
        rng = np.random.default_rng(number)
        picture = Image.fromarray(rng.integers(90, 140, (48, 64, 3), dtype=np.uint8))
        colour = [(220, 20, 20), (20, 20, 220)][number % 2]
        ImageDraw.Draw(picture).rectangle([_left(number), 12, _left(number) + 20, 36], fill=colour)
        picture.save(folder / f"{number:02d}.png")
    return folder


def lesson(folder: Path, count: int = 12) -> Lesson:
    """Label them: the first three quarters are train, the others val_select."""
    examples = tuple(
        Labelled(
            File(folder / f"{number:02d}.png"),
            np.array([[_left(number) / 64, 12 / 48, (_left(number) + 21) / 64, 37 / 48]]),
            np.array([number % 2], np.int64),
        )
        for number in range(count)
    )
    return Lesson(CLASSES, train=examples[: count * 3 // 4], val_select=examples[count * 3 // 4 :])


def training(**changes: object) -> Training:
    """Return parameters for a training of a second or two."""
    plain = {name: 0.0 for name in Augmentation.model_fields} | {"close_mosaic_epochs": 0, "flip_left_right": 0.5}
    values = {
        "size_px": 64,
        "epochs": 2,
        "patience_epochs": 10,
        "batch": 4,
        "threads": 1,
        "optimizer": "AdamW",
        "learning_rate": 0.001,
        "final_learning_rate": 0.1,
        "momentum": 0.9,
        "weight_decay": 0.0005,
        "warmup_epochs": 0.0,
        "seed": 1,
        "precision": "float32",
        "resume": False,
        "augmentation": Augmentation(**(plain | {"scale": 0.2, "translate": 0.1})),
    }
    return Training(**(values | changes))


def _left(number: int) -> int:
    return 4 + 3 * number % 36
