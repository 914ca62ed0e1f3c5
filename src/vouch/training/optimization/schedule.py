"""The learning rate of every loop: a linear warm-up, then a cosine to a fraction of it."""

import math
from typing import Any

from vouch.training.optimization.params import Schedule


def set_learning_rate(optimizer: Any, schedule: Schedule, epochs: float) -> float:
    """Set every group's rate after so many epochs (a fraction within one) and return the unscaled one.

    A group's `lr_scale` multiplies its rate: timm's groups carry it, but timm leaves applying it to the scheduler.
    """
    warm = min(1.0, (epochs + 1e-3) / schedule.warmup_epochs) if schedule.warmup_epochs else 1.0
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, epochs / schedule.epochs)))
    floor = schedule.final_learning_rate
    rate = schedule.learning_rate * warm * (floor + (1 - floor) * cosine)
    for group in optimizer.param_groups:
        group["lr"] = rate * group["lr_scale"]
    return rate
