"""A detector twice as wide that says what the narrow one said: a start that more capacity goes on from.

Chen, Goodfellow, Shlens: Net2Net (2016), section 3.1: every channel is repeated, and what reads it divides its weight
between the two. The division is uneven and drawn anew for every weight: with halves the two would get one gradient
and stay one channel for ever.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from ultralytics.nn.modules.block import Attention

from vouch.errors import DataError, Problem, refuse_any

UNEVEN = 0.25  # standard deviation of the share that the first of two channels takes, about a half


def widen(tensors: Mapping[str, Tensor], network: nn.Module, seed: int) -> dict[str, Tensor]:
    """Return tensors for `network`, whose layers are as wide as those of `tensors` or twice as wide, same outputs.

    Channel i becomes channels 2i and 2i + 1, so halves and joins of feature maps stay what they were. A head of
    attention becomes two with its queries and keys, each with half of its values.

    Parameters
    ----------
    tensors
        State of the narrow network; floating point.
    network
        The wide one, of the same layers.
    seed
        Of the uneven division.

    Raises
    ------
    DataError
        Listing every tensor that is absent or neither as wide nor twice as wide.
    """
    wanted = network.state_dict()
    _refuse_others(tensors, wanted)
    attention = {name: module for name, module in network.named_modules() if isinstance(module, Attention)}
    generator = torch.Generator().manual_seed(seed)
    wide = {}
    for name in sorted(wanted):
        tensor, target = tensors[name], wanted[name].shape
        if tensor.ndim > 1 and target[1] > tensor.shape[1]:
            tensor = _divided(tensor.float(), generator)
        if tensor.ndim > 0 and target[0] > tensor.shape[0]:
            block = next((module for path, module in attention.items() if name.startswith(f"{path}.qkv.")), None)
            tensor = tensor[torch.arange(len(tensor)).repeat_interleave(2) if block is None else _heads(block)]
        wide[name] = tensor
    return wide


def _divided(weight: Tensor, generator: torch.Generator) -> Tensor:
    """Repeat input channels (dimension 1), each pair's weights adding up to the one before."""
    share = 0.5 + UNEVEN * torch.randn(weight.shape, generator=generator)
    return torch.stack([share * weight, (1 - share) * weight], dim=2).flatten(1, 2)


def _heads(block: Attention) -> Tensor:
    """Return which narrow output each wide output of queries, keys and values repeats, head by head."""
    keys, values = 2 * block.key_dim, block.head_dim
    rows = []
    for head in range(block.num_heads):
        first = head // 2 * (keys + values)  # of the narrow head
        half = first + keys + head % 2 * (values // 2)
        rows += [torch.arange(first, first + keys), torch.arange(half, half + values // 2).repeat_interleave(2)]
    return torch.cat(rows)


def _fits(narrow: tuple[int, ...] | None, wide: tuple[int, ...]) -> bool:
    if narrow is None or len(narrow) != len(wide):
        return False
    return all(more in (less, 2 * less) for less, more in zip(narrow, wide, strict=True))


def _refuse_others(tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    problems = []
    for name in sorted(wanted):
        wide = tuple(wanted[name].shape)
        narrow = tuple(tensors[name].shape) if name in tensors else None
        if not _fits(narrow, wide):
            expected = f"{name} as wide or half as wide as {wide}"
            problems.append(Problem("start", expected, str(narrow or "nothing"), "widen twofold at a time"))
    refuse_any(DataError, problems)
