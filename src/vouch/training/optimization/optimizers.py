"""Optimizers: AdamW with layer-wise decay, Friendly SAM around it, a warm-up and a cosine, averaged weights."""

import importlib
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from timm.optim import param_groups_layer_decay
from timm.utils import ModelEmaV3
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from vouch.errors import Problem, WorkspaceError
from vouch.training.classification.params import Fitting

BETAS = (0.9, 0.999)
MAGNITUDES = "*.lora_magnitude_vector.*"  # of DoRA; those of convolutions are no vectors, but lengths all the same
PERTURBATION = {"rho": 0.05, "sigma": 1.0, "lmbda": 0.9}  # of Friendly SAM (Li et al., arXiv:2403.12350)


def optimizer(network: nn.Module, fitting: Fitting) -> Any:
    """Return the optimizer over a network's trainable weights; vectors (norms, biases, magnitudes) are not decayed.

    A timm network at `backbone.inner` learns layer by layer slower the further it is from the heads.

    Raises
    ------
    WorkspaceError
        When Friendly SAM is wanted and pytorch-optimizer is not installed.
    """
    groups = _groups(network, fitting)
    if fitting.optimizer == "AdamW":
        # one fused kernel: on a CPU 150 tensors one by one cost as much as a small network's own pass
        return torch.optim.AdamW(groups, lr=fitting.learning_rate, betas=BETAS, fused=True)
    try:
        friendly = importlib.import_module("pytorch_optimizer").FriendlySAM
    except ImportError as error:
        problem = Problem("optimizer", "pytorch-optimizer for FriendlySAM", str(error), "install it or choose AdamW")
        raise WorkspaceError([problem]) from error
    return friendly(groups, torch.optim.AdamW, lr=fitting.learning_rate, betas=BETAS, **PERTURBATION)


def _groups(network: nn.Module, fitting: Fitting) -> list[dict[str, Any]]:
    inner = getattr(getattr(network, "backbone", None), "inner", None)
    groups: list[dict[str, Any]] = []
    if inner is not None:
        named = inner.no_weight_decay() if hasattr(inner, "no_weight_decay") else ()
        groups = param_groups_layer_decay(
            inner,
            weight_decay=fitting.weight_decay,
            no_weight_decay_list={*named, MAGNITUDES},
            layer_decay=fitting.layer_decay,
        )
        for group in groups:  # timm gives the last layer its class head's rate; our heads stand one above it
            group["lr_scale"] *= fitting.layer_decay
    inside = {id(parameter) for group in groups for parameter in group["params"]}
    others = [one for one in network.parameters() if one.requires_grad and id(one) not in inside]
    for parameters, decay in (
        ([one for one in others if one.ndim > 1], fitting.weight_decay),
        ([one for one in others if one.ndim <= 1], 0.0),
    ):
        groups.append({"params": parameters, "weight_decay": decay, "lr_scale": 1.0})
    return [group for group in groups if group["params"]]


class Schedule(Protocol):
    """The parameters of a learning rate over a training."""

    @property
    def epochs(self) -> int: ...  # noqa: D102
    @property
    def warmup_epochs(self) -> float: ...  # noqa: D102
    @property
    def learning_rate(self) -> float: ...  # noqa: D102
    @property
    def final_learning_rate(self) -> float: ...  # noqa: D102


def set_learning_rate(optimizer: Any, fitting: Schedule, epochs: float) -> float:
    """Set every group's rate after so many epochs (a fraction within one) and return the heads'.

    Linear warm-up, then a cosine to the final fraction; timm's groups carry `lr_scale` but do not apply it.
    """
    warm = min(1.0, (epochs + 1e-3) / fitting.warmup_epochs) if fitting.warmup_epochs else 1.0
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, epochs / fitting.epochs)))
    floor = fitting.final_learning_rate
    rate = fitting.learning_rate * warm * (floor + (1 - floor) * cosine)
    for group in optimizer.param_groups:
        group["lr"] = rate * group["lr_scale"]
    return rate


def step(network: nn.Module, optimizer: Any, loss: Callable[[], Tensor], *, max_norm: float, seed: int) -> Tensor:
    """Make one step and return the loss before it.

    `loss` runs once for AdamW and twice for Friendly SAM, with the same dropout; the second pass leaves the running
    statistics of batch normalisation alone, and only its gradient, which is the one stepped along, is clipped.
    """

    def gradient() -> Tensor:
        optimizer.zero_grad()
        _seed(seed)
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


class Average(ModelEmaV3):  # type: ignore[misc]
    """timm's average of the weights, warmed up: after 1,000 steps it spans the last hundred at any decay.

    Frozen weights are the network's own tensors: beside adapters they are nearly all, and an average of them costs the
    memory of a second backbone and a pass over it each step.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        super().__init__(network, decay=decay, use_warmup=True)
        self.frozen = {name for name, one in network.named_parameters() if not one.requires_grad}
        for name in self.frozen:
            self.module.get_parameter(name).data = network.get_parameter(name).data

    def apply_update_(self, model: nn.Module, decay: float) -> None:
        """Move every other tensor towards the network's; whole numbers are taken over."""
        current = model.state_dict()
        pairs = [(own, current[name]) for name, own in self.module.state_dict().items() if name not in self.frozen]
        moving = [pair for pair in pairs if pair[0].is_floating_point()]
        self._foreach_lerp_([own for own, _ in moving], [other for _, other in moving], weight=1.0 - decay)
        for own, other in pairs:
            if not own.is_floating_point():
                own.copy_(other)


def averaged(network: nn.Module, fitting: Fitting) -> Average:
    """Return the average that alone is judged and ships."""
    return Average(network, fitting.ema_decay)
