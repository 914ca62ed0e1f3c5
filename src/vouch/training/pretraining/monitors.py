"""Signs that features collapse: alike for every photograph, one prototype for all, or neighbours of another class."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vouch.errors import DataError, Problem

NEIGHBOUR_TEMPERATURE = 0.07  # of a neighbour's vote, exp(cosine / temperature); DINO's
COMPARED_AT_ONCE = 1 << 24  # cosines held at a time: 64 MB


def spread(features: Tensor) -> float:
    """Return the mean deviation of each dimension of unit features, (n, d), over 1 / sqrt(d), in [0, 1].

    1 is what features reach that point everywhere alike, 0 a single point.
    """
    unit = torch.nn.functional.normalize(features.double(), dim=1)
    return float(unit.std(dim=0, correction=0).mean()) * math.sqrt(features.shape[1])


def certainty(logits: Tensor, center: Tensor, temperature: float) -> tuple[float, float]:
    """Return entropy and mutual information (with the photographs) of the teacher's outputs over ln(prototypes).

    Parameters
    ----------
    logits : (n, prototypes)
    center : (prototypes,), what the teacher subtracts

    Returns
    -------
    entropy : mean over photographs; 1 says that every prototype is as likely
    information : the entropy of the mean output less that; 0 where all photographs get one output, sharp or flat
    """
    outputs = torch.softmax((logits.double() - center.double()) / temperature, dim=1)
    most = math.log(logits.shape[1])
    each = float(_entropy(outputs).mean()) / most
    return each, max(0.0, float(_entropy(outputs.mean(dim=0, keepdim=True))) / most - each)


def _entropy(outputs: Tensor) -> Tensor:
    entropies: Tensor = torch.special.entr(outputs).sum(dim=1)
    return entropies


def neighbour_accuracy(
    features: Tensor, class_ids: NDArray[np.int64], groups: tuple[str, ...], *, neighbours: int
) -> float:
    """Return how often the nearest photographs of other groups vote for a photograph's own class.

    Frames of a group are alike whatever the features are worth; they do not vote for each other.

    Raises
    ------
    DataError
        When there is one group only.
    """
    _, codes = np.unique(np.array(groups), return_inverse=True)
    if codes.max() == 0:
        problem = Problem("split train", "two groups of labelled photographs", "one", "add another or regroup")
        raise DataError([problem])
    unit = torch.nn.functional.normalize(features.float(), dim=1)
    group, truth = (torch.from_numpy(np.asarray(values, np.int64)).to(unit.device) for values in (codes, class_ids))
    right, rows = 0, max(1, COMPARED_AT_ONCE // len(unit))
    for part in torch.split(torch.arange(len(unit), device=unit.device), rows):
        cosines = (unit[part] @ unit.T).masked_fill(group[part][:, None] == group, -math.inf)
        nearest, voters = cosines.topk(min(neighbours, len(unit)), dim=1)
        votes = torch.zeros(len(part), int(truth.max()) + 1, device=unit.device)
        votes.scatter_add_(1, truth[voters], torch.exp((nearest - 1) / NEIGHBOUR_TEMPERATURE))
        right += int((votes.argmax(dim=1) == truth[part]).sum())
    return right / len(unit)
