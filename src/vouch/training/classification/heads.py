"""What stands on a backbone: aggregation over the views of a canvas, and three heads on one trunk."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

ATTENTION_WIDTH = 128  # hidden units of the gated attention
ATTENTION_DROPOUT = 0.1


class Outputs(NamedTuple):
    """Raw outputs for n photographs: class logits (n, K), gate logit (n,), a second head's class logits (n, K)."""

    logits: Tensor
    gate: Tensor | None
    aux: Tensor | None
    abstention: Tensor | None  # (n,), the logit of abstaining, where the loss is Deep Gamblers'


class Heads(nn.Module):
    """A trunk (linear, ReLU, dropout) and up to four linear heads.

    Parameters
    ----------
    width : features that come in
    hidden : units of the trunk
    classes : K
    gate, aux, abstention : whether there is such a head
    """

    def __init__(
        self, width: int, hidden: int, classes: int, *, gate: bool, aux: bool, abstention: bool, dropout: float
    ) -> None:
        super().__init__()
        self.trunk = nn.Linear(width, hidden)
        self.dropout = nn.Dropout(dropout)
        self.classes = nn.Linear(hidden, classes + abstention)
        self.gate = nn.Linear(hidden, 1) if gate else None
        self.aux = nn.Linear(hidden, classes) if aux else None
        self.abstains = abstention

    def hidden(self, features: Tensor) -> Tensor:
        """Return the trunk's output: (..., hidden)."""
        trunk: Tensor = self.dropout(functional.relu(self.trunk(features)))
        return trunk

    def forward(self, features: Tensor) -> Outputs:
        """Answer for features (..., width)."""
        hidden = self.hidden(features)
        logits, abstention = self.classes(hidden), None
        if self.abstains:
            logits, abstention = logits[..., :-1], logits[..., -1]
        gate = None if self.gate is None else self.gate(hidden)[..., 0]
        return Outputs(logits, gate, None if self.aux is None else self.aux(hidden), abstention)


class Mean(nn.Module):
    """The mean over views."""

    def forward(self, values: Tensor) -> Tensor:
        """Reduce (n, views, d) to (n, d)."""
        return values.mean(dim=1)


class TopK(nn.Module):
    """The mean of the k views that are highest in one column: like OR, one tile with a small thing decides."""

    def __init__(self, k: int, column: int) -> None:
        super().__init__()
        self.k, self.column = k, column

    def forward(self, values: Tensor) -> Tensor:
        """Reduce (n, views, d) to (n, d)."""
        chosen = values[..., self.column].topk(self.k, dim=1).indices
        return values.gather(1, chosen[..., None].expand(-1, -1, values.shape[-1])).mean(dim=1)


class GatedAttention(nn.Module):
    """A weighted mean over views, a_k = softmax w'(tanh V h_k * sigmoid U h_k) (Ilse et al., arXiv:1802.04712)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.value = nn.Linear(width, ATTENTION_WIDTH)
        self.door = nn.Linear(width, ATTENTION_WIDTH)
        self.dropout = nn.Dropout(ATTENTION_DROPOUT)
        self.weigh = nn.Linear(ATTENTION_WIDTH, 1)

    def forward(self, values: Tensor) -> Tensor:
        """Reduce (n, views, d) to (n, d)."""
        mixed = self.dropout(torch.tanh(self.value(values)) * torch.sigmoid(self.door(values)))
        weights = torch.softmax(self.weigh(mixed), dim=1)
        return (weights * values).sum(dim=1)


class Top(nn.Module):
    """Aggregation and heads: features (n, views, width) to outputs.

    Mean and attention reduce features; top_k reduces the heads' outputs, since it asks which view is surest.
    """

    def __init__(self, heads: Heads, aggregator: Mean | TopK | GatedAttention) -> None:
        super().__init__()
        self.heads, self.aggregator = heads, aggregator

    def forward(self, features: Tensor) -> Outputs:
        """Answer for each photograph."""
        if not isinstance(self.aggregator, TopK):
            outputs: Outputs = self.heads(self.aggregator(features))
            return outputs
        return _reduced(self.heads(features), self.aggregator)

    def pooled(self, features: Tensor) -> Tensor:
        """Return one feature vector for each photograph, (n, width): what the heads see, the views' mean for top_k."""
        vectors: Tensor = features.mean(dim=1) if isinstance(self.aggregator, TopK) else self.aggregator(features)
        return vectors

    def hidden(self, features: Tensor) -> Tensor:
        """Return the trunk's output for each photograph, (n, hidden), of which a linear gate is the gate's logit."""
        if not isinstance(self.aggregator, TopK):
            return self.heads.hidden(self.aggregator(features))
        logits = self.heads(features).logits
        both = self.aggregator(torch.cat([logits, self.heads.hidden(features)], dim=-1))
        hidden: Tensor = both[:, logits.shape[-1] :]
        return hidden


def _reduced(outputs: Outputs, aggregator: TopK) -> Outputs:
    """Reduce outputs (n, views, ...) with the views that their class logits choose."""
    present = [values if values.ndim == 3 else values[..., None] for values in outputs if values is not None]
    parts = iter(aggregator(torch.cat(present, dim=-1)).split([part.shape[-1] for part in present], dim=-1))
    logits, gate, aux, abstention = (None if values is None else next(parts) for values in outputs)
    assert logits is not None
    gate, abstention = (None if value is None else value[..., 0] for value in (gate, abstention))
    return Outputs(logits, gate, aux, abstention)
