"""A moving average of a network's weights: a classifier's, which ships, and a teacher's, which pre-training follows."""

import copy
import math
from typing import TypeVar

import torch
from torch import nn

WARM_UP_POWER = 2 / 3  # timm's: after 1,000 steps the average spans the last hundred at any decay
N = TypeVar("N", bound=nn.Module)


def copied(network: N) -> N:
    """Return a copy that takes no gradient; what the network does not train is one and the same tensor in both.

    Beside adapters frozen weights are nearly all: an average of them would cost the memory of a second backbone and a
    pass over it each step.
    """
    frozen = {id(one): one for one in network.parameters() if not one.requires_grad}
    return copy.deepcopy(network, frozen).eval().requires_grad_(False)


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move every tensor that is the average's own towards the network's; whole numbers are taken over."""
    pairs = zip(average.state_dict().values(), network.state_dict().values(), strict=True)
    own = [(mine, yours) for mine, yours in pairs if not mine.is_set_to(yours)]
    moving = [pair for pair in own if pair[0].is_floating_point()]
    torch._foreach_lerp_([mine for mine, _ in moving], [yours for _, yours in moving], weight=1.0 - decay)
    for mine, yours in own:
        if not mine.is_floating_point():
            mine.copy_(yours)


def warmed_up(decay: float, step: int) -> float:
    """Return the decay of step 1, 2 ..: 0 at first, so that the average is the network, then up to `decay`."""
    warm: float = 1 - (1 + max(0, step - 1)) ** -WARM_UP_POWER
    return min(warm, decay)


def towards_one(decay: float, step: int, steps: int) -> float:
    """Return the decay of step 0, 1 .. of so many: from `decay` to 1 on a cosine."""
    return 1 - (1 - decay) * (1 + math.cos(math.pi * step / steps)) / 2
