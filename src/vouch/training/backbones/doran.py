"""DoRAN (Diep et al., arXiv:2510.04331) for a fused qkv: m V / (||V|| + tau) by rows, V = W0 + s BA.

Two things tell it from DoRA. tau, positive and learned, keeps gradients bounded where ||V|| is small. And A and B come
out of small networks whose first layers q and v of a block share. No reference code is published; sizes, activation and
start are ours. k stays as it is.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from vouch.training.backbones.params import Doran

GELU_SQUARED = 0.4252  # the mean of gelu(u)^2 for u ~ N(0, 1)


class DoranQkv(nn.Module):
    """A linear layer of 3 d rows, q then k then v, whose q and v learn beside what they were.

    At the start it gives what the layer gave, bit by bit: B = 0 and m = ||W0|| + tau.

    Attributes
    ----------
    shared_a, shared_b : (rank, hidden), first layers, of q and v alike
    own_a, own_b : (2, hidden, width) and (2, d, hidden), second layers, of q and of v
    magnitude : (2 d,), m of q's rows, then of v's
    rho : (2,), tau = softplus(rho) of q and of v
    """

    squares: Tensor

    def __init__(self, base_layer: nn.Linear, wanted: Doran) -> None:
        super().__init__()
        rows, width = base_layer.weight.shape
        rank, hidden, third = wanted.rank, wanted.hidden, rows // 3
        self.base_layer = base_layer
        self.scaling = wanted.alpha / rank
        self.dropout = nn.Dropout(wanted.dropout)
        self.shared_a = nn.Parameter(torch.randn(rank, hidden))
        self.shared_b = nn.Parameter(torch.randn(rank, hidden))
        bound = 1 / math.sqrt(GELU_SQUARED * hidden * width)  # then A varies as LoRA's does: 1 / (3 width)
        self.own_a = nn.Parameter(torch.empty(2, hidden, width).uniform_(-bound, bound))
        self.own_b = nn.Parameter(torch.zeros(2, third, hidden))
        self.rho = nn.Parameter(torch.full((2,), math.log(math.expm1(wanted.tau))))
        squares = self._adapted().cpu().square().sum(dim=-1)
        self.register_buffer("squares", squares, persistent=False)  # ||W0||^2, (2, d)
        self.magnitude = nn.Parameter((self.squares.sqrt() + self._tau()).detach().flatten())
        self._unmerged: Tensor | None = None
        self.to(base_layer.weight.device)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return (..., 3 d) for inputs (..., width)."""
        plain: Tensor = self.base_layer(inputs)
        if self._unmerged is not None:
            return plain
        a, up, scale = self._factors(inputs.device.type)
        low = functional.linear(self.dropout(inputs), a)
        found = torch.addmm(plain.flatten(0, -2), low.flatten(0, -2), up.T).view_as(plain)
        # the bias is in `plain` already and must not be scaled; so the start is exact, which W0 x + bias apart is not
        bias = self.base_layer.bias
        scaled = found * scale if bias is None else torch.addcmul(bias * (1 - scale), found, scale)
        return scaled.to(plain.dtype)

    def merge(self) -> None:
        """Put what was learned into the linear layer's weight."""
        assert self._unmerged is None, "merged already"
        with torch.no_grad():
            a, b = self._matrices()
            rows = self._adapted()
            self._unmerged = rows.clone()
            scale = self._scale(a, b)
            rows.copy_(scale[..., None] * (rows + self.scaling * b @ a))

    def unmerge(self) -> None:
        """Put the weight back that was there before, bit by bit."""
        assert self._unmerged is not None, "not merged"
        with torch.no_grad():
            self._adapted().copy_(self._unmerged)
        self._unmerged = None

    def get_base_layer(self) -> nn.Linear:
        """Return the linear layer; the name is peft's."""
        return self.base_layer

    def _adapted(self) -> Tensor:
        """Return the rows of q and of v, (2, d, width), as a view."""
        return self.base_layer.weight.detach().view(3, -1, self.base_layer.in_features)[::2]

    def _tau(self) -> Tensor:
        return functional.softplus(self.rho)[:, None]

    def _matrices(self) -> tuple[Tensor, Tensor]:
        """Return A (2, rank, width) and B (2, d, rank)."""
        return functional.gelu(self.shared_a) @ self.own_a, self.own_b @ functional.gelu(self.shared_b).T

    def _scale(self, a: Tensor, b: Tensor) -> Tensor:
        """Return m / (||V|| + tau), (2, d); the norm is no part of the gradient, as in DoRA (its section 4.3).

        ||V||^2 = ||W0||^2 + 2 s <W0, BA> + s^2 ||BA||^2, of which only products with rank columns are new.
        """
        with torch.no_grad():
            crossed = (self._adapted() @ a.mT * b).sum(dim=-1)
            added = (b @ (a @ a.mT) * b).sum(dim=-1)
            norms = (self.squares + 2 * self.scaling * crossed + self.scaling**2 * added).clamp_min(0).sqrt()
        return self.magnitude.view_as(norms) / (norms + self._tau())

    def _factors(self, device: str) -> tuple[Tensor, Tensor, Tensor]:
        """Return A (2 rank, width), s B (3 d, 2 rank) and the scale (3 d,), the rows of k being 0 and 1."""
        with torch.autocast(device, enabled=False):  # eight bits of mantissa are too few for a norm
            a, b = self._matrices()
            scale = self._scale(a, b)
            q, v = (self.scaling * b).unbind()
            none = torch.zeros_like(q)
            up = torch.cat([torch.cat([q, none, none]), torch.cat([none, none, v])], dim=1)
            return a.flatten(0, 1), up, torch.cat([scale[0], torch.ones_like(scale[0]), scale[1]])
