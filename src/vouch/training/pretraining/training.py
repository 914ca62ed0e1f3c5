"""A backbone that goes on learning from photographs without labels: ExPLoRA, merged before it is written.

After Khanna et al., arXiv:2406.10973: the last blocks are trained whole, the others through LoRA, LayerNorms
everywhere, by the objective that made the backbone (here DINOv2's), with heads at random, for none are published.
Unlike the paper's, LoRA lies on timm's fused `qkv`: keys are adapted too, and query, key and value share one A.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from vouch.errors import DataError, ParamsError, Problem, refuse_any
from vouch.training.backbones import adapters, timm_backbone
from vouch.training.backbones.frozen import Frozen, describe_frozen, licences_of, started_backbone, with_licences
from vouch.training.backbones.params import Views
from vouch.training.backbones.timm_backbone import Normalised
from vouch.training.images import batches as image_batches
from vouch.training.images.batches import Photographs
from vouch.training.optimization import checkpoint
from vouch.training.optimization.checkpoint import Checkpoint, Progress, Stateful
from vouch.training.pretraining import loop, monitors
from vouch.training.pretraining.crops import seen
from vouch.training.pretraining.loop import Batch, Pair
from vouch.training.pretraining.params import Pretraining
from vouch.training.weights import Trained
from vouch.vision.images.source import Image


@dataclass(frozen=True)
class Pool:
    """What a pre-training may see: no photograph of a validation split."""

    images: tuple[Image, ...]  # that shape weights, labelled or not
    labelled: Photographs  # of train: they judge the epochs


def adapt(pool: Pool, wanted: Pretraining, start: str, scratch: Path) -> Trained:
    """Adapt a backbone to photographs; the teacher of the best epoch comes back, merged, or the backbone as it was.

    The best epoch, whose row of the curve says `ships` 1, has the most photographs whose nearest neighbours, none of
    their own group, are of their class; of equals the later. An epoch before the backbone learns, one whose features
    collapsed, or one that loses more than the margin against the backbone as it was does not count. The same pool and
    parameters give the same tensors, interrupted or not; working files lie under `scratch`.

    Raises
    ------
    ParamsError
        When parameters contradict each other or the backbone: one without blocks has nowhere to put LoRA.
    DataError
        When a photograph does not decode, the training diverges, or all labelled photographs are of one group.
    BundleError, WorkspaceError
        When the starting weights do not fit; when the device, the hub or lightly is not there, or the checkpoint to
        resume from is not what it must be.
    """
    _check(wanted, len(pool.images))
    torch.set_num_threads(wanted.threads)
    torch.manual_seed(wanted.seed)
    architecture = timm_backbone.describe(wanted.backbone.name, wanted.backbone.options, wanted.crops.global_px)
    backbone, _ = started_backbone(architecture, start)
    refuse_unfit(backbone, wanted)
    backbone = backbone.to(wanted.device)
    ran = timm_backbone.attention_in_force(backbone, wanted.backbone.attention, wanted.device, wanted.precision)
    print(f"attention: {ran}", flush=True)
    frozen = Frozen(backbone=architecture, views=_whole(wanted.crops.global_px), precision="float32")
    description = with_licences(describe_frozen(backbone, frozen, wanted.crops.global_px), licences_of(start))
    before = {name: tensor.detach().cpu().clone() for name, tensor in backbone.state_dict().items()}
    loosen(backbone, wanted)
    both = loop.pair(backbone, wanted)
    at = Checkpoint(scratch / "last.pt", _fingerprint(pool, wanted, start), wanted.resume)
    progress = _fit(both, pool, wanted, at)
    shutil.rmtree(scratch, ignore_errors=True)
    curve = pd.DataFrame(progress.curve).astype({"epoch": int})
    curve = curve.assign(ships=(curve["epoch"] == progress.best_epoch).astype(int))
    return Trained(_merged(both, progress.best) if progress.best_epoch else before, description, curve)


def loosen(backbone: Normalised, wanted: Pretraining) -> None:
    """Freeze a backbone but its last blocks, its normalisations, and LoRA put into the other blocks."""
    inner = backbone.inner
    backbone.requires_grad_(False)
    blocks = inner.blocks
    last = blocks[-wanted.unfrozen_blocks :]
    inner.blocks = blocks[: -wanted.unfrozen_blocks]  # what learns whole needs no adapter
    adapters.inject(backbone, wanted.lora)
    inner.blocks = blocks
    last.requires_grad_(True)
    for module in inner.modules():
        if "Norm" in type(module).__name__:
            module.requires_grad_(True)


def refuse_unfit(backbone: Normalised, wanted: Pretraining) -> None:
    """Refuse a backbone that has no blocks of attention, too few of them, or one size of picture where two are wanted.

    Raises
    ------
    ParamsError
        With every reason.
    """
    inner, where = backbone.inner, "pretrain.backbone"
    if not (hasattr(inner, "blocks") and hasattr(inner, "patch_embed") and hasattr(inner, "num_prefix_tokens")):
        expected = "a vision transformer, whose blocks take LoRA and whose patches can be hidden"
        raise ParamsError([Problem(f"{where}.name", expected, backbone.name, "choose one, say DINOv2")])
    problems, patch, crops = [], int(inner.patch_embed.patch_size[0]), wanted.crops
    if wanted.unfrozen_blocks >= len(inner.blocks):
        got, remedy = f"{wanted.unfrozen_blocks} of {len(inner.blocks)}", "lower it: the others take LoRA"
        problems.append(Problem("pretrain.unfrozen_blocks", "fewer than all blocks", got, remedy))
    if crops.global_px < 2 * patch:
        got = str(crops.global_px)
        problems.append(Problem("pretrain.crops.global_px", f"two patches of {patch} px a side", got, "raise it"))
    if crops.n_local and crops.local_px != crops.global_px:
        if not getattr(inner, "dynamic_img_size", False):
            got, remedy = "one size", "set dynamic_img_size: true in options, of the classifier too"
            problems.append(Problem(f"{where}.options", "a backbone that takes local crops", got, remedy))
        if crops.local_px % patch:
            got = str(crops.local_px)
            problems.append(Problem("pretrain.crops.local_px", f"a multiple of {patch}", got, "change the side"))
    refuse_any(ParamsError, problems)


def _check(wanted: Pretraining, count: int) -> None:
    timm_backbone.refuse_half_precision(wanted.backbone.name, wanted.precision)
    timm_backbone.refuse_adapters(wanted.backbone.name)
    problems = []
    if wanted.precision == "float16":  # its gradients need a scaled loss
        problems.append(Problem("pretrain.precision", "float32 or bfloat16 in training", "float16", "choose one"))
    if count < wanted.batch:
        problems.append(Problem("pretrain.batch", f"at most {count} photographs", str(wanted.batch), "lower it"))
    refuse_any(ParamsError, problems)
    timm_backbone.refuse_machine(wanted.device, wanted.precision)


def _whole(size_px: int) -> Views:
    """Return what the monitors looked at: the whole canvas."""
    return Views(tiles_per_side=0, overlap=0.0, side_px=size_px, aggregator="mean", top_k=1)


def _fit(both: Pair, pool: Pool, wanted: Pretraining, at: Checkpoint) -> Progress:
    """Return the curve from before the first epoch on, and the trained tensors of the best epoch where one may ship."""
    optimizer, lesson = loop.optimizer(both.student, wanted), _Lesson(pool, wanted)
    parts: dict[str, Stateful] = {"student": both.student, "teacher": both.teacher, "optimizer": optimizer}
    parts |= {"dino": both.dino, "ibot": both.ibot}  # these two for their centers
    progress = checkpoint.started(at, parts, {})
    if not progress.curve:
        progress.curve.append({"epoch": 0.0, **lesson.validated(both, 0)})
        print(_line(progress.curve[0], wanted.epochs), flush=True)
    while (number := progress.epoch) < wanted.epochs:
        losses = loop.epoch(both, optimizer, lesson.batches, lesson.steps, wanted, number)
        row = {"epoch": number + 1.0, **losses, **lesson.validated(both, number)}
        print(_line(row, wanted.epochs), flush=True)
        ships = may_ship([*progress.curve, row], progress.best_epoch, wanted)
        progress = checkpoint.recorded(progress, row, loop.trained(both) if ships else None, {})
        checkpoint.save(at, progress, parts)
    print(verdict(progress.curve, progress.best_epoch), flush=True)
    return progress


def _fingerprint(pool: Pool, wanted: Pretraining, start: str) -> str:
    labelled = [checkpoint.stand_in(pool.labelled.images), pool.labelled.class_ids.tolist(), pool.labelled.groups]
    section = wanted.model_dump(mode="json", exclude={"resume"})
    photographs = [checkpoint.stand_in(pool.images), labelled]
    return checkpoint.fingerprint([section, photographs, checkpoint.started_from(Path(start))])


def may_ship(rows: list[dict[str, float]], shipped: int, wanted: Pretraining) -> bool:
    """Say whether the last of the epochs in `rows` (the first is the backbone as it was) is the best so far."""
    start, last, rules = rows[0], rows[-1], wanted.monitors
    to_beat = rows[shipped]["neighbour_accuracy"] if shipped else start["neighbour_accuracy"] - rules.margin
    return (
        last["epoch"] > wanted.head_epochs
        and last["feature_spread"] >= rules.min_spread * start["feature_spread"]
        and last["neighbour_accuracy"] >= to_beat
    )


def verdict(rows: list[dict[str, float]], shipped: int) -> str:
    """Return what the log says at the end."""
    start, found = rows[0]["neighbour_accuracy"], rows[shipped]["neighbour_accuracy"]
    if not shipped:
        return (
            f"ships: the backbone as it was, neighbours right {start:.4f}; no epoch came within the margin uncollapsed"
        )
    return f"ships: epoch {shipped}, neighbours right {found:.4f}, before {start:.4f}"


class _Lesson:
    """The photographs of a pre-training, decoded once."""

    def __init__(self, pool: Pool, wanted: Pretraining) -> None:
        self.pool, self.wanted = pool, wanted
        self.images = image_batches.canvases(pool.images, wanted.size_px)
        self.labelled = image_batches.canvases(pool.labelled.images, wanted.crops.global_px)
        self.steps = image_batches.steps(len(pool.images), wanted.batch)

    def batches(self, epoch: int) -> Iterator[Batch]:
        wanted = self.wanted
        parts = image_batches.shuffled(len(self.pool.images), wanted.batch, seed=wanted.seed, epoch=epoch)
        crop = seen(self.images, wanted.crops, seed=wanted.seed, epoch=epoch)
        return (loop.inputs(found, wanted.device) for found in image_batches.ahead(crop, parts))

    def validated(self, both: Pair, epoch: int) -> dict[str, float]:
        wanted, labelled = self.wanted, self.pool.labelled
        inputs = image_batches.in_order(self.labelled, len(labelled.images), wanted.batch, wanted.device)
        features, logits = loop.outputs(both, inputs)
        if not bool(torch.isfinite(features).all()):
            problem = Problem("pretrain", "finite features", "infinite ones", "lower learning_rate")
            raise DataError([problem])
        center = both.dino.center.flatten().cpu()
        entropy, information = monitors.certainty(logits, center, loop.temperature(wanted, epoch))
        right = monitors.neighbour_accuracy(
            features, labelled.class_ids, labelled.groups, neighbours=wanted.monitors.neighbours
        )
        return {
            "teacher_entropy": entropy,
            "teacher_information": information,
            "feature_spread": monitors.spread(features),
            "neighbour_accuracy": right,
        }


def _line(row: dict[str, float], epochs: int) -> str:
    loss = f"train loss {row['train_loss']:.4f}, " if "train_loss" in row else ""
    names = ("neighbour_accuracy", "feature_spread", "teacher_entropy", "teacher_information")
    found = ", ".join(f"{name.replace('_', ' ')} {row[name]:.4f}" for name in names)
    return f"epoch {row['epoch']:.0f}/{epochs}: {loss}{found}"


def _merged(both: Pair, best: dict[str, Tensor]) -> dict[str, Tensor]:
    backbone = both.teacher.backbone
    loop.restore(backbone, best)
    adapters.merge(backbone)
    return {name: tensor.detach().cpu().clone() for name, tensor in backbone.state_dict().items()}
