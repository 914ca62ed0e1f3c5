"""Training a classifier: timm's backbones under our own loop, one canonical result as detectors have it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from vouch.errors import ParamsError, Problem, refuse_any
from vouch.training import weights
from vouch.training.backbones import adapters, timm_backbone
from vouch.training.backbones.frozen import Frozen, licences_of, refuse_views, with_licences
from vouch.training.classification import gate as classifier_gate
from vouch.training.classification import network as classifier_network
from vouch.training.classification.cached import Cached, fit_top, objective
from vouch.training.classification.heads import Top
from vouch.training.classification.network import FRAMEWORK, Architecture, Network
from vouch.training.classification.network import network as network  # of the same protocol as the detectors'
from vouch.training.classification.params import (
    CachedTraining,
    ClassifierTraining,
    ConformalRisk,
    CrossEntropy,
    Fitting,
    Gatekeeper,
    Loss,
)
from vouch.training.images import batches as image_batches
from vouch.training.images.batches import Photographs
from vouch.training.images.decoded import Album, Decoded, Parts
from vouch.training.images.params import Decoding
from vouch.training.optimization import checkpoint, loop
from vouch.training.optimization.checkpoint import Checkpoint, Progress
from vouch.training.weights import Trained

FOLD_FITTING = {  # of the folds' heads after a full fine-tuning, whose own rate would be too slow for them
    "epochs": 20,
    "patience_epochs": 20,
    "optimizer": "AdamW",
    "learning_rate": 0.001,
    "warmup_epochs": 1.0,
}


def train(album: Album, training: ClassifierTraining, start: str, scratch: Path) -> Trained:
    """Train from photographs; the averaged weights of the epoch best on val_select come back.

    All weights learn, or the heads and adapters; these are merged, so the tensors' names are the same. `start` is none,
    hub, timm's .safetensors, a .yaml that names a package, or a folder of our weights; working files are in `scratch`.

    Raises
    ------
    ParamsError
        When parameters contradict each other or the backbone, or it has no place for the adapters.
    DataError
        When a photograph does not decode, or the training diverges.
    BundleError
        When the starting weights do not fit.
    WorkspaceError
        When the device, the hub or the checkpoint to resume from is not what it must be.
    """
    _check(training, len(album.train.images))
    torch.set_num_threads(training.threads)
    torch.manual_seed(training.seed)
    backbone = timm_backbone.describe(training.backbone.name, training.backbone.options, training.views.side_px)
    architecture = classifier_network.describe(backbone, training.views, training, album.classes)
    classes = len(album.classes)
    network = classifier_network.started(architecture, classes, dropout=training.dropout, start=start)
    network = network.to(training.device).to(memory_format=torch.channels_last)
    adapters.inject(network.backbone, training.adapters)  # after: DoRA of peft takes no convolution in channels_last
    print(f"adapters: {adapters.in_force(network.backbone, training.adapters)}")
    network.precision = training.precision
    wanted = training.backbone.attention
    ran = timm_backbone.attention_in_force(network.backbone, wanted, training.device, training.precision)
    print(f"attention: {ran}", flush=True)
    decoded = Decoded(album, training)
    minimised = objective(training.loss, album.train.class_ids, classes, architecture.positive, training.device)
    at = Checkpoint(scratch / "last.pt", _fingerprint(album, training, start), training.resume)
    fitted = loop.fit(network, decoded.feed(_parts(album, training)), training, minimised, at)
    network.load_state_dict(fitted.best)
    adapters.merge(network.backbone)
    tensors = {name: tensor.detach().cpu() for name, tensor in network.state_dict().items()}
    folds = _gate_folds(training.loss)
    if folds:
        seen = _seen(decoded, network.eval(), epoch=training.epochs)
        fitting = training.model_copy(update=FOLD_FITTING)
        architecture, gate = _gate(architecture, classes, network.top, *seen, fitting, folds)
        tensors = tensors | gate
    shutil.rmtree(scratch, ignore_errors=True)
    sizes = {"size_px": training.size_px, "stride_px": network.backbone.stride_px}
    return _trained(architecture, tensors, fitted, album.classes, with_licences(sizes, licences_of(start)))


def train_cached(
    train: Cached,
    val_select: Cached,
    training: CachedTraining,
    backbone: tuple[dict[str, Any], dict[str, Tensor]],
    classes: tuple[str, ...],
) -> Trained:
    """Train heads on cached features; `backbone` is what `extract_features` described and wrote.

    Raises
    ------
    ParamsError
        When parameters contradict each other.
    DataError
        When the training diverges, or there are fewer groups than folds.
    """
    description, frozen = backbone
    taken = weights.architecture(Frozen, description, f"backbone/{weights.DESCRIPTION}")
    architecture = classifier_network.describe(taken.backbone, taken.views, training, classes)
    top, fitted = fit_top(architecture, len(classes), train, val_select, training, shown=True)
    tensors = {f"backbone.{name}": tensor for name, tensor in frozen.items()}
    tensors |= {f"top.{name}": tensor for name, tensor in fitted.best.items()}
    folds = _gate_folds(training.loss)
    if folds:
        architecture, gate = _gate(architecture, len(classes), top, train, val_select, training, folds)
        tensors |= gate
    sizes = {name: description[name] for name in ("size_px", "stride_px")}
    return _trained(architecture, tensors, fitted, classes, with_licences(sizes, description.get("licences", {})))


def _parts(album: Album, wanted: Decoding) -> Parts:
    count = len(album.train.images)
    return Parts(
        lambda epoch: image_batches.shuffled(count, wanted.batch, seed=wanted.seed, epoch=epoch),
        image_batches.steps(count, wanted.batch),
    )


def _seen(decoded: Decoded, network: Network, *, epoch: int) -> tuple[Cached, Cached]:
    """Return features of train, changed as in an epoch that no training had, and of val_select as it is."""
    album = decoded.album
    return (
        _cached(network, decoded.changed(epoch), album.train),
        _cached(network, decoded.held_out(), album.val_select),
    )


def _cached(network: Network, inputs: Iterator[Tensor], photographs: Photographs) -> Cached:
    with torch.no_grad():
        features = torch.cat([network.features(batch).cpu() for batch in inputs])
    return Cached(features, photographs.class_ids, photographs.groups)


def _check(training: ClassifierTraining, n_train: int) -> None:
    timm_backbone.refuse_half_precision(training.backbone.name, training.precision)
    refuse_views(training.views, training.size_px)
    problems = []
    if training.precision == "float16":  # its gradients need a scaled loss
        problems.append(Problem("precision", "float32 or bfloat16 in training", "float16", "choose one"))
    if min(training.batch, n_train) < 4:  # batch normalisation of one or two photographs is noise
        got = f"a batch of {training.batch} and {n_train} photographs in train"
        problems.append(Problem("batch", "4 photographs per step at the least", got, "raise the smaller"))
    refuse_any(ParamsError, problems)
    timm_backbone.refuse_machine(training.device, training.precision)


def _gate_folds(loss: Loss) -> int:
    return loss.gate_folds if isinstance(loss, CrossEntropy | Gatekeeper | ConformalRisk) else 0


def _gate(
    architecture: Architecture,
    classes: int,
    top: Top,
    train: Cached,
    val_select: Cached,
    fitting: Fitting,
    folds: int,
) -> tuple[Architecture, dict[str, Tensor]]:
    right = classifier_gate.out_of_fold(architecture, classes, train, val_select, fitting, folds=folds)
    print(
        f"gate head: {right.mean():.4f} of train is answered rightly out of fold; it learns to tell the rest",
        flush=True,
    )
    decay = fitting.weight_decay
    architecture, gate = classifier_gate.gated(architecture, top, train, right, weight_decay=decay)
    return architecture, {f"top.{name}": tensor for name, tensor in gate.items()}


def _trained(
    architecture: Architecture,
    tensors: dict[str, Tensor],
    fitted: Progress,
    classes: tuple[str, ...],
    beside: dict[str, Any],
) -> Trained:
    """Drop the head that only training needs, and describe the rest."""
    shipped = architecture.model_copy(update={"aux": False})
    kept = {name: tensor for name, tensor in tensors.items() if not name.startswith("top.heads.aux.")}
    description = {
        "framework": FRAMEWORK,
        "architecture": shipped.model_dump(mode="json"),
        "classes": classes,
        **beside,
    }
    return Trained(kept, description, pd.DataFrame(fitted.curve))


def _fingerprint(album: Album, training: ClassifierTraining, start: str) -> str:
    splits = [
        [checkpoint.stand_in(part.images), part.class_ids.tolist(), part.groups]
        for part in (album.train, album.val_select)
    ]
    wanted = training.model_dump(mode="json", exclude={"resume"})
    return checkpoint.fingerprint([album.classes, wanted, splits, checkpoint.started_from(Path(start))])
