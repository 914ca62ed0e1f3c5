"""Student and teacher of a pre-training without labels: DINO on crops, iBOT on hidden patches, KoLeo on the batch.

After DINOv2 (arXiv:2304.07193). One head serves crops and patches, as in iBOT (arXiv:2111.07832): two heads pay on
10^8 photographs, not on 10^4.
"""

import importlib
import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vouch.errors import Problem, WorkspaceError
from vouch.training.backbones.timm_backbone import Normalised
from vouch.training.images import batches as image_batches
from vouch.training.optimization import averaging, optimizers
from vouch.training.optimization.schedule import set_learning_rate
from vouch.training.pretraining.crops import N_GLOBAL, Views, masks
from vouch.training.pretraining.params import Pretraining

PARTS = ("dino", "ibot", "koleo")
Batch = tuple[Tensor, Tensor | None]  # (2, n, 3, size, size), and (n_local, n, 3, local, local) where there are any


def _lightly(module: str, name: str) -> Any:
    try:
        return getattr(importlib.import_module(f"lightly.{module}"), name)
    except ImportError as error:
        problem = Problem("pretrain", "lightly (MIT)", str(error), "pip install vouch[ssl]")
        raise WorkspaceError([problem]) from error


class Branch(nn.Module):
    """A backbone and its projection head: what student and teacher each are."""

    def __init__(self, backbone: Normalised, wanted: Pretraining) -> None:
        super().__init__()
        self.backbone, self.precision = backbone, wanted.precision
        # without a gradient: a copy of the head could not be made otherwise, nor is weight_norm's age our concern
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            head, sizes = _lightly("models.modules", "DINOProjectionHead"), wanted.head
            self.head = head(backbone.width, sizes.hidden_width, sizes.bottleneck_width, sizes.prototypes)
        self.mask_token = nn.Parameter(torch.zeros(backbone.inner.embed_dim))

    def tokens(self, images: Tensor, hidden: Tensor | None = None) -> Tensor:
        """Return all tokens (n, prefix + patches, d) float32; of `hidden` patches (n, rows, columns) none is seen.

        timm has no argument for it, but every transformer of its own turns patches into tokens in `patch_embed`.
        """
        inner = self.backbone.inner

        def hide(_module: nn.Module, _inputs: Any, patches: Tensor) -> Tensor:
            assert hidden is not None
            return torch.where(hidden.reshape(*patches.shape[:-1], 1), self.mask_token.to(patches.dtype), patches)

        hook = inner.patch_embed.register_forward_hook(hide) if hidden is not None else None
        device = images.device.type
        try:
            with nullcontext() if self.precision == "float32" else torch.autocast(device, torch.bfloat16):
                found: Tensor = inner.forward_features((images - self.backbone.mean) / self.backbone.std)
        finally:
            if hook is not None:
                hook.remove()
        return found.float()

    def whole(self, tokens: Tensor) -> Tensor:
        """Return what the backbone says of the whole picture, (n, d): what ships."""
        found: Tensor = self.backbone.inner.forward_head(tokens, pre_logits=True)
        return found

    def patches(self, tokens: Tensor, hidden: Tensor) -> Tensor:
        """Return the tokens of the hidden patches, (m, d)."""
        return tokens[:, self.backbone.inner.num_prefix_tokens :][hidden.flatten(1)]


@dataclass
class Pair:
    """Student, teacher and the losses, whose centers move with the teacher's outputs."""

    student: Branch
    teacher: Branch
    adapting: tuple[str, ...]  # names of the backbone's trained tensors; the others are one and the same in both
    dino: Any
    ibot: Any
    koleo: Any


def pair(backbone: Normalised, wanted: Pretraining) -> Pair:
    """Return student and teacher, alike, on the backbone's device; what the student does not train they share.

    Raises
    ------
    WorkspaceError
        When lightly is not installed.
    """
    device, objective = next(backbone.parameters()).device, wanted.objective
    student = Branch(backbone, wanted).to(device)
    teacher = averaging.copied(student)
    options = {"student_temp": objective.student_temperature, "center_momentum": objective.center_momentum}
    return Pair(
        student,
        teacher,
        tuple(name for name, one in backbone.named_parameters() if one.requires_grad),
        _lightly("loss", "DINOLoss")(wanted.head.prototypes, **options).to(device),
        _lightly("loss", "IBOTPatchLoss")(wanted.head.prototypes, **options).to(device),
        _lightly("loss", "KoLeoLoss")().to(device),
    )


def epoch(
    both: Pair,
    optimizer: Any,
    batches: Callable[[int], Iterator[Batch]],
    steps: int,
    wanted: Pretraining,
    number: int,
) -> dict[str, float]:
    """Train one epoch and return the mean of each loss, and the last learning rate."""
    _thaw(both, wanted, number)
    both.student.train()
    both.teacher.eval()
    found, rate = [], 0.0
    for step, batch in enumerate(batches(number)):
        done = number * steps + step
        rng = np.random.default_rng([wanted.seed, number, step])
        rate = set_learning_rate(optimizer, wanted, number + step / steps)
        parts: list[Tensor] = []

        def loss(batch: Batch = batch, rng: np.random.Generator = rng, parts: list[Tensor] = parts) -> Tensor:
            parts[:] = losses(both, batch, wanted, rng, temperature(wanted, number))
            objective = wanted.objective
            weights = (objective.dino_weight, objective.ibot_weight, objective.koleo_weight)
            return torch.stack([weight * part for weight, part in zip(weights, parts, strict=True)]).sum()

        norm, seed = wanted.max_gradient_norm, wanted.seed
        value = optimizers.step(both.student, optimizer, loss, max_norm=norm, seed=seed, number=done)
        decay = averaging.towards_one(wanted.ema_decay, done, wanted.epochs * steps)
        averaging.follow(both.teacher, both.student, decay)
        found.append(torch.stack([value, *(part.detach() for part in parts)]))
    means = torch.stack(found).mean(dim=0).tolist()
    names = ("train_loss", *(f"{part}_loss" for part in PARTS))
    return {**dict(zip(names, means, strict=True)), "learning_rate": rate}


def losses(
    both: Pair, batch: Batch, wanted: Pretraining, rng: np.random.Generator, temperature: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the three losses of a batch; the teacher sees the global crops whole, the student with hidden patches."""
    student, teacher, objective = both.student, both.teacher, wanted.objective
    seen, local = batch[0].flatten(0, 1), batch[1]
    grid = _grid(student.backbone.inner, seen)
    chosen = masks(len(seen), grid, share=objective.masked_share, area=objective.mask_area, rng=rng)
    hidden = torch.from_numpy(chosen).to(seen.device)
    with torch.no_grad():
        tokens = teacher.tokens(seen)
        of_teacher = teacher.head(teacher.whole(tokens)).chunk(N_GLOBAL)
        of_hidden = teacher.head(teacher.patches(tokens, hidden))
    guessed = student.tokens(seen, hidden)
    whole = student.whole(guessed)
    of_student = list(student.head(whole).chunk(N_GLOBAL))
    if local is not None:
        crops = student.whole(student.tokens(local.flatten(0, 1)))
        of_student += list(student.head(crops).chunk(len(local)))
    patches = student.head(student.patches(guessed, hidden))
    return (
        both.dino(list(of_teacher), of_student, teacher_temp=temperature),
        both.ibot(of_hidden, patches, hidden, teacher_temp=temperature),
        torch.stack([both.koleo(part) for part in whole.chunk(N_GLOBAL)]).sum(),
    )


def _grid(inner: Any, images: Tensor) -> tuple[int, int]:
    rows, columns = inner.patch_embed.patch_size
    return images.shape[-2] // rows, images.shape[-1] // columns


def _thaw(both: Pair, wanted: Pretraining, number: int) -> None:
    """Let learn what learns in this epoch: a tensor without a gradient is not stepped."""
    chosen = set(both.adapting)
    for name, one in both.student.backbone.named_parameters():
        one.requires_grad_(name in chosen and number >= wanted.head_epochs)
    both.student.head.last_layer.weight_v.requires_grad_(number >= wanted.head.frozen_prototype_epochs)


def temperature(wanted: Pretraining, number: int) -> float:
    """Return the teacher's temperature in an epoch: a flat output is safe at first, a sharp one teaches more."""
    objective = wanted.objective
    share = min(1.0, number / objective.temperature_epochs) if objective.temperature_epochs else 1.0
    first, last = objective.teacher_temperature, objective.final_teacher_temperature
    return first + share * (last - first)


def outputs(both: Pair, inputs: Iterator[Tensor]) -> tuple[Tensor, Tensor]:
    """Return the teacher's features (n, d) and logits (n, prototypes) of whole photographs, on the CPU."""
    both.teacher.eval()
    features, logits = [], []
    with torch.no_grad():
        for images in inputs:
            found = both.teacher.whole(both.teacher.tokens(images))
            features.append(found.cpu())
            logits.append(both.teacher.head(found).cpu())
    return torch.cat(features), torch.cat(logits)


def optimizer(student: Branch, wanted: Pretraining) -> torch.optim.AdamW:
    """Return AdamW over all that ever learns; vectors are not decayed."""
    return optimizers.adamw(optimizers.decaying(student.parameters(), wanted.weight_decay), wanted.learning_rate)


def trained(both: Pair) -> dict[str, Tensor]:
    """Return a copy of the teacher's trained tensors of the backbone, on the CPU."""
    of = dict(both.teacher.backbone.named_parameters())
    return {name: of[name].detach().cpu().clone() for name in both.adapting}


def restore(backbone: Normalised, tensors: dict[str, Tensor]) -> None:
    """Put such a copy back."""
    of = dict(backbone.named_parameters())
    with torch.no_grad():
        for name, tensor in tensors.items():
            of[name].copy_(tensor)


def inputs(found: Views, device: str) -> Batch:
    """Turn crops into what the networks take: float32, RGB in [0, 1]."""

    def turned(crops: NDArray[np.uint8]) -> Tensor:
        flat = image_batches.pixels(crops.reshape(-1, *crops.shape[2:]), device)
        return flat.reshape(*crops.shape[:2], *flat.shape[1:])

    return turned(found[0]), None if found[1] is None else turned(found[1])
