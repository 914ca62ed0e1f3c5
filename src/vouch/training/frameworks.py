"""Which module trains and rebuilds the networks of a framework, by task."""

import importlib
from typing import cast

from vouch.errors import BundleError, Problem
from vouch.tasks import ByTask, Task
from vouch.training.detection.framework import Framework

FRAMEWORKS = ByTask(
    detect={
        "ultralytics": "vouch.training.detection.ultralytics_yolo",  # AGPL-3.0: docs/decisions/001-licences.md
        "torchvision": "vouch.training.detection.torchvision_ssd",
    },
    classify={"classifier": "vouch.training.classification.network"},
    identify={"embedder": "vouch.training.embedding.network"},
)


def framework(task: Task, name: str) -> Framework:
    """Import a framework's adapter; only the chosen one needs to be installed.

    Raises
    ------
    BundleError
        When it is none of this task: the weights are another model's.
    """
    if name not in FRAMEWORKS[task]:
        expected = f"weights of {' or '.join(FRAMEWORKS[task])}, to {task}"
        remedy = "correct pipeline.models.<model>.task, or train again"
        raise BundleError([Problem("weights.json: framework", expected, name, remedy)])
    return cast(Framework, importlib.import_module(FRAMEWORKS[task][name]))
