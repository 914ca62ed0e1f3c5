"""torchvision's SSDlite behind the protocol: the way to a detector without AGPL code.

Liu et al., "SSD: Single Shot MultiBox Detector", 2016; Sandler et al., "MobileNetV2", 2018 (SSDlite).
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from ruamel.yaml import YAML
from torch import Tensor, nn
from torchvision.models.detection import ssdlite320_mobilenet_v3_large
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import box_iou

from vouch.errors import DataError, ParamsError, Problem, refuse_any
from vouch.training import weights
from vouch.training.detection.augmentation import augmented
from vouch.training.detection.framework import Labelled, Lesson, Training, fingerprint
from vouch.training.optimization import checkpoint
from vouch.training.optimization.checkpoint import Checkpoint, Progress
from vouch.training.optimization.schedule import set_learning_rate
from vouch.training.weights import Trained
from vouch.vision.boxes import Detections, Postprocess, decode, match
from vouch.vision.images.source import read_image
from vouch.vision.preprocess import letterbox, to_input

ARCHITECTURES = {"ssdlite320_mobilenet_v3_large": ssdlite320_mobilenet_v3_large}
OPTIMIZERS = {"SGD": torch.optim.SGD, "Adam": torch.optim.Adam, "AdamW": torch.optim.AdamW}
MAX_GRADIENT_NORM = 10.0  # the first steps from scratch reach norms of hundreds
VAL_POSTPROCESS = Postprocess(floor=0.01, max_iou=0.5, limit=100)
RECALLS = np.linspace(0.0, 1.0, 101)  # COCO's


def train(lesson: Lesson, training: Training, start: Path, scratch: Path) -> Trained:
    """Train from an architecture .yaml or a folder of canonical weights; keep the epoch best on val_select.

    Raises
    ------
    ParamsError
        When the optimizer or an augmentation is one that this framework does not have, or a step has one photograph.
    DataError
        When `start` is neither of the two, or val_select has no box that could choose the epoch.
    WorkspaceError
        When the checkpoint to resume from cannot be read or is of another run.
    """
    _check(training, lesson)
    torch.set_num_threads(training.threads)
    torch.manual_seed(training.seed)
    name, tensors = _starting_point(start)
    description = {
        "framework": "torchvision",
        "architecture": {"name": name},
        "classes": lesson.classes,
        "size_px": training.size_px,
        "stride_px": 32,
    }
    model = _build(description)
    if tensors is not None:
        loaded, total = weights.fill_matching(model, tensors)
        print(f"starting weights: {loaded} of {total} tensors fit")
    at = Checkpoint(scratch / "last.pt", fingerprint(lesson, training, start), training.resume)
    fitted = _fit(model, lesson, training, at)
    shutil.rmtree(scratch, ignore_errors=True)
    return Trained(fitted.best, description, pd.DataFrame(fitted.curve))


def network(description: dict[str, Any], tensors: dict[str, Tensor]) -> nn.Module:
    """Rebuild the network for export."""
    model = _build(description)
    weights.fill(model, tensors, "weights.safetensors")
    return _Raw(model.eval(), description["size_px"]).eval()


class _Raw(nn.Module):
    """Candidates of an SSD: centre x, centre y, width, height in canvas pixels, class scores without background."""

    centres: Tensor
    sides: Tensor

    def __init__(self, model: Any, size_px: int) -> None:
        super().__init__()
        self.model = model
        self.weights = model.box_coder.weights
        with torch.no_grad():
            canvas = torch.zeros(1, 3, size_px, size_px)
            features = list(model.backbone(canvas).values())
            anchors = model.anchor_generator(ImageList(canvas, [(size_px, size_px)]), features)[0]
        self.register_buffer("centres", (anchors[:, :2] + anchors[:, 2:]) / 2, persistent=False)
        self.register_buffer("sides", anchors[:, 2:] - anchors[:, :2], persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        heads = self.model.head(list(self.model.backbone(images * 2 - 1).values()))
        scale = torch.tensor(self.weights, dtype=torch.float32)
        offsets = heads["bbox_regression"] / scale
        centres = offsets[..., :2] * self.sides + self.centres
        sides = torch.exp(offsets[..., 2:].clamp(max=4.135)) * self.sides  # ln(1000/16), torchvision's own limit
        scores = torch.softmax(heads["cls_logits"], dim=-1)[..., 1:]
        return torch.cat([centres, sides, scores], dim=-1).transpose(1, 2)


def _check(training: Training, lesson: Lesson) -> None:
    problems, n_train = [], len(lesson.train)
    if training.optimizer not in OPTIMIZERS:
        expected = f"one of {', '.join(OPTIMIZERS)}"
        problems.append(Problem("train_detector.optimizer", expected, training.optimizer, "choose one of them"))
    if training.augmentation.mosaic:
        got = str(training.augmentation.mosaic)
        problems.append(Problem("train_detector.augmentation.mosaic", "0.0 with torchvision", got, "set it to 0.0"))
    if min(training.batch, n_train) < 2:  # batch normalisation of a 1 x 1 map needs two
        got = f"a batch of {training.batch} and {n_train} photographs in train"
        problems.append(Problem("train_detector.batch", "2 photographs per step or more", got, "raise the smaller"))
    refuse_any(ParamsError, problems)
    if not any(len(example.class_ids) for example in lesson.val_select):
        raise DataError([Problem("split val_select", "boxes, which choose the epoch", "none", "label some of it")])


def _starting_point(start: Path) -> tuple[str, dict[str, Tensor] | None]:
    if start.is_dir():
        tensors, description = weights.read_start(start, "torchvision")
        return description["architecture"]["name"], tensors
    name = None
    if start.suffix == ".yaml" and start.is_file():
        name = YAML(typ="safe", pure=True).load(start.read_text(encoding="utf-8")).get("name")
    if name not in ARCHITECTURES:
        expected = f"a .yaml with `name` of {', '.join(ARCHITECTURES)}, or a weights folder"
        raise DataError([Problem(str(start), expected, str(name), "correct pipeline.detectors.<model>.start")])
    return str(name), None


def _build(description: dict[str, Any]) -> Any:
    build = ARCHITECTURES[description["architecture"]["name"]]
    return build(weights=None, weights_backbone=None, num_classes=len(description["classes"]) + 1)


def _fit(model: Any, lesson: Lesson, training: Training, at: Checkpoint) -> Progress:
    model = model.to(memory_format=torch.channels_last)  # a step takes little more than half the time on a CPU
    optimizer = _optimizer(model, training)
    parts = {"network": model, "optimizer": optimizer}
    progress = checkpoint.started(at, parts, {})
    while checkpoint.going(progress, epochs=training.epochs, patience_epochs=training.patience_epochs):
        number = progress.epoch + 1
        # seeded by epoch, so that a resumed run draws what an uninterrupted one would
        torch.manual_seed(training.seed + progress.epoch)
        loss = _epoch(model, optimizer, lesson.train, training, progress.epoch)
        map50 = _map50(_Raw(model.eval(), training.size_px), lesson, training)
        print(f"epoch {number}/{training.epochs}: train loss {loss:.4f}, val_select mAP50 {map50:.4f}", flush=True)
        row = {"epoch": number, "train_loss": loss, "val_select_map50": map50}
        better = not progress.best_epoch or map50 > progress.curve[progress.best_epoch - 1]["val_select_map50"]
        best = {name: value.clone() for name, value in model.state_dict().items()} if better else None
        progress = checkpoint.recorded(progress, row, best, {})
        checkpoint.save(at, progress, parts)
    return progress


def _optimizer(model: Any, training: Training) -> torch.optim.Optimizer:
    options: dict[str, Any] = {"lr": training.learning_rate, "weight_decay": training.weight_decay}
    key = "momentum" if training.optimizer == "SGD" else "betas"
    options[key] = training.momentum if training.optimizer == "SGD" else (training.momentum, 0.999)
    groups = [{"params": model.parameters(), "lr_scale": 1.0}]
    optimizer: torch.optim.Optimizer = OPTIMIZERS[training.optimizer](groups, **options)
    return optimizer


def _epoch(model: Any, optimizer: Any, train: tuple[Labelled, ...], training: Training, epoch: int) -> float:
    rng = np.random.default_rng([training.seed, epoch])
    order = rng.permutation(len(train))
    steps = -(-(len(train) - 1) // training.batch)  # a last photograph alone joins another batch
    model.train()
    losses = []
    for step, members in enumerate(np.array_split(order, steps)):
        set_learning_rate(optimizer, training, epoch + step / steps)
        loss = _loss(model, [train[index] for index in members], training, rng)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(model.parameters(), MAX_GRADIENT_NORM)
        optimizer.step()
        losses.append(float(loss.detach()))
    return float(np.mean(losses))


def _loss(model: Any, chosen: list[Labelled], training: Training, rng: np.random.Generator) -> Tensor:
    """Return SSD's loss on augmented canvases, without torchvision's own resizing: the canvas is ours."""
    pairs = [augmented(example, training.size_px, training.augmentation, rng) for example in chosen]
    images = torch.from_numpy(to_input(np.stack([canvas for canvas, _ in pairs]))) * 2 - 1
    targets = [
        {"boxes": torch.from_numpy(boxes).float(), "labels": torch.from_numpy(example.class_ids[kept] + 1)}
        for example, (_, (boxes, kept)) in zip(chosen, pairs, strict=True)
    ]
    with torch.autocast(images.device.type, torch.bfloat16, enabled=training.precision == "bfloat16"):
        features = list(model.backbone(images).values())
        heads = {name: values.float() for name, values in model.head(features).items()}
    anchors = model.anchor_generator(ImageList(images, [(training.size_px, training.size_px)] * len(images)), features)
    matched = [_matched(model, target["boxes"], anchor) for target, anchor in zip(targets, anchors, strict=True)]
    losses = model.compute_loss(targets, heads, anchors, matched)
    return torch.stack(list(losses.values())).sum()


def _matched(model: Any, boxes: Tensor, anchors: Tensor) -> Tensor:
    if len(boxes) == 0:
        return torch.full((len(anchors),), -1, dtype=torch.int64)
    matched: Tensor = model.proposal_matcher(box_iou(boxes, anchors))
    return matched


def _map50(raw: nn.Module, lesson: Lesson, training: Training) -> float:
    """Return on val_select what the metric `map50` is: COCO's average precision at IoU .50, mean over classes.

    That of evaluate is a stage later, of other detections: what counts there as one, `predict` says.
    """
    size = training.size_px
    found: list[tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]] = []
    with torch.no_grad():
        for batch in _batches(lesson.val_select, training.batch):
            canvases, truths = zip(*(_letterboxed(example, size) for example in batch), strict=True)
            outputs = raw(torch.from_numpy(to_input(np.stack(canvases)))).numpy()
            for output, boxes, example in zip(outputs, truths, batch, strict=True):
                one: Detections = decode(output, VAL_POSTPROCESS)
                hits = match(one, boxes, example.class_ids).truth >= 0
                found.append((one.scores, one.class_ids, hits))
    scores, classes, hits = (np.concatenate(parts) for parts in zip(*found, strict=True))
    truths_by_class = np.bincount(
        np.concatenate([example.class_ids for example in lesson.val_select]), minlength=len(lesson.classes)
    )
    return mean_average_precision(scores, classes, hits, truths_by_class)


def mean_average_precision(
    scores: NDArray[np.float64], classes: NDArray[np.int64], hits: NDArray[np.bool_], truths: NDArray[np.int64]
) -> float:
    """Return the mean over classes with truths of the best precision at each of 101 recalls or a higher one.

    The metric's own module gives intervals too; a change of theirs would train every detector again.

    Parameters
    ----------
    scores, classes, hits : (n,), of each detection
    truths : (classes,), how many there are, at least one

    References
    ----------
    Lin et al. 2014 (COCO); pycocotools' COCOeval.accumulate.
    """
    values = []
    for class_id in np.flatnonzero(truths):
        chosen = np.flatnonzero(classes == class_id)
        right = hits[chosen[np.argsort(-scores[chosen], kind="stable")]].cumsum()
        precision = right / np.arange(1, len(right) + 1)
        at_least = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)  # the last: a recall never reached
        values.append(at_least[np.searchsorted(right / truths[class_id], RECALLS)].mean())
    return float(np.mean(values))


def _letterboxed(example: Labelled, size_px: int) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    image = read_image(example.image)
    canvas, placement = letterbox(image, size_px)
    inner = np.array([placement.width_px, placement.height_px] * 2, np.float64)
    return canvas, example.boxes_xyxy * inner + np.array([placement.left_px, placement.top_px] * 2, np.float64)


def _batches(examples: tuple[Labelled, ...], batch: int) -> Iterator[tuple[Labelled, ...]]:
    for start in range(0, len(examples), batch):
        yield examples[start : start + batch]
