"""Photographs of shelves with three products on each, a fourth on some, and parameters for trainings of seconds."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from training.classifier_pictures import backbone
from vouch.training.embedding.params import EmbedderTraining
from vouch.training.embedding.training import album
from vouch.training.images.decoded import Album
from vouch.vision.crops import crops

COLOURS = {"blue": (30, 60, 220), "green": (20, 170, 60), "orange": (240, 120, 10), "strange": (230, 40, 200)}
WIDTH, HEIGHT = 120, 40
SIZE_PX = 32


def draw(folder: Path, count: int = 12, *, unknown_from: int = 10) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw photographs; those from `unknown_from` on show the product `strange` too; return samples and boxes."""
    folder.mkdir(parents=True)
    samples, boxes = [], []
    for number in range(count):
        rng = np.random.default_rng(number)
        picture = Image.fromarray(rng.integers(90, 140, (HEIGHT, WIDTH, 3), dtype=np.uint8))
        names = rng.permutation([*COLOURS][:3]).tolist() + (["strange"] if number >= unknown_from else [])
        for place, name in enumerate(names):
            x, y = 30 * place + int(rng.integers(1, 6)), int(rng.integers(2, 10))
            ImageDraw.Draw(picture).rectangle([x, y, x + 21, y + 25], fill=COLOURS[name])
            corners = (x / WIDTH, y / HEIGHT, (x + 22) / WIDTH, (y + 26) / HEIGHT)
            boxes.append((f"s/{number:02d}", "can", *corners, name))
        picture.save(folder / f"{number:02d}.png")
        image = str(folder / f"{number:02d}.png")
        samples.append({"sample_id": f"s/{number:02d}", "group": f"g{number // 2}", "image": image, "label": None})
    columns = ["sample_id", "class_name", "x1", "y1", "x2", "y2", "product"]
    return pd.DataFrame(samples), pd.DataFrame(boxes, columns=columns)


def seen(samples: pd.DataFrame, boxes: pd.DataFrame) -> Album:
    """Return eight photographs as train and the next two as val_select."""
    return album(crops(samples.iloc[:8], boxes), crops(samples.iloc[8:10], boxes))


def training(**changes: object) -> EmbedderTraining:
    values = {
        "backbone": backbone(),
        "size_px": SIZE_PX,
        "embedding": 16,
        "margin_rad": 0.3,
        "scale": 16.0,
        "ramp_epochs": 1.0,
        "box_deviation": 0.0,
        "per_product": 2,
        "pairs": {"kind": "none"},
        "choose_by": "nll",
        "epochs": 8,
        "patience_epochs": 8,
        "batch": 6,
        "optimizer": "AdamW",
        "learning_rate": 0.004,
        "final_learning_rate": 0.01,
        "warmup_epochs": 0.5,
        "weight_decay": 0.0005,
        "layer_decay": 1.0,
        "max_gradient_norm": 5.0,
        "ema_decay": 0.8,
        "device": "cpu",
        "threads": 1,
        "seed": 1,
        "precision": "float32",
        "augmentation": "upright",
        "resume": False,
    }
    return EmbedderTraining.model_validate(values | changes)
