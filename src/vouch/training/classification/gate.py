"""The gate: a linear head that learns from out-of-fold correctness whether a prediction will be right.

On the photographs that shaped the heads nearly every prediction is right, and a gate trained there opens for all. So
the heads are fitted again, fold by fold of whole groups, on cached features; each fold is predicted by heads that have
not seen it; and the gate learns to tell its right predictions from its wrong ones, on the final trunk, which stays as
it is.

With a frozen backbone that is cross-fitting in full. After a full fine-tuning the backbone has seen every fold, so its
predictions on them are still better than on new photographs: these are augmented once more before their features are
taken, which gives the gate views that were never fitted, and the log puts the out-of-fold accuracy beside that on
val_select. The calibration of the gate (Platt, on val_select) fixes its level, not its ranking. Cross-fitting the
backbone too would fix both, at the price of as many trainings as there are folds.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from vouch.errors import DataError, Problem
from vouch.training.classification.cached import PHOTOGRAPHS_AT_ONCE, Cached, fit_top
from vouch.training.classification.heads import Top
from vouch.training.classification.network import Architecture
from vouch.training.classification.params import Fitting

ITERATIONS = 200  # of L-BFGS; the problem is convex and has a few hundred unknowns


def fold_of_group(groups: tuple[str, ...], folds: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return each photograph's fold; a group is in one fold, and folds differ by one group at the most.

    Raises
    ------
    DataError
        When there are fewer groups than folds.
    """
    names, index = np.unique(np.array(groups), return_inverse=True)
    if len(names) < folds:
        remedy = "lower loss.gate_folds or add groups"
        raise DataError([Problem("train", f"{folds} groups, one a fold", str(len(names)), remedy)])
    order = rng.permutation(len(names))
    folds_of_names = np.empty(len(names), np.intp)
    folds_of_names[order] = np.arange(len(names)) % folds
    found: NDArray[np.intp] = folds_of_names[index]
    return found


def out_of_fold(
    architecture: Architecture, classes: int, train: Cached, val_select: Cached, fitting: Fitting, *, folds: int
) -> NDArray[np.bool_]:
    """Return whether each train photograph is predicted rightly by heads that saw none of its group."""
    fold = fold_of_group(train.groups, folds, np.random.default_rng([fitting.seed, folds]))
    right = np.empty(len(fold), np.bool_)
    for number in range(folds):
        inside, outside = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        top, _ = fit_top(architecture, classes, train.part(outside), val_select, fitting, shown=False)
        with torch.no_grad():
            predicted = top(train.part(inside).features.to(fitting.device)).logits.argmax(dim=1).cpu().numpy()
        right[inside] = predicted == train.class_ids[inside]
    return right


def fit_gate(hidden: Tensor, right: NDArray[np.bool_], *, weight_decay: float) -> tuple[Tensor, Tensor]:
    """Return weight (1, d) and bias (1,) of the logistic regression of `right` on `hidden` (n, d).

    Units are scaled to deviation 1 for the decay's sake; targets are Platt's, (N+ + 1) / (N+ + 2) and 1 / (N- + 2), so
    that no error at all gives a gate that is open, not infinite.
    """
    inputs = hidden.double().cpu()
    deviation, mean = torch.std_mean(inputs, dim=0, correction=0)
    deviation = deviation.where(deviation > 0, 1.0)  # a unit that never fires
    scaled = (inputs - mean) / deviation
    n_right, n_wrong = int(right.sum()), int((~right).sum())
    targets = torch.from_numpy(np.where(right, (n_right + 1) / (n_right + 2), 1 / (n_wrong + 2)))
    weight = torch.zeros(inputs.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros((), dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS([weight, bias], max_iter=ITERATIONS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        solver.zero_grad()
        error = functional.binary_cross_entropy_with_logits(scaled @ weight + bias, targets)
        value: Tensor = error + weight_decay / 2 * (weight @ weight)
        torch.autograd.backward(value)
        return value.detach()

    solver.step(loss)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        unscaled = weight / deviation
        return unscaled.float()[None], (bias - unscaled @ mean).float()[None]


def gated(
    architecture: Architecture, top: Top, train: Cached, right: NDArray[np.bool_], *, weight_decay: float
) -> tuple[Architecture, dict[str, Tensor]]:
    """Return the architecture with a gate head and its tensors, by their names below `top`."""
    with torch.no_grad():
        hidden = torch.cat(
            [
                top.hidden(part.to(next(top.parameters()).device))
                for part in torch.split(train.features, PHOTOGRAPHS_AT_ONCE)
            ]
        )
    weight, bias = fit_gate(hidden, right, weight_decay=weight_decay)
    tensors = {"heads.gate.weight": weight, "heads.gate.bias": bias}
    return architecture.model_copy(update={"gate": "head"}), tensors
