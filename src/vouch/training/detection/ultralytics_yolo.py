"""Ultralytics behind the protocol: the only module that imports it (AGPL-3.0, docs/decisions/001-licences.md).

Its habits are contained: no network, no installs, no telemetry, no dvclive; settings, label caches, symlinked views
and checkpoints stay under the scratch folder, and of a run only tensors, a description and a curve come back.
"""

import copy
import os
import shutil
from pathlib import Path
from typing import Any, cast

from vouch.paths import SCRATCH

os.environ |= {
    "YOLO_CONFIG_DIR": str((SCRATCH / "ultralytics").absolute()),
    "YOLO_OFFLINE": "true",
    "YOLO_AUTOINSTALL": "false",
}
(SCRATCH / "ultralytics").mkdir(parents=True, exist_ok=True)

import pandas as pd
import torch
import ultralytics
from ruamel.yaml import YAML
from torch import Tensor, nn
from ultralytics.models.yolo.detect import DetectionTrainer
from ultralytics.nn.tasks import DetectionModel, load_checkpoint, yaml_model_load
from ultralytics.utils import SETTINGS

from vouch import io
from vouch.errors import DataError, Problem
from vouch.training import weights as weights_files
from vouch.training.detection.framework import Lesson, Training, fingerprint
from vouch.training.detection.ultralytics_log import said_by_epoch
from vouch.training.detection.ultralytics_nms import whole_suppression
from vouch.training.detection.ultralytics_view import write_view, write_yaml
from vouch.training.detection.ultralytics_widening import widen
from vouch.training.optimization import checkpoint
from vouch.training.optimization.checkpoint import Checkpoint
from vouch.training.weights import Trained

SETTINGS.update({"sync": False, "dvc": False, "tensorboard": False, "wandb": False, "mlflow": False})
CURVE = {  # Ultralytics' column -> ours; its clock column is dropped
    "epoch": "epoch",
    "train/box_loss": "train_box_loss",
    "train/cls_loss": "train_class_loss",
    "train/dfl_loss": "train_distribution_loss",
    "val/box_loss": "val_select_box_loss",
    "val/cls_loss": "val_select_class_loss",
    "val/dfl_loss": "val_select_distribution_loss",
    "metrics/precision(B)": "val_select_precision",
    "metrics/recall(B)": "val_select_recall",
    "metrics/mAP50(B)": "val_select_map50",
    "metrics/mAP50-95(B)": "val_select_map50_95",
    "lr/pg0": "learning_rate",
}


class _MixedModel(DetectionModel):  # type: ignore[misc]
    """Ultralytics' model, trained with a bfloat16 forward pass on any device (its own amp asks for CUDA)."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        with torch.autocast(next(self.parameters()).device.type, torch.bfloat16, enabled=self.training):
            return super().forward(*args, **kwargs)


class _Trainer(DetectionTrainer):  # type: ignore[misc]
    """Ultralytics' trainer, started from our weights and without its closing re-evaluation of val_select."""

    start: dict[str, Tensor] | None = None
    precision = "float32"
    threads = 1

    def setup_model(self) -> Any:
        torch.set_num_threads(self.threads)  # Ultralytics takes all cores but one, whoever else works there
        return super().setup_model()

    def get_model(self, cfg: Any = None, weights: Any = None, verbose: bool = True) -> nn.Module:
        build = _MixedModel if self.precision == "bfloat16" else DetectionModel
        built: Any = build(cfg, nc=self.data["nc"], ch=self.data["channels"], verbose=verbose)
        network: Any = self.set_model_names_for_load(built)
        if weights:
            network.load(weights)
        if self.start is not None:
            loaded, total = weights_files.fill_matching(network, self.start)
            print(f"starting weights: {loaded} of {total} tensors fit")
        # Ultralytics asks for it on CUDA alone; on a CPU a step takes a seventh less time
        return cast(nn.Module, network.to(memory_format=torch.channels_last))

    def final_eval(self) -> None:
        """Skip: evaluate judges on val_test, and the chosen checkpoint was already scored on val_select."""


def train(lesson: Lesson, training: Training, start: Path, scratch: Path) -> Trained:
    """Train from an architecture .yaml, a folder of canonical weights, or a DVC-tracked .pt.

    Raises
    ------
    DataError
        When `start` is none of these.
    WorkspaceError
        When the checkpoint to resume from is of another run.
    """
    scratch = scratch.absolute()
    at = Checkpoint(scratch / "run/weights/last.pt", fingerprint(lesson, training, start), training.resume)
    resume = _resumable(at, scratch / "fingerprint")
    if not resume:
        if scratch.exists():
            shutil.rmtree(scratch)
        io.write_text(scratch / "fingerprint", at.fingerprint)
    data = write_view(lesson, scratch / "view")
    model, tensors = _starting_point(start, scratch)
    overrides = _overrides(training, data, model, scratch)
    trainer = _Trainer(overrides=overrides | ({"resume": str(at.path)} if resume else {}))
    trainer.start = None if resume else tensors
    trainer.precision, trainer.threads = training.precision, training.threads
    with said_by_epoch(trainer), whole_suppression():
        trainer.train()
    network, _ = load_checkpoint(trainer.best)  # our own file of a moment ago, not a pickle from outside
    curve = _curve(pd.read_csv(trainer.csv))
    description = {
        "framework": "ultralytics",
        "architecture": _described(network.yaml),
        "classes": lesson.classes,
        "size_px": training.size_px,
        "stride_px": int(network.stride.max()),
    }
    # half precision is what Ultralytics' checkpoints hold; a network fills them back into single precision
    halves = {key: value.half() if value.is_floating_point() else value for key, value in network.state_dict().items()}
    shutil.rmtree(scratch)
    return Trained(halves, description, curve)


def _resumable(at: Checkpoint, note: Path) -> bool:
    """Say whether there is a state to go on from; Ultralytics' own file does not say of which run, so a note does."""
    if not at.resume or not at.path.is_file():
        return False
    checkpoint.refuse_other(at, note.read_text(encoding="utf-8") if note.is_file() else None)
    return True


def network(description: dict[str, Any], tensors: dict[str, Tensor]) -> nn.Module:
    """Rebuild the network for export, batch normalisation folded into convolutions."""
    built = DetectionModel(description["architecture"], nc=len(description["classes"]), verbose=False)
    weights_files.fill(built, tensors, "weights.safetensors")
    built = built.float().eval().fuse(verbose=False)
    head = built.model[-1]
    head.export, head.format, head.end2end = True, "onnx", False  # raw candidates: our own suppression follows
    return _Raw(built).eval()


class _Raw(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, images: Tensor) -> Tensor:
        output: Tensor = self.inner(images)
        return output


def widened(tensors: dict[str, Tensor], description: dict[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return weights of a network twice as wide that gives the same answers, and their description."""
    architecture = description["architecture"]
    scales = {name: [depth, 2 * width, most] for name, (depth, width, most) in architecture["scales"].items()}
    wide = description | {"architecture": architecture | {"scales": scales}}
    built = DetectionModel(copy.deepcopy(wide["architecture"]), nc=len(wide["classes"]), verbose=False)
    return widen(tensors, built, seed=1), wide


def _overrides(training: Training, data: Path, model: str, scratch: Path) -> dict[str, Any]:
    augmentation = training.augmentation
    return {
        "model": model,
        "data": str(data),
        "project": str(scratch),
        "name": "run",
        "exist_ok": True,
        "pretrained": False,
        "imgsz": training.size_px,
        "epochs": training.epochs,
        "patience": training.patience_epochs,
        "batch": training.batch,
        "nbs": training.batch,  # no hidden accumulation: one batch, one step
        "optimizer": training.optimizer,
        "lr0": training.learning_rate,
        "lrf": training.final_learning_rate,
        "momentum": training.momentum,
        "weight_decay": training.weight_decay,
        "warmup_epochs": training.warmup_epochs,
        "warmup_bias_lr": 0.0,  # as for every other weight; its .1 is for SGD, and undoes a start under AdamW
        "cos_lr": True,
        "seed": training.seed,
        "deterministic": True,
        "workers": 0,
        "amp": False,  # its self-test would fetch weights
        "plots": False,
        "mosaic": augmentation.mosaic,
        "close_mosaic": augmentation.close_mosaic_epochs,
        "fliplr": augmentation.flip_left_right,
        "scale": augmentation.scale,
        "translate": augmentation.translate,
        "hsv_h": augmentation.hue,
        "hsv_s": augmentation.saturation,
        "hsv_v": augmentation.value,
        "erasing": 0.0,
    }


def _starting_point(start: Path, scratch: Path) -> tuple[str, dict[str, Tensor] | None]:
    """Return what Ultralytics is told to build, and tensors to fill in when they are ours."""
    if start.is_dir():
        tensors, description = weights_files.read_start(start, "ultralytics")
        architecture = scratch / "architecture.yaml"
        write_yaml(architecture, description["architecture"])
        return str(architecture), tensors
    if start.suffix == ".yaml" and start.is_file():
        architecture = scratch / start.name
        write_yaml(architecture, _architecture(start))
        return str(architecture), None
    if start.suffix == ".pt" and start.is_file():
        return str(start.absolute()), None
    expected = "an architecture .yaml, a folder with weights.safetensors, or a .pt tracked by DVC"
    raise DataError([Problem(str(start), expected, "neither", "correct pipeline.detectors.<model>.start")])


def _architecture(path: Path) -> dict[str, Any]:
    """Read a full YOLO .yaml, or one that names a shipped .yaml and its depth, width and channels."""
    content: dict[str, Any] = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    if "shipped" not in content:
        return content
    base: dict[str, Any] = yaml_model_load(Path(ultralytics.__file__).parent / "cfg/models" / content["shipped"])
    scale = [content["depth"], content["width"], content["channels"]]
    return base | {"scales": {"n": scale}, "scale": "n"}


def _described(architecture: dict[str, Any]) -> dict[str, Any]:
    """Drop the path of the file that it came from; name the scale, which Ultralytics reads off the file's name."""
    scale = architecture.get("scale") or next(iter(architecture.get("scales", {})), "")
    return {key: value for key, value in architecture.items() if key != "yaml_file"} | {"scale": scale}


def _curve(results: pd.DataFrame) -> pd.DataFrame:
    results.columns = results.columns.str.strip()
    return results[[column for column in CURVE if column in results]].rename(columns=CURVE)
