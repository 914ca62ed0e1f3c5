"""Optimizers and their steps: AdamW with layer-wise decay, Friendly SAM around it."""

import importlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from timm.optim import param_groups_layer_decay
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from vouch.errors import Problem, WorkspaceError
from vouch.training.optimization.params import Optimization

BETAS = (0.9, 0.999)
MAGNITUDES = "*.lora_magnitude_vector.*"  # of DoRA; those of convolutions are no vectors, but lengths all the same
STEPS_A_SEED = 1_000_003  # a prime above any epoch's steps: no two steps of a run share a seed
PERTURBATION = {"rho": 0.05, "sigma": 1.0, "lmbda": 0.9}  # of Friendly SAM (Li et al., arXiv:2403.12350)


def optimizer(network: nn.Module, wanted: Optimization) -> Any:
    """Return the optimizer over a network's trainable weights; vectors (norms, biases, magnitudes) are not decayed.

    A timm network at `backbone.inner` learns layer by layer slower the further it is from the heads.

    Raises
    ------
    WorkspaceError
        When Friendly SAM is wanted and pytorch-optimizer is not installed.
    """
    groups = _groups(network, wanted)
    if wanted.optimizer == "AdamW":
        return adamw(groups, wanted.learning_rate)
    try:
        friendly = importlib.import_module("pytorch_optimizer").FriendlySAM
    except ImportError as error:
        problem = Problem("optimizer", "pytorch-optimizer for FriendlySAM", str(error), "install it or choose AdamW")
        raise WorkspaceError([problem]) from error
    return friendly(groups, torch.optim.AdamW, lr=wanted.learning_rate, betas=BETAS, **PERTURBATION)


def adamw(groups: list[dict[str, Any]], learning_rate: float) -> torch.optim.AdamW:
    """Return AdamW as one fused kernel: on a CPU 150 tensors one by one cost as much as a small network's own pass."""
    return torch.optim.AdamW(groups, lr=learning_rate, betas=BETAS, fused=True)


def _groups(network: nn.Module, wanted: Optimization) -> list[dict[str, Any]]:
    inner = getattr(getattr(network, "backbone", None), "inner", None)
    groups: list[dict[str, Any]] = []
    if inner is not None:
        named = inner.no_weight_decay() if hasattr(inner, "no_weight_decay") else ()
        groups = param_groups_layer_decay(
            inner,
            weight_decay=wanted.weight_decay,
            no_weight_decay_list={*named, MAGNITUDES},
            layer_decay=wanted.layer_decay,
        )
        for group in groups:  # timm gives the last layer its class head's rate; our heads stand one above it
            group["lr_scale"] *= wanted.layer_decay
    inside = {id(parameter) for group in groups for parameter in group["params"]}
    others = [one for one in network.parameters() if id(one) not in inside]
    return [group for group in [*groups, *decaying(others, wanted.weight_decay)] if group["params"]]


def decaying(parameters: Iterable[nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    """Return two groups of those that learn, at the whole learning rate: matrices, which decay, and vectors."""
    learning = [one for one in parameters if one.requires_grad]
    return [
        {"params": [one for one in learning if one.ndim > 1], "weight_decay": weight_decay, "lr_scale": 1.0},
        {"params": [one for one in learning if one.ndim <= 1], "weight_decay": 0.0, "lr_scale": 1.0},
    ]


def step(
    network: nn.Module, optimizer: Any, loss: Callable[[], Tensor], *, max_norm: float, seed: int, number: int
) -> Tensor:
    """Make step `number` of a run and return the loss before it.

    `loss` runs once for AdamW and twice for Friendly SAM, with the same dropout; the second pass leaves the running
    statistics of batch normalisation alone, and only its gradient, which is the one stepped along, is clipped.
    """

    def gradient() -> Tensor:
        optimizer.zero_grad()
        _seed(seed * STEPS_A_SEED + number)
        value = loss()
        torch.autograd.backward(value)
        return value.detach()

    def clipped() -> Tensor:
        value = gradient()
        nn.utils.clip_grad_norm_(network.parameters(), max_norm)
        return value

    if isinstance(optimizer, torch.optim.AdamW):
        value = clipped()
        optimizer.step()
        return value
    value = gradient()
    with _statistics_kept(network):
        optimizer.step(clipped)
    return value


def _seed(seed: int) -> None:
    """Seed what dropout draws from; `torch.manual_seed` also calls on absent devices, 1 ms a step."""
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(seed)


@contextmanager
def _statistics_kept(network: nn.Module) -> Iterator[None]:
    norms = [one for one in network.modules() if isinstance(one, _BatchNorm) and one.track_running_stats]
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True
