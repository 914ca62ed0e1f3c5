"""Which module trains and rebuilds the networks of a framework, and for which task."""

import importlib
from typing import cast

from vouch.training.detection.framework import Framework

FRAMEWORKS = {
    "ultralytics": "vouch.training.detection.ultralytics_yolo",  # AGPL-3.0: docs/decisions/001-licences.md
    "torchvision": "vouch.training.detection.torchvision_ssd",
    "classifier": "vouch.training.classification.network",
}
TASKS = {"ultralytics": "detect", "torchvision": "detect", "classifier": "classify"}


def framework(name: str) -> Framework:
    """Import a framework's adapter; only the chosen one needs to be installed."""
    return cast(Framework, importlib.import_module(FRAMEWORKS[name]))
