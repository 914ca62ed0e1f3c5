"""Training an embedder on crops: the classifiers' loop over batches of several crops of each product."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from vouch.errors import DataError, Problem, refuse_any
from vouch.training.backbones import timm_backbone
from vouch.training.backbones.frozen import licences_of, with_licences
from vouch.training.embedding import margin
from vouch.training.embedding import network as embedder_network
from vouch.training.embedding.network import FRAMEWORK, Architecture
from vouch.training.embedding.params import EmbedderTraining
from vouch.training.images.batches import Photographs
from vouch.training.images.decoded import Album, Decoded, Parts
from vouch.training.optimization import checkpoint, loop
from vouch.training.optimization.checkpoint import Checkpoint
from vouch.training.weights import Trained
from vouch.vision.crops import images


def album(train: pd.DataFrame, val_select: pd.DataFrame) -> Album:
    """Return the crops of two splits, as `vision.crops.crops` made them; the products are those of train.

    Crops of val_select whose product train lacks are left out: no answer on them would be right.

    Raises
    ------
    DataError
        When train has fewer than two products, or val_select none of them.
    """
    products = tuple(sorted(train["product"].unique()))
    held_out = val_select[val_select["product"].isin(products)]
    problems = []
    if len(products) < 2:
        got = products[0] if products else "none"
        problems.append(Problem("train", "crops of two products at the least", got, "add photographs"))
    if held_out.empty:
        got = f"none of {len(val_select)}"
        problems.append(Problem("val_select", "crops of products of train", got, "add photographs of other groups"))
    refuse_any(DataError, problems)
    return Album(products, train=_labelled(train, products), val_select=_labelled(held_out, products))


def _labelled(table: pd.DataFrame, products: tuple[str, ...]) -> Photographs:
    ids = {name: place for place, name in enumerate(products)}
    class_ids = np.array([ids[name] for name in table["product"]], np.int64)
    return Photographs(images(table), class_ids, tuple(table["group"]))


def by_product(
    class_ids: NDArray[np.int64], batch: int, per_product: int, *, seed: int, epoch: int
) -> list[NDArray[np.intp]]:
    """Return the indices of an epoch's batches: `per_product` crops of each of batch / per_product products.

    Every crop comes at least once; where a product's last crops are too few for a place, others of it fill it. A
    product may take two places of a batch.
    """
    rng = np.random.default_rng([seed, epoch])
    places: list[NDArray[np.intp]] = []
    for product in np.unique(class_ids):
        order = rng.permutation(np.flatnonzero(class_ids == product))
        filled = np.resize(order, -(-len(order) // per_product) * per_product)  # goes on from the beginning
        places += list(filled.reshape(-1, per_product))
    shuffled = [places[place] for place in rng.permutation(len(places))]
    together = batch // per_product
    count = -(-len(shuffled) // together)
    return [np.concatenate(shuffled[first::count]) for first in range(count)]


def train(seen: Album, training: EmbedderTraining, start: str, scratch: Path) -> Trained:
    """Train from crops; the averaged weights of the epoch best on val_select come back.

    Raises
    ------
    ParamsError
        When the backbone is unknown, or contradicts the precision.
    DataError
        When a photograph does not decode, or the training diverges.
    BundleError
        When the starting weights do not fit.
    WorkspaceError
        When the device, the hub or the checkpoint to resume from is not what it must be, or what pairs need is not
        installed.
    """
    timm_backbone.refuse_half_precision(training.backbone.name, training.precision)
    timm_backbone.refuse_machine(training.device, training.precision)
    torch.set_num_threads(training.threads)
    torch.manual_seed(training.seed)
    backbone = timm_backbone.describe(training.backbone.name, training.backbone.options, training.size_px)
    architecture = Architecture(backbone=backbone, embedding=training.embedding, scale=training.scale)
    network = embedder_network.started(architecture, len(seen.classes), start=start)
    network = network.to(training.device).to(memory_format=torch.channels_last)
    network.precision = training.precision
    decoded = Decoded(seen, training)
    at = Checkpoint(scratch / "last.pt", fingerprint(seen, training, start), training.resume)
    fitted = loop.fit(network, decoded.feed(_parts(seen, training)), training, margin.minimised(training), at)
    shutil.rmtree(scratch, ignore_errors=True)
    description = {
        "framework": FRAMEWORK,
        "architecture": architecture.model_dump(mode="json"),
        "classes": seen.classes,
        "size_px": training.size_px,
        "stride_px": network.backbone.stride_px,
    }
    described = with_licences(description, licences_of(start))
    return Trained(dict(fitted.best), described, pd.DataFrame(fitted.curve))


def _parts(seen: Album, wanted: EmbedderTraining) -> Parts:
    def of_epoch(epoch: int) -> list[NDArray[np.intp]]:
        return by_product(seen.train.class_ids, wanted.batch, wanted.per_product, seed=wanted.seed, epoch=epoch)

    return Parts(of_epoch, len(of_epoch(0)))


def fingerprint(seen: Album, training: EmbedderTraining, start: str) -> str:
    """Return what a resumed run must share with the interrupted one."""
    splits = [
        [[image.name for image in part.images], checkpoint.stand_in(part.images), part.class_ids.tolist()]
        for part in (seen.train, seen.val_select)
    ]
    wanted = training.model_dump(mode="json", exclude={"resume"})
    return checkpoint.fingerprint([seen.classes, wanted, splits, checkpoint.started_from(Path(start))])
