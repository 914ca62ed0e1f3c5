"""Conformal risk training: sets as small as a bound on the risk allows, differentiated through the bound itself.

Half of a batch plays calibration: with scores of recent batches it fixes lam by conformal risk control. The other half
plays prediction: wrong classes within lam cost. What ships is calibrated afresh on val_calib; no promise is made here.

Yeh, Christianson, Wierman, Yue, arXiv:2510.08748; of classification its ancestor is Stutz et al., arXiv:2110.09192.
"""

import math

import torch
from torch import Tensor

from vouch.training.classification.params import EDGE, ConformalRisk


def scores(logits: Tensor, class_ids: Tensor, *, positive: int | None) -> Tensor:
    """Return 1 - p of the true class, (m,) in [0, 1], of every row or of the positive class's rows."""
    own = 1 - torch.softmax(logits, dim=-1).gather(1, class_ids[:, None])[:, 0]
    return own if positive is None else own[class_ids == positive]


def level(found: Tensor, alpha: float) -> Tensor | None:
    """Return the smallest lam with (misses + 1) / (m + 1) <= alpha among scores (m,); None where m is too few.

    It is one of the scores, and the gradient is that of this one. A row is missed where its score is above lam.

    References
    ----------
    Angelopoulos et al., "Conformal Risk Control", arXiv:2208.02814, for losses of 0 and 1.
    """
    place = math.ceil((1 - alpha) * (len(found) + 1) - EDGE)
    return None if place > len(found) else found.sort(stable=True).values[max(place, 1) - 1]


def wrong_in_set(logits: Tensor, class_ids: Tensor, lam: Tensor, *, temperature: float) -> Tensor:
    """Return the soft number of wrong classes in a row's set, on the mean: those whose 1 - p is at most lam."""
    inside = torch.sigmoid((lam - 1 + torch.softmax(logits, dim=-1)) / temperature)
    wrong = torch.ones_like(inside).scatter(1, class_ids[:, None], 0.0)
    return (wrong * inside).sum(dim=1).mean()


def set_term(
    logits: Tensor, class_ids: Tensor, recent: Tensor, loss: ConformalRisk, positive: int | None
) -> tuple[Tensor, Tensor] | None:
    """Return the mean number of wrong classes in the sets of a batch's second half, and lam, from its first half.

    None where the first half and `recent` (m,), the detached scores of earlier batches, are too few for alpha.
    """
    half = len(class_ids) // 2
    own = scores(logits[:half], class_ids[:half], positive=positive)
    lam = level(torch.cat([own, recent.to(own)]), loss.alpha)
    if lam is None:
        return None
    return wrong_in_set(logits[half:], class_ids[half:], lam, temperature=loss.temperature), lam


def weight(loss: ConformalRisk, epochs: float) -> float:
    """Return the weight of the set term after so many epochs: 0, then a straight line, then `weight`."""
    since = epochs - loss.after_epochs
    return loss.weight * (min(1.0, since / loss.ramp_epochs) if loss.ramp_epochs else 1.0)


def pushed(recent: Tensor, fresh: Tensor, *, size: int) -> Tensor:
    """Return the last `size` of `recent` and then `fresh`."""
    return torch.cat([recent.to(fresh), fresh.detach()])[-size:]
